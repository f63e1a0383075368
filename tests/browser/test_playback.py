"""The past of the text, edit by edit: a slider, who wrote there and when, and playing it."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Request, expect

from tests.browser.editor import converged
from tests.browser.house import House
from tests.browser.person import Person
from tests.browser.test_accessibility import in_both_themes, tab_to
from tests.browser.test_history import TEXT, HistoryOf

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

BY_ADA = " Ada was first."
BY_GRACE = " Grace came later."


class PlaybackOf:
    """The past as somebody has it on their screen, and how many requests for it are under way."""

    def __init__(self, person: Person) -> None:
        page = self.page = person.page
        self.history = HistoryOf(person)
        self.view = page.get_by_test_id("playback")
        self.slider = self.view.get_by_role("slider", name="Moment")
        self.moment = self.view.get_by_test_id("moment")
        self.text = self.view.get_by_test_id("past-text").locator(".view-lines")
        self.most_under_way = 0
        self._under_way: set[Request] = set()
        page.on("request", self._begun)
        page.on("requestfinished", self._ended)
        page.on("requestfailed", self._ended)

    async def open(self) -> None:
        await self.page.keyboard.press("Alt+Shift+H")
        await expect(self.history.panel).to_be_focused()
        await tab_to(self.history.panel.get_by_role("button", name="Playback"))
        await self.page.keyboard.press("Enter")
        await expect(self.slider).to_be_focused()

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.page.keyboard.press(key)

    async def is_at(self, seq: str) -> None:
        await expect(self.moment).to_have_attribute("data-seq", seq)

    def _begun(self, request: Request) -> None:
        if re.search("/(at/|timeline)", request.url):
            self._under_way.add(request)
            self.most_under_way = max(self.most_under_way, len(self._under_way))

    def _ended(self, request: Request) -> None:
        self._under_way.discard(request)


async def written_by_two(house: House) -> tuple[Person, Person]:
    """Ada writes into a prompt, and then Grace does."""
    prompt_id = await house.rest.new_prompt("Support", TEXT)
    ada, grace = await house.guests(prompt_id)
    await ada.editor.go_behind("Be friendly.")
    await ada.editor.type(BY_ADA)
    await converged(ada.editor, grace.editor)
    await grace.editor.go_behind(BY_ADA)
    await grace.editor.type(BY_GRACE)
    await converged(ada.editor, grace.editor)
    return ada, grace


async def test_the_past_is_walked_by_keyboard_alone(house: House) -> None:
    ada, grace = await written_by_two(house)
    playback = PlaybackOf(ada)
    slider, moment = playback.slider, playback.moment
    await playback.open()
    await expect(playback.text).to_contain_text(shown(f"Be friendly.{BY_ADA}{BY_GRACE}"))
    await expect(moment).to_contain_text(re.compile("Grace.*typed"))
    await expect(slider).to_have_attribute("aria-valuetext", re.compile("Grace, edit ([0-9]+) of \\1$"))
    head = await slider.input_value()
    assert await slider.get_attribute("max") == head

    await playback.press("Home")
    await playback.is_at("1")
    await expect(moment).to_contain_text("Owner 1")
    await expect(playback.text).not_to_contain_text("Ada")
    await playback.press("ArrowRight")
    await playback.is_at("2")
    await expect(slider).to_have_attribute("aria-valuetext", re.compile(f"Ada, edit 2 of {head}$"))
    await playback.press("PageUp", "PageUp", "PageDown", "ArrowLeft", "End", "Home")
    await playback.is_at("1")

    before = await ada.editor.text()
    await playback.page.keyboard.type("nobody writes here")
    await playback.press("Escape")
    await expect(playback.view).to_be_hidden()
    await expect(ada.editor.box).to_be_focused()
    await ada.editor.type("!")
    text = await converged(ada.editor, grace.editor)
    assert sorted(text) == sorted(f"{before}!")
    assert playback.most_under_way == 1


async def test_the_past_plays_in_the_colors_of_those_who_wrote_it(house: House, tmp_path: Path) -> None:
    ada, _ = await written_by_two(house)
    playback = PlaybackOf(ada)
    await playback.open()
    head = await playback.slider.input_value()
    await playback.press("Home")
    await playback.is_at("1")
    await playback.press("Space")
    await playback.is_at(head)
    await expect(playback.text).to_contain_text(shown(BY_GRACE))
    await expect(playback.view.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert playback.most_under_way == 1

    stripes = await playback.view.get_by_test_id("session").get_attribute("style")
    for avatar in await ada.page.get_by_test_id("person").locator(".avatar").all():
        [ground] = re.findall(r"background: (rgb[^;]*)", await avatar.get_attribute("style") or "")
        assert ground in (stripes or "")
    for theme in ("Light", "Dark"):
        await ada.page.get_by_role("radio", name=theme).evaluate("(radio) => radio.click()")
        await ada.page.screenshot(path=tmp_path / f"{theme}.png")
    assert not await in_both_themes(ada.page, "playback")


async def test_a_moment_that_does_not_come_is_said(house: House) -> None:
    prompt_id = await house.rest.new_prompt("Playback", TEXT)
    await house.rest.put_in_front(prompt_id, "Later.\n")
    ada = await house.guest("Ada", prompt_id)
    ada.expects("Failed to load resource")
    history = HistoryOf(ada)
    await history.open()
    await history.panel.get_by_role("button", name="Playback").click()
    playback = ada.page.get_by_test_id("playback")
    past = playback.get_by_test_id("past-text").locator(".view-lines")
    await expect(past).to_contain_text("Later.")
    await ada.page.route("**/at/1", lambda route: route.abort())
    await ada.page.keyboard.press("Home")
    await expect(playback.get_by_role("alert")).to_contain_text("cannot be reached")
    await ada.page.unroute("**/at/1")
    await ada.page.keyboard.press("End")
    await expect(playback.get_by_role("alert")).to_be_hidden()
    await ada.page.keyboard.press("Home")
    await expect(past).not_to_contain_text("Later.")


def shown(text: str) -> str:
    """Return a text as Monaco puts it into the page."""
    return text.replace(" ", "\u00a0")

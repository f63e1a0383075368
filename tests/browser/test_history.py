"""Versions and labels in the panel beside the text: everybody sees them at once, and the text comes back."""

import re
from uuid import UUID

import pytest
from playwright.async_api import Locator, Page, Route, WebSocketRoute, expect

from server.access import Role
from tests.browser.axe import violations
from tests.browser.editor import converged
from tests.browser.house import House
from tests.browser.person import Person
from tests.browser.test_accessibility import in_both_themes, tab_to

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

TEXT = """---
model: anthropic/claude-sonnet-4-5
config:
  temperature: 0.3
---
{{role "system"}}
You answer for {{product}}.

Be friendly.
"""
WARMER = TEXT.replace("0.3", "0.7").replace("Be friendly.", "Be friendly and brief, and promise no date.")


class HistoryOf:
    """The history as somebody has it on their screen."""

    def __init__(self, person: Person) -> None:
        page = self.page = person.page
        self.editor = person.editor
        self.button = page.get_by_role("button", name="History", exact=True)
        self.panel = page.get_by_role("complementary", name="History")
        self.versions = self.panel.get_by_test_id("version")
        self.comparison = page.get_by_test_id("compare")
        self.dialog = page.get_by_role("dialog")

    async def open(self) -> None:
        await self.button.click()
        await expect(self.panel).to_be_visible()

    async def save(self, message: str) -> None:
        await self.panel.get_by_role("button", name="Save version…").click()
        await self.describe(message)

    async def describe(self, message: str) -> None:
        await self.page.get_by_label("What changed, and why").fill(message)
        await self.page.keyboard.press("Control+Enter")
        await expect(self.dialog).to_be_hidden()

    async def choose(self, title: str) -> None:
        await self.panel.get_by_role("button", name=title, exact=True).click()
        await expect(self.comparison.get_by_test_id("changes")).not_to_be_empty()

    def version(self, title: str) -> Locator:
        return self.versions.filter(has_text=title)

    async def set_label(self, name: str, *, moves: bool = False) -> None:
        await self.comparison.get_by_role("button", name="Labels…").click()
        await self.dialog.get_by_label("Label", exact=True).fill(name)
        await self.dialog.get_by_role("button", name="Move here" if moves else "Set label").click()


async def new_version(house: House, prompt_id: UUID, message: str) -> str:
    """Make a version by REST, and return its id."""
    answer = await house.rest.ask("POST", f"/api/v1/prompts/{prompt_id}/versions", json={"message": message})
    assert answer is not None
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def replace_live(house: House, prompt_id: UUID, find: str, replacement: str) -> None:
    """Write into the live text by REST."""
    edit = {"edits": [{"find": find, "replace": replacement}]}
    answer = await house.rest.ask("POST", f"/api/v1/prompts/{prompt_id}/edits", json=edit)
    assert answer is not None
    assert answer.is_success, answer.text


async def prompt_with_history(house: House) -> tuple[UUID, list[str]]:
    """Make a prompt of two versions, `First` and `Warmer`, whose live text is that of the second."""
    prompt_id = await house.rest.new_prompt("History", TEXT)
    first = await new_version(house, prompt_id, "First")
    await replace_live(house, prompt_id, "0.3", "0.7")
    await replace_live(house, prompt_id, "Be friendly.", "Be friendly and brief, and promise no date.")
    return prompt_id, [first, await new_version(house, prompt_id, "Warmer")]


async def test_a_version_appears_to_everybody_and_nothing_is_saved_twice(house: House) -> None:
    prompt_id = await house.rest.new_prompt("Saving", TEXT)
    people = await house.guests(prompt_id, Ada=Role.EDITOR, Grace=Role.EDITOR, Vera=Role.VIEWER)
    ada, grace, vera = map(HistoryOf, people)
    for each in (ada, grace, vera):
        await each.open()
        await expect(each.panel).to_contain_text("No versions yet")
    await expect(vera.panel.get_by_role("button", name="Save version…")).to_be_disabled()

    await ada.editor.go_behind("Be friendly.")
    await ada.editor.type(" Ada adds this.")
    await ada.save("Ask first\n\nBecause it helps.")
    for each in (ada, grace, vera):
        await expect(each.versions).to_have_count(1)
        await expect(each.versions).to_contain_text("Ask first")
        await expect(each.versions).to_contain_text(re.compile("Ada and Owner 1just now"))
    in_the_list = await grace.versions.locator(".avatar").get_attribute("style")
    assert in_the_list == await grace.editor.person("Ada").locator(".avatar").get_attribute("style")

    await grace.editor.go_to_end()
    await grace.editor.press("Control+S")
    await grace.editor.notices.get_by_role("button", name="Save a version…").click()
    await grace.describe("The same again")
    await expect(grace.editor.notices).to_contain_text(re.compile("Nothing has changed since [0-9a-f]{7} “Ask first”"))
    await expect(grace.versions).to_have_count(1)

    copy = grace.versions.get_by_role("button", name=re.compile("Copy the id"))
    await copy.click()
    copied = await grace.page.evaluate("navigator.clipboard.readText()")
    stored = await house.rest.ask("GET", f"/api/v1/prompts/{prompt_id}/versions/latest")
    assert stored is not None
    assert copied == stored.json()["id"]
    assert "Ada adds this." in stored.json()["content"]


async def test_older_versions_come_page_by_page(house: House) -> None:
    prompt_id = await house.rest.new_prompt("Many", "")
    for number in range(1, 61):
        await house.rest.put_in_front(prompt_id, f"{number}\n")
        await new_version(house, prompt_id, f"Number {number}")
    history = HistoryOf(await house.guest("Ada", prompt_id))
    await history.open()
    await expect(history.versions.first).to_contain_text("Number 60")
    older = history.panel.get_by_role("button", name="Show older")
    await older.click()
    await expect(history.versions).to_have_count(60)
    await expect(history.versions.last).to_contain_text("Number 1")
    await expect(older).to_be_hidden()


async def test_a_version_beside_the_live_text_its_parent_and_another(house: House) -> None:
    prompt_id, [first, warmer] = await prompt_with_history(house)
    await replace_live(house, prompt_id, "You answer", "You speak")
    person = await house.guest("Ada", prompt_id)
    history = HistoryOf(person)
    await history.open()
    await history.choose("Warmer")
    comparison = history.comparison
    await expect(comparison.get_by_test_id("changes")).to_have_text("1 change")
    await expect(comparison.get_by_test_id("older")).to_have_text(f"{warmer[:7]} Warmer")
    await expect(comparison.get_by_test_id("newer")).to_have_text("Live text")

    await replace_live(house, prompt_id, "model: ", "model: other/")  # the live text is live there, too
    await expect(comparison.get_by_test_id("changes")).to_have_text("2 changes")

    against = comparison.get_by_label("Compare with")
    await against.select_option(label=f"Version before ({first[:7]})")
    await expect(comparison.get_by_test_id("older")).to_have_text(f"{first[:7]} First")
    await expect(comparison.get_by_test_id("newer")).to_have_text(f"{warmer[:7]} Warmer")
    await expect(comparison.get_by_test_id("changes")).to_have_text("2 changes")
    await expect(comparison.get_by_text("promise no date")).to_be_visible()

    await history.choose("First")
    await expect(comparison.get_by_test_id("changes")).to_have_text(re.compile("[34] changes"))
    await against.select_option(label=f"{warmer[:7]} Warmer")
    await expect(comparison.get_by_test_id("older")).to_have_text(f"{first[:7]} First")
    await history.page.keyboard.type("nobody writes here")
    assert "nobody writes here" not in await person.editor.text()


async def test_a_restore_reaches_everybody_and_can_be_undone(house: House) -> None:
    prompt_id, _ = await prompt_with_history(house)
    people = await house.guests(prompt_id)
    ada, grace = map(HistoryOf, people)
    await grace.editor.go_behind("You answer for {{product}}.")
    await grace.editor.type(" Grace was here.")
    before = await converged(ada.editor, grace.editor)

    await ada.open()
    await ada.choose("First")
    await ada.comparison.get_by_role("button", name="Restore this version").click()
    await expect(ada.dialog).to_contain_text("Nothing is lost")
    await ada.dialog.get_by_role("button", name="Restore", exact=True).click()
    await expect(ada.comparison).to_be_hidden()
    await expect(ada.editor.box).to_be_focused()
    await grace.editor.holds("temperature: 0.3")
    assert await converged(ada.editor, grace.editor) == TEXT
    await expect(ada.versions.first).to_contain_text("Before restoring")

    await grace.editor.go_behind("Be friendly.")
    await grace.editor.type(" Always.")  # where the caret of whoever types was before
    since = await converged(ada.editor, grace.editor)
    await ada.editor.notices.get_by_role("button", name="Undo restore").click()
    await expect(ada.editor.notices).to_contain_text("is undone")
    await grace.editor.holds("Grace was here.")
    assert await converged(ada.editor, grace.editor) == before == await house.rest.live(prompt_id)

    kept = await house.rest.ask("GET", f"/api/v1/prompts/{prompt_id}/versions/latest")
    assert kept is not None
    assert kept.json()["content"] == since


async def test_labels_move_for_everybody_and_never_against_somebody(house: House) -> None:
    prompt_id, [first, warmer] = await prompt_with_history(house)
    people = await house.guests(prompt_id)
    ada, grace = map(HistoryOf, people)
    for each in (ada, grace):
        await each.open()
    await ada.choose("First")
    await ada.set_label("production")
    await expect(grace.version("First").get_by_test_id("label")).to_have_text("production")

    await ada.page.keyboard.press("Escape")
    await expect(ada.dialog).to_be_hidden()
    await grace.choose("Warmer")
    await grace.comparison.get_by_role("button", name="Labels…").click()
    await grace.dialog.get_by_label("Label", exact=True).fill("production")
    await expect(grace.dialog.get_by_role("status")).to_contain_text(f"“production” is at {first[:7]} now, set by Ada")
    await grace.dialog.get_by_role("button", name="Move here").click()
    for each in (ada, grace):
        await expect(each.version("Warmer").get_by_test_id("label")).to_have_text("production")
        await expect(each.version("First").get_by_test_id("label")).to_have_count(0)

    await grace.dialog.get_by_role("button", name="Remove production").click()
    await expect(ada.panel.get_by_test_id("label")).to_have_count(0)
    moves = await house.rest.ask("GET", f"/api/v1/prompts/{prompt_id}/labels/production/history")
    assert moves is not None
    assert [move["to_id"] for move in moves.json()["items"]] == [None, warmer, first]


async def test_a_label_that_was_moved_meanwhile_or_is_protected_stays_where_it_is(house: House) -> None:
    prompt_id, [first, warmer] = await prompt_with_history(house)
    path = f"/api/v1/prompts/{prompt_id}/labels/production"
    await house.rest.ask("PUT", path, json={"version": first})
    person = await house.guest("Ada", prompt_id)
    ada, alert = HistoryOf(person), person.page.get_by_role("dialog").get_by_role("alert")
    await ada.open()
    await ada.choose("Warmer")
    between = await new_version_of_another_text(house, prompt_id)

    async def move_before(route: Route) -> None:
        await house.rest.ask("PUT", path, json={"version": between})
        await route.continue_()

    person.expects("status of 409")
    await person.page.route(f"**{path}", move_before, times=1)
    await ada.set_label("production", moves=True)
    await expect(alert).to_contain_text(f"Somebody was quicker: the label is at {between[:7]} now")
    await expect(ada.version("Between").get_by_test_id("label")).to_have_text("production")

    person.expects("status of 403")
    await house.rest.ask("PUT", path, json={"version": warmer, "protected": True})
    remove = ada.dialog.get_by_role("button", name="Remove production")
    await expect(remove).to_be_visible()
    await expect(ada.version("Warmer").get_by_test_id("label")).to_contain_text("(protected)")
    await remove.click()
    await expect(alert).to_contain_text(re.compile("owner", re.IGNORECASE))
    await expect(ada.version("Warmer").get_by_test_id("label")).to_be_visible()


async def new_version_of_another_text(house: House, prompt_id: UUID) -> str:
    await house.rest.put_in_front(prompt_id, "\n")
    return await new_version(house, prompt_id, "Between")


async def test_whoever_was_away_sees_what_was_made_meanwhile(house: House) -> None:
    prompt_id, [first, _] = await prompt_with_history(house)
    person = await house.guest("Ada", prompt_id)
    lines: list[WebSocketRoute] = []
    is_away = False

    async def through(line: WebSocketRoute) -> None:
        if is_away:
            await line.close()
        else:
            line.connect_to_server()
            lines.append(line)

    await person.page.route_web_socket("**/ws/**", through)
    await person.page.reload()
    await person.editor.opened()
    history = HistoryOf(person)
    await history.open()
    await expect(history.versions).to_have_count(2)

    is_away = True
    await lines[-1].close()
    await person.editor.says(re.compile("^offline"))
    await house.rest.ask("PUT", f"/api/v1/prompts/{prompt_id}/labels/production", json={"version": first})
    await new_version_of_another_text(house, prompt_id)
    is_away = False
    await person.page.evaluate("dispatchEvent(new Event('online'))")  # what the browser says of the network
    await expect(history.versions).to_have_count(3)
    await expect(history.version("First").get_by_test_id("label")).to_have_text("production")


async def test_the_history_with_the_keyboard_alone(house: House) -> None:
    prompt_id, _ = await prompt_with_history(house)
    person = await house.guest("Ada", prompt_id)
    history, page = HistoryOf(person), person.page
    await page.keyboard.press("Alt+Shift+H")
    await expect(history.panel).to_be_focused()
    await expect(history.button).to_have_attribute("aria-expanded", "true")
    await page.keyboard.press("Escape")
    await expect(history.panel).to_be_hidden()
    await expect(person.editor.box).to_be_focused()

    await page.keyboard.press("Alt+Shift+H")
    await tab_to(history.panel.get_by_role("button", name="First", exact=True))
    await page.keyboard.press("Enter")
    await expect(history.comparison.get_by_test_id("changes")).to_have_text("2 changes")
    await page.keyboard.press("F7")
    await expect(page.get_by_role("textbox", name="Newer text")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(history.comparison).to_be_hidden()
    await expect(person.editor.box).to_be_focused()
    await page.keyboard.type("Written at once. ")
    await house.stores(prompt_id, f"Written at once. {WARMER}")


async def test_no_part_of_the_history_has_a_serious_violation(house: House) -> None:
    prompt_id, _ = await prompt_with_history(house)
    history = HistoryOf(await house.guest("Ada", prompt_id, role=Role.OWNER))
    await history.open()
    await expect(history.versions).to_have_count(2)
    found = await in_both_themes(history.page, "history")
    await history.choose("First")
    found += await in_both_themes(history.page, "comparison")
    await history.set_label("production")
    await expect(history.version("First").get_by_test_id("label")).to_be_visible()
    found += await in_both_themes(history.page, "labels")
    await history.page.keyboard.press("Escape")
    await history.comparison.get_by_role("button", name="Restore this version").click()
    found += await in_both_themes(history.page, "restore")
    await history.page.keyboard.press("Escape")
    await history.page.set_viewport_size({"width": 420, "height": 800})
    found += await narrow(history)
    assert not found, "\n".join(found)


async def narrow(history: HistoryOf) -> list[str]:
    """On a narrow screen the list makes room for the texts, which then stand in one column."""
    page: Page = history.page
    found = [f"narrow list: {violation}" for violation in await violations(page)]
    await history.choose("Warmer")
    await expect(history.panel).to_be_hidden()
    await expect(history.comparison).to_be_visible()
    return found + [f"narrow comparison: {violation}" for violation in await violations(page)]

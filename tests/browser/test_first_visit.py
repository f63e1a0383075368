"""From the link that the server prints to two people in one text."""

import asyncio
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from tests.browser.editor import converged
from tests.browser.house import House
from tests.browser.person import Person

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_an_owner_signs_in_invites_somebody_and_both_write_in_one_text(own_house: House) -> None:
    owner, grace, thief = [await own_house.visitor(name) for name in ("Owner", "Grace", "Somebody")]
    link = await own_house.server.sign_in_link()
    await owner.page.goto(link)
    await expect(owner.page.get_by_role("heading", name="Prompts")).to_be_visible()
    assert "ticket" not in owner.page.url, "the address still shows the ticket"

    first = owner.page.get_by_test_id("prompt-list").get_by_role("link")
    await expect(first).to_have_count(1)
    await first.click()
    await owner.editor.opened()
    await owner.editor.says("saved")
    assert '{{role "system"}}' in await owner.editor.text()
    prompt_id = UUID(owner.page.url.rpartition("/")[2])

    await the_link_works_no_second_time(link, thief)
    await grace.page.goto(await invitation_for("Grace Hopper", owner.page))
    await grace.editor.opened()
    assert grace.page.url.endswith(str(prompt_id))
    await they_see_each_other(owner, grace)
    await they_write_at_once(own_house, prompt_id, owner, grace)


async def the_link_works_no_second_time(link: str, thief: Person) -> None:
    thief.expects(r"status of 401 .*/auth/login")
    await thief.page.goto(link)
    await expect(thief.page.get_by_role("alert")).to_contain_text("was used already")
    await expect(thief.page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert "ticket" not in thief.page.url, "the address still shows the ticket"


async def invitation_for(name: str, page: Page) -> str:
    """Invite somebody by the dialog and return what its button copies."""
    await page.get_by_role("button", name="Invite").click()
    question = page.get_by_role("dialog", name="Invite somebody")
    await question.get_by_label("Name").fill(name)
    await question.get_by_label("Role").select_option("editor")
    await question.get_by_role("button", name="Create link").click()
    answer = page.get_by_role("dialog", name=f"Link for {name}")
    await answer.get_by_role("button", name="Copy link").click()
    await expect(answer.get_by_role("button", name="Copied")).to_be_visible()
    await answer.get_by_role("button", name="Done").click()
    await expect(answer).to_be_hidden()
    return str(await page.evaluate("navigator.clipboard.readText()"))


async def they_see_each_other(owner: Person, grace: Person) -> None:
    for editor in (owner.editor, grace.editor):
        await expect(editor.people).to_have_count(2)
        await expect(editor.person("Owner")).to_contain_text("owner")
        await expect(editor.person("Grace Hopper")).to_contain_text("editor")
    await expect(owner.editor.person("Owner")).to_contain_text("(you)")
    await expect(grace.editor.person("Grace Hopper")).to_contain_text("(you)")

    await grace.editor.select('{{role "system"}}')
    await expect(owner.editor.flag_of("Grace Hopper")).to_be_visible()
    selected = owner.editor.selections_of_others
    await expect(selected).to_be_visible()
    ground = await selected.evaluate("(element) => getComputedStyle(element).backgroundColor")
    assert ground not in {"", "rgba(0, 0, 0, 0)"}, "a selection has no color"
    await owner.editor.go_before("---")
    await expect(grace.editor.flag_of("Owner")).to_be_visible()
    for person, other in ((owner, "Grace Hopper"), (grace, "Owner")):
        assert await caret_color(person, other) == await avatar_color(person, other)


async def caret_color(person: Person, other: str) -> str:
    script = "(caret) => getComputedStyle(caret, '::before').backgroundColor"
    return str(await person.editor.caret_of(other).evaluate(script))


async def avatar_color(person: Person, other: str) -> str:
    avatar = person.editor.person(other).locator(".avatar")
    return str(await avatar.evaluate("(avatar) => getComputedStyle(avatar).backgroundColor"))


async def they_write_at_once(house: House, prompt_id: UUID, owner: Person, grace: Person) -> None:
    before = await owner.editor.text()
    await owner.editor.watch_states()
    await owner.editor.go_behind('{{role "system"}}')
    await grace.editor.go_to_end()
    await asyncio.gather(
        owner.editor.type("\nBe brief, says the owner.", milliseconds_per_key=5),
        grace.editor.type("\nBe kind, says Grace.", milliseconds_per_key=5),
    )
    await owner.editor.says("saved")
    text = await converged(owner.editor, grace.editor)
    start, end = before.split('{{role "system"}}')
    assert text == f'{start}{{{{role "system"}}}}\nBe brief, says the owner.{end}\nBe kind, says Grace.'
    assert text == await house.rest.live(prompt_id)
    states = await owner.editor.states()
    assert states[0] == states[-1] == "saved"
    assert set(states) == {"saving", "saved"}

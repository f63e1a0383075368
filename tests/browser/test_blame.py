"""Who wrote what, in the margin of the text, in everybody's color."""

from pathlib import Path

import pytest
from playwright.async_api import Locator, expect

from tests.browser.editor import converged
from tests.browser.house import House
from tests.browser.person import Person
from tests.browser.test_accessibility import in_both_themes
from tests.browser.test_history import TEXT

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def marks_of(person: Person, name: str) -> Locator:
    return person.editor.pane.locator(f'.blame[title*="{name}, "]')


async def test_the_margin_says_who_wrote_each_line_by_keyboard_alone(house: House, tmp_path: Path) -> None:
    prompt_id = await house.rest.new_prompt("Support", TEXT)
    ada, grace = await house.guests(prompt_id)
    await ada.editor.go_behind("Be friendly.")
    await ada.editor.type("\nAda wrote this.")
    await converged(ada.editor, grace.editor)
    await grace.editor.go_behind("Ada wrote this.")
    await grace.editor.press("Enter")
    await grace.editor.type("Grace wrote that.")
    await converged(ada.editor, grace.editor)

    marks = ada.editor.pane.locator(".blame")
    await expect(marks).to_have_count(0)
    await ada.page.keyboard.press("Alt+Shift+W")
    await expect(marks_of(ada, "Ada")).to_have_attribute("title", "Ada, typed, just now")
    await expect(marks_of(ada, "Grace")).to_have_attribute("title", "Grace, typed, just now")
    await expect(marks_of(ada, "Owner 1").first).to_have_attribute("title", "Owner 1, first text, just now")
    for name in ("Ada", "Grace"):
        avatar = ada.editor.person(name).locator(".avatar")
        color = await avatar.evaluate("(each) => getComputedStyle(each).backgroundColor")
        assert color in await marks_of(ada, name).evaluate("(mark) => getComputedStyle(mark).backgroundImage")

    # Marks go with their lines, and what is written anew gets one when the text rests.
    line = await marks_of(ada, "Grace").bounding_box()
    await grace.editor.go_before("You answer")
    await grace.editor.type("New from Grace.\n")
    await expect(marks_of(ada, "Grace")).to_have_count(2)
    moved = await marks_of(ada, "Grace").last.bounding_box()
    assert line is not None
    assert moved is not None
    assert moved["y"] > line["y"]

    for theme in ("Light", "Dark"):
        await ada.page.get_by_role("radio", name=theme).evaluate("(radio) => radio.click()")
        await ada.page.screenshot(path=tmp_path / f"{theme}.png")
    assert not await in_both_themes(ada.page, "blame")
    await ada.editor.go_to_end()
    await ada.page.keyboard.press("Alt+Shift+W")
    await expect(marks).to_have_count(0)

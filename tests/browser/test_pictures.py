"""The pictures of the documentation, made from the real thing: `pytest tests/browser --screenshots docs/images`."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from server.access import Role
from server.first_prompt import CONTENT, NAME
from tests.browser.editor import converged
from tests.browser.house import SIZE, House
from tests.browser.test_history import HistoryOf

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PNG = b"\x89PNG\r\n\x1a\n"


async def test_two_people_in_one_prompt(house: House, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    directory = pytestconfig.getoption("--screenshots") or tmp_path
    prompt_id = await house.rest.new_prompt(NAME, CONTENT)
    ada = await house.guest("Ada Lovelace", prompt_id, role=Role.OWNER)
    grace = await house.guest("Grace Hopper", prompt_id)
    await expect(ada.editor.people).to_have_count(2)
    await ada.editor.go_behind("promise no date.")
    await ada.editor.type("\n- Offer a call when the urgency is 4 or 5.")
    await converged(ada.editor, grace.editor)
    await grace.editor.select("stay under 120 words")
    await expect(ada.editor.selections_of_others).to_be_visible()
    await expect(ada.editor.flag_of("Grace Hopper")).to_be_visible()
    await ada.editor.says("saved")
    await ada.editor.press("Home", "End")  # a caret that has just moved does not blink
    await ada.page.screenshot(path=directory / "editor.png", caret="initial")

    assert_is_a_picture(directory / "editor.png")


async def test_a_version_beside_the_live_text(house: House, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    directory = pytestconfig.getoption("--screenshots") or tmp_path
    prompt_id = await house.rest.new_prompt(NAME, CONTENT)
    ada = await house.guest("Ada Lovelace", prompt_id, role=Role.OWNER)
    grace = await house.guest("Grace Hopper", prompt_id)
    by_ada, by_grace = HistoryOf(ada), HistoryOf(grace)
    await by_ada.open()
    await by_ada.save("First answers for the support desk")
    await by_ada.choose("First answers for the support desk")
    await by_ada.set_label("production")
    await expect(by_ada.panel.get_by_test_id("label")).to_be_visible()
    await ada.page.keyboard.press("Escape")
    await grace.editor.go_behind("promise no date.")
    await grace.editor.type("\n- Offer a call when the urgency is 4 or 5.")
    await converged(ada.editor, grace.editor)
    await by_grace.open()
    await by_grace.save("Offer a call when it is urgent")
    await grace.editor.select("stay under 120 words")
    await grace.editor.type("stay under 80 words")
    await expect(by_ada.versions).to_have_count(2)
    await expect(by_ada.comparison.get_by_test_id("changes")).to_have_text("2 changes")
    await ada.page.get_by_role("button", name="Dismiss").click()
    await ada.page.keyboard.press("F7")
    await expect(by_ada.comparison.get_by_text("Offer a call when the urgency")).to_be_visible()
    await ada.page.screenshot(path=directory / "history.png")
    assert_is_a_picture(directory / "history.png")


def assert_is_a_picture(path: Path) -> None:
    """Check that a file is a picture of a whole page."""
    picture = path.read_bytes()
    assert picture.startswith(PNG)
    size = [int.from_bytes(picture[start : start + 4], "big") for start in (16, 20)]  # PNG 11.2.1, IHDR
    assert size == [SIZE["width"], SIZE["height"]]

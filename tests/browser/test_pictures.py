"""The pictures of the documentation, made from the real thing: `pytest tests/browser --screenshots docs/images`."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from server.access import Role
from server.first_prompt import CONTENT, NAME
from tests.browser.editor import converged
from tests.browser.house import SIZE, House

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

    picture = (directory / "editor.png").read_bytes()
    assert picture.startswith(PNG)
    size = [int.from_bytes(picture[start : start + 4], "big") for start in (16, 20)]  # PNG 11.2.1, IHDR
    assert size == [SIZE["width"], SIZE["height"]]

"""Undo and redo touch one's own text only, by whatever path they are asked for."""

from collections.abc import Awaitable, Callable
from typing import Literal

import pytest
from playwright.async_api import expect

from tests.browser.editor import Editor, converged
from tests.browser.house import House

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

Step = Literal["undo", "redo"]


async def by_keys(editor: Editor, step: Step) -> None:
    await editor.press({"undo": "Control+Z", "redo": "Control+Y"}[step])


async def by_other_keys(editor: Editor, step: Step) -> None:
    await editor.press({"undo": "Control+Z", "redo": "Control+Shift+Z"}[step])


async def by_trigger(editor: Editor, step: Step) -> None:
    await editor.run_script(f"editor.trigger('keyboard', '{step}')")


async def by_model(editor: Editor, step: Step) -> None:
    await editor.run_script(f"editor.getModel().{step}()")


async def by_palette(editor: Editor, step: Step) -> None:
    await editor.press("F1")
    await editor.box.page.get_by_role("textbox", name="Type to narrow down").fill(f">{step}")
    await editor.box.page.get_by_role("option", name=step.title(), exact=True).click()


async def by_menu(editor: Editor, step: Step) -> None:
    await editor.open_menu()
    await editor.press(*{"undo": ["ArrowDown"], "redo": ["ArrowDown", "ArrowDown"]}[step])
    await expect(editor.box.page.get_by_role("menuitem", name=step.title(), exact=True)).to_be_focused()
    await editor.press("Enter")


PATHS: tuple[Callable[[Editor, Step], Awaitable[None]], ...] = (
    by_keys,
    by_other_keys,
    by_trigger,
    by_model,
    by_palette,
    by_menu,
)


async def test_every_path_takes_back_ones_own_text_alone(house: House) -> None:
    lines = [f"line{number} start end." for number, _ in enumerate(PATHS)]
    prompt_id = await house.rest.new_prompt("Undo", "\n".join(lines))
    ada, grace = [guest.editor for guest in await house.guests(prompt_id)]
    for number, path in enumerate(PATHS):
        line = f"line{number} start"
        await ada.go_behind(f"{line} ")
        await ada.press("ArrowRight", "ArrowLeft")  # what comes next is a step of its own
        await ada.insert(f"apple{number}pear ")
        await grace.holds(f"{line} apple{number}pear end.")
        for place, text in ((f"{line} ", "before "), (f"apple{number}", "-inside-"), ("pear ", "behind ")):
            await grace.go_behind(place if place != "pear " else f"{number}-inside-pear ")
            await grace.type(text)
        both = f"{line} before apple{number}-inside-pear behind end."
        alone = f"{line} before -inside-behind end."
        await ada.holds(both)
        await path(ada, "undo")
        await ada.holds(alone)
        await grace.holds(alone)
        await path(ada, "redo")
        await ada.holds(both)
        await grace.holds(both)
    await all_of_ones_own_can_be_taken_back(ada, grace)


async def all_of_ones_own_can_be_taken_back(ada: Editor, grace: Editor) -> None:
    for _ in range(len(PATHS) + 3):
        await ada.press("Control+Z")
    left = [f"line{number} start before -inside-behind end." for number, _ in enumerate(PATHS)]
    await grace.holds("\n".join(left))
    assert await converged(ada, grace) == "\n".join(left)
    for _ in range(10 * len(PATHS)):
        await grace.press("Control+Z")
    untouched = "\n".join(f"line{number} start end." for number, _ in enumerate(PATHS))
    assert await converged(grace, ada) == untouched

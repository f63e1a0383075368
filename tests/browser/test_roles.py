"""Who may only read writes nothing, and a change of the role holds at once, in the open tab."""

import re

import pytest
from playwright.async_api import expect

from server.access import Role
from tests.browser.editor import converged
from tests.browser.house import House

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_viewer_writes_as_soon_as_an_editor_and_never_before_or_after(house: House) -> None:
    prompt_id = await house.rest.new_prompt("Roles", "Read this.")
    ada, grace, vera = await house.guests(prompt_id, Ada=Role.EDITOR, Grace=Role.EDITOR, Vera=Role.VIEWER)
    viewer = vera.editor
    await viewer.says("read only")
    await expect(ada.editor.person("Vera")).to_contain_text("viewer")
    await vera.leave_mark()

    await viewer.go_to_end()
    await viewer.type("x")
    await expect(viewer.pane.get_by_text("You may read this prompt, not edit it.")).to_be_visible()
    await viewer.paste("pasted")
    await viewer.press("Backspace", "Enter", "Control+X", "Control+Z")
    await viewer.run_script("editor.trigger('keyboard', 'type', { text: 'triggered' })")
    await viewer.run_script("editor.getModel().setValue('set by a script')")
    await expect(viewer.notices).to_contain_text("Nothing was changed")
    await ada.editor.go_to_end()
    await ada.editor.type(" Ada was here.")
    assert await converged(ada.editor, grace.editor, viewer) == "Read this. Ada was here."
    assert await house.rest.live(prompt_id) == "Read this. Ada was here."
    await viewer.says("read only")

    await house.change_role(vera, Role.EDITOR)
    await viewer.says("saved")
    await expect(ada.editor.person("Vera")).to_contain_text("editor")
    await viewer.go_to_end()
    await viewer.type(" Vera, too.")
    written = await converged(ada.editor, grace.editor, viewer)
    assert written == "Read this. Ada was here. Vera, too." == await house.rest.live(prompt_id)

    await house.change_role(vera, Role.VIEWER)
    await viewer.says("read only")
    await viewer.type(" Not any more.")
    await viewer.press("Control+Z")
    await grace.editor.go_before("Read")
    await grace.editor.type("Grace: ")
    assert await converged(ada.editor, grace.editor, viewer) == f"Grace: {written}"
    assert await house.rest.live(prompt_id) == f"Grace: {written}"
    await expect(viewer.badge).to_have_text(re.compile("^read only$"))
    assert await vera.mark_is_there(), "the page was reloaded"

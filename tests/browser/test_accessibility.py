"""Everything can be reached with the keyboard alone, and read in both themes."""

import pytest
from playwright.async_api import Locator, Page, expect

from server.access import Role
from tests.browser.axe import violations
from tests.browser.house import House

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

EMAIL = "ada@example.org"
PASSWORD = "correct horse battery staple"
MOST_TABS = 20


async def tab_to(target: Locator) -> None:
    """Press the tabulator until something has the focus."""
    for _ in range(MOST_TABS):
        await target.page.keyboard.press("Tab")
        if await target.evaluate("(element) => element === document.activeElement"):
            return
    raise AssertionError(f"{target} cannot be reached with the keyboard")


async def test_from_signing_in_to_writing_and_inviting_with_the_keyboard_alone(house: House) -> None:
    await house.new_member_with_password("Ada", Role.OWNER, email=EMAIL, password=PASSWORD)
    prompt_id = await house.rest.new_prompt("By keyboard", "")
    ada = await house.visitor("Ada")
    page = ada.page
    await page.goto("/signin")
    await tab_to(page.get_by_label("E-mail address"))
    await page.keyboard.type(EMAIL)
    await tab_to(page.get_by_label("Password"))
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("heading", name="Prompts")).to_be_visible()
    await tab_to(page.get_by_role("searchbox", name="Search prompts"))
    await page.keyboard.type("by key")
    await expect(page.get_by_test_id("prompt-row")).to_have_count(1)
    await tab_to(page.get_by_role("link", name="By keyboard"))
    await page.keyboard.press("Enter")

    await ada.editor.opened()
    await page.keyboard.type("Written without a mouse.")
    await house.stores(prompt_id, "Written without a mouse.")
    await ada.editor.says("saved")

    await page.keyboard.press("Control+M")  # from here on the tabulator leaves the text
    invite = page.get_by_role("button", name="Invite")
    await tab_to(invite)
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Invite somebody")
    await expect(dialog.get_by_label("Name")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(invite).to_be_focused()


async def test_no_page_has_a_serious_violation_in_either_theme(house: House) -> None:
    prompt_id = await house.rest.new_prompt("Contrast", FIRST_LINES)
    ada, grace = await house.guests(prompt_id, Ada=Role.OWNER, Grace=Role.VIEWER)
    await grace.editor.select("{{product}}")
    await expect(ada.editor.flag_of("Grace")).to_be_visible()
    found = await in_both_themes(ada.page, "editor")

    await ada.page.get_by_role("button", name="Invite").click()
    found += await in_both_themes(ada.page, "invite dialog")
    await ada.page.keyboard.press("Escape")
    await ada.page.get_by_role("link", name="All prompts").click()
    await expect(ada.page.get_by_role("link", name="Contrast")).to_be_visible()
    found += await in_both_themes(ada.page, "prompts")
    await ada.page.get_by_role("button", name="Sign out").click()
    await expect(ada.page.get_by_role("heading", name="Sign in")).to_be_visible()
    found += await in_both_themes(ada.page, "sign-in")
    assert not found, "\n".join(found)


async def in_both_themes(page: Page, what: str) -> list[str]:
    found = []
    for theme in ("Dark", "Light"):
        # The choice of theme stands behind a dialog, where no click reaches it.
        await page.get_by_role("radio", name=theme, include_hidden=True).evaluate("(radio) => radio.click()")
        await expect(page.locator("html")).to_have_attribute("data-theme", theme.lower())
        found += [f"{what}, {theme.lower()}: {violation}" for violation in await violations(page)]
    return found


FIRST_LINES = """---
model: anthropic/claude-sonnet-4-5
config:
  temperature: 0.3 # a comment
---
{{role "system"}}
You answer for {{product}}.
{{#if facts}}- {{this}}{{else}}none{{/if}}
"""

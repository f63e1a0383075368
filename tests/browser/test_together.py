"""Whatever comes from the keyboard or the clipboard: everybody has the same text, and the server has it too."""

import asyncio
import re

import pytest
from playwright.async_api import expect

from tests.browser.editor import converged
from tests.browser.house import ON_WINDOWS, House

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

MOST_AT_ONCE = 1_000_000
FAMILY = "👩‍👩‍👧"


async def test_line_ends_emoji_and_large_pastes_while_the_other_types(house: House) -> None:
    prompt_id = await house.rest.new_prompt("Clipboard", "Ada writes here:\n\nGrace writes here:\n")
    ada = (await house.guest("Ada", prompt_id, user_agent=ON_WINDOWS)).editor
    grace = (await house.guest("Grace", prompt_id)).editor
    await ada.go_behind("Ada writes here:\n")
    await grace.go_to_end()

    large = "".join(f"{number:05} Grüße aus Köln 😀 {FAMILY}\r\n" for number in range(5_000))
    assert len(large.encode()) > 200_000
    typed = "These 36 characters survive a paste."
    await asyncio.gather(ada.paste(large), grace.type(typed, milliseconds_per_key=10))
    text = await converged(ada, grace)
    assert text == f"Ada writes here:\n{large.replace(chr(13), '')}\nGrace writes here:\n{typed}"

    # A lone \r is a line end as well; half an emoji cannot be left behind.
    await grace.paste("\rone\r\ntwo\n")
    await grace.insert(f"😀{FAMILY}")
    await grace.press("ArrowLeft", "Backspace")
    await ada.go_before("Ada writes")
    await ada.type("{{name}} 😀 ")
    text = await converged(ada, grace)
    assert text.startswith("{{name}} 😀 Ada writes here:\n")
    assert text.endswith(f"{typed}\none\ntwo\n{FAMILY}")
    assert "\r" not in text
    assert text == await house.rest.live(prompt_id)


async def test_several_carets_stay_several_while_the_other_types(house: House) -> None:
    prompt_id = await house.rest.new_prompt("Carets", "Grace:\n1. first\n2. second\n3. third\n")
    ada, grace = [guest.editor for guest in await house.guests(prompt_id)]
    await ada.go_before("first")
    await ada.click_at("second", holding="Alt")
    await ada.click_at("third", holding="Alt")
    assert len(await ada.carets()) == 3
    await expect(grace.carets_of_others).to_have_count(3)
    await expect(grace.caret_of("Ada")).to_have_count(1)  # one name is enough
    await grace.go_behind("Grace:")
    await asyncio.gather(
        ada.type("the very ", milliseconds_per_key=20), grace.type(" counts\nto three", milliseconds_per_key=12)
    )
    assert len(await ada.carets()) == 3
    await ada.type("own ")
    assert await converged(ada, grace) == (
        "Grace: counts\nto three\n1. the very own first\n2. the very own second\n3. the very own third\n"
    )
    # Some of them inside of what the other has just written.
    await ada.run_script(
        "editor.setSelections([[1, 8, 1, 14], [2, 1, 2, 3]].map(([line, from, end, to]) => ({"
        "selectionStartLineNumber: line, selectionStartColumn: from, positionLineNumber: end, positionColumn: to})))"
    )
    await asyncio.gather(ada.type("ADA", milliseconds_per_key=15), grace.type(" and on", milliseconds_per_key=10))
    text = await converged(ada, grace)
    assert text.startswith("Grace: ADA\nADA three and on\n1.")
    assert text == await house.rest.live(prompt_id)


async def test_a_paste_that_is_too_large_changes_nothing_and_says_so(house: House) -> None:
    prompt_id = await house.rest.new_prompt("Too large", "Short.")
    ada, grace = [guest.editor for guest in await house.guests(prompt_id)]
    await ada.select("Short.")
    await ada.paste("x" * (MOST_AT_ONCE + 1))
    await expect(ada.notices).to_contain_text(re.compile(r"up to 1,000,000 characters\. Nothing was changed"))
    assert await converged(ada, grace) == "Short."
    await ada.go_to_end()
    await ada.type(" Still writing.")
    assert await converged(ada, grace) == "Short. Still writing." == await house.rest.live(prompt_id)

"""An open prompt as somebody has it in front of them: the text, their carets, and what the page says of both.

The text is read and carets are put through the editor that the page offers to scripts (`window.promptroom`); what is
typed, clicked and pasted goes through the browser's own keyboard, mouse and clipboard.
"""

import re
from collections.abc import Sequence

from playwright.async_api import Locator, Page, expect

from tests.support.waiting import wait_until

_CARET = """([quote, after]) => {
    const { editor } = window.promptroom, model = editor.getModel();
    const found = model.getValue().indexOf(quote);
    if (found < 0) throw new Error(`no ${JSON.stringify(quote)} in the text`);
    editor.setPosition(model.getPositionAt(found + after));
    editor.revealPositionInCenterIfOutsideViewport(editor.getPosition());
    editor.focus();
}"""
_SELECT = """(quote) => {
    const { editor } = window.promptroom, model = editor.getModel();
    const found = model.getValue().indexOf(quote);
    if (found < 0) throw new Error(`no ${JSON.stringify(quote)} in the text`);
    const [from, to] = [found, found + quote.length].map((offset) => model.getPositionAt(offset));
    editor.setSelection({ startLineNumber: from.lineNumber, startColumn: from.column,
                          endLineNumber: to.lineNumber, endColumn: to.column });
    editor.revealPositionInCenterIfOutsideViewport(to);
    editor.focus();
}"""
_WHERE = """(offset) => {
    const { editor } = window.promptroom;
    const position = editor.getModel().getPositionAt(offset);
    editor.revealPositionInCenterIfOutsideViewport(position);
    const { left, top, height } = editor.getScrolledVisiblePosition(position);
    const frame = editor.getDomNode().getBoundingClientRect();
    return [frame.left + left, frame.top + top + height / 2];
}"""
_CARETS = """() => {
    const { editor } = window.promptroom;
    return editor.getSelections().map((selection) => editor.getModel().getOffsetAt(selection.getPosition()));
}"""
_WATCH_STATES = """(badge) => {
    window.statesSeen = [badge.dataset.state];
    new MutationObserver(() => window.statesSeen.push(badge.dataset.state)).observe(badge, { attributes: true });
}"""


class Editor:
    """A prompt in one tab.

    Args:
        page: The tab.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self.box = page.get_by_role("textbox", name="Prompt text")
        self.pane = page.get_by_test_id("editor")
        self.badge = page.get_by_test_id("saved-state")
        self.banner = page.get_by_test_id("banner")
        self.notices = page.get_by_test_id("notices")
        self.people = page.get_by_role("complementary", name="People in this room").get_by_role("listitem")

    async def opened(self) -> None:
        """Wait until the text is there and the keyboard writes into it."""
        await expect(self.box).to_be_focused()

    # --- what is there ---

    async def text(self) -> str:
        """Return the text with the line ends that it has in the editor."""
        return str(await self._page.evaluate("window.promptroom.editor.getModel().getValue()"))

    async def carets(self) -> list[int]:
        """Return where this user's carets are, in UTF-16 offsets, the main one first."""
        return list(await self._page.evaluate(_CARETS))

    def caret_of(self, name: str) -> Locator:
        """Find the caret of somebody else, the main one if there are several."""
        return self._page.locator(f'[data-testid="remote-caret"][data-name="{name}"]')

    def flag_of(self, name: str) -> Locator:
        """Find the name that stands at somebody else's caret."""
        return self.caret_of(name).get_by_text(name, exact=True)

    def person(self, name: str) -> Locator:
        """Find somebody in the list of people."""
        return self._page.locator(f'[data-testid="person"][data-name="{name}"]')

    @property
    def carets_of_others(self) -> Locator:
        """All carets but this user's."""
        return self._page.get_by_test_id("remote-caret")

    @property
    def selections_of_others(self) -> Locator:
        """What others have selected."""
        return self._page.locator("[class*=remote-selection-]")

    async def holds(self, part: str) -> None:
        """Wait until the text contains another."""

        async def contained() -> bool:
            return part in await self.text()

        await wait_until(contained, what=f"{part!r} in the text")

    async def says(self, words: str | re.Pattern[str]) -> None:
        """Wait until the saved state reads so."""
        await expect(self.badge).to_have_text(words)

    async def watch_states(self) -> None:
        """Keep a list of the saved states from now on, however short each of them is."""
        await self.badge.evaluate(_WATCH_STATES)

    async def states(self) -> list[str]:
        """Return the saved states since `watch_states`, each once in a row."""
        seen: Sequence[str] = await self._page.evaluate("window.statesSeen")
        return [state for state, before in zip(seen, [None, *seen], strict=False) if state != before]

    # --- what one does ---

    async def go_before(self, quote: str) -> None:
        """Put the caret before a text."""
        await self._page.evaluate(_CARET, [quote, 0])

    async def go_behind(self, quote: str) -> None:
        """Put the caret behind a text."""
        await self._page.evaluate(_CARET, [quote, _units(quote)])

    async def go_into(self, quote: str, after: int) -> None:
        """Put the caret into a text, behind its first `after` UTF-16 units."""
        await self._page.evaluate(_CARET, [quote, after])

    async def go_to_end(self) -> None:
        """Put the caret behind everything."""
        await self._page.evaluate(_CARET, ["", _units(await self.text())])

    async def select(self, quote: str) -> None:
        """Select a text."""
        await self._page.evaluate(_SELECT, quote)

    async def type(self, text: str, *, milliseconds_per_key: float = 0) -> None:
        """Type at the caret, key by key."""
        await self._page.keyboard.type(text, delay=milliseconds_per_key)

    async def insert(self, text: str) -> None:
        """Insert a text at once, as an input method or an emoji picker does."""
        await self._page.keyboard.insert_text(text)

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            await self._page.keyboard.press(key)

    async def paste(self, text: str) -> None:
        """Paste with the keyboard what is put into the clipboard first."""
        await self._page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
        await self.press("Control+V")

    async def click_at(self, quote: str, *, holding: str) -> None:
        """Click just before a text while holding a key."""
        offset = _units((await self.text()).partition(quote)[0])
        left, top = await self._page.evaluate(_WHERE, offset)
        await self._page.keyboard.down(holding)
        await self._page.mouse.click(left, top)
        await self._page.keyboard.up(holding)

    async def open_menu(self) -> None:
        """Open the menu with the mouse, where the caret is."""
        left, top = await self._page.evaluate(_WHERE, (await self.carets())[0])
        await self._page.mouse.click(left, top, button="right")

    async def run_script(self, script: str) -> object:
        """Run JavaScript with `editor`, as an extension of the browser might."""
        return await self._page.evaluate(f"(({{ editor }}) => {{ {script} }})(window.promptroom)")


async def converged(*editors: Editor) -> str:
    """Wait until all have the same text and everything is saved, and return the text."""
    texts: list[str] = []

    async def equal() -> bool:
        texts[:] = [await editor.text() for editor in editors]
        return len(set(texts)) == 1

    for editor in editors:
        await expect(editor.badge).to_have_text(re.compile("saved|read only"))
    await wait_until(equal, what="the same text in every tab")
    return texts[0]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2

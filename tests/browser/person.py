"""Somebody at a browser of their own, and everything that the browser complains about."""

import re
from dataclasses import dataclass
from uuid import UUID

from playwright.async_api import BrowserContext, ConsoleMessage, Error, Page

from tests.browser.editor import Editor

# Violations are said on the console, too, but not those of every worker and frame.
_SAY_VIOLATIONS = """
addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
    console.error(`violates ${violatedDirective}: ${blockedURI}`));
"""


@dataclass(frozen=True, slots=True)
class Complaint:
    """Something that a browser said: an error on its console, or one that nothing caught."""

    text: str
    where: str

    def __str__(self) -> str:
        return f"{self.text} ({self.where})"


class Person:
    """Somebody with a tab in a browser that nobody else uses.

    Args:
        name: What others see.
        page: The tab.
    """

    def __init__(self, name: str, page: Page) -> None:
        self.name = name
        self.page = page
        self.user_id: UUID | None = None
        self.editor = Editor(page)
        self._complaints: list[Complaint] = []
        self._expected: list[re.Pattern[str]] = []
        page.on("console", self._hear)
        page.on("pageerror", self._hear_error)

    @classmethod
    async def at(cls, context: BrowserContext, name: str) -> "Person":
        """Sit down at a browser."""
        await context.add_init_script(_SAY_VIOLATIONS)
        return cls(name, await context.new_page())

    def expects(self, complaint: str) -> None:
        """From now on the browser may complain so (a regular expression): a test made the fault on purpose."""
        self._expected.append(re.compile(complaint))

    @property
    def complaints(self) -> list[str]:
        """What the browser has said and nobody expected."""
        said = map(str, self._complaints)
        return [text for text in said if not any(pattern.search(text) for pattern in self._expected)]

    async def leave_mark(self) -> None:
        """Put something into the page that a reload would take away."""
        await self.page.evaluate("window.mark = 'still the same page'")

    async def mark_is_there(self) -> bool:
        """Tell whether the page was never reloaded since the mark was left."""
        return bool(await self.page.evaluate("window.mark === 'still the same page'"))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._complaints.append(Complaint(message.text, message.location.get("url", "")))

    def _hear_error(self, error: Error) -> None:
        self._complaints.append(Complaint(str(error), "not caught"))

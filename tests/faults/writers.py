"""Clients that type tokens, whatever happens to their server, and know how many of them were acknowledged."""

from random import Random
from typing import Protocol

from client.peer import Prompt
from crdt.client_peer import ClientEvent, RoomEventReceived
from crdt.offsets import codepoint_to_utf16
from tests.faults.tokens import beginning, token
from tests.support.yjs import Report, YjsProcess


class Writer(Protocol):
    """Somebody who types.

    Args:
        author: Whose tokens.
        hears: Whether it hears acknowledgements and room events.
        typed: How many tokens.
        acknowledged: How many of them, from the first, it has heard to be committed.
        text: What it showed when it was last looked at.
        connected: Whether it had a connection then.
        at_rest: Whether it was connected and had all it typed acknowledged then, as far as it can know.
        events: The types of the room events it had heard then, in order.
    """

    author: str
    hears: bool
    typed: int
    events: list[str]

    @property
    def acknowledged(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def connected(self) -> bool: ...
    @property
    def at_rest(self) -> bool: ...

    async def type_one(self, *, filler: int = 0) -> None:
        """Type the next token."""


class PythonWriter:
    """The Python client, `client.peer`, which reconnects by itself."""

    def __init__(self, author: str, prompt: Prompt) -> None:
        self.author = author
        self.hears = True
        self.typed = 0
        self.events: list[str] = []
        self._prompt = prompt
        self._last = beginning(author)
        prompt.listen(self._heard)

    @property
    def acknowledged(self) -> int:
        """How many tokens are acknowledged."""
        return self.typed - self._prompt.unsaved_edits

    @property
    def text(self) -> str:
        """What it shows."""
        return self._prompt.text

    @property
    def connected(self) -> bool:
        """Whether it has a connection."""
        return self._prompt.synced

    @property
    def at_rest(self) -> bool:
        """Whether everything is acknowledged."""
        return self._prompt.saved

    async def type_one(self, *, filler: int = 0) -> None:
        """Type the next token."""
        text = self._prompt.text
        place = text.rindex(self._last) + len(self._last)
        self.typed += 1
        self._last = token(self.author, self.typed, filler=filler)
        await self._prompt.insert(codepoint_to_utf16(text, place), self._last)

    def _heard(self, event: ClientEvent) -> None:
        if isinstance(event, RoomEventReceived):
            self.events.append(str(event.event["type"]))


class YjsWriter:
    """A real Yjs client, stock or extended; what it says of itself is as old as the last look."""

    def __init__(self, author: str, yjs: YjsProcess, *, hears: bool) -> None:
        self.author = author
        self.hears = hears
        self.name = yjs.new_name()
        self.typed = 0
        self.acknowledged = 0
        self.text = ""
        self.connected = False
        self.at_rest = False
        self.events: list[str] = []
        self._yjs = yjs
        self._last = beginning(author)

    def connect(self, url: str, prompt: str, person_token: str, random: Random) -> None:
        """Connect, and stay connected."""
        kind = "extended" if self.hears else "stock"
        options = {"url": url, "prompt": prompt, "token": person_token, "kind": kind, "seed": random.getrandbits(32)}
        self._yjs.call("open", client=self.name, **options)
        self._yjs.call("connect", client=self.name)

    async def type_one(self, *, filler: int = 0) -> None:
        """Type the next token."""
        self.typed += 1
        after, self._last = self._last, token(self.author, self.typed, filler=filler)
        await self._yjs.call("type", client=self.name, after=after, text=self._last)

    def see(self, report: Report) -> None:
        """Take in how things stand."""
        self.text = report.text
        self.connected = report.connected and report.synced
        self.at_rest = self.connected and report.saved is not False
        self.acknowledged = report.acknowledged or 0
        self.events = [str(event["type"]) for event in report.events]


async def look(yjs: YjsProcess, writers: list[YjsWriter]) -> None:
    """Have Yjs writers say how things stand, all at the same instant."""
    for writer, report in zip(writers, await yjs.reports([writer.name for writer in writers]), strict=True):
        writer.see(report)

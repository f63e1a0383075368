r"""The Python client: a prompt that is kept in step with the server's.

::

    async with connect("http://127.0.0.1:8000", prompt_id, token=token) as prompt:
        await prompt.insert(0, "You are a poet.\n")
        await prompt.wait_saved()
        print(prompt.text)

Rules:

- an edit changes the text here at once; it is *saved* when the server has acknowledged it, which it
  does when it is on disk;
- edits made while there is no connection are kept and sent with the next one;
- what passes by itself is waited for; what does not is raised by every call that would wait, and by
  every edit.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from random import Random, SystemRandom
from urllib.parse import quote, urlsplit, urlunsplit

from client.connection import Connection, Sleep, Token
from client.errors import EditsNotSaved, PromptClosed, ReadOnly
from client.patience import Patience
from crdt.awareness import AwarenessEntry, Json
from crdt.client_peer import Changed, ClientEvent, ClientPeer, RoomEventReceived
from crdt.diff import TextEdit, minimal_edits, normalize_newlines

__all__ = ["EditsNotSaved", "Prompt", "PromptClosed", "ReadOnly", "connect"]

# An edit waits while the socket has so many frames to take: a bound for whoever types in an endless loop.
MAX_WAITING_FRAMES = 256


@asynccontextmanager
async def connect(
    url: str,
    prompt_id: object,
    *,
    token: Token,
    leave_seconds: float = 10.0,
    jitter: Random | None = None,
    sleep: Sleep = asyncio.sleep,
) -> AsyncIterator[Prompt]:
    """Open a prompt and keep it open, over as many connections as it takes.

    Args:
        url: where the server is, such as ``http://127.0.0.1:8000``.
        prompt_id: which prompt.
        token: an access token, or a function that is asked for one before every connection.
        leave_seconds: how long leaving waits for the last edits to be saved.
        jitter: spreads the attempts to connect.
        sleep: waits between them, in seconds.

    Yields:
        The prompt, with the server's text.

    Raises:
        PromptClosed: the server does not let this client in.
        EditsNotSaved: on leaving, where the server has not acknowledged everything in time.
    """
    patience = Patience(SystemRandom() if jitter is None else jitter)
    prompt = Prompt(_websocket_url(url, prompt_id), token, patience=patience, sleep=sleep)
    running = asyncio.create_task(prompt.stay_connected(), name="promptroom client")
    try:
        await prompt.wait_synced()
        yield prompt
        await prompt.leave(leave_seconds)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


class Prompt:
    """One prompt, as long as ``connect`` is open.

    Args:
        url: of its WebSocket.
        token: an access token, or a function that is asked for one.
        patience: decides how long to wait before connecting again.
        sleep: waits, in seconds.
    """

    def __init__(self, url: str, token: Token, *, patience: Patience, sleep: Sleep) -> None:
        self.role: str | None = None
        self._peer = ClientPeer()
        self._connection = Connection(url, token, self._peer, self._heard, patience=patience, sleep=sleep)
        self._version = 0
        self._news = asyncio.Event()
        self._failure: Exception | None = None
        self._listeners: list[Callable[[ClientEvent], None]] = []

    @property
    def text(self) -> str:
        """The text, with one's own edits, saved or not."""
        return self._peer.text

    @property
    def saved(self) -> bool:
        """Whether the server has this text on disk, as far as has been heard."""
        return self._peer.saved

    @property
    def unsaved_edits(self) -> int:
        """How many of one's own edits the server has not acknowledged."""
        return self._peer.unacknowledged

    @property
    def synced(self) -> bool:
        """Whether there is a connection and the text holds what the server had when it opened."""
        return self._peer.synced

    @property
    def others(self) -> tuple[AwarenessEntry, ...]:
        """The presence of everybody else in the room."""
        return tuple(self._peer.awareness.entries())

    async def edit(self, edits: Iterable[TextEdit]) -> None:
        """Change the text; returns before the change is saved.

        Args:
            edits: in UTF-16 offsets into the present text, not overlapping; line ends are normalised.

        Raises:
            OffsetError: an edit names no place in the text; nothing has changed.
            ReadOnly: one may not change this prompt.
            PromptClosed: the server ended the connection for good.
        """
        self._raise_failure()
        if self.role == "viewer":
            raise ReadOnly("viewers read")
        self._peer.edit([TextEdit(edit.start, edit.end, normalize_newlines(edit.text)) for edit in edits])
        self._connection.flush()
        self._version += 1
        self._tell()
        await self._until(lambda: self._connection.waiting_frames < MAX_WAITING_FRAMES)

    async def insert(self, offset: int, text: str) -> None:
        """Insert at a UTF-16 offset; raises as ``edit``."""
        await self.edit([TextEdit(offset, offset, text)])

    async def delete(self, start: int, end: int) -> None:
        """Delete between two UTF-16 offsets; raises as ``edit``."""
        await self.edit([TextEdit(start, end, "")])

    async def replace(self, text: str) -> None:
        """Make the text another one by the smallest edits; raises as ``edit``."""
        await self.edit(minimal_edits(self.text, normalize_newlines(text)))

    def set_presence(self, state: dict[str, Json] | None) -> None:
        """Tell the others something about oneself, such as a cursor; None takes it back."""
        self._peer.set_presence(state)
        self._connection.flush()

    def renew_token(self, token: str) -> None:
        """Go on under another access token, on the open connection and on later ones."""
        if isinstance(self._connection.token, str):
            self._connection.token = token
        self._peer.renew_token(token)
        self._connection.flush()

    def listen(self, listener: Callable[[ClientEvent], None]) -> Callable[[], None]:
        """Have a function called with everything that comes from the server.

        Returns:
            What ends it.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def observe(self) -> AsyncIterator[str]:
        """The text now, and again whenever it has changed; a slow reader misses what was between.

        Raises:
            PromptClosed: the server ended the connection for good.
        """
        while True:
            seen = self._version
            yield self.text
            await self._until(lambda seen=seen: self._version != seen)  # type: ignore[misc]

    async def wait_for(self, condition: Callable[[str], bool]) -> str:
        """Wait until the text is as wished; returns it.

        Raises:
            PromptClosed: the server ended the connection for good.
        """
        await self._until(lambda: condition(self.text))
        return self.text

    async def wait_synced(self) -> None:
        """Wait for a connection on which everything that the server had is here; raises as ``wait_for``."""
        await self._until(lambda: self.synced)

    async def wait_saved(self) -> None:
        """Wait until the server has acknowledged every edit.

        Raises:
            ReadOnly: there are edits that the server will not take.
            PromptClosed: the server ended the connection for good.
        """
        await self._until(lambda: self.saved or (self.role == "viewer" and self.synced))
        if not self.saved:
            raise ReadOnly(f"{self.unsaved_edits} edits are kept here")

    async def leave(self, seconds: float) -> None:
        """Wait until the last edits are saved, if there are any.

        Raises:
            EditsNotSaved: they are not saved after so many seconds.
        """
        if not self.unsaved_edits:
            return
        try:
            async with asyncio.timeout(seconds):
                await self.wait_saved()
        except TimeoutError:
            raise EditsNotSaved(self.unsaved_edits) from None

    async def stay_connected(self) -> None:
        """Connect, and connect again; ``connect`` runs this."""
        try:
            await self._connection.run()
        except Exception as failure:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            self._failure = failure
            self._tell()

    def _heard(self, events: Sequence[ClientEvent]) -> None:
        for event in events:
            match event:
                case Changed():
                    self._version += 1
                case RoomEventReceived(about):
                    self._take_room_event(about)
            for listener in tuple(self._listeners):
                listener(event)
        self._tell()

    def _take_room_event(self, about: dict[str, Json]) -> None:
        match about:
            case {"type": "room.joined", "role": str(role), "epoch": int(epoch)}:
                self.role, self._connection.epoch = role, epoch
            case {"type": "role.changed", "role": str(role)}:
                self.role = role

    def _tell(self) -> None:
        """Have everybody who waits look again."""
        self._news.set()
        self._news = asyncio.Event()

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._raise_failure()
            await self._news.wait()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


def _websocket_url(url: str, prompt_id: object) -> str:
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    path = f"{parts.path.rstrip('/')}/ws/{quote(str(prompt_id), safe='')}"
    return urlunsplit((scheme, parts.netloc, path, "", ""))

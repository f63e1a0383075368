"""A client's end, without I/O: frames in, events and frames out; over all the connections of its life.

Rules:

- a connection begins with step 1 in both directions.  Until the server's step 1 is answered local
  edits only change the document: the answer will carry them, together with everything that an
  earlier connection left unacknowledged;
- from then on every local edit is sent at once;
- an edit is saved when the number of the message that carries it is acknowledged, nothing less.

Source: y-protocols ``PROTOCOL.md`` and ``sync.js``.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never

from crdt.awareness import AwarenessEntry, AwarenessStates, Json, encode_awareness, read_awareness
from crdt.codec import decode_frame, encode
from crdt.diff import TextEdit
from crdt.document import EMPTY_UPDATE, Document
from crdt.errors import FrameError
from crdt.messages import (
    Acknowledgement,
    AwarenessUpdate,
    Message,
    QueryAwareness,
    RoomEvent,
    SyncStep1,
    SyncStep2,
    TokenRenewal,
    Update,
)
from crdt.update import read_state_vector

# A client trusts its server further than a server its clients, and still not with all its memory:
# a step 2 holds a document of the largest size together with its history.
MAX_FRAME_BYTES = 64 * 1024 * 1024
MAX_AWARENESS_ENTRIES = 10_000
MAX_AWARENESS_STATE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Synced:
    """The document holds everything the server had when the connection opened."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Somebody else changed the document."""

    update: bytes


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The first ``count`` step-2 and update messages of this connection are committed."""

    count: int


@dataclass(frozen=True, slots=True)
class AwarenessChanged:
    """Others came, moved or left; a state of None means left."""

    entries: tuple[AwarenessEntry, ...]


@dataclass(frozen=True, slots=True)
class RoomEventReceived:
    """Something happened in the room."""

    event: dict[str, Json]


ClientEvent = Synced | Changed | Acknowledged | AwarenessChanged | RoomEventReceived


class ClientPeer:
    """A client's end, over all the connections of its life; it holds the document.

    Args:
        document: the replica to keep in step; an empty one if none is given.
        clock: tells the time in seconds, for presence.
    """

    def __init__(self, document: Document | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.document = Document() if document is None else document
        self.awareness = AwarenessStates(clock)
        self.synced = False
        self._outgoing: list[bytes] = []
        self._is_open = False
        self._answered = False
        # Local edits that no message of this connection carries yet, and, per message under way that
        # carries some, its number and how many.
        self._unsent = 0
        self._under_way: deque[tuple[int, int]] = deque()
        self._sent = 0
        self._acknowledged = 0
        self._presence: dict[str, Json] | None = None
        self._presence_clock = 0

    @property
    def text(self) -> str:
        """The text, local edits included."""
        return self.document.text

    @property
    def unacknowledged(self) -> int:
        """How many local edits are not known to be committed."""
        return self._unsent + sum(edits for _, edits in self._under_way)

    @property
    def saved(self) -> bool:
        """Whether the text is what the server has committed, as far as this end has heard."""
        return self.synced and not self._unsent and not self._under_way

    def open(self) -> list[bytes]:
        """A connection is open.

        Returns:
            The frames to send first.
        """
        self._is_open = True
        self._outgoing.clear()
        self._send(SyncStep1(self.document.encode_state_vector()))
        self.renew_presence()
        return self.data_to_send()

    def closed(self) -> None:
        """The connection is gone; what it left unacknowledged waits for the next."""
        self._unsent = self.unacknowledged
        self._under_way.clear()
        self._sent = self._acknowledged = 0
        self._is_open = self._answered = self.synced = False
        self._outgoing.clear()
        self.awareness.remove([entry.client_id for entry in self.awareness.entries()])

    def data_to_send(self) -> list[bytes]:
        """The frames to send now; each is given out once."""
        frames, self._outgoing = self._outgoing, []
        return frames

    def edit(self, edits: Iterable[TextEdit]) -> None:
        """Change the text; the change is sent now, or when a connection is ready for it.

        Args:
            edits: in UTF-16 offsets into the present text, not overlapping.

        Raises:
            OffsetError: an edit names no place in the text.
        """
        update = self.document.edit(edits)
        if update == EMPTY_UPDATE:
            return
        self._unsent += 1
        if self._answered:
            self._send_edits(Update(update))

    def set_presence(self, state: dict[str, Json] | None) -> None:
        """Say something about oneself to everybody in the room, or with None take it back."""
        was_here = self._presence is not None
        self._presence = state
        if state is not None or was_here:
            self._announce()

    def renew_presence(self) -> None:
        """Say it again; others forget a client that is silent for half a minute."""
        if self._presence is not None:
            self._announce()

    def renew_token(self, token: str) -> None:
        """Go on under another access token; without effect while no connection is open."""
        self._send(TokenRenewal(token))

    def receive(self, frame: bytes) -> list[ClientEvent]:
        """Take in one frame; what it asks for is in ``data_to_send``.

        Returns:
            What happened, in order.

        Raises:
            CrdtError: the frame is malformed or says what a server may not say.
            EngineFailure: the engine did not survive an update; the document is condemned.
        """
        messages = decode_frame(frame, max_bytes=MAX_FRAME_BYTES)
        return [event for message in messages for event in self._events(message)]

    def _events(self, message: Message) -> Iterator[ClientEvent]:
        match message:
            case Update(update):
                yield from self._apply(update)
            case SyncStep2(update):
                yield from self._apply(update)
                if not self.synced:
                    self.synced = True
                    yield Synced()
            case SyncStep1(state_vector):
                self._answer(state_vector)
            case Acknowledgement(count):
                self._acknowledge(count)
                yield Acknowledged(count)
            case AwarenessUpdate(payload):
                yield from self._hear(payload)
            case QueryAwareness():
                self.renew_presence()
            case RoomEvent(text):
                yield RoomEventReceived(_read_event(text))
            case TokenRenewal():
                raise FrameError("a message that a server may not send", code="frame_unknown_type")
            case _:
                assert_never(message)

    def _apply(self, update: bytes) -> Iterator[ClientEvent]:
        if update != EMPTY_UPDATE:
            self.document.apply([update])
            yield Changed(update)

    def _answer(self, state_vector: bytes) -> None:
        read_state_vector(state_vector)
        self._send_edits(SyncStep2(self.document.encode_diff(state_vector)))
        self._answered = True

    def _send_edits(self, message: SyncStep2 | Update) -> None:
        self._send(message)
        self._sent += 1
        if self._unsent:
            self._under_way.append((self._sent, self._unsent))
            self._unsent = 0

    def _acknowledge(self, count: int) -> None:
        if not self._acknowledged <= count <= self._sent:
            raise FrameError(f"{count} acknowledged of {self._sent} sent, after {self._acknowledged}")
        self._acknowledged = count
        while self._under_way and self._under_way[0][0] <= count:
            self._under_way.popleft()

    def _hear(self, payload: bytes) -> Iterator[ClientEvent]:
        entries = read_awareness(payload, max_entries=MAX_AWARENESS_ENTRIES, max_state_bytes=MAX_AWARENESS_STATE_BYTES)
        others = [entry for entry in entries if entry.client_id != self.document.client_id]
        for entry in entries:
            if entry.client_id == self.document.client_id and entry.state is None:
                # Reported gone: the next announcement needs a higher clock to be believed.
                self._presence_clock = max(self._presence_clock, entry.clock)
        news = self.awareness.apply(others)
        if news:
            yield AwarenessChanged(tuple(news))

    def _announce(self) -> None:
        self._presence_clock += 1
        entry = AwarenessEntry(self.document.client_id, self._presence_clock, self._presence)
        self._send(AwarenessUpdate(encode_awareness([entry])))

    def _send(self, message: Message) -> None:
        if self._is_open:
            self._outgoing.append(encode(message))


def _read_event(text: str) -> dict[str, Json]:
    try:
        event: Json = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FrameError("a room event is not JSON") from error
    if not isinstance(event, dict):
        raise FrameError("a room event is not an object")
    return event

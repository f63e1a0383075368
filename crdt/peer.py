"""The two ends of a connection, without I/O: frames in, events and frames out.

The client's end has its rules in :mod:`crdt.client_peer`.  Rules of the server's end:

- a client may send step 1, step 2, updates, presence and a question for it, in any order and number;
- acknowledgements and room events come from servers only; renewed tokens, only where the client has
  offered the extension: anything else is an unknown type;
- step 2 and update messages are numbered from 1 in the order they arrive; acknowledgements count in
  these numbers;
- keystrokes that come in together are one event (:mod:`crdt.typed_run`).

Source: y-protocols ``PROTOCOL.md`` and ``sync.js``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import assert_never

from crdt.client_peer import (
    Acknowledged,
    AwarenessChanged,
    Changed,
    ClientEvent,
    ClientPeer,
    RoomEventReceived,
    Synced,
)
from crdt.codec import SHORT_UPDATE_HEADER, decode_frame, is_short_update
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
from crdt.summary import UpdateSummary
from crdt.typed_run import TypedRun
from crdt.update import read_state_vector

__all__ = [
    "Acknowledged",
    "AwarenessChanged",
    "AwarenessQueried",
    "AwarenessReceived",
    "Changed",
    "ClientEvent",
    "ClientPeer",
    "PeerEvent",
    "RoomEventReceived",
    "ServerPeer",
    "StateVectorReceived",
    "Synced",
    "TokenRenewed",
    "UpdateReceived",
]


@dataclass(frozen=True, slots=True)
class StateVectorReceived:
    """The client says what it has and asks for the rest.

    Args:
        state_vector: its bytes, which the strict reader has accepted.
        state: the next clock of every client.
    """

    state_vector: bytes
    state: dict[int, int]


@dataclass(frozen=True, slots=True)
class UpdateReceived:
    """The client sent an update.

    Args:
        update: its bytes.
        ordinal: its number among the step-2 and update messages of the connection, from 1.
        answers: of a step 2, its number among the step-2 messages, from 1.
        messages: how many messages were joined to it; ``ordinal`` is the last one's.
        summary: what the strict reader found in it, if it has read it yet.
    """

    update: bytes
    ordinal: int
    answers: int | None
    messages: int = 1
    summary: UpdateSummary | None = None


@dataclass(frozen=True, slots=True)
class AwarenessReceived:
    """The client sent presence, which nobody has read yet."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class AwarenessQueried:
    """The client asks for the presence of everybody."""


@dataclass(frozen=True, slots=True)
class TokenRenewed:
    """The client goes on under another access token."""

    token: str = field(repr=False)


PeerEvent = StateVectorReceived | UpdateReceived | AwarenessReceived | AwarenessQueried | TokenRenewed


class ServerPeer:
    """The server's end of one connection; it holds no document.

    Args:
        max_frame_bytes: the largest frame accepted.
        extensions: whether ``promptroom.v1`` was negotiated.
    """

    def __init__(self, *, max_frame_bytes: int, extensions: bool) -> None:
        self._max_frame_bytes = max_frame_bytes
        self._extensions = extensions
        self._updates = 0
        self._answers = 0

    def receive(self, frame: bytes) -> list[PeerEvent]:
        """Take in one frame.

        Returns:
            What the client said, in order.

        Raises:
            FrameTooLarge: the frame is larger than accepted.
            FrameError: the frame is malformed or says what a client may not say.
            StateVectorError: a state vector is malformed.
        """
        return [self._event(message) for message in decode_frame(frame, max_bytes=self._max_frame_bytes)]

    def receive_all(self, frames: Iterable[bytes]) -> Iterator[PeerEvent]:
        """Take in frames that came in together; raises as :meth:`receive`, after what came before was yielded."""
        run: TypedRun | None = None
        for frame in frames:
            is_short = is_short_update(frame)
            if run is not None:
                if is_short and run.take(frame):
                    continue
                yield self._joined(run)
            run = TypedRun.begin(frame[SHORT_UPDATE_HEADER:]) if is_short else None
            if run is None:
                yield from self.receive(frame)
        if run is not None:
            yield self._joined(run)

    def _joined(self, run: TypedRun) -> UpdateReceived:
        self._updates += run.count
        update, summary = run.joined()
        return UpdateReceived(update, self._updates, None, run.count, summary)

    def _event(self, message: Message) -> PeerEvent:
        match message:
            case Update(update):
                self._updates += 1
                return UpdateReceived(update, self._updates, None)
            case AwarenessUpdate(payload):
                return AwarenessReceived(payload)
            case SyncStep1(state_vector):
                return StateVectorReceived(state_vector, read_state_vector(state_vector))
            case SyncStep2(update):
                self._updates += 1
                self._answers += 1
                return UpdateReceived(update, self._updates, self._answers)
            case QueryAwareness():
                return AwarenessQueried()
            case TokenRenewal(token) if self._extensions:
                return TokenRenewed(token)
            case TokenRenewal() | Acknowledgement() | RoomEvent():
                raise FrameError("a message that a client may not send here", code="frame_unknown_type")
            case _:
                assert_never(message)

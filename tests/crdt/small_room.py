"""The smallest server that speaks the protocol: one document, no store, no I/O."""

from collections.abc import Callable
from typing import assert_never

from crdt.awareness import AwarenessStates, encode_awareness, read_awareness
from crdt.codec import encode
from crdt.document import Document
from crdt.messages import Acknowledgement, AwarenessUpdate, Message, RoomEvent, SyncStep1, SyncStep2, Update
from crdt.peer import (
    AwarenessQueried,
    AwarenessReceived,
    ServerPeer,
    StateVectorReceived,
    TokenRenewed,
    UpdateReceived,
)
from crdt.update import read_update

MAX_FRAME_BYTES = 1_000_000


class SmallRoom:
    """A room in memory.

    Args:
        document: its document.
    """

    def __init__(self, document: Document | None = None) -> None:
        self.document = document or Document()
        self.presence = AwarenessStates(lambda: 0.0)
        self.sessions: list[SmallSession] = []
        self.tokens: list[str] = []
        # While the store is down nothing is committed, so nothing is shown or acknowledged.
        self.store_is_up = True
        self.updates: list[bytes] = []

    @property
    def text(self) -> str:
        return self.document.text

    def join(self, send: Callable[[bytes], None]) -> "SmallSession":
        session = SmallSession(self, send)
        self.sessions.append(session)
        session.send(SyncStep1(self.document.encode_state_vector()))
        session.send(AwarenessUpdate(encode_awareness(self.presence.entries())))
        return session

    def leave(self, session: "SmallSession") -> None:
        self.sessions.remove(session)

    def tell(self, message: Message, *, but: "SmallSession | None" = None) -> None:
        for session in self.sessions:
            if session is not but:
                session.send(message)

    def tell_event(self, text: str) -> None:
        self.tell(RoomEvent(text))


class SmallSession:
    """One connection of a room.

    Args:
        room: where it is.
        send: takes a frame for the client.
    """

    def __init__(self, room: SmallRoom, send: Callable[[bytes], None]) -> None:
        self._room = room
        self._send = send
        self._peer = ServerPeer(max_frame_bytes=MAX_FRAME_BYTES, extensions=True)

    def send(self, message: Message) -> None:
        self._send(encode(message))

    def send_event(self, text: str) -> None:
        self.send(RoomEvent(text))

    def receive(self, frame: bytes) -> None:
        for event in self._peer.receive(frame):
            match event:
                case UpdateReceived(update, ordinal):
                    self._commit(update, ordinal)
                case StateVectorReceived(state_vector):
                    self.send(SyncStep2(self._room.document.encode_diff(state_vector)))
                case AwarenessReceived(payload):
                    self._room.presence.apply(read_awareness(payload, max_entries=10, max_state_bytes=1_000))
                    self._room.tell(AwarenessUpdate(payload), but=self)
                case AwarenessQueried():
                    self.send(AwarenessUpdate(encode_awareness(self._room.presence.entries())))
                case TokenRenewed(token):
                    self._room.tokens.append(token)
                case _:
                    assert_never(event)

    def _commit(self, update: bytes, ordinal: int) -> None:
        if not self._room.store_is_up:
            return
        self._room.document.apply([update])
        if not read_update(update).is_empty:
            self._room.updates.append(update)
        self._room.tell(Update(update), but=self)
        self.send(Acknowledgement(ordinal))

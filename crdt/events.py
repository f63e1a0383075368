"""What a peer makes of the frames it receives.

``PeerEvent`` is what the server's end reports of a client, ``ClientEvent`` what the client's end reports
of the server.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from crdt.awareness import AwarenessEntry, Json


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
    """The client sent an update, which nobody has read yet.

    Args:
        update: its bytes.
        ordinal: its number among the step-2 and update messages of the connection, from 1.
        answers: of a step 2, its number among the step-2 messages, from 1.
    """

    update: bytes
    ordinal: int
    answers: int | None


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

"""The decoded messages of a connection.

Types 0, 1 and 3 are y-protocols (``sync.js``, ``awareness.js`` and y-websocket's ``messageQueryAwareness``);
8, 9 and 10 are spoken only where the client offered the subprotocol ``promptroom.v1``.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SyncStep1:
    """Says what the sender has and asks for a step 2 with the rest.  The state vector is not yet read."""

    state_vector: bytes


@dataclass(frozen=True, slots=True)
class SyncStep2:
    """Everything the other end lacked by its step 1.  The update is not yet read."""

    update: bytes


@dataclass(frozen=True, slots=True)
class Update:
    """One edit, or several merged into one.  The update is not yet read."""

    update: bytes


@dataclass(frozen=True, slots=True)
class AwarenessUpdate:
    """Presence of one or more clients.  The payload is not yet read."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class QueryAwareness:
    """Asks for the presence of everybody."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Server to client: the first ``count`` step-2 and update messages of this connection are committed."""

    count: int


@dataclass(frozen=True, slots=True)
class RoomEvent:
    """Server to client: something happened in the room.  ``json`` is one JSON object, not yet parsed."""

    json: str


@dataclass(frozen=True, slots=True)
class TokenRenewal:
    """Client to server: go on under this access token.  Kept out of ``repr`` and so out of logs."""

    token: str = field(repr=False)


Message = SyncStep1 | SyncStep2 | Update | AwarenessUpdate | QueryAwareness | Acknowledgement | RoomEvent | TokenRenewal

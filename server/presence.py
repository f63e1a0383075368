"""Who is in a room and where their cursors are. Never stored, and the first thing that gives way under load.

Rules
    1. A state is stamped with the identity of the principal: nobody appears under another's name.
    2. A client id belongs to the connection that announced it first. It passes to another connection of the same user
       only with a newer clock, which is how a client comes back before its old connection was found dead; whoever
       merely repeats what was heard (stock providers do) changes nothing.
    3. What changed is sent once a turn, merged, and at most once in `PRESENCE_SECONDS`.
    4. A closed connection takes its states with it; a state that is not renewed expires.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, Protocol

from crdt.awareness import AwarenessEntry, AwarenessStates, encode_awareness, read_awareness
from crdt.messages import AwarenessUpdate
from server.limits import AWARENESS_TIMEOUT_SECONDS, MAX_AWARENESS_ENTRIES, MAX_AWARENESS_STATE_BYTES
from server.outbox import Frame

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Mapping
    from uuid import UUID

    from crdt.awareness import Json
    from server.access import Principal

# A cursor that moves 25 times a second looks smooth; more only costs the readers.
PRESENCE_SECONDS: Final = 0.04
# In the largest rooms cursors move less smoothly, so that writing to all leaves time for edits.
PRESENCE_SECONDS_PER_READER: Final = 100e-6
# One tab has one client id; a provider that reloads its document takes another now and then.
MAX_PRESENT_CLIENTS_PER_CONNECTION: Final = 8

# Dark enough for white text on the flag and clear on both themes (WCAG contrast of at least 4.5:1 against white).
_COLORS: Final = (
    "#b4232a",
    "#a8410a",
    "#8a5a00",
    "#4f6f00",
    "#1a7a3a",
    "#00756b",
    "#006f93",
    "#1f62c4",
    "#5a4fd0",
    "#8a3fc0",
    "#ad2f8e",
    "#b72561",
)
_LIGHT_ALPHA: Final = "33"


class Attendant(Protocol):
    """A connection as presence sees it."""

    @property
    def principal(self) -> Principal:
        """Who is on the other end."""


def identity(principal: Principal) -> dict[str, Json]:
    """Answers what everybody sees of a principal: the id, the name, the role and a colour that follows from the id."""
    color = _COLORS[hashlib.sha256(principal.user_id.bytes).digest()[0] % len(_COLORS)]
    return {
        "id": str(principal.user_id),
        "name": principal.name,
        "role": principal.role.value,
        "color": color,
        "colorLight": color + _LIGHT_ALPHA,
    }


class Presence:
    """The presence of one room.

    Arguments: `clock` answers the seconds that states expire by; `broadcast` sends a frame to every reader that keeps
    up and answers to how many; `bindings` answers the user that each client id is bound to by its edits.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        clock: Callable[[], float],
        broadcast: Callable[[Frame], int],
        bindings: Callable[[], Mapping[int, UUID]],
    ) -> None:
        self._loop = loop
        self._broadcast = broadcast
        self._readers = 0
        self._bindings = bindings
        self._states = AwarenessStates(clock=clock)
        self._owners: dict[int, Attendant] = {}
        self._changed: dict[int, AwarenessEntry] = {}
        self._timer: asyncio.Handle | None = None
        self._sent_at = 0.0
        self._everybody: Frame | None = None

    def receive(self, attendant: Attendant, payload: bytes) -> None:
        """Takes what a connection says of itself. Raises AwarenessError for a malformed payload."""
        entries = read_awareness(payload, max_entries=MAX_AWARENESS_ENTRIES, max_state_bytes=MAX_AWARENESS_STATE_BYTES)
        stamped = [self._stamp(attendant, entry) for entry in entries if self._may_speak_for(attendant, entry)]
        self._announce(self._states.apply(stamped))

    def leave(self, attendant: Attendant) -> None:
        """Removes the states of a connection that has closed."""
        gone = [client for client, owner in self._owners.items() if owner is attendant]
        self._remove(gone)

    def expire(self) -> None:
        """Removes the states that nobody renewed."""
        expired = self._states.expire(AWARENESS_TIMEOUT_SECONDS)
        for entry in expired:
            self._owners.pop(entry.client_id, None)
        self._announce(expired)

    def everybody(self) -> Frame | None:
        """Answers the states of all, for one who has just come; None when the room is empty."""
        if self._everybody is None and len(self._states):
            self._everybody = Frame.of(AwarenessUpdate(encode_awareness(self._states.entries())))
        return self._everybody

    def user_of(self, client_id: int) -> UUID | None:
        """Answers who is here under a client id."""
        owner = self._owners.get(client_id)
        return owner.principal.user_id if owner is not None else None

    def close(self) -> None:
        """Stops the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _may_speak_for(self, attendant: Attendant, entry: AwarenessEntry) -> bool:
        user_id = attendant.principal.user_id
        owner = self._owners.get(entry.client_id)
        if owner is attendant:
            return True
        if owner is None:
            if entry.state is None or self._bindings().get(entry.client_id, user_id) != user_id:
                return False
            if sum(1 for other in self._owners.values() if other is attendant) >= MAX_PRESENT_CLIENTS_PER_CONNECTION:
                return False
        elif owner.principal.user_id != user_id or not self._is_newer(entry):
            return False
        self._owners[entry.client_id] = attendant
        return True

    def _is_newer(self, entry: AwarenessEntry) -> bool:
        known = self._states.get(entry.client_id)
        return known is None or entry.clock > known.clock

    def _stamp(self, attendant: Attendant, entry: AwarenessEntry) -> AwarenessEntry:
        if entry.state is None:
            return entry
        state = {**entry.state, "user": identity(attendant.principal)}
        return AwarenessEntry(entry.client_id, entry.clock, state)

    def _remove(self, clients: list[int]) -> None:
        for client in clients:
            del self._owners[client]
        self._announce(self._states.remove(clients))

    def _announce(self, entries: Iterable[AwarenessEntry]) -> None:
        for entry in entries:
            self._everybody = None
            self._changed[entry.client_id] = entry
            if entry.state is None:
                self._owners.pop(entry.client_id, None)
        if self._changed and self._timer is None:
            due = self._sent_at + max(PRESENCE_SECONDS, self._readers * PRESENCE_SECONDS_PER_READER)
            self._timer = (
                self._loop.call_at(due, self._flush) if due > self._loop.time() else self._loop.call_soon(self._flush)
            )

    def _flush(self) -> None:
        self._timer = None
        self._sent_at = self._loop.time()
        entries = list(self._changed.values())
        self._changed.clear()
        self._readers = self._broadcast(Frame.of(AwarenessUpdate(encode_awareness(entries))))

"""Which connection holds which client id of a room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from server.attendance import Attendant


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a client id: a connection of this node, or with `attendant` None one of another.

    `since` is when the user took the id, on whichever node and connection, in milliseconds since the epoch.
    """

    user_id: UUID
    since: int
    attendant: Attendant | None


class Holders:
    """The holders of the client ids of one room; what one connection holds is found without asking all others."""

    __slots__ = ("_clients", "_holders")

    def __init__(self) -> None:
        self._holders: dict[int, Holder] = {}
        self._clients: dict[Attendant, set[int]] = {}

    def get(self, client_id: int) -> Holder | None:
        """Answers who holds a client id."""
        return self._holders.get(client_id)

    def held_by(self, attendant: Attendant) -> tuple[int, ...]:
        """Answers the client ids that a connection of this node holds."""
        return tuple(self._clients.get(attendant, ()))

    def held_here(self) -> Iterator[int]:
        """Answers the client ids that connections of this node hold."""
        return (client_id for clients in self._clients.values() for client_id in clients)

    def give(self, client_id: int, holder: Holder) -> None:
        """Gives a client id to a holder, in place of the one before."""
        self.take(client_id)
        self._holders[client_id] = holder
        if holder.attendant is not None:
            self._clients.setdefault(holder.attendant, set()).add(client_id)

    def take(self, client_id: int) -> bool:
        """Takes a client id from whoever holds it; answers whether that was a connection of this node."""
        holder = self._holders.pop(client_id, None)
        if holder is None or holder.attendant is None:
            return False
        clients = self._clients[holder.attendant]
        clients.discard(client_id)
        if not clients:
            del self._clients[holder.attendant]
        return True

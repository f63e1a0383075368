"""Who is in a room, however many connections they have, and on whichever node.

Rules
    1. Who is in the room counts, with a cursor or without: viewers and programs often show none.
    2. Somebody appears with the name and the role of their latest connection; those of this node come before others.
    3. Whoever joins or leaves costs the same however many are here: nobody is counted anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from server.access import Principal, Role

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID


class Attendant(Protocol):
    """A connection as presence sees it."""

    @property
    def principal(self) -> Principal:
        """Who is on the other end."""


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody in a room, however many connections they have; with none they have left."""

    user_id: UUID
    name: str
    role: Role
    connections: int


def participants(here: Iterable[Attendant], elsewhere: Iterable[Participant]) -> tuple[Participant, ...]:
    """Answers everybody once, by name: the connections `here`, and the people that other nodes have reported."""
    people: dict[UUID, Participant] = {}
    for attendant in here:
        _add(people, attendant.principal, 1)
    for person in elsewhere:
        known = people.get(person.user_id)
        people[person.user_id] = (
            person if known is None else replace(known, connections=known.connections + person.connections)
        )
    return tuple(sorted(people.values(), key=lambda person: (person.name.casefold(), person.user_id)))


class Attendance:
    """The people in one room on this node, and which of them the other nodes have not heard of."""

    def __init__(self) -> None:
        self._principals: dict[Attendant, Principal] = {}
        self._people: dict[UUID, Participant] = {}
        self._changed: dict[UUID, Participant] = {}

    def __len__(self) -> int:
        """How many connections are in the room."""
        return len(self._principals)

    @property
    def has_news(self) -> bool:
        """Whether something changed since `take_changes` or `take_all`."""
        return bool(self._changed)

    def joined(self, attendant: Attendant) -> None:
        """A connection has come."""
        if attendant not in self._principals:
            self._principals[attendant] = attendant.principal
            self._count(attendant.principal, 1)

    def left(self, attendant: Attendant) -> None:
        """A connection has gone; one that is not here is nobody's."""
        principal = self._principals.pop(attendant, None)
        if principal is not None:
            self._count(principal, -1)

    def look_around(self) -> None:
        """Notices who has another role or name than before; asked every now and then."""
        for attendant, before in self._principals.items():
            principal = attendant.principal
            if principal is not before:
                self._principals[attendant] = principal
                if (principal.name, principal.role) != (before.name, before.role):
                    self._count(principal, 0)

    def take_changes(self) -> list[Participant]:
        """Answers who changed since the last time; those who left have no connections."""
        changed, self._changed = self._changed, {}
        return list(changed.values())

    def take_all(self) -> list[Participant]:
        """Answers everybody; there are no changes then."""
        self._changed = {}
        return list(self._people.values())

    def _count(self, principal: Principal, connections: int) -> None:
        person = self._changed[principal.user_id] = _add(self._people, principal, connections)
        if not person.connections:
            del self._people[principal.user_id]


def _add(people: dict[UUID, Participant], principal: Principal, connections: int) -> Participant:
    """Counts connections of a principal, whose name and role are taken unless some of them have left."""
    known = people.get(principal.user_id)
    if known is None:
        person = Participant(principal.user_id, principal.name, principal.role, connections)
    else:
        latest = principal if connections >= 0 else known
        person = Participant(known.user_id, latest.name, latest.role, known.connections + connections)
    people[principal.user_id] = person
    return person

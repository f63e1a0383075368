"""What the other nodes say of the connections that they have in a room.

What each node says is kept apart from what the others say, and replaced or taken back only by that node: what follows
from all of it is the same on every node that has heard the same, in whichever order. `prevailing` is that rule; it
stands in words at the head of `server.presence`.

A node counts from its first whole report on: what it changes means nothing to one who does not know the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from server.attendance import Participant
from server.limits import MAX_CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from server.presence_report import Claim, Report

# A node has no more connections, and one tab has one client. What goes beyond is not shown.
MAX_CLIENTS_OF_NODE: Final = MAX_CONNECTIONS


def prevailing(claims: Sequence[Claim]) -> Claim | None:
    """Answers whose claim of a client id counts, of all the claims that there are."""
    if len(claims) < 2:  # noqa: PLR2004 - one is one
        return claims[0] if claims else None
    user_id = min(claims, key=lambda claim: (claim.since, claim.user_id)).user_id
    return max(
        (claim for claim in claims if claim.user_id == user_id),
        key=lambda claim: (claim.entry.clock, claim.since, claim.node_id),
    )


class _Said:
    """What one node says."""

    __slots__ = ("claims", "heard_at", "people", "unnamed_clients", "unnamed_people")

    def __init__(self) -> None:
        self.claims: dict[int, Claim] = {}
        self.people: dict[UUID, Participant] = {}
        self.heard_at = 0.0
        # What was said before, and was not repeated so far by a report of everything that is under way.
        self.unnamed_clients: set[int] = set()
        self.unnamed_people: set[UUID] = set()


class PresenceElsewhere:
    """What the other nodes say of one room.

    Arguments: `clock` answers seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._nodes: dict[UUID, _Said] = {}

    def hear(self, node_id: UUID, report: Report) -> set[int] | None:
        """Takes a report; answers the client ids whose claims have changed, or None where the node is not known yet."""
        said = self._nodes.get(node_id)
        if report.begins:
            said = self._nodes.setdefault(node_id, _Said())
            said.unnamed_clients, said.unnamed_people = set(said.claims), set(said.people)
        if said is None:
            return None
        said.heard_at = self._clock()
        changed = _take_claims(said, report)
        _take_people(said, report)
        if report.ends:
            changed |= _finish(said)
        return changed

    def forget(self, node_id: UUID) -> set[int]:
        """Takes everything back that a node has said; answers the client ids that it held."""
        said = self._nodes.pop(node_id, None)
        return set(said.claims) if said is not None else set()

    def silent(self, seconds: float) -> list[UUID]:
        """Answers the nodes that nothing was heard of for longer."""
        oldest = self._clock() - seconds
        return [node_id for node_id, said in self._nodes.items() if said.heard_at < oldest]

    def claims(self, client_id: int) -> list[Claim]:
        """Answers the claims of a client id, one for each node that holds it."""
        return [claim for said in self._nodes.values() if (claim := said.claims.get(client_id)) is not None]

    def drop(self, client_id: int) -> None:
        """Takes back all claims of a client id: nobody has renewed it."""
        for said in self._nodes.values():
            said.claims.pop(client_id, None)

    def participants(self) -> list[Participant]:
        """Answers who is on other nodes; somebody who is on several of them comes several times."""
        return [person for _, said in sorted(self._nodes.items()) for person in said.people.values()]


def _take_claims(said: _Said, report: Report) -> set[int]:
    changed = {client_id for client_id in report.gone if said.claims.pop(client_id, None) is not None}
    for claim in report.claims:
        client_id = claim.entry.client_id
        known = said.claims.get(client_id)
        if known is None and len(said.claims) >= MAX_CLIENTS_OF_NODE:
            continue
        said.unnamed_clients.discard(client_id)
        if known != claim:
            said.claims[client_id] = claim
            changed.add(client_id)
    return changed


def _take_people(said: _Said, report: Report) -> None:
    for person in report.people:
        said.unnamed_people.discard(person.user_id)
        if not person.connections:
            said.people.pop(person.user_id, None)
        elif person.user_id in said.people or len(said.people) < MAX_CONNECTIONS:
            said.people[person.user_id] = person


def _finish(said: _Said) -> set[int]:
    """Everything was said: what was not named is gone."""
    gone = {client_id for client_id in said.unnamed_clients if said.claims.pop(client_id, None) is not None}
    for user_id in said.unnamed_people:
        said.people.pop(user_id, None)
    said.unnamed_clients, said.unnamed_people = set(), set()
    return gone

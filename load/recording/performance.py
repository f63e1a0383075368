"""A recorded session performed against a server: two authors, each with a replica and a connection of their own.

A key is pressed when it is due by the clock, and when its author has been shown what its author had seen in the
recording: a key that builds on another is never pressed before that one has arrived.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from crdt.document import Document
from crdt.ranges import RangeSet
from crdt.summary import UpdateSummary
from crdt.update import read_update
from load.dialects import Dialect
from load.pacing import Deed
from load.recording.session import Key, Session, as_updates
from load.replica import Replica
from load.servers.server import Address

_LONGEST_PAUSE: Final = 0.25


class Holdings:
    """What an editor, or a server, has been shown to hold: characters, and deletions of characters."""

    def __init__(self) -> None:
        self._written, self._deleted = RangeSet(), RangeSet()

    def take(self, update: bytes) -> None:
        """Add what an update brings."""
        summary = read_update(update)
        for written in summary.writes:
            self._written.add(*written)
        for deleted in summary.deletes:
            self._deleted.add(*deleted)

    def have(self, summary: UpdateSummary) -> bool:
        """Whether everything that an update brings is among it."""
        return all(self._written.covers(*written) for written in summary.writes) and all(
            self._deleted.covers(*deleted) for deleted in summary.deletes
        )


@dataclass(frozen=True, slots=True)
class _Press:
    """A key, the update that carries it, and what that brings."""

    key: Key
    update: bytes
    summary: UpdateSummary


class Score:
    """A session made ready, so that nothing has to be worked out while the clock runs."""

    def __init__(self, session: Session) -> None:
        self.session = session
        updates, _ = as_updates(session)
        presses = [_Press(key, update, read_update(update)) for key, update in zip(session.keys, updates, strict=True)]
        self.parts = [[press for press in presses if press.key.author == author] for author in range(2)]

    def moments(self, seconds: float) -> list[tuple[int, float]]:
        """Who presses a key when, with long pauses cut short and all made so short that it takes so many seconds."""
        shortened, moments, before = 0.0, [], 0.0
        for key in self.session.keys:
            shortened += min(key.at - before, _LONGEST_PAUSE)
            before = key.at
            moments.append((key.author, shortened))
        return [(author, at * seconds / shortened) for author, at in moments]


class Author:
    """One of the two.

    Args:
        part: what is pressed.
        replica: of the document.
    """

    def __init__(self, part: Sequence[_Press], replica: Replica) -> None:
        self.replica = replica
        self.part = part
        self.pressed = 0
        """How many keys have been."""
        self.pressed_at = array("d")
        """When each of them was to be."""
        self.shown = 0
        """How many keys of the other author, from the first, this one has been shown."""
        self.waited = 0
        """How many keys were due before what they build on had arrived."""
        self.seconds = array("d")
        """How long each of those took that this one was shown."""
        self._holdings = Holdings()
        self._due: deque[float] = deque()
        self._other = self
        replica.listener = self._hear

    def meet(self, other: Author) -> None:
        """Say who the other one is."""
        self._other = other

    def press(self, due: float) -> None:
        """Press the next key, now or as soon as what it builds on has arrived."""
        self._due.append(due)
        self.waited += not self._press_what_can_be(due)

    @property
    def is_through(self) -> bool:
        """Whether everything has been pressed, and everything of the other has been shown."""
        return self.pressed == len(self.part) and self.shown == len(self._other.part)

    def _hear(self, update: bytes, now: float) -> None:
        self._holdings.take(update)
        other = self._other
        while self.shown < other.pressed and self._holdings.have(other.part[self.shown].summary):
            self.seconds.append(now - other.pressed_at[self.shown])
            self.shown += 1
        self._press_what_can_be(now)

    def _press_what_can_be(self, now: float) -> bool:
        while self._due and self.part[self.pressed].key.seen <= self.shown:
            self.pressed_at.append(max(self._due.popleft(), now))
            self.pressed += 1
            self.replica.make(self.part[self.pressed - 1].update)
        return not self._due


class Performance:
    """Both authors in one document.

    Args:
        score: what is performed.
        dialect: how the server is spoken to.
    """

    def __init__(self, score: Score, dialect: Dialect) -> None:
        self._score = score
        clients = score.session.clients
        self.authors = [
            Author(part, Replica(dialect, Document(client_id=client)))
            for part, client in zip(score.parts, clients, strict=True)
        ]
        for author, other in zip(self.authors, reversed(self.authors), strict=True):
            author.meet(other)

    async def open(self, address: Address, token: str) -> None:
        """Connect both.

        Raises:
            ConnectionRefused: The server does not let one in.
        """
        for author in self.authors:
            await author.replica.open(address, token)
            await author.replica.caught_up

    def schedule(self, seconds: float) -> Iterator[tuple[float, Deed]]:
        """Every key with its time, from now on."""
        start = perf_counter()
        for author, at in self._score.moments(seconds):
            yield start + at, self.authors[author].press

    @property
    def is_over(self) -> bool:
        """Whether everybody has been shown everything."""
        return all(author.is_through for author in self.authors)

    def close(self) -> None:
        """Hang up."""
        for author in self.authors:
            author.replica.close()

    def lost(self, kept: bytes, *, acknowledged: bool) -> int:
        """How many keys are missing from what was kept.

        Args:
            kept: a whole document as an update.
            acknowledged: whether keys count that the server had acknowledged, or those that the other had been shown.
        """
        holdings = Holdings()
        holdings.take(kept)
        lost = 0
        for author, other in zip(self.authors, reversed(self.authors), strict=True):
            promised = author.replica.saved if acknowledged else other.shown
            lost += sum(not holdings.have(press.summary) for press in author.part[:promised])
        return lost

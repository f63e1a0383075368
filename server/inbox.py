"""What waits for a room's next commit.

While a commit is in flight everything that comes waits here, so that a batch grows with the load by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING
from uuid import UUID

from server.limits import INBOX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from server.membership import Author, Submission


_NONE: Mapping[int, UUID] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Batch:
    """What one flush takes.

    `updates` go to the journal; `repeated` are stored or on their way already, and only wait to be acknowledged.
    `bindings` are the client ids that the updates use for the first time, and their users.
    """

    updates: tuple[Submission, ...]
    repeated: tuple[Submission, ...]
    size: int
    """Bytes of the updates."""
    messages: int
    """How many messages the updates came in."""
    bindings: Mapping[int, UUID]

    def __iter__(self) -> Iterator[Submission]:
        """Iterates over everything that is to be acknowledged."""
        yield from self.updates
        yield from self.repeated

    @property
    def sole_author(self) -> Author | None:
        """Who wrote every update of the batch, if that was one."""
        first = self.updates[0].author
        return first if all(each.author is first for each in self.updates) else None


class Inbox:
    """Submissions in the order in which they were admitted."""

    def __init__(self) -> None:
        self._updates: list[Submission] = []
        self._repeated: list[Submission] = []
        self.size = 0
        """Bytes of the updates that wait."""
        self.messages = 0
        """How many messages they came in."""

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._updates or self._repeated)

    @property
    def is_full(self) -> bool:
        """Whether more waits than a room may hold in memory."""
        return self.size > INBOX_BYTES

    def add(self, submissions: Iterable[Submission]) -> None:
        """Adds updates that go to the journal."""
        for each in submissions:
            self._updates.append(each)
            self.size += len(each.update)
            self.messages += each.messages

    def add_repeated(self, submission: Submission) -> None:
        """Adds one that only waits for what was admitted before it."""
        self._repeated.append(submission)

    def take(self, bindings: Mapping[int, UUID] = _NONE) -> Batch:
        """Answers everything that waits, and is empty."""
        batch = Batch(tuple(self._updates), tuple(self._repeated), self.size, self.messages, bindings)
        self._updates, self._repeated, self.size, self.messages = [], [], 0, 0
        return batch

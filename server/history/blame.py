"""Who wrote each part of a text, when, and how it came.

Typing is stored key by key. What one person does in one go, a *stroke*, is laid to its last row: by whom and how it
came is exact, and when within the length of a stroke. So a text has hundreds of spans, not one for each character.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from crdt.spans import Span
    from persistence.edits import Byline, EditKind, JournalEntry

# The length of the longest stroke; side by side, strokes with no longer a pause between are shown as one.
BREATH: Final = timedelta(minutes=5)


class Passage(NamedTuple):
    """Characters that one person wrote in one go, from `start` to `end` in UTF-16 units; `byline` is of the newest."""

    start: int
    end: int
    byline: Byline

    @property
    def user_id(self) -> UUID:
        """Who wrote it."""
        return self.byline.user_id

    @property
    def kind(self) -> EditKind:
        """How it came."""
        return self.byline.kind

    @property
    def seq(self) -> int:
        """The last edit that brought some of it."""
        return self.byline.seq

    @property
    def created_at(self) -> datetime:
        """When that was."""
        return self.byline.created_at


def strokes_of(entries: Sequence[JournalEntry]) -> list[int]:
    """Answers for each entry the last one of its stroke."""
    # From the last one back, so that a stroke is known by its last row from the beginning.
    ends: dict[tuple[UUID, EditKind], JournalEntry] = {}
    strokes: list[int] = []
    for entry in reversed(entries):
        end = ends.get((entry.user_id, entry.kind))
        if end is None or end.created_at - entry.created_at > BREATH:
            end = ends[entry.user_id, entry.kind] = entry
        strokes.append(end.seq)
    return strokes[::-1]


def passages(spans: Iterable[Span], bylines: Mapping[int, Byline]) -> list[Passage]:
    """Answers the passages of a text, in order and without gaps."""
    found: list[Passage] = []
    neighbour: Byline | None = None
    for start, end, seq in spans:
        byline = bylines[seq]
        if neighbour is not None and _belong_together(neighbour, byline):
            last = found[-1]
            found[-1] = Passage(last.start, end, max(last.byline, byline, key=_seq))
        else:
            found.append(Passage(start, end, byline))
        neighbour = byline
    return found


def _belong_together(one: Byline, other: Byline) -> bool:
    return one.user_id == other.user_id and one.kind == other.kind and abs(one.created_at - other.created_at) <= BREATH


def _seq(byline: Byline) -> int:
    return byline.seq

"""What the editors' frames prove when a run is over.

Arrivals: of every key that was typed, whether and when each other editor was shown it. A key counts as shown when an
update with its clock, and all before it, has arrived.

Convergence: that every editor, and whoever opens the document now, shows the text that was typed. Nobody is taken at
his word: each editor's updates are applied to a document and its text is read. Editors who were sent the same bytes,
byte for byte, show the same text; of those one is applied for all.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, Protocol

from crdt.document import Document
from crdt.errors import CrdtError
from load.editor import Editor
from load.keystrokes import Written, find_written, typed
from load.room import Mark, Room

_Known = dict[bytes, list[Written]]
"""What frames write: many editors are sent the same one."""


class Writer(Protocol):
    """What has to be known of somebody who typed: an editor, or what another process was told of one."""

    @property
    def client_id(self) -> int:
        """Its id."""

    @property
    def typed_at(self) -> array[float]:
        """When each of its characters was due."""

    @property
    def text(self) -> bytearray:
        """All that it has typed."""


@dataclass(frozen=True, slots=True)
class Author:
    """Somebody who typed, in another process.

    Args:
        client_id: its id.
        typed_at: when each of its characters was due.
        text: all that it has typed.
    """

    client_id: int
    typed_at: array[float]
    text: bytearray


_Shown = tuple[int, int, int, float]
"""Of a client, from one clock to another, and when."""

_TIMED: Final = 2_000_000
"""Arrivals that are timed, about; of more, those at every so many people. That they are there is looked at of all."""


@dataclass(slots=True)
class Arrivals:
    """What arrived of the keys typed since a mark."""

    seconds: array[float] = field(default_factory=lambda: array("d"))
    """From when a key was due to its arrival at another editor."""
    missing: int = 0
    """How many such arrivals there were not."""


def arrivals(
    people: Sequence[Editor], authors: Sequence[Writer], since: Mark, timed: Sequence[Editor] = ()
) -> Arrivals:
    """Look through what people heard of what authors typed.

    Args:
        people: some who are in a room.
        authors: all who type there.
        since: where these people and authors stood; what was typed before is not looked for.
        timed: those of the people whose arrivals are timed; everybody's, where none are named.
    """
    found = Arrivals()
    known: _Known = {}
    keys = sum(len(author.typed_at) for author in authors) - sum(since.typed.values())
    timed_every = keys * len(people) // _TIMED + 1
    # The last is timed in any case: of a room's people it is a reader, where there is one.
    for number, (person, first) in enumerate(zip(reversed(people), reversed(since.frames), strict=True)):
        missing, seconds = _look_through(person, first, authors, since, known)
        found.missing += missing
        if number % timed_every == 0 and (not timed or person in timed):
            found.seconds.extend(seconds)
    return found


def shown(people: Sequence[Editor], since: Mark) -> dict[int, int]:
    """How many characters of each author one of these people, who is not the author, has been shown, by client."""
    most = dict(since.typed)
    known: _Known = {}
    for person, first in zip(people, since.frames, strict=True):
        seen = dict(since.typed)
        for frame in person.frames[first:]:
            for client, start, end in _written(person, frame, known):
                if start <= seen.get(client, -1) < end and client != person.client_id:
                    seen[client] = end
        for client, count in seen.items():
            most[client] = max(most[client], count)
    return most


def unlike(people: Sequence[Editor], expected: str | None) -> int:
    """How many people show another text."""
    return sum(_unlike(alike, expected) for alike in _alike(people))


def text_of(room: Room, clocks: Mapping[int, int]) -> str | None:
    """The text of a room in which each writer has typed so much, by client."""
    own = [typed(each.client_id, bytes(each.text[: clocks[each.client_id]])) for each in room.writers]
    return read([room.begun, *own])


def read(updates: Sequence[bytes]) -> str | None:
    """The text of whoever has these updates; nothing, where they cannot be applied."""
    try:
        document = Document()
        document.apply([update for update in updates if update])
    except CrdtError:
        return None
    return document.text


def _look_through(
    person: Editor, first: int, authors: Sequence[Writer], since: Mark, known: _Known
) -> tuple[int, Iterator[float]]:
    """How many keys of others a person was not shown, and how long the others took, should anybody want to know."""
    others = {author.client_id: author.typed_at for author in authors if author.client_id != person.client_id}
    seen = {client: since.typed[client] for client in others}
    shown: list[_Shown] = []
    early: list[_Shown] = []

    def take(client: int, start: int, end: int, now: float) -> None:
        if start > seen[client]:
            early.append((client, start, end, now))
        elif end > seen[client]:
            shown.append((client, seen[client], end, now))
            seen[client] = end

    for frame, now in zip(person.frames[first:], person.times[first:], strict=True):
        for client, start, end in _written(person, frame, known):
            if client in others:
                take(client, start, end, now)
    # Behind a gap that was filled later: shown when the gap was, which is no earlier than its own arrival.
    for one in sorted(early):
        take(*one)
    seconds = (now - due for client, start, end, now in shown for due in others[client][start:end])
    return sum(len(times) - seen[client] for client, times in others.items()), seconds


def _written(person: Editor, frame: bytes, known: _Known) -> list[Written]:
    written = known.get(frame)
    if written is None:
        written = known[frame] = find_written(frame, person.update_offset(frame))
    return written


def _alike(people: Iterable[Editor]) -> list[list[Editor]]:
    groups: dict[bytes, list[Editor]] = defaultdict(list)
    for each in people:
        digest = blake2b(each.document)
        for frame in each.frames:
            digest.update(frame)
        groups[digest.digest()].append(each)
    return list(groups.values())


def _unlike(alike: Sequence[Editor], expected: str | None) -> int:
    """How many, of people who heard the same, show another text."""
    if read([alike[0].document, *alike[0].updates()]) == expected:
        return 0
    # A server need not send back what one has typed oneself.
    return sum(read(each.everything()) != expected for each in alike)

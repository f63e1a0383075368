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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from crdt.document import Document
from crdt.errors import CrdtError
from load.editor import Editor
from load.keystrokes import Written, find_written, typed
from load.room import Mark, Room

_Known = dict[bytes, list[Written]]
"""What frames write: many editors are sent the same one."""


@dataclass(slots=True)
class Arrivals:
    """What arrived of the keys typed since a mark."""

    seconds: array[float] = field(default_factory=lambda: array("d"))
    """From when a key was due to its arrival at one other editor, for every key and every other editor."""
    missing: int = 0
    """How many such arrivals there were not."""


def arrivals(room: Room, since: Mark) -> Arrivals:
    """Look through the frames of everybody in a room."""
    found = Arrivals()
    known: _Known = {}
    for person, first in zip(room.people, since.frames, strict=True):
        _look_through(person, first, room, since, found, known)
    return found


def shown(room: Room, since: Mark) -> dict[int, int]:
    """How many characters of each writer somebody else has been shown, by client."""
    most = dict(since.typed)
    known: _Known = {}
    for person, first in zip(room.people, since.frames, strict=True):
        seen = dict(since.typed)
        for frame in person.frames[first:]:
            for client, start, end in _written(person, frame, known):
                if start <= seen.get(client, -1) < end and client != person.client_id:
                    seen[client] = end
        for client, count in seen.items():
            most[client] = max(most[client], count)
    return most


def divergences(room: Room, served: bytes | None) -> list[str]:
    """In what way not everybody shows the text that was typed; nothing, if all do.

    Args:
        room: who was there.
        served: what somebody is sent who opens the document now.
    """
    expected = text_of(room, room.typed)
    others = sum(_unlike(expected, people) for people in _alike(room.people))
    problems = [f"{others} of {len(room.people)} editors show another text than was typed"] if others else []
    if served is None:
        return [*problems, "the document was not sent to a newcomer"]
    if _read([served]) != expected:
        problems.append("a newcomer is shown another text than was typed")
    return problems


def text_of(room: Room, clocks: Mapping[int, int]) -> str | None:
    """The text of a room in which each writer has typed so much, by client."""
    own = [typed(each.client_id, bytes(each.text[: clocks[each.client_id]])) for each in room.writers]
    return _read([room.begun, *own])


def _look_through(person: Editor, first: int, room: Room, since: Mark, found: Arrivals, known: _Known) -> None:
    others = {writer.client_id: writer.typed_at for writer in room.writers if writer is not person}
    seen = {client: since.typed[client] for client in others}
    early: list[tuple[int, int, int, float]] = []

    def take(client: int, start: int, end: int, now: float) -> None:
        if start > seen[client]:
            early.append((client, start, end, now))
        elif end > seen[client]:
            times = others[client]
            found.seconds.extend([now - due for due in times[seen[client] : end]])
            seen[client] = end

    for frame, now in zip(person.frames[first:], person.times[first:], strict=True):
        for client, start, end in _written(person, frame, known):
            if client in others:
                take(client, start, end, now)
    # Behind a gap that was filled later: shown when the gap was, which is no earlier than its own arrival.
    for one in sorted(early):
        take(*one)
    found.missing += sum(len(times) - seen[client] for client, times in others.items())


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


def _unlike(expected: str | None, alike: Sequence[Editor]) -> int:
    """How many, of editors who heard the same, show another text."""
    if _read([alike[0].document, *alike[0].updates()]) == expected:
        return 0
    # A server need not send back what one has typed oneself.
    return sum(_read(each.everything()) != expected for each in alike)


def _read(updates: Sequence[bytes]) -> str | None:
    try:
        document = Document()
        document.apply([update for update in updates if update])
    except CrdtError:
        return None
    return document.text

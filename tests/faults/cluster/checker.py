"""Holds what happened and what was left against what is promised; nothing here does anything but look.

The rules:

- what was acknowledged, and what anybody saw, is there exactly once, in its author's order, and was stored before;
- what was not acknowledged is there at most once; nothing is damaged;
- all clients, all nodes and what is stored say the same;
- the journal has no holes, and nothing is in it twice but where a commit's answer could be lost.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from crdt.update import read_update
from tests.faults.cluster.history import Acknowledged, Record, Sent, Shown
from tests.faults.tokens import first_text, take_apart

Token = tuple[str, int]
"""An author and a number."""

_TOKEN_IN_BYTES = re.compile(rb"<([^:<>]+):(\d+)(?: \.*)?>")
# Clocks on the wall are set right now and then; who sends a lost edit again needs longer to notice that it is lost.
_CLOCK_SECONDS = 0.1


class Kind(StrEnum):
    """What can be wrong."""

    LOST = "lost"
    DOUBLED = "doubled"
    ORDER = "out of order"
    DAMAGED = "damaged"
    FALSE_PROMISE = "promised before it was stored"
    DIFFERENT = "different texts"
    STORAGE = "storage"
    STORED_TWICE = "stored twice"
    SLOW = "too slow"
    GROWN = "grown"
    COMPLAINT = "complaint"
    BROKEN = "broken off"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong.

    Args:
        kind: What.
        where: In which text, at which node, in which row.
        about: Which tokens, how long, by how much.
        count: How many tokens or rows it is about.
    """

    kind: Kind
    where: str
    about: str
    count: int = 1

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.about}"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the journal.

    Args:
        seq: Its number.
        at: When it was committed, or a little before, in seconds since the session began.
        writes: The clocks it stores: client, first, behind the last.
        tokens: The tokens it stores.
    """

    seq: int
    at: float
    writes: tuple[tuple[int, int, int], ...]
    tokens: tuple[Token, ...]

    @classmethod
    def of(cls, seq: int, at: float, update: bytes) -> "Row":
        """Read a row's update."""
        tokens = tuple((author.decode(), int(number)) for author, number in _TOKEN_IN_BYTES.findall(update))
        return cls(
            seq, at, tuple((write.client, write.start, write.end) for write in read_update(update).writes), tokens
        )


def typed(records: Sequence[Record]) -> dict[str, int]:
    """Return how many tokens each author typed."""
    return _last((record.author, record.number) for record in records if isinstance(record, Sent))


def acknowledged(records: Sequence[Record]) -> dict[str, int]:
    """Return how many tokens of each author, from the first, were acknowledged."""
    return _last((record.author, record.count) for record in records if isinstance(record, Acknowledged))


def check_text(where: str, text: str, authors: Sequence[str], records: Sequence[Record]) -> list[Finding]:
    """Hold one text against what was typed and acknowledged until now.

    Args:
        where: Whose text it is.
        text: The text.
        authors: Everybody who has a line in it.
        records: What happened so far.
    """
    found, rest = take_apart(text)
    findings = []
    if rest != first_text(authors) or found.keys() - set(authors):
        findings.append(Finding(Kind.DAMAGED, where, f"beside tokens it says {rest!r}"))
    sent, promised = typed(records), acknowledged(records)
    for author in authors:
        there = found.get(author, [])
        findings += _check_author(f"{author} in {where}", there, sent.get(author, 0), promised.get(author, 0))
    return findings


def check_equal(texts: Mapping[str, str]) -> list[Finding]:
    """Hold texts that should be the same against each other; the first is what the others are held against."""
    (first, expected), *others = texts.items()
    return [
        Finding(Kind.DIFFERENT, f"{first} and {name}", _difference(expected, text))
        for name, text in others
        if text != expected
    ]


def check_promises(records: Sequence[Record], rows: Sequence[Row]) -> list[Finding]:
    """Hold every acknowledgement, and everything that anybody saw, against when it was stored.

    Clients repeat what a server lost, so that the texts do not tell; the journal does, because it says when.
    """
    stored = _first_stored(rows)
    findings = []
    until: dict[tuple[str, str], int] = {}
    for record in records:
        match record:
            case Acknowledged(at, author, count):
                way, what = (author, author), f"acknowledged to {author}"
            case Shown(at, viewer, author, count):
                way, what = (viewer, author), f"shown to {viewer}"
            case _:
                continue
        for number in range(until.get(way, 0) + 1, count + 1):
            if (when := stored.get((author, number))) is None:
                findings.append(Finding(Kind.LOST, f"<{author}:{number}>", f"{what} at {at:.3f} s and never stored"))
            elif when > at + _CLOCK_SECONDS:
                about = f"{what} at {at:.3f} s and stored at {when:.3f} s"
                findings.append(Finding(Kind.FALSE_PROMISE, f"<{author}:{number}>", about))
        until[way] = max(until.get(way, 0), count)
    return findings


def check_rows(rows: Sequence[Row], head: int) -> list[Finding]:
    """Hold the rows of a journal against its head and each other; what is stored twice is a finding of its own kind."""
    numbers = [row.seq for row in rows]
    findings = []
    if numbers != list(range(1, head + 1)):
        findings.append(Finding(Kind.STORAGE, "journal", f"the head is {head}, and the rows are {_runs(numbers)}"))
    following: dict[int, int] = {}
    for row in rows:
        for client, start, end in row.writes:
            expected = following.get(client, 0)
            if start > expected:
                about = f"client {client} goes on at {start}, after {expected}"
                findings.append(Finding(Kind.STORAGE, f"row {row.seq}", about))
            elif start < expected:
                about = f"client {client} from {start} to {min(end, expected)}, at {row.at:.3f} s"
                findings.append(Finding(Kind.STORED_TWICE, f"row {row.seq}", about))
            following[client] = max(expected, end)
    return findings


def _check_author(where: str, there: list[int], sent: int, promised: int) -> Iterator[Finding]:
    if len(there) > len(set(there)):
        twice = sorted({number for number in there if there.count(number) > 1})
        yield Finding(Kind.DOUBLED, where, f"{_runs(twice)} more than once", len(there) - len(set(there)))
    if lost := sorted(set(range(1, promised + 1)) - set(there)):
        yield Finding(Kind.LOST, where, f"{_runs(lost)} of {promised} that were acknowledged", len(lost))
    if missing := sorted(set(range(promised + 1, max(there, default=0))) - set(there)):
        yield Finding(Kind.ORDER, where, f"{_runs(missing)} are not there, and later ones are", len(missing))
    if invented := sorted(number for number in set(there) if not 0 < number <= sent):
        yield Finding(Kind.DAMAGED, where, f"{_runs(invented)} were never typed", len(invented))
    if list(dict.fromkeys(there)) != sorted(set(there)):
        at = next(place for place in range(1, len(there)) if there[place] < there[place - 1])
        yield Finding(Kind.ORDER, where, f"{there[max(0, at - 2) : at + 2]} around place {at}")


def _first_stored(rows: Sequence[Row]) -> dict[Token, float]:
    stored: dict[Token, float] = {}
    for row in rows:
        for token in row.tokens:
            stored.setdefault(token, row.at)
    return stored


def _last(counts: Iterator[Token]) -> dict[str, int]:
    most: dict[str, int] = {}
    for author, count in counts:
        most[author] = max(most.get(author, 0), count)
    return most


def _runs(numbers: Sequence[int]) -> str:
    """Return numbers with the runs among them shortened."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ", ".join("-".join(map(str, run)) for run in runs) or "none"


def _difference(expected: str, text: str) -> str:
    place = next((place for place, (one, other) in enumerate(zip(expected, text, strict=False)) if one != other), None)
    place = min(len(expected), len(text)) if place is None else place
    around = slice(max(0, place - 20), place + 20)
    return f"{len(expected)} and {len(text)} characters, at {place} {expected[around]!r} and {text[around]!r}"

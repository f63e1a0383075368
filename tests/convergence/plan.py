"""What happens in one session of several clients, decided by a seed before anything runs.

A plan names places as fractions of whatever text a client has by then, so that the same plan can be run again although
no two runs deliver in the same order. It can be written to a file and read back.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from random import Random
from typing import Any


class Kind(StrEnum):
    """What a client is made of. The extended ones offer `promptroom.v1` and hear what is committed."""

    YJS_STOCK = "yjs-stock"
    YJS_EXTENDED = "yjs-extended"
    PYCRDT_PLAIN = "pycrdt-plain"
    PYCRDT_EXTENDED = "pycrdt-extended"

    @property
    def is_yjs(self) -> bool:
        """Whether it is real Yjs."""
        return self in {Kind.YJS_STOCK, Kind.YJS_EXTENDED}

    @property
    def is_extended(self) -> bool:
        """Whether it hears acknowledgements, which count frames in the order they were sent."""
        return self in {Kind.YJS_EXTENDED, Kind.PYCRDT_EXTENDED}


class Do(StrEnum):
    """What a step does; the first five change the client's text."""

    INSERT = "insert"
    DELETE = "delete"
    REPLACE = "replace"
    UNDO = "undo"
    REDO = "redo"
    DISCONNECT = "disconnect"
    CONNECT = "connect"
    HOLD_INCOMING = "hold-incoming"
    HOLD_OUTGOING = "hold-outgoing"
    RELEASE_INCOMING = "release-incoming"
    RELEASE_OUTGOING = "release-outgoing"
    REST_EDIT = "rest-edit"
    ASK = "ask"
    MEET = "meet"
    CRASH = "crash"
    DEPLOY = "deploy"


EDITS = frozenset({Do.INSERT, Do.DELETE, Do.REPLACE, Do.UNDO, Do.REDO})
DELETIONS = frozenset({Do.DELETE, Do.REPLACE})
NOBODY = -1

VIEWERS_MARK = "\ue000"
"""Stands in all that viewers type, and in nothing else."""

_WORDS = (
    "a", "b", "role ", "{{name}}", '{{role "system"}}\n', "\n", "\n\n", "\r\n", "\t", " ", "é", "e\u0301", "ß",
    "漢字", "שלום", "😀", "👩‍👩‍👧", "🇩🇪", "x😀y", "\U0001d4b3", "\U0010ffff", "\ufeff", "\x00", "\u2028", "\ufffd",
    "A sentence that somebody typed in one go. ",
)  # fmt: skip
_LARGEST_PASTE = 20_000
# More than the server reads on its event loop.
_HEAVY_PASTE = 280_000


@dataclass(frozen=True, slots=True)
class Seat:
    """One client of a session.

    Args:
        kind: What it is made of.
        views: Whether it may only read.
        person: Whose it is, by number; the same person may have several clients.
    """

    kind: Kind
    views: bool
    person: int


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens.

    Args:
        do: What.
        seat: At which client, by number, or NOBODY.
        at: A place in the text, as a fraction of its length.
        length: How many UTF-16 units from there are deleted at most.
        text: What is inserted; pastes are written as (piece, repetitions).
        repeat: How many times.
    """

    do: Do
    seat: int = NOBODY
    at: float = 0.0
    length: int = 0
    text: str = ""
    repeat: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole session; `seed` made it."""

    seed: int
    content: str
    seats: tuple[Seat, ...]
    steps: tuple[Step, ...]

    @property
    def only_insert(self) -> frozenset[int]:
        """The seats that never delete."""
        return frozenset(range(len(self.seats))) - {step.seat for step in self.steps if step.do in DELETIONS}

    def to_json(self) -> str:
        """Write the plan down."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """Read a plan that was written down."""
        said: dict[str, Any] = json.loads(text)
        seats = tuple(Seat(**{**seat, "kind": Kind(seat["kind"])}) for seat in said["seats"])
        steps = tuple(Step(**{**step, "do": Do(step["do"])}) for step in said["steps"])
        return cls(said["seed"], said["content"], seats, steps)


def make_plan(seed: int, *, length: int | None = None) -> Plan:
    """Return the plan of a seed: 3 to 8 clients, at least one of each engine among the writers.

    Args:
        seed: From which everything follows.
        length: How many steps; 25 to 70 where it is None.
    """
    random = Random(f"plan {seed}")
    seats = tuple(_seats(random))
    content = "".join(random.choices(_WORDS, k=random.randint(0, 20)))
    return Plan(
        seed, content.replace("\r", ""), seats, tuple(_Script(random, seats).steps(length or random.randint(25, 70)))
    )


def _seats(random: Random) -> Iterator[Seat]:
    yield Seat(random.choice([Kind.YJS_STOCK, Kind.YJS_EXTENDED]), views=False, person=0)
    yield Seat(random.choice([Kind.PYCRDT_PLAIN, Kind.PYCRDT_EXTENDED]), views=False, person=1)
    for _ in range(random.randint(1, 6)):
        views = random.random() < 0.2
        yield Seat(random.choice(list(Kind)), views=views, person=random.randrange(4))


class _Script:
    """Writes steps that make sense one after another: nobody disconnects twice, and what is held is released."""

    def __init__(self, random: Random, seats: tuple[Seat, ...]) -> None:
        self._random = random
        self._seats = seats
        self._away: set[int] = set()
        self._held: dict[tuple[int, Do], Do] = {}

    def steps(self, count: int) -> Iterator[Step]:
        """Write so many steps."""
        restart = self._random.choice([Do.CRASH, Do.CRASH, Do.DEPLOY])
        restart_at = self._random.randrange(count) if self._random.random() < 0.15 else None
        for place in range(count):
            if place == restart_at:
                yield Step(restart)
            chance = self._random.random()
            if chance < 0.72:
                yield self._edit()
            elif chance < 0.80:
                yield self._hold_or_release()
            elif chance < 0.88:
                yield self._leave_or_return()
            elif chance < 0.95:
                yield Step(Do.ASK)
            elif chance < 0.97:
                yield replace(self._insertion(NOBODY), do=Do.REST_EDIT)
            else:
                yield Step(Do.MEET)

    def _edit(self) -> Step:
        seat = self._random.randrange(len(self._seats))
        chance = self._random.random()
        if chance < 0.55:
            return self._insertion(seat)
        if chance < 0.75:
            return Step(Do.DELETE, seat, self._random.random(), self._random.randint(1, 12))
        if chance < 0.90:
            return replace(self._insertion(seat), do=Do.REPLACE, length=self._random.randint(1, 20))
        if self._seats[seat].kind.is_yjs and not self._seats[seat].views:
            return Step(self._random.choice([Do.UNDO, Do.UNDO, Do.REDO]), seat)
        return self._insertion(seat)

    def _insertion(self, seat: int) -> Step:
        text = "".join(self._random.choices(_WORDS, k=self._random.randint(1, 3)))
        chance = self._random.random()
        repeat = 1
        if chance < 0.02:
            repeat = self._random.randint(1, _LARGEST_PASTE) // len(text) + 1
        elif chance < 0.0215:
            repeat = _HEAVY_PASTE // len(text)
        if seat != NOBODY and self._seats[seat].views:
            text = VIEWERS_MARK
        # Half of the insertions go where somebody who types would be: to the end, or to the beginning.
        at = self._random.choice([0.0, 0.999999, self._random.random(), self._random.random()])
        return Step(Do.INSERT, seat, at, text=text, repeat=repeat)

    def _hold_or_release(self) -> Step:
        seat = self._random.randrange(len(self._seats))
        way = self._random.choice([Do.HOLD_INCOMING, Do.HOLD_OUTGOING])
        release = Do.RELEASE_INCOMING if way is Do.HOLD_INCOMING else Do.RELEASE_OUTGOING
        if self._held.pop((seat, way), None):
            return Step(release, seat)
        if seat not in self._away:
            self._held[seat, way] = release
            return Step(way, seat)
        return Step(Do.ASK)

    def _leave_or_return(self) -> Step:
        seat = self._random.randrange(len(self._seats))
        if seat in self._away:
            self._away.discard(seat)
            return Step(Do.CONNECT, seat)
        self._away.add(seat)
        for way in (Do.HOLD_INCOMING, Do.HOLD_OUTGOING):
            self._held.pop((seat, way), None)
        return Step(Do.DISCONNECT, seat)

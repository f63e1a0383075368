"""What happened in one session of the cluster: who typed, heard and saw what, and when; kept as lines of JSON.

Times are seconds since the session began. The first line says when that was by the clock on the wall, so that the times
in the journal can be held against the others.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self


@dataclass(frozen=True, slots=True)
class Record:
    """Something that happened; `at` says when."""

    at: float


@dataclass(frozen=True, slots=True)
class Opened(Record):
    """The session began: `wall` is the time then, in seconds since 1970."""

    wall: float


@dataclass(frozen=True, slots=True)
class Sent(Record):
    """An author typed the token with this number, from 1; connected or not."""

    author: str
    number: int


@dataclass(frozen=True, slots=True)
class Acknowledged(Record):
    """An author heard that so many of their tokens, from the first, are committed."""

    author: str
    count: int


@dataclass(frozen=True, slots=True)
class Shown(Record):
    """A client showed so many tokens of another author, from the first, and had not before."""

    viewer: str
    author: str
    count: int


@dataclass(frozen=True, slots=True)
class Connected(Record):
    """A client had a connection, and all that the server had when it opened."""

    client: str


@dataclass(frozen=True, slots=True)
class Disconnected(Record):
    """A client noticed that its connection was gone."""

    client: str


@dataclass(frozen=True, slots=True)
class RoundBegan(Record):
    """A round of the plan began."""

    number: int


@dataclass(frozen=True, slots=True)
class Began(Record):
    """A step of the round's plan was done: the fault is there, or has happened.

    Args:
        step: Which.
        fault: What it does.
        target: What it was done to, for people.
        connections: How many clients each node had then.
    """

    step: int
    fault: str
    target: str
    connections: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended(Record):
    """What a step did was undone: the fault is gone, the node is back."""

    step: int


@dataclass(frozen=True, slots=True)
class Healthy(Record):
    """All faults were over, and every node said that nothing was missing."""


@dataclass(frozen=True, slots=True)
class Agreed(Record):
    """Everybody was at rest, and all clients and all nodes showed the same text."""


@dataclass(frozen=True, slots=True)
class Stalled(Record):
    """The process of the clients stood still for so many seconds, until now; no server is to blame for them."""

    seconds: float


# So many records may be lost when the process that writes them dies.
_UNWRITTEN = 200

_KINDS: dict[str, type[Record]] = {
    kind.__name__: kind
    for kind in (
        *(Opened, Sent, Acknowledged, Shown, Connected, Disconnected),
        *(RoundBegan, Began, Ended, Healthy, Agreed, Stalled),
    )
}


def to_line(record: Record) -> str:
    """Return a record as one line, without its end."""
    said: dict[str, Any] = {"what": type(record).__name__, **asdict(record)}
    return json.dumps({**said, "at": round(record.at, 4)})


def from_line(line: str) -> Record:
    """Return the record of a line."""
    said: dict[str, Any] = json.loads(line)
    kind = _KINDS[said.pop("what")]
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in said.items()}
    return kind(**fields)


def read_history(path: Path) -> list[Record]:
    """Return what was written down, in order; a last line that was cut off is left out."""
    with path.open(encoding="utf-8") as lines:
        return [from_line(line) for line in lines if line.endswith("\n")]


def of_rounds(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Return the records of each round, which ends where the next begins."""
    one: list[Record] | None = None
    for record in records:
        if isinstance(record, RoundBegan):
            if one is not None:
                yield one
            one = []
        if one is not None:
            one.append(record)
    if one is not None:
        yield one


class History:
    """Writes down what happens, at the time at which it is told.

    Args:
        path: The file; what was in it is gone.
        clock: Tells the time in seconds, and never goes back.
        wall: Tells the time in seconds since 1970.
    """

    def __init__(
        self, path: Path, *, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time
    ) -> None:
        self.records: list[Record] = []
        self._path = path
        self._file: IO[str] | None = None
        self._clock = clock
        self._began = clock()
        self._written = 0
        self.add(Opened(0.0, wall()))

    @property
    def now(self) -> float:
        """The time, in seconds since the session began."""
        return self._clock() - self._began

    def add(self, record: Record) -> None:
        """Take a record; it is in the file soon, and at the latest at the end."""
        self.records.append(record)
        if len(self.records) - self._written >= _UNWRITTEN:
            self.write()

    def write(self) -> None:
        """Bring the file up to date."""
        if self._file is None:
            return
        self._file.writelines(f"{to_line(record)}\n" for record in self.records[self._written :])
        self._file.flush()
        self._written = len(self.records)

    def __enter__(self) -> Self:
        self._file = self._path.open("w", encoding="utf-8")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.write()
        if self._file is not None:
            self._file.close()
            self._file = None

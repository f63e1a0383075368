"""Which scenario, with which numbers, against which servers, how often and in which order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

Numbers = Mapping[str, int | float]

_OURS: Final = ("promptroom-sqlite", "promptroom-postgres")
_LIVE: Final = (*_OURS, "hocuspocus", "y-websocket", "pycrdt-websocket")
_SPREAD: Final = ("promptroom-1-node", "promptroom-3-nodes")
_STORING: Final = (*_OURS, "hocuspocus-sqlite")
# The one is several times as slow as the others in everything, so that no noise changes its place; the other is there
# for what it loses.
_ONCE: Final = frozenset({"pycrdt-websocket", "hocuspocus-sqlite"})
# In a quick look: ours, and the two that set the marks.
_QUICK: Final = frozenset({"promptroom-sqlite", "hocuspocus", "hocuspocus-sqlite", "y-websocket"})

_WINDOW: Final[Numbers] = {"seconds": 6.0, "warm_up": 2.0}
_GLANCE: Final[Numbers] = {"seconds": 2.0, "warm_up": 1.5}


@dataclass(frozen=True, slots=True)
class Entry:
    """What is run for a case.

    Args:
        case: its key.
        scenario: the name of the scenario.
        numbers: what the scenario is told.
        quick: what it is told instead in a quick look.
        rounds: how often; of what does not move much, or takes long, once.
        servers: against which servers.
        expected_seconds: how long a run takes, roughly; only for the time that is left.
    """

    case: str
    scenario: str
    numbers: Numbers
    quick: Numbers = field(default_factory=dict)
    rounds: int = 3
    servers: tuple[str, ...] = _LIVE
    expected_seconds: float = 11.0


ENTRIES: Final = (
    Entry("burst", "burst", {"editors": 50, "writers": 10, "window": 32, **_WINDOW}, _GLANCE),
    Entry(
        "fanout-busy",
        "fanout",
        {"editors": 50, "writers": 48, "rate": 20.0, **_WINDOW},
        _GLANCE,
        servers=(*_LIVE, "hocuspocus-sqlite"),
    ),
    Entry("fanout-calm", "fanout", {"editors": 50, "writers": 10, "rate": 10.0, **_WINDOW}, _GLANCE),
    Entry("observers-50", "observers", {"editors": 500, "writers": 5, "rate": 10.0, **_WINDOW}, _GLANCE, rounds=2),
    Entry("observers-250", "observers", {"editors": 500, "writers": 5, "rate": 50.0, **_WINDOW}, _GLANCE, rounds=2),
    Entry("observers-1500", "observers", {"editors": 1500, "writers": 1, "rate": 10.0, **_WINDOW}, _GLANCE, rounds=1),
    Entry("presence", "presence", {"people": 100, "moves": 25.0, **_WINDOW}, _GLANCE, rounds=2),
    Entry("rooms", "rooms", {"documents": 500, "rate": 350.0, **_WINDOW}, {"documents": 100, **_GLANCE}, rounds=2),
    Entry("join-storm", "join-storm", {"joiners": 150, "megabytes": 4.0}, rounds=2, expected_seconds=6.0),
    Entry("reconnect", "reconnect", {"people": 1000, "documents": 50}, {"people": 200, "documents": 10}, rounds=1),
    Entry("replay", "replay", {"seconds": 15.0}, {"seconds": 5.0}, rounds=1, expected_seconds=28.0),
    Entry(
        "cold-open",
        "cold-open",
        {"edits": 250_000, "opens": 50},
        {"edits": 50_000, "opens": 10},
        rounds=1,
        servers=_STORING,
        expected_seconds=80.0,
    ),
    Entry(
        "idle",
        "idle",
        {"connections": 10_000, "documents": 200, "seconds": 20.0},
        {"connections": 1_000, "documents": 20, "seconds": 5.0},
        rounds=1,
        expected_seconds=45.0,
    ),
    Entry(
        "nodes-burst",
        "burst",
        {"editors": 50, "writers": 10, "window": 32, **_WINDOW},
        rounds=2,
        servers=_SPREAD,
        expected_seconds=22.0,
    ),
    Entry(
        "nodes-fanout",
        "fanout",
        {"editors": 50, "writers": 48, "rate": 20.0, **_WINDOW},
        rounds=2,
        servers=_SPREAD,
        expected_seconds=20.0,
    ),
    Entry(
        "nodes-rooms",
        "burst",
        {"documents": 60, "editors": 3, "writers": 2, "window": 8, **_WINDOW},
        rounds=2,
        servers=(*_SPREAD, "promptroom-3-nodes-by-prompt"),
        expected_seconds=22.0,
    ),
    Entry(
        "between-nodes",
        "between-nodes",
        {"documents": 100, "rate": 350.0, **_WINDOW},
        rounds=2,
        servers=("promptroom-1-node", "promptroom-2-nodes"),
        expected_seconds=22.0,
    ),
)


@dataclass(frozen=True, slots=True)
class Job:
    """One run.

    Args:
        case: the key of its case.
        turn: the number of its round, from 1.
        server: against which server.
        seed: of every random choice; the same for every server in a round, so that all get the same keys.
        arguments: what `promptroom-load` is told.
        expected_seconds: how long it takes, roughly.
    """

    case: str
    turn: int
    server: str
    seed: int
    arguments: tuple[str, ...]
    expected_seconds: float


def jobs(
    *, cases: Sequence[str] = (), servers: Sequence[str] = (), rounds: int | None = None, seed: int = 1, quick: bool
) -> list[Job]:
    """Every run, in the order in which they are made.

    Round by round, so that what changes on the machine meanwhile touches all alike; and in each round another server
    begins, so that none always comes behind the same.

    Args:
        cases: the keys of those that are wanted; all, where none is given.
        servers: the names of those that are wanted; all, where none is given.
        rounds: how often instead of what the entries say.
        seed: of the first round; the others count on.
        quick: whether a short look is enough.
    """
    wanted = [entry for entry in ENTRIES if not cases or entry.case in cases]
    times = {entry.case: 1 if quick and rounds is None else rounds or entry.rounds for entry in wanted}
    return [
        _job(entry, server, turn, seed + turn - 1, quick=quick)
        for turn in range(1, max(times.values(), default=0) + 1)
        for number, entry in enumerate(wanted)
        if turn <= times[entry.case]
        for server in _rotated(_those(entry, servers, quick=quick), number + turn - 1)
        if turn == 1 or server not in _ONCE
    ]


def _those(entry: Entry, servers: Sequence[str], *, quick: bool) -> list[str]:
    chosen = servers or [server for server in entry.servers if not quick or server in _QUICK]
    return [server for server in entry.servers if server in chosen]


def _rotated(servers: Sequence[str], by: int) -> Iterator[str]:
    for number in range(len(servers)):
        yield servers[(number + by) % len(servers)]


def _job(entry: Entry, server: str, turn: int, seed: int, *, quick: bool) -> Job:
    numbers = {**entry.numbers, **(entry.quick if quick else {})}
    told = [part for name, value in numbers.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    arguments = ("run", entry.scenario, "--server", server, "--seed", str(seed), *told)
    return Job(entry.case, turn, server, seed, arguments, entry.expected_seconds / (2 if quick else 1))

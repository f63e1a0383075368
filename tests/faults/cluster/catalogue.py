"""Every kind of fault that the cluster has to survive: how often it is tried, how, and what is promised meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from random import Random

from tests.faults.cluster.plan import NODES, Recipe, Step
from tests.faults.cluster.verdict import Bounds
from tests.faults.crashing_server import MOMENTS, POINTS, POINTS_AMONG_NODES

PLACES = tuple(f"{point}:{moment}" for point in (POINTS | POINTS_AMONG_NODES) for moment in MOMENTS)
"""The named points of a keystroke's way at which a node kills itself."""

# A point is reached by one of its first calls; what happens to everybody in the room is reached by a later one.
_CALLS = {"load": 1, "checkpoint": 2, "save": 2, "catch-up": 3, "deliver": 100, "tell": 30}
_USUAL_CALLS = 15

_DIRECTIONS = ("to server", "to client")


class Since(Enum):
    """From when the time is counted until people are typing again."""

    FAULT = "the fault"
    HEALING = "its end"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the catalogue.

    Args:
        title: What happens, for people.
        runs: How many rounds the long suite does.
        few: How many of them `make test` does.
        recipe: Makes the steps of a round.
        bounds: What is promised.
        since: From when the time is counted until people are typing again.
        small_disk: Whether the database has to stand on a small disk.
    """

    title: str
    runs: int
    few: int
    recipe: Recipe
    bounds: Bounds
    since: Since = Since.HEALING
    small_disk: bool = False


def _after(random: Random) -> int:
    return random.randint(3, 25)


def _node(random: Random) -> tuple[int, ...]:
    return (random.randrange(NODES),)


def _kill(random: Random, number: int) -> tuple[Step, ...]:
    fault = "kill" if number % 2 else "kill-committing"
    return (Step(_after(random), fault, _node(random), seconds=random.uniform(0, 1.5)),)


def _crash(random: Random, number: int) -> tuple[Step, ...]:
    place = PLACES[number % len(PLACES)]
    call = random.randint(1, _CALLS.get(place.partition(":")[0], _USUAL_CALLS))
    return (Step(_after(random), "crash", _node(random), detail=f"{place}:{call}"),)


def _deploy(random: Random, _: int) -> tuple[Step, ...]:
    return (Step(_after(random), "deploy", tuple(random.sample(range(NODES), k=NODES))),)


def _pause(random: Random, _: int) -> tuple[Step, ...]:
    noticed = random.choice(["", "noticed"])
    return (Step(_after(random), "pause", _node(random), seconds=random.uniform(1, 30), detail=noticed),)


def _redis(fault: str, least: float, most: float) -> Recipe:
    def recipe(random: Random, _: int) -> tuple[Step, ...]:
        return (Step(_after(random), fault, seconds=random.uniform(least, most), count=random.randint(1, 5)),)

    return recipe


def _postgres_stopped(random: Random, _: int) -> tuple[Step, ...]:
    return (Step(_after(random), "postgres-stopped", seconds=random.uniform(0, 3)),)


def _backend_killed(random: Random, _: int) -> tuple[Step, ...]:
    return (Step(_after(random), "backend-killed"),)


def _commit_unanswered(random: Random, _: int) -> tuple[Step, ...]:
    return (Step(_after(random), "commit-unanswered", _node(random), count=random.randint(1, 3)),)


def _postgres_away(random: Random, _: int) -> tuple[Step, ...]:
    return (Step(_after(random), "postgres-stopped", seconds=60.0),)


def _disk_full(random: Random, _: int) -> tuple[Step, ...]:
    return (Step(_after(random), "disk-full", seconds=random.uniform(2, 10)),)


def _cut(line: str) -> Recipe:
    def recipe(random: Random, _: int) -> tuple[Step, ...]:
        return (Step(_after(random), f"{line}-cut", _node(random), seconds=random.uniform(1, 15)),)

    return recipe


def _one_way(line: str) -> Recipe:
    def recipe(random: Random, _: int) -> tuple[Step, ...]:
        way, seconds = random.choice(_DIRECTIONS), random.uniform(1, 15)
        return (Step(_after(random), f"{line}-one-way", _node(random), seconds=seconds, detail=way),)

    return recipe


def _flapping(random: Random, _: int) -> tuple[Step, ...]:
    first = _after(random)
    flaps = [Step(first + 8 * place, "flap", count=random.randint(1, 4)) for place in range(random.randint(1, 3))]
    move = Step(first + random.randint(0, 20), "move", _node(random), seconds=random.uniform(0.2, 3))
    return tuple(random.choice([flaps, [move], [*flaps, move]]))


def _at_once(random: Random, number: int) -> tuple[Step, ...]:
    """Return steps of two to four groups; of each group one, because two of a group would undo each other."""
    slow = _redis("redis-slow", 1, 8)
    groups: tuple[tuple[Recipe, ...], ...] = (
        (_kill, _kill, _deploy, _pause),
        (
            _redis("redis-killed", 1, 8),
            _redis("redis-paused", 1, 8),
            _redis("redis-flushed", 0, 0),
            slow,
            _redis("redis-answers-lost", 1, 3),
        ),
        (_postgres_stopped, _backend_killed, _commit_unanswered, _cut("postgres"), _one_way("postgres")),
        (_cut("redis"), _one_way("redis")),
        (_flapping,),
    )
    chosen = random.sample(groups, k=random.randint(2, 4))
    steps = [step for group in chosen for step in random.choice(group)(random, number)]
    return tuple(sorted(steps, key=lambda step: step.after))


_UNANSWERED = Bounds(stored_twice=True)
_WITHOUT_REDIS = Bounds(typing_again=3.0, behind=2.0)
_CUT_OFF = Bounds(caught_up=5.0)
_KILLED = Bounds(typing_again=3.0, stored_twice=True)

CATALOGUE: Mapping[str, Row] = {
    "kill": Row("kill -9 of a node", 300, 2, _kill, _KILLED, Since.FAULT),
    "crash": Row(f"kill -9 at {len(PLACES)} named points", 20 * len(PLACES), 2, _crash, _KILLED, Since.FAULT),
    "deploy": Row("SIGTERM of one node after the other", 50, 1, _deploy, Bounds(pause=2.0), Since.FAULT),
    "pause": Row("SIGSTOP for 1-30 s, then SIGCONT", 50, 1, _pause, Bounds()),
    "redis-killed": Row("Redis killed, away 1-15 s", 50, 1, _redis("redis-killed", 1, 15), _WITHOUT_REDIS),
    "redis-paused": Row("Redis hangs for 1-15 s", 50, 1, _redis("redis-paused", 1, 15), _WITHOUT_REDIS),
    "redis-flushed": Row("Redis flushed", 50, 1, _redis("redis-flushed", 0, 0), _WITHOUT_REDIS),
    "redis-restarted": Row("Redis restarted empty", 50, 1, _redis("redis-killed", 0, 0), _WITHOUT_REDIS),
    "redis-slow": Row("Redis slow (0.2-1 s each way)", 50, 1, _redis("redis-slow", 3, 15), _WITHOUT_REDIS),
    "redis-answers-lost": Row("Redis's answers lost", 50, 1, _redis("redis-answers-lost", 1, 3), _WITHOUT_REDIS),
    "postgres-stopped": Row("PostgreSQL stopped (-m immediate)", 50, 1, _postgres_stopped, _UNANSWERED),
    "backend-killed": Row("PostgreSQL backend killed in a commit", 50, 1, _backend_killed, _UNANSWERED),
    "commit-unanswered": Row("the answer to a commit lost", 50, 1, _commit_unanswered, _UNANSWERED),
    "postgres-away": Row("PostgreSQL away for 60 s", 50, 1, _postgres_away, _UNANSWERED),
    "disk-full": Row("disk of PostgreSQL full, then freed", 20, 1, _disk_full, _UNANSWERED, small_disk=True),
    "redis-cut": Row("a node cut from Redis, healed", 50, 1, _cut("redis"), _CUT_OFF),
    "redis-one-way": Row("a node cut from Redis one way, healed", 50, 1, _one_way("redis"), _CUT_OFF),
    "postgres-cut": Row(
        "a node cut from PostgreSQL, healed", 50, 1, _cut("postgres"), Bounds(caught_up=5.0, stored_twice=True)
    ),
    "postgres-one-way": Row(
        "a node cut from PostgreSQL one way, healed",
        50,
        1,
        _one_way("postgres"),
        Bounds(caught_up=5.0, stored_twice=True),
    ),
    "flapping": Row("clients cut off mid-frame, moving between nodes", 500, 2, _flapping, Bounds()),
    "at-once": Row("two to four of these at once", 50, 1, _at_once, _UNANSWERED),
}
"""By name; the long suite goes through it in this order."""

"""Many nodes survive every fault of the catalogue: a few rounds of each, and all of them with --long.

`python -m tests.faults.cluster.suite` does the same outside pytest, adds up what comes out, and repeats what failed.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pytest

from tests.faults.cluster.catalogue import CATALOGUE, PLACES
from tests.faults.cluster.faults import FAULTS
from tests.faults.cluster.full_disk import PostgresOnSmallDisk, is_possible
from tests.faults.cluster.plan import Plan, Round, make_round
from tests.faults.cluster.session import run_session
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

# In the ordinary run nothing lasts longer than a few seconds.
_SCALE = 0.1
_NUMBERS = 200

# Rows that share a cluster: by what they are done to, so that each cluster meets every kind of neighbour.
_TOGETHER = (
    ("kill", "redis-killed", "redis-flushed", "postgres-stopped", "redis-one-way", "flapping"),
    ("crash", "deploy", "redis-slow", "redis-paused", "backend-killed", "redis-cut", "postgres-cut"),
    (
        "pause",
        "redis-restarted",
        "redis-answers-lost",
        "commit-unanswered",
        "postgres-away",
        "postgres-one-way",
        "at-once",
    ),
)
_ALONE = ("disk-full",)
_ROUNDS_PER_SESSION = 10


def rounds(row: str, numbers: Sequence[int], *, seed: int, scale: float) -> list[Round]:
    return [make_round(row, number, CATALOGUE[row].recipe, seed=seed, scale=scale) for number in numbers]


async def survive(plan: Plan, postgres: PostgresServer, redis: RedisServer, directory: Path) -> None:
    """Run a plan, and fail with everything that was wrong."""
    result = await run_session(plan, postgres=postgres, redis=redis, directory=directory)
    for outcome in result.outcomes:
        print(outcome.round.row, outcome.round.number, outcome.figures)  # noqa: T201 - pytest shows it where a test fails
    assert not result.findings, "\n".join(map(str, result.findings))
    assert len(result.outcomes) == len(plan.rounds)


@pytest.fixture
def postgres_on_small_disk() -> Iterator[PostgresOnSmallDisk]:
    """A running PostgreSQL whose disk can be full."""
    if not is_possible():
        pytest.skip("this system lets nobody make a small disk")
    server = PostgresOnSmallDisk()
    server.start()
    yield server
    server.close()


def test_a_round_is_made_by_its_seed_and_number_and_survives_being_written_down(seed: int) -> None:
    for row in CATALOGUE:
        made = rounds(row, range(20), seed=seed, scale=1.0)
        assert made == rounds(row, range(20), seed=seed, scale=1.0)
        assert made != rounds(row, range(20), seed=seed + 1, scale=1.0)
        plan = Plan(seed, tuple(made))
        assert plan == Plan.from_json(plan.to_json())


def test_plans_do_everything_that_can_be_done(seed: int) -> None:
    steps = {
        row: [step for one in rounds(row, range(_NUMBERS), seed=seed, scale=1.0) for step in one.steps]
        for row in CATALOGUE
    }
    assert {step.fault for of_row in steps.values() for step in of_row} == set(FAULTS)
    assert {step.detail.rpartition(":")[0] for step in steps["crash"]} == set(PLACES)
    at_once = {step.fault for step in steps["at-once"]}
    assert at_once == set(FAULTS) - {"crash", "disk-full"}


def test_a_scale_changes_durations_and_nothing_else(seed: int) -> None:
    (long,), (short,) = (rounds("pause", [3], seed=seed, scale=scale) for scale in (1.0, 0.1))
    assert short.steps[0].seconds == pytest.approx(long.steps[0].seconds / 10, abs=0.001)
    assert short.steps[0].nodes == long.steps[0].nodes


def test_every_row_is_in_the_ordinary_run() -> None:
    assert {row for together in (*_TOGETHER, _ALONE) for row in together} == set(CATALOGUE)


@pytest.mark.parametrize("together", _TOGETHER, ids=lambda rows: rows[0])
async def test_nothing_is_lost_whatever_happens_to_the_nodes(
    together: Sequence[str], seed: int, postgres: PostgresServer, redis: RedisServer, tmp_path: Path
) -> None:
    made = [one for row in together for one in rounds(row, range(CATALOGUE[row].few), seed=seed, scale=_SCALE)]
    Random(seed).shuffle(made)
    await survive(Plan(seed, tuple(made)), postgres, redis, tmp_path)


async def test_a_full_disk_recovers_alone_when_it_has_space(
    seed: int, postgres_on_small_disk: PostgresOnSmallDisk, redis: RedisServer, tmp_path: Path
) -> None:
    made = rounds("disk-full", range(CATALOGUE["disk-full"].few), seed=seed, scale=_SCALE)
    await survive(Plan(seed, tuple(made)), postgres_on_small_disk, redis, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(36_000)
@pytest.mark.parametrize("row", CATALOGUE)
async def test_nothing_is_lost_however_often_it_happens(
    row: str, seed: int, redis: RedisServer, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    wanted = "postgres_on_small_disk" if CATALOGUE[row].small_disk else "postgres"
    server: PostgresServer = request.getfixturevalue(wanted)
    for first in range(0, CATALOGUE[row].runs, _ROUNDS_PER_SESSION):
        numbers = range(first, min(first + _ROUNDS_PER_SESSION, CATALOGUE[row].runs))
        directory = tmp_path / str(first)
        directory.mkdir()
        await survive(Plan(seed + first, tuple(rounds(row, numbers, seed=seed, scale=1.0))), server, redis, directory)

"""However people edit, leave, come back and lose their server, everybody ends with the same text, and it is stored."""

from pathlib import Path

import pytest

from tests.convergence.campaign import campaign
from tests.convergence.plan import Do, Kind, Plan, make_plan

_LONG_BATCHES = range(20)
_BATCH = 50
# Far from the seeds of the ordinary runs.
_LONG_SEEDS = 10_000


@pytest.fixture
def failures(pytestconfig: pytest.Config) -> Path:
    """Where plans that fail are kept."""
    assert pytestconfig.cache is not None
    return pytestconfig.cache.mkdir("convergence")


def plans_that_once_failed() -> list[Plan]:
    """Return the plans that are kept beside this file."""
    saved = sorted((Path(__file__).parent / "plans").glob("*.json"))
    return [Plan.from_json(path.read_text(encoding="utf-8")) for path in saved]


def test_a_plan_is_made_by_its_seed_and_survives_being_written_down(seed: int) -> None:
    for place in range(50):
        plan = make_plan(seed + place)
        assert plan == make_plan(seed + place)
        assert plan == Plan.from_json(plan.to_json())


def test_plans_do_everything_that_can_happen(seed: int) -> None:
    plans = [make_plan(seed + place) for place in range(100)]
    assert {step.do for plan in plans for step in plan.steps} == set(Do)
    assert {seat.kind for plan in plans for seat in plan.seats} == set(Kind)
    assert {len(plan.seats) for plan in plans} == set(range(3, 9))
    assert any(seat.views for plan in plans for seat in plan.seats)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_sessions_converge_on_sqlite(seed: int, sqlite_url: str, tmp_path: Path, failures: Path) -> None:
    plans = [*plans_that_once_failed(), *(make_plan(seed + place) for place in range(40))]
    print(await campaign(plans, directory=tmp_path, database_url=sqlite_url, failures=failures))  # noqa: T201


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_sessions_converge_on_postgres(seed: int, postgres_url: str, tmp_path: Path, failures: Path) -> None:
    plans = [make_plan(seed + 40 + place) for place in range(10)]
    print(await campaign(plans, directory=tmp_path, database_url=postgres_url, failures=failures))  # noqa: T201


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("batch", _LONG_BATCHES)
async def test_many_sessions_converge(
    batch: int, seed: int, request: pytest.FixtureRequest, tmp_path: Path, failures: Path
) -> None:
    first = seed + _LONG_SEEDS + batch * _BATCH
    # One batch in five on PostgreSQL.
    database_url = str(request.getfixturevalue("postgres_url" if batch % 5 == 4 else "sqlite_url"))
    plans = [make_plan(first + place) for place in range(_BATCH)]
    print(await campaign(plans, directory=tmp_path, database_url=database_url, failures=failures))  # noqa: T201

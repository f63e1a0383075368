"""A run against servers that break a promise: it has to say so, or nothing that it says is worth anything."""

import pytest

from load.results import Measurement
from load.scenarios import Scenario
from load.scenarios.between_nodes import BetweenNodes
from load.scenarios.burst import Burst
from load.scenarios.fanout import Fanout
from load.scenarios.observers import Observers
from load.scenarios.presence import Presence
from tests.load.relay import Relay

TYPING = Fanout(editors=4, writers=2, rate=50.0, seconds=0.4, warm_up=0.1)
pytestmark = pytest.mark.slow


async def run(scenario: Scenario, **promises_broken: bool) -> Measurement:
    async with Relay(**promises_broken) as relay:
        return await scenario.run(relay, seed=1)


@pytest.mark.parametrize(
    "scenario",
    [
        TYPING,
        Burst(editors=4, writers=2, window=4, seconds=0.3, warm_up=0.1),
        Burst(documents=3, editors=3, writers=2, window=4, seconds=0.3, warm_up=0.1),
        BetweenNodes(documents=3, rate=60.0, seconds=0.4, warm_up=0.1),
        Presence(people=6, moves=25.0, writers=2, rate=20.0, seconds=0.4, warm_up=0.1),
        Observers(editors=9, writers=2, rate=20.0, seconds=0.4, warm_up=0.1, generators=2),
    ],
    ids=lambda scenario: scenario.name,
)
async def test_a_server_that_keeps_its_promises_is_sound(scenario: Scenario) -> None:
    measurement = await run(scenario)
    assert measurement.problems == ()
    assert measurement.converged
    assert measurement.lost_acknowledged == 0
    assert measurement.latency_ms is not None
    assert measurement.figures["updates"] > 0


async def test_every_key_is_looked_for_at_everybody() -> None:
    measurement = await run(TYPING)
    assert measurement.figures["updates"] == 2 * 50.0 * 0.4
    assert measurement.figures["deliveries"] == measurement.figures["updates"] * 3


@pytest.mark.usefixtures("_a_short_patience")
async def test_a_dropped_update_is_noticed() -> None:
    measurement = await run(TYPING, drops=True)
    assert not measurement.converged
    assert any("keys did not arrive" in problem for problem in measurement.problems)
    assert any("show another text" in problem for problem in measurement.problems)


async def test_an_acknowledged_edit_that_is_not_kept_is_noticed() -> None:
    measurement = await run(TYPING, forgets=True)
    assert measurement.lost_acknowledged is not None
    assert measurement.lost_acknowledged > 0


async def test_an_edit_that_is_written_twice_is_noticed() -> None:
    measurement = await run(TYPING, doubles=True)
    assert any("keys stand in the journal more than once" in problem for problem in measurement.problems)
    assert measurement.figures["rows_per_edit"] > 1


async def test_a_newcomer_who_is_sent_something_else_is_noticed() -> None:
    measurement = await run(TYPING, garbles=True)
    assert any("are served with another text" in problem for problem in measurement.problems)


@pytest.fixture
def _a_short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("load.crowd.SETTLE_SECONDS", 1.0)

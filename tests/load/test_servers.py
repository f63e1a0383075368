"""The real servers, each started for a run: typed at, killed, and started again."""

import pytest

from load.results import Measurement
from load.scenarios import Scenario
from load.scenarios.burst import Burst
from load.scenarios.fanout import Fanout
from load.scenarios.presence import Presence
from load.scenarios.rooms import Rooms
from load.servers import SERVERS
from load.servers.server import ServerFailed

IN_MEMORY = ("hocuspocus", "y-websocket", "pycrdt-websocket")
SCENARIOS = (
    Fanout(editors=6, writers=3, rate=20.0, seconds=1.0, warm_up=0.3),
    Burst(editors=6, writers=3, window=8, seconds=0.5, warm_up=0.3),
)
ALL_SCENARIOS = (
    *SCENARIOS,
    Presence(people=6, moves=10.0, writers=2, rate=10.0, seconds=1.0, warm_up=0.3),
    Rooms(documents=4, rate=40.0, seconds=1.0, warm_up=0.3),
)
pytestmark = pytest.mark.slow


async def run(name: str, scenario: Scenario) -> Measurement:
    async with SERVERS[name]() as server:
        measurement = await scenario.run(server, seed=1)
    assert measurement.problems == ()
    assert measurement.converged
    assert measurement.latency_ms is not None
    assert measurement.figures["cpu_us_per_delivery"] >= 0
    assert measurement.figures["memory_mb"] > 10
    return measurement


@pytest.mark.parametrize("scenario", ALL_SCENARIOS, ids=lambda scenario: scenario.name)
async def test_ours_loses_nothing(scenario: Scenario) -> None:
    measurement = await run("promptroom-sqlite", scenario)
    assert measurement.lost_acknowledged == 0
    assert measurement.figures["lost_shown"] == 0


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_ours_loses_nothing_with_a_database_of_its_own_which_is_counted_apart(scenario: Scenario) -> None:
    measurement = await run("promptroom-postgres", scenario)
    assert measurement.lost_acknowledged == 0
    assert measurement.figures["lost_shown"] == 0
    assert measurement.figures["database_cpu_us_per_delivery"] > 0


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
@pytest.mark.parametrize("name", IN_MEMORY)
async def test_servers_that_keep_nothing_converge_and_lose_what_they_promised(name: str, scenario: Scenario) -> None:
    measurement = await run(name, scenario)
    assert measurement.lost_acknowledged is not None
    assert measurement.lost_acknowledged > 0


async def test_what_does_not_start_says_why() -> None:
    server = SERVERS["y-websocket"]()
    with pytest.raises(ServerFailed, match="never started"):
        server.usage()

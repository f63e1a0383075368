"""`kill -9` under typing costs nothing that was acknowledged or seen, and nobody has to reload."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from persistence.store import migrate
from tests.faults.crashes import CrashingServer
from tests.faults.crashing_server import MOMENTS, POINTS
from tests.faults.left import SQLITE, as_it_was_left
from tests.faults.scene import Scene, scene

# Servers are started again and again; on a busy machine that takes minutes.
pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

_ROUNDS = 3
_MANY_ROUNDS = 100
_LATE_CALLS = 5
# How far people may be ahead of a server that is not there.
_OFFLINE = 1000
# A point is reached by one of its first calls; what happens to everybody in the room is reached by a later one.
_CALLS = {"load": 1, "checkpoint": 2, "save": 2, "deliver": 200, "tell": 60}
_USUAL_CALLS = 30


@pytest.fixture
async def server(database_url: str, tmp_path: Path) -> AsyncIterator[CrashingServer]:
    """A server on every kind of database in turn, told nothing yet."""
    await migrate(database_url)
    async with CrashingServer(tmp_path, database_url=database_url) as running:
        yield running


async def kill_again_and_again(server: CrashingServer, rng: Random, rounds: int) -> None:
    async with scene(server, rng) as typing:
        for _ in range(rounds):
            await typing.type_until(typing.more(rng.randint(1, 120)))
            server.kill()
            await bring_back(typing, rng)
            if rng.random() < 0.5:
                await typing.recover()
        await typing.end()


async def crash_everywhere(server: CrashingServer, rng: Random, places: list[tuple[str, str]]) -> None:
    async with scene(server, rng) as typing:
        server.kill()
        for point, moment in places:
            server.crash_at = f"{point}:{moment}:{rng.randint(1, _CALLS.get(point, _USUAL_CALLS))}"
            await bring_back(typing, rng)
            await typing.type_until(lambda: not server.running)
            assert server.crashed, server.log
        server.crash_at = ""
        await bring_back(typing, rng)
        await typing.end()


async def bring_back(typing: Scene, rng: Random) -> None:
    """Check what a dead server has left, and start it again while people go on typing."""
    async with as_it_was_left(typing.server.database_url) as store:
        await typing.check_after_death(store)
    await typing.type_until(typing.more(rng.randint(0, 20)), ahead=_OFFLINE)
    await typing.server.start()


async def test_nothing_is_lost_when_the_server_is_killed(server: CrashingServer, rng: Random) -> None:
    await kill_again_and_again(server, rng, _ROUNDS)


async def test_nothing_is_lost_when_the_server_dies_at_any_point(
    server: CrashingServer, rng: Random, seed: int
) -> None:
    places = [(point, rng.choice(MOMENTS)) for point in POINTS]
    Random(seed).shuffle(places)
    # What happens in the server is the same on both, so that in the ordinary run each has half of the points.
    await crash_everywhere(server, rng, places[server.database_url.startswith(SQLITE) :: 2])


async def test_nothing_is_lost_when_the_server_is_deployed_anew(server: CrashingServer, rng: Random) -> None:
    async with scene(server, rng) as typing:
        for _ in range(_ROUNDS):
            await typing.type_until(typing.more(rng.randint(1, 120)))
            ended = asyncio.create_task(server.terminate())
            await typing.type_until(ended.done, ahead=_OFFLINE)
            assert await ended == 0, server.log
            await bring_back(typing, rng)
        await typing.end()


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_nothing_is_lost_when_the_server_is_killed_a_hundred_times(server: CrashingServer, rng: Random) -> None:
    await kill_again_and_again(server, rng, _MANY_ROUNDS)


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_nothing_is_lost_when_the_server_dies_at_every_point(server: CrashingServer, rng: Random) -> None:
    places = [(point, moment) for point in POINTS for moment in MOMENTS] * _LATE_CALLS
    rng.shuffle(places)
    await crash_everywhere(server, rng, places)

"""While the store is away nobody is told that anything is saved, everything is kept, and it returns by itself."""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from persistence.store import migrate
from tests.faults.hanging import line_to
from tests.faults.outages import Outage, ServerOnSmallDisk, dead, full, locked, stopped, unwritable
from tests.faults.scene import Scene, scene
from tests.faults.writers import Writer
from tests.hostile.memory import MIB, Memory
from tests.support.people import ENVIRONMENT
from tests.support.postgres import PostgresServer
from tests.support.server import ServerProcess
from tests.support.waiting import wait_until

# Servers are started again and again; on a busy machine that takes minutes.
pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

# How far people may be ahead of a store that is not there, and how much they type meanwhile.
_AHEAD = 1000
_TOKENS = 300
_FILLER = 4000
# They type 1.2 MB, several times over in syncs; without bounds, every attempt would add to it.
_MEMORY_BYTES = 150 * MIB
_SECONDS = 60.0


@pytest.fixture
async def on_small_disk(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """A server whose disk can be full."""
    async with ServerOnSmallDisk(tmp_path) as server:
        yield server


@pytest.fixture
async def on_sqlite(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """A server on SQLite."""
    async with ServerProcess(tmp_path, environment=ENVIRONMENT) as server:
        yield server


@pytest.fixture
async def on_postgres(tmp_path: Path, postgres_url: str) -> AsyncIterator[ServerProcess]:
    """A server on PostgreSQL."""
    await migrate(postgres_url)
    async with ServerProcess(tmp_path, database_url=postgres_url, environment=ENVIRONMENT) as server:
        yield server


def was_told(writer: Writer, what: str) -> bool:
    """Whether the last that a writer heard of the store is this."""
    of_store = [event for event in writer.events if event.startswith("store.")]
    return bool(of_store) and of_store[-1] == what


async def outlast(server: ServerProcess, outage: Outage, rng: Random, *, steady: bool = True) -> None:
    """Have the store fail for a while; unless it is steady, it takes what is small enough in between."""
    async with scene(server, rng) as typing:
        await typing.type_until(typing.more(100))
        await typing.recover()
        pid, memory = server.pid, Memory(server.pid)
        async with outage(server):
            await nothing_is_saved(typing, steady=steady)
        await wait_until(lambda: is_ready(typing), what="/readyz to say that it is back", seconds=_SECONDS)
        await typing.recover()
        for writer in typing.extended:
            assert was_told(writer, "store.available")
        assert memory.growth < _MEMORY_BYTES
        assert server.pid == pid
        assert server.running
        await typing.end()


async def nothing_is_saved(typing: Scene, *, steady: bool) -> None:
    """Type while the store is away, and check that nobody is told otherwise."""

    def told() -> bool:
        return all(was_told(writer, "store.unavailable") for writer in typing.extended)

    await typing.type_until(told, ahead=_AHEAD, filler=_FILLER)
    await wait_until(lambda: is_not_ready(typing), what="/readyz to say so", seconds=_SECONDS)
    acknowledged, seen = typing.acknowledged, typing.observer.text
    await typing.type_until(typing.more(_TOKENS), ahead=_AHEAD, filler=_FILLER)
    if steady:
        assert await is_not_ready(typing)
        assert told(), "somebody was told that the store is back"
    assert typing.acknowledged == acknowledged, "something was acknowledged"
    assert typing.observer.text == seen, "something was shown"


async def is_ready(typing: Scene) -> bool:
    """Whether `/readyz` says that all is well."""
    return await typing.rest.readiness() == 200


async def is_not_ready(typing: Scene) -> bool:
    """Whether `/readyz` says that something is away."""
    return await typing.rest.readiness() == 503


async def test_a_locked_database_loses_nothing(on_sqlite: ServerProcess, rng: Random) -> None:
    await outlast(on_sqlite, locked, rng)


async def test_a_full_disk_loses_nothing(on_small_disk: ServerProcess, rng: Random) -> None:
    await outlast(on_small_disk, full, rng, steady=False)


async def test_a_disk_that_takes_nothing_not_even_the_log_loses_nothing(on_sqlite: ServerProcess, rng: Random) -> None:
    await outlast(on_sqlite, unwritable, rng)


async def test_a_stopped_postgres_loses_nothing(
    on_postgres: ServerProcess, postgres: PostgresServer, rng: Random
) -> None:
    await outlast(on_postgres, stopped(postgres), rng)


@pytest.mark.long
async def test_a_dead_line_to_postgres_loses_nothing(
    tmp_path: Path, postgres: PostgresServer, postgres_url: str, rng: Random
) -> None:
    """What was sent before the line died may be committed long after everybody has given it up."""
    await migrate(postgres_url)
    async with line_to(postgres.port) as line:
        over_the_line = postgres_url.replace(f":{postgres.port}/", f":{line.port}/")
        async with ServerProcess(tmp_path, database_url=over_the_line, environment=ENVIRONMENT) as server:
            await outlast(server, dead(line), rng)


async def test_a_server_ends_in_time_although_its_store_hangs(
    tmp_path: Path, postgres: PostgresServer, postgres_url: str, rng: Random
) -> None:
    """Whoever waits for an answer that does not come would still be there when `terminate` loses its patience."""
    await migrate(postgres_url)
    async with line_to(postgres.port) as line:
        over_the_line = postgres_url.replace(f":{postgres.port}/", f":{line.port}/")
        environment = ENVIRONMENT | {"DRAIN_DEADLINE_SECONDS": "3"}
        async with (
            ServerProcess(tmp_path, database_url=over_the_line, environment=environment) as server,
            scene(server, rng) as typing,
        ):
            await typing.type_until(typing.more(_TOKENS // 10))
            line.alive.clear()
            await typing.type_until(typing.more(_TOKENS // 10), ahead=_AHEAD)
            assert await server.terminate() == 0
            line.alive.set()
            await typing.type_until(typing.more(_TOKENS // 10), ahead=_AHEAD)
            await server.start()
            await typing.recover()

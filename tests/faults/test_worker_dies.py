"""The process for heavy work may be killed, when memory runs out for instance: edits are late, and none is lost."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random

import pytest

from server.limits import HEAVY_BYTES
from tests.faults.scene import scene
from tests.support.people import ENVIRONMENT
from tests.support.server import ServerProcess
from tests.support.waiting import wait_until

# Servers are started again and again; on a busy machine that takes minutes.
pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

# Enough to meet both attempts of the same work more than once.
_KILLS = 5
_SPAWNED = b"multiprocessing.spawn"


class Killer:
    """Kills every worker of a server as soon as there is one."""

    def __init__(self, server: ServerProcess) -> None:
        self.killed: set[int] = set()
        self._server = server

    async def kill_for_ever(self) -> None:
        """Look for workers again and again."""
        while True:
            for pid in _workers(self._server.pid) - self.killed:
                os.kill(pid, signal.SIGKILL)
                self.killed.add(pid)
            await asyncio.sleep(0)


def _workers(pid: int) -> set[int]:
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return {child for child in children if _SPAWNED in _command(child)}


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


@asynccontextmanager
async def killing(server: ServerProcess) -> AsyncIterator[Killer]:
    killer = Killer(server)
    running = asyncio.create_task(killer.kill_for_ever())
    yield killer
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_heavy_edits_survive_the_death_of_every_worker(tmp_path: Path, rng: Random) -> None:
    async with ServerProcess(tmp_path, environment=ENVIRONMENT) as server, scene(server, rng) as typing:
        await typing.type_until(typing.more(30))
        async with killing(server) as killer:
            for writer in typing.writers[:4]:
                await writer.type_one(filler=HEAVY_BYTES)
            await wait_until(lambda: len(killer.killed) >= _KILLS, what="workers to be killed")
        await typing.recover()
        await typing.type_until(typing.more(30))
        await typing.end()


async def test_a_heavy_room_is_rebuilt_although_workers_die(tmp_path: Path, rng: Random) -> None:
    async with ServerProcess(tmp_path, environment=ENVIRONMENT) as server, scene(server, rng) as typing:
        await typing.writers[0].type_one(filler=HEAVY_BYTES)
        await typing.recover()
        server.kill()
        await server.start()
        async with killing(server) as killer:
            await wait_until(lambda: len(killer.killed) >= _KILLS, what="workers to be killed")
        await typing.recover()
        await typing.end()

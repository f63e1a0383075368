"""How each fault of the catalogue is done to a cluster, and undone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

import asyncpg

from persistence.address import DatabaseAddress
from tests.faults.cluster.cluster import Cluster
from tests.faults.cluster.full_disk import PostgresOnSmallDisk
from tests.faults.cluster.lane import Direction
from tests.faults.cluster.nodes import Node
from tests.faults.cluster.plan import Step
from tests.faults.cluster.proxy import Proxy
from tests.faults.cluster.typists import Crowd
from tests.support.server import ServerFailed
from tests.support.waiting import WaitedInVain, wait_until

# Redis that is slow takes so many seconds longer, in each direction, for each count of the step.
_SLOW_SECONDS = 0.2
_LONG_WAY_SECONDS = 0.1
_REACHED_SECONDS = 20.0
_UP_SECONDS = 120.0

_DIRECTIONS = {"to server": Direction.TO_SERVER, "to client": Direction.TO_CLIENT}

# Whoever waits for the lock of the prompt in order to append to its journal is in the middle of a commit.
_KILL_COMMITTING = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%UPDATE prompts SET head_seq%'
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """What faults are done to.

    Args:
        cluster: The nodes and what they stand on.
        crowd: Who types.
        prompt_id: In which prompt.
        random: Decides what the plan leaves open.
    """

    cluster: Cluster
    crowd: Crowd
    prompt_id: UUID
    random: Random

    def node(self, step: Step) -> Node:
        """Return the one node of a step."""
        (number,) = step.nodes
        return self.cluster.nodes[number]

    @property
    def connections(self) -> tuple[int, ...]:
        """How many connections each node has."""
        return tuple(self.cluster.door.connections_of(node.number) for node in self.cluster.nodes)

    async def spread(self) -> None:
        """See to it that somebody is at every node, as far as chance allows; everybody has a connection again then."""
        counts = self.connections
        if 0 not in counts:
            return
        self.cluster.door.drop_connections(counts.index(max(counts)))
        await wait_until(lambda: sum(self.connections) < sum(counts), what="connections to be gone")
        await wait_until(lambda: sum(self.connections) >= sum(counts), what="everybody to be back")


Began = Callable[[], None]
Fault = Callable[[Scene, Step, Began], Awaitable[None]]
"""Does a step, calls what it is given when the fault has begun, and returns when it has ended."""


async def bring_up(node: Node) -> None:
    """Start a node as a supervisor does: again, if it ended at its start for want of its database."""

    async def up() -> bool:
        with suppress(ServerFailed):
            await node.start()
        return node.running

    if not node.running:
        await wait_until(up, what=f"node {node.number} to be up again", seconds=_UP_SECONDS)


async def _kill(scene: Scene, step: Step, began: Began) -> None:
    node = scene.node(step)
    began()
    node.kill()
    await asyncio.sleep(step.seconds)
    await bring_up(node)


async def _kill_committing(scene: Scene, step: Step, began: Began) -> None:
    """Kill a node whose way to the database is long, so that it has a commit on its way, there or back."""
    line = scene.node(step).to_postgres
    line.delay(_LONG_WAY_SECONDS)
    await asyncio.sleep(scene.random.uniform(2, 4) * _LONG_WAY_SECONDS)
    scene.node(step).kill()
    began()
    line.heal()
    await asyncio.sleep(step.seconds)
    await bring_up(scene.node(step))


async def _crash(scene: Scene, step: Step, began: Began) -> None:
    """Have a node kill itself at a point; where the point is not reached, it is killed."""
    node, door = scene.node(step), scene.cluster.door
    await node.terminate()
    await node.start(crash_at=step.detail)
    if step.detail.startswith("catch-up"):
        # Whoever hears nothing has to read.
        node.to_redis.cut()

    def reached() -> bool:
        if node.running and not door.connections_of(node.number):
            door.drop_connections()
        return node.crashed

    with suppress(WaitedInVain):
        await wait_until(reached, what=f"node {node.number} to die at {step.detail}", seconds=_REACHED_SECONDS)
    began()
    node.kill()
    node.to_redis.heal()
    await bring_up(node)


async def _deploy(scene: Scene, step: Step, began: Began) -> None:
    began()
    for number in step.nodes:
        node = scene.cluster.nodes[number]
        code = await node.terminate()
        assert code == 0, f"node {number} ended with exit code {code} after SIGTERM"
        await bring_up(node)


async def _pause(scene: Scene, step: Step, began: Began) -> None:
    """Stop a node; where the load balancer notices, its clients say again elsewhere what it was about to store."""
    node, door = scene.node(step), scene.cluster.door
    node.pause()
    began()
    if step.detail:
        door.only(*(other.number for other in scene.cluster.nodes if other is not node))
        door.drop_connections(node.number)
    await asyncio.sleep(step.seconds)
    door.all()
    node.resume()


async def _redis_killed(scene: Scene, step: Step, began: Began) -> None:
    scene.cluster.redis.kill()
    began()
    await asyncio.sleep(step.seconds)
    scene.cluster.redis.start()


async def _redis_paused(scene: Scene, step: Step, began: Began) -> None:
    scene.cluster.redis.pause()
    began()
    await asyncio.sleep(step.seconds)
    scene.cluster.redis.resume()


async def _redis_flushed(scene: Scene, _: Step, began: Began) -> None:
    scene.cluster.redis.flush()
    began()


async def _redis_slow(scene: Scene, step: Step, began: Began) -> None:
    for node in scene.cluster.nodes:
        node.to_redis.delay(_SLOW_SECONDS * step.count, jitter=_SLOW_SECONDS)
    began()
    await asyncio.sleep(step.seconds)
    for node in scene.cluster.nodes:
        node.to_redis.heal()


async def _redis_answers_lost(scene: Scene, step: Step, began: Began) -> None:
    for node in scene.cluster.nodes:
        node.to_redis.lose_answers(step.count, marked=bool(step.count % 2))
    began()
    await asyncio.sleep(step.seconds)
    for node in scene.cluster.nodes:
        node.to_redis.heal()


async def _postgres_stopped(scene: Scene, step: Step, began: Began) -> None:
    scene.cluster.postgres.stop_immediate()
    began()
    await asyncio.sleep(step.seconds)
    # Not in a thread of its own: the system would end the server with it.
    scene.cluster.postgres.start()


async def _disk_full(scene: Scene, step: Step, began: Began) -> None:
    postgres = scene.cluster.postgres
    assert isinstance(postgres, PostgresOnSmallDisk), "the disk of this PostgreSQL has space for everything"
    postgres.fill()
    began()
    await asyncio.sleep(step.seconds)
    postgres.free()


async def _backend_killed(scene: Scene, _: Step, began: Began) -> None:
    async with _connection(scene) as holder, _connection(scene) as killer:

        async def killed() -> bool:
            return bool(await killer.fetchval(_KILL_COMMITTING))

        async with holder.transaction():
            await holder.execute("SELECT id FROM prompts WHERE id = $1 FOR UPDATE", scene.prompt_id)
            await wait_until(killed, what="somebody to commit", seconds=_REACHED_SECONDS)
            began()


async def _commit_unanswered(scene: Scene, step: Step, began: Began) -> None:
    line = scene.node(step).to_postgres
    line.lose_answers(step.count, marked=True)
    with suppress(WaitedInVain):
        await wait_until(lambda: not line.answers_to_lose, what="answers to be lost", seconds=_REACHED_SECONDS)
    began()
    line.heal()


def _cut(line_of: Callable[[Node], Proxy]) -> Fault:
    async def cut(scene: Scene, step: Step, began: Began) -> None:
        line = line_of(scene.node(step))
        line.cut()
        began()
        await asyncio.sleep(step.seconds)
        line.heal()

    return cut


def _one_way(line_of: Callable[[Node], Proxy]) -> Fault:
    async def one_way(scene: Scene, step: Step, began: Began) -> None:
        line = line_of(scene.node(step))
        line.drop(_DIRECTIONS[step.detail])
        began()
        await asyncio.sleep(step.seconds)
        line.heal()

    return one_way


async def _flap(scene: Scene, step: Step, began: Began) -> None:
    scene.cluster.door.flap(step.count)
    began()


async def _move(scene: Scene, step: Step, began: Began) -> None:
    """Have some leave a node, type while they have no connection, and come back at the others."""
    door = scene.cluster.door
    (left,) = step.nodes
    away = scene.random.sample(scene.crowd.typists, k=len(scene.crowd.typists) // 2)
    for typist in away:
        typist.stay_away()
    elsewhere = [node.number for node in scene.cluster.nodes if node.number != left]
    door.only(*elsewhere or [left])
    door.drop_connections(left)
    began()
    await asyncio.sleep(step.seconds)
    for typist in away:
        typist.come_back()
    await wait_until(lambda: all(typist.connected for typist in away), what="everybody to be back")
    door.all()


@asynccontextmanager
async def _connection(scene: Scene) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(DatabaseAddress.parse(scene.cluster.database_url).dsn)
    try:
        yield connection
    finally:
        await connection.close()


FAULTS: Mapping[str, Fault] = {
    "kill": _kill,
    "kill-committing": _kill_committing,
    "crash": _crash,
    "deploy": _deploy,
    "pause": _pause,
    "redis-killed": _redis_killed,
    "redis-paused": _redis_paused,
    "redis-flushed": _redis_flushed,
    "redis-slow": _redis_slow,
    "redis-answers-lost": _redis_answers_lost,
    "redis-cut": _cut(lambda node: node.to_redis),
    "redis-one-way": _one_way(lambda node: node.to_redis),
    "postgres-stopped": _postgres_stopped,
    "disk-full": _disk_full,
    "backend-killed": _backend_killed,
    "commit-unanswered": _commit_unanswered,
    "postgres-cut": _cut(lambda node: node.to_postgres),
    "postgres-one-way": _one_way(lambda node: node.to_postgres),
    "flap": _flap,
    "move": _move,
}
"""By the name that a step has."""

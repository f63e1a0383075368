"""A cluster starts, outlives what is done to it, and ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from uuid import UUID

import httpx2
import pytest

from server.access import Role
from tests.faults.cluster import postgres_faults
from tests.faults.cluster.cluster import Cluster, cluster
from tests.faults.cluster.lane import Direction
from tests.faults.cluster.postgres_faults import Death
from tests.support.people import invite
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.rest import Rest
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

_CONNECTIONS = 40


@pytest.fixture
async def alone(postgres: PostgresServer, tmp_path: Path, rng: Random) -> AsyncIterator[Cluster]:
    """A cluster of one node, without Redis."""
    async with cluster(postgres, None, nodes=1, tmp_path=tmp_path, rng=rng) as running:
        yield running


@pytest.fixture
async def many(postgres: PostgresServer, redis: RedisServer, tmp_path: Path, rng: Random) -> AsyncIterator[Cluster]:
    """A cluster of three."""
    async with cluster(postgres, redis, tmp_path=tmp_path, rng=rng) as running:
        yield running


@asynccontextmanager
async def prompt(running: Cluster) -> AsyncIterator[tuple[Rest, UUID]]:
    """Make a prompt, over the door."""
    (person,) = await invite(running.database_url, Role.EDITOR)
    async with httpx2.AsyncClient(trust_env=False) as http:
        rest = Rest(http, running.door.base_url, person.token)
        yield rest, await rest.new_prompt("Plain", "first")


class Typist:
    """Somebody who puts one letter after the other in front of a prompt."""

    def __init__(self, rest: Rest, prompt_id: UUID) -> None:
        self.tried = 0
        self.stored = 0
        self._rest = rest
        self._path = f"/api/v1/prompts/{prompt_id}/edits"

    async def type(self) -> None:
        """Type without end."""
        while True:
            self.tried += 1
            answer = await self._rest.ask("POST", self._path, json={"edits": [{"start": 0, "end": 0, "text": "x"}]})
            self.stored += answer is not None and answer.status_code == httpx2.codes.OK


async def shown(rest: Rest, prompt_id: UUID) -> str:
    """Return the text of a prompt, as soon as somebody says it."""
    texts: list[str] = []

    async def said() -> bool:
        texts.extend(text for text in [await rest.live(prompt_id)] if text is not None)
        return bool(texts)

    await wait_until(said, what="the text")
    return texts[0]


async def heals(running: Cluster) -> None:
    await running.heal()
    await running.healthy()


async def test_a_node_is_killed_paused_cut_off_and_healthy_again(alone: Cluster) -> None:
    node = alone.nodes[0]
    node.kill()
    assert node.crashed
    await heals(alone)
    node.to_postgres.cut()
    assert not (await node.readiness()).is_healthy
    await heals(alone)
    node.to_postgres.stall(Direction.TO_CLIENT)
    assert not (await node.readiness()).is_healthy
    await heals(alone)
    node.pause()
    assert (await node.readiness()).status == ""
    await heals(alone)
    assert await node.terminate() == 0
    await heals(alone)


async def test_a_node_says_what_it_uses(alone: Cluster) -> None:
    node = alone.nodes[0]
    before = node.descriptors()
    assert node.memory() > 1024 * 1024
    assert node.threads() > 0
    connections = [await asyncio.open_connection("127.0.0.1", alone.door.port) for _ in range(_CONNECTIONS)]
    enough = before + _CONNECTIONS // 2
    await wait_until(lambda: node.descriptors() > enough, what="the connections to be there")
    for _, writer in connections:
        writer.close()
        await writer.wait_closed()
    await wait_until(lambda: node.descriptors() < enough, what="them to be closed again")


async def test_a_node_dies_where_it_is_told_to(alone: Cluster) -> None:
    node = alone.nodes[0]
    async with prompt(alone) as (rest, prompt_id):
        await node.terminate()
        await node.start(crash_at="commit:after:1")
        await rest.put_in_front(prompt_id, "x")
        await wait_until(lambda: node.crashed, what="the node to die")
        await heals(alone)
        assert await shown(rest, prompt_id) == "xfirst"


async def test_all_nodes_are_behind_the_door_and_outlive_redis(many: Cluster) -> None:
    async with prompt(many) as (rest, prompt_id):
        for node in many.nodes:
            many.door.only(node.number)
            many.door.drop_connections()
            await wait_until(lambda: not many.door.open_connections, what="the connections to be gone")
            assert await shown(rest, prompt_id) == "first"
            assert many.door.connections_of(node.number) == 1
        many.redis.kill()
        await wait_until(lambda: says_bus_down(many), what="every node to miss Redis")
        await heals(many)
        many.nodes[1].to_redis.cut()
        many.nodes[2].kill()
        await heals(many)
    assert not many.complaints


async def says_bus_down(running: Cluster) -> bool:
    return all([(await node.readiness()).bus == "down" for node in running.nodes])


@pytest.mark.parametrize("death", Death)
async def test_backends_die_in_a_commit_and_nothing_is_lost(many: Cluster, rng: Random, death: Death) -> None:
    async with prompt(many) as (rest, prompt_id):
        typist = Typist(rest, prompt_id)
        typing = asyncio.create_task(typist.type())
        await wait_until(lambda: typist.stored, what="the first letter")
        assert await postgres_faults.kill_backends_in_commit(many.database_url, rng=rng, death=death) >= 1
        before = typist.stored
        await wait_until(lambda: typist.stored > before, what="another letter")
        typing.cancel()
        await asyncio.gather(typing, return_exceptions=True)
        text = await shown(rest, prompt_id)
        assert text.lstrip("x") == "first"
        assert typist.stored <= text.count("x") <= typist.tried
    said = {Death.TERMINATED: "administrator command", Death.KILLED: "terminated by signal 9"}
    assert said[death] in many.postgres.log


async def test_an_answer_to_a_commit_is_lost_and_the_commit_is_not(many: Cluster) -> None:
    many.door.only(0)
    line = many.nodes[0].to_postgres
    async with prompt(many) as (rest, prompt_id):
        line.lose_answers(1, marked=True)
        await rest.put_in_front(prompt_id, "x")
        await wait_until(lambda: not line.answers_to_lose, what="an answer to be lost")
        await many.healthy()
        assert await shown(rest, prompt_id) == "xfirst"


async def test_postgres_is_away_and_back(many: Cluster) -> None:
    async with postgres_faults.away(many.postgres):
        assert {(await node.readiness()).status for node in many.nodes} == {"unavailable"}
    await many.healthy()

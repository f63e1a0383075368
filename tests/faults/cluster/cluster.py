"""Several nodes on one database and one Redis, with a load balancer before them, all of it ending with the test."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from persistence.store import migrate
from tests.faults.cluster import postgres_faults
from tests.faults.cluster.door import Door
from tests.faults.cluster.nodes import Node, Readiness
from tests.faults.cluster.proxy import Proxy
from tests.faults.crashes import CrashingServer
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.waiting import wait_until

# What the statement that commits edits says, and nothing else a node sends.
_COMMITS = b"INSERT INTO journal"
# How one publishes.
_PUBLISHES = b"PUBLISH"
_HEALTHY_SECONDS = 90.0
_SAID_AT_LAST = 20_000


class Cluster:
    """The nodes and what they stand on.

    Args:
        database_url: The database, past all lines.
        nodes: By number.
        door: The load balancer.
        postgres: The database's server.
        redis: What carries messages between the nodes, if anything does.
    """

    def __init__(
        self, database_url: str, nodes: list[Node], door: Door, postgres: PostgresServer, redis: RedisServer | None
    ) -> None:
        self.database_url = database_url
        self.nodes = nodes
        self.door = door
        self.postgres = postgres
        self._redis = redis

    @property
    def redis(self) -> RedisServer:
        """What carries messages between the nodes."""
        assert self._redis is not None, "this cluster has no Redis"
        return self._redis

    @property
    def lines(self) -> list[Proxy]:
        """Every line there is: those of the nodes, and the door."""
        return [*(line for node in self.nodes for line in node.lines), self.door]

    @property
    def complaints(self) -> list[str]:
        """What the nodes have reported as defects of their own."""
        return [complaint for node in self.nodes for complaint in node.server.complaints]

    async def start(self) -> None:
        """Start every node that does not run, all at once, and wait until each is ready."""
        await asyncio.gather(*(node.start() for node in self.nodes if not node.running))

    async def healthy(self, *, seconds: float = _HEALTHY_SECONDS) -> None:
        """Wait until every node runs and says that nothing is missing.

        Raises:
            WaitedInVain: One of them does not; the message says what each said last.
        """
        said: list[Readiness] = []

        async def all_are() -> bool:
            said[:] = await asyncio.gather(*(node.readiness() for node in self.nodes))
            return all(one.is_healthy for one in said)

        try:
            await wait_until(all_are, what="every node to be healthy", seconds=seconds)
        except AssertionError as error:
            error.add_note(f"{[node.running for node in self.nodes]} run, and they say {said}")
            raise

    async def heal(self) -> None:
        """End every fault that ends: lines, paused nodes, Redis and the database away, nodes not running."""
        self.door.all()
        for line in self.lines:
            line.heal()
        for node in self.nodes:
            node.resume()
        if self._redis is not None:
            self._redis.resume()
            await postgres_faults.start(self._redis)
        await postgres_faults.start(self.postgres)
        await self.start()


@asynccontextmanager
async def cluster(
    postgres: PostgresServer,
    redis: RedisServer | None,
    *,
    nodes: int = 3,
    tmp_path: Path,
    rng: Random,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Cluster]:
    """Start nodes on an empty database of their own, and wait until all are healthy.

    Args:
        postgres: The database's server, running.
        redis: What carries messages between the nodes, running; None for a lone node.
        nodes: How many.
        tmp_path: Where each keeps its state, in a directory of its own.
        rng: Decides everything random: the door's choices and the lines' faults.
        environment: More variables for each.
    """
    database_url = postgres.new_database()
    async with AsyncExitStack() as stack:
        stack.callback(_drop, postgres, database_url)
        await migrate(database_url)
        door = await stack.enter_async_context(Door(rng=_another(rng)))
        ground = _Ground(database_url, postgres, redis, {"PUBLIC_URL": door.base_url, **(environment or {})})
        members = [await _node(ground, number, tmp_path / f"node-{number}", rng, stack) for number in range(nodes)]
        door.lead_to([node.server.port for node in members])
        made = Cluster(database_url, members, door, postgres, redis)
        try:
            await made.start()
            await made.healthy()
            yield made
        except BaseException:
            for node in members:
                print(f"--- node {node.number} said at last:\n{node.server.log[-_SAID_AT_LAST:]}", file=sys.stderr)  # noqa: T201 - pytest shows it
            raise


@dataclass(frozen=True, slots=True)
class _Ground:
    """What all nodes stand on."""

    database_url: str
    postgres: PostgresServer
    redis: RedisServer | None
    environment: Mapping[str, str]


async def _node(ground: _Ground, number: int, directory: Path, rng: Random, stack: AsyncExitStack) -> Node:
    """Lay the lines of a node, and make its server, which is killed when the stack ends."""
    to_postgres = await stack.enter_async_context(Proxy(ground.postgres.port, rng=_another(rng), mark=_COMMITS))
    to_redis, redis_url = None, None
    if ground.redis is not None:
        to_redis = await stack.enter_async_context(Proxy(ground.redis.port, rng=_another(rng), mark=_PUBLISHES))
        redis_url = ground.redis.url.replace(f":{ground.redis.port}/", f":{to_redis.port}/")
    server = CrashingServer(
        directory,
        database_url=ground.database_url.replace(f":{ground.postgres.port}/", f":{to_postgres.port}/"),
        redis_url=redis_url,
        environment=ground.environment,
    )
    stack.callback(server.kill)
    return Node(number, server, to_postgres, to_redis)


def _another(rng: Random) -> Random:
    """Return a generator of its own, so that what happens on one line changes nothing on the others."""
    return Random(rng.getrandbits(64))


def _drop(postgres: PostgresServer, database_url: str) -> None:
    postgres.start()
    postgres.drop_database(database_url)

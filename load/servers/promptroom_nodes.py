"""Several of our servers that are one: a PostgreSQL, a Redis, and nodes between which people are spread.

With one node it is the reference for several: it pays for the bus as they do, and nobody listens.
"""

from __future__ import annotations

import asyncio
import secrets
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Final, Self
from zlib import crc32

from load.dialects import PROMPTROOM
from load.servers.postgres import Postgres
from load.servers.process import cores
from load.servers.promptroom import Promptroom
from load.servers.redis import Redis
from load.servers.server import Address, Counts
from load.usage import Usage, wakes_of


@dataclass(frozen=True, slots=True)
class Deployment:
    """What people meet.

    Args:
        nodes: how many there are.
        by_prompt: whether everybody in a prompt is on the same node, as behind a load balancer that hashes by the path;
            otherwise people are spread, as behind one that knows nothing.
    """

    nodes: int
    by_prompt: bool = False


DEPLOYMENTS: Final[Mapping[str, Deployment]] = {
    "promptroom-1-node": Deployment(1),
    "promptroom-2-nodes": Deployment(2),
    "promptroom-3-nodes": Deployment(3),
    "promptroom-3-nodes-by-prompt": Deployment(3, by_prompt=True),
}
"""Those that are measured, by name."""


class PromptroomNodes:
    """Nodes of `promptroom serve`; at the end all of them are killed, and PostgreSQL and Redis with them.

    Args:
        name: what it is called in the results.
        deployment: how many nodes, and who is where.
    """

    dialect = PROMPTROOM
    takes_content = True

    def __init__(self, name: str, deployment: Deployment) -> None:
        self.name = name
        self._by_prompt = deployment.by_prompt
        self._database = Postgres()
        self._redis = Redis()
        self._secret = secrets.token_hex(32)
        self._nodes = [Node(number, self, deployment.nodes) for number in range(deployment.nodes)]
        self._url = ""

    @property
    def token(self) -> str:
        """What opens its documents, on every node."""
        return self._nodes[0].token

    def shared_settings(self) -> Mapping[str, str]:
        """What all nodes are told."""
        return {"DATABASE_URL": self._url, "REDIS_URL": self._redis.url, "JWT_SECRET_KEY": self._secret}

    async def start(self) -> None:
        """Start the database and Redis, bring the schema to its newest, and start the nodes."""
        self._url = await asyncio.to_thread(self._database.start)
        await asyncio.to_thread(self._redis.start)
        for node in self._nodes:
            node.settle()
        first, *others = self._nodes
        await asyncio.to_thread(first.run, "migrate")
        # The first creates what an empty database needs.
        await first.start()
        await asyncio.gather(*(node.restart() for node in others))

    async def stop(self) -> None:
        """End everything, and remove what it kept."""
        for node in self._nodes:
            await node.stop()
        await asyncio.to_thread(self._redis.close)
        await asyncio.to_thread(self._database.close)

    async def document(self, name: str, content: str = "") -> Address:
        """Create a prompt; where people are spread, it stands on every node."""
        address = await self._nodes[0].document(name, content)
        nodes = self._nodes
        if self._by_prompt:
            nodes = [nodes[crc32(address.document.encode()) % len(nodes)]]
        urls = tuple(node.url_of(address.document) for node in nodes)
        return replace(address, url=urls[0], urls=urls)

    def usage(self) -> Usage:
        """What all nodes have used so far."""
        return reduce(add, (node.usage() for node in self._nodes))

    def database_usage(self) -> Usage:
        """What PostgreSQL has used so far, all its processes together."""
        return self._database.usage()

    def bus_usage(self) -> Usage:
        """What Redis has used so far."""
        return self._redis.usage()

    async def counts(self) -> Counts | None:
        """What the metrics of all nodes say, together."""
        counted = await asyncio.gather(*(node.counts() for node in self._nodes))
        return reduce(add, (each for each in counted if each is not None))

    async def metrics(self) -> dict[str, float]:
        """What stands on the pages of metrics of all nodes, each figure summed up."""
        pages = await asyncio.gather(*(node.metrics() for node in self._nodes))
        return {name: sum(page[name] for page in pages) for name in pages[0]}

    def bus_bytes(self) -> int:
        """All that Redis was sent so far."""
        return self._redis.received_bytes()

    def wakes(self) -> int:
        """How often any of the nodes had nothing to do and was woken again."""
        return sum(wakes_of(node.process.pid) for node in self._nodes)

    async def journal(self, documents: Sequence[str]) -> Sequence[bytes] | None:
        """What PostgreSQL has of prompts."""
        return await self._database.journal(documents)

    def kill(self) -> None:
        """End all of it as `kill -9` does, at once."""
        for node in self._nodes:
            node.process.send(signal.SIGKILL)
        self._redis.process.send(signal.SIGKILL)
        self._database.kill()
        self._redis.process.kill()
        for node in self._nodes:
            node.kill()

    async def restart(self, *, forgets: bool = False) -> None:
        """Start all of it again."""
        await asyncio.to_thread(self._database.restart)
        await asyncio.to_thread(self._redis.start)
        await asyncio.gather(*(node.restart(forgets=forgets) for node in self._nodes))

    async def has_forgotten(self) -> bool:
        """Whether no prompt is live any more on any node."""
        return all(await asyncio.gather(*(node.has_forgotten() for node in self._nodes)))

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.stop()


class Node(Promptroom):
    """One of several.

    Args:
        number: which, from 0.
        whole: what it is a node of.
        nodes: how many there are; where there are cores enough, each has one of its own.
    """

    def __init__(self, number: int, whole: PromptroomNodes, nodes: int) -> None:
        super().__init__(f"{whole.name}-{number}")
        self._number = number
        self._whole = whole
        self._nodes = nodes

    def core(self) -> frozenset[int]:
        """Its own, or the one that all share."""
        return cores(self._nodes).of_node(self._number)

    def settings(self) -> Mapping[str, str]:
        """What a lone server is told, with what all nodes share."""
        return {**super().settings(), **self._whole.shared_settings()}

    def url_of(self, document: str) -> str:
        """Where a document is opened on this node."""
        return f"ws://127.0.0.1:{self.port}/ws/{document}"

"""The kinds of Redis that the bus gets along with: a socket, one without sharded channels, a cluster."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import structlog
import uvloop
from redis.asyncio import Redis

from load.servers.process import free_port
from server.redis_server import RedisServers, as_loss, slot_of
from tests.server.bus_nodes import RedisNodes
from tests.support.redis import RedisServer
from tests.support.waiting import wait_until

PASSWORD = "hunter2"
THIRDS = (range(5_461), range(5_461, 10_923), range(10_923, 16_384))


@pytest.fixture
async def nodes() -> AsyncIterator[RedisNodes]:
    nodes = RedisNodes("redis://nowhere")
    yield nodes
    await nodes.close()


@pytest.mark.parametrize(
    "url",
    [
        "redis://h",
        "redis://user:p%40ss@h:6379/3",
        "rediss://:p@h:6380/0?ssl_ca_certs=/ca.pem&ssl_cert_reqs=none&ssl_check_hostname=false",
        "rediss://h?ssl_certfile=/c.pem&ssl_keyfile=/k.pem",
        "unix:///run/redis.sock?db=3&username=u&password=p",
    ],
)
def test_every_url_that_the_settings_accept_can_be_used(url: str) -> None:
    RedisServers(url).connection(None)


async def test_a_socket_of_the_file_system(nodes: RedisNodes, tmp_path: Path) -> None:
    path = tmp_path / "redis.sock"
    server = RedisServer("--unixsocket", str(path), "--requirepass", PASSWORD)
    server.start()
    try:
        node = await nodes.up(f"unix://{path}?password={PASSWORD}")
        await node.listen("prompt:1")
        node.bus.publish("prompt:1", b"heard")
        await node.has_heard("prompt:1", b"heard")
    finally:
        await nodes.close()
        server.close()


async def test_a_redis_without_sharded_channels(nodes: RedisNodes) -> None:
    server = RedisServer("--rename-command", "SPUBLISH", "", "--rename-command", "HELLO", "")
    server.start()
    try:
        sender, other = await nodes.up(server.url), await nodes.up(server.url)
        await other.listen("prompt:1")
        sender.bus.publish("prompt:1", b"heard")
        await other.has_heard("prompt:1", b"heard")
        other.bus.unsubscribe("prompt:1")
        await other.listen("prompt:1")
        server.kill()
        for node in (sender, other):
            await node.is_down()
        server.start()
        for node in (sender, other):
            await node.is_up()
        sender.bus.publish("prompt:1", b"again")
        await other.has_heard("prompt:1", b"heard", b"again")
    finally:
        await nodes.close()
        server.close()


# --- a cluster ------------------------------------------------------------------------------------------------------


async def say(client: Redis, *command: object) -> str:
    """Give a command that is answered with a text."""
    return str(await client.execute_command(*command))  # type: ignore[no-untyped-call]


class Cluster:
    """Three servers that share the hash slots, and a client of each."""

    def __init__(self) -> None:
        self._bus_ports = [free_port() for _ in THIRDS]
        # What the servers have to say to each other goes over the port of the cluster.
        self.servers = [
            RedisServer("--cluster-enabled", "yes", "--cluster-port", str(port), "--cluster-node-timeout", "2000")
            for port in self._bus_ports
        ]
        self.clients: list[Redis] = []
        self._stack = AsyncExitStack()

    async def start(self) -> None:
        """Start the servers, and wait until they agree."""
        for server in self.servers:
            server.start()
            self.clients.append(
                await self._stack.enter_async_context(Redis.from_url(server.url, decode_responses=True))
            )
        first = self.servers[0].port, self._bus_ports[0]
        for client, slots in zip(self.clients, THIRDS, strict=True):
            await say(client, "CLUSTER", "ADDSLOTSRANGE", slots[0], slots[-1])
            await say(client, "CLUSTER", "MEET", "127.0.0.1", *first)
        await wait_until(self.is_whole, what="the cluster is whole")

    async def close(self) -> None:
        """Stop the servers."""
        await self._stack.aclose()
        for server in self.servers:
            server.close()

    async def is_whole(self) -> bool:
        """Whether every server knows of all others and serves all slots."""
        said = [await say(client, "CLUSTER", "INFO") for client in self.clients]
        return all("cluster_state:ok" in one and "cluster_size:3" in one for one in said)

    async def move(self, slot: int, *, to: int) -> None:
        """Give a hash slot to another server."""
        name = await say(self.clients[to], "CLUSTER", "MYID")
        for client in (self.clients[to], *self.clients):
            await say(client, "CLUSTER", "SETSLOT", slot, "NODE", name)


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    cluster = Cluster()
    await cluster.start()
    yield cluster
    await cluster.close()


def owner(channel: str) -> int:
    """Return the number of the server that a channel belongs to at first."""
    slot = slot_of(f"promptroom:0:{{{channel}}}".encode())
    return next(number for number, slots in enumerate(THIRDS) if slot in slots)


@pytest.mark.slow
async def test_a_cluster_carries_each_channel_on_its_shard(cluster: Cluster, nodes: RedisNodes) -> None:
    # Any server of it knows the others.
    sender, other = await nodes.up(cluster.servers[0].url), await nodes.up(cluster.servers[1].url)
    channels = [f"prompt:{number}" for number in range(60)]
    assert {owner(channel) for channel in channels} == {0, 1, 2}
    await asyncio.gather(*(other.listen(channel) for channel in channels))
    for number in range(20):
        for channel in channels:
            sender.bus.publish(channel, b"%d" % number)
    for channel in channels:
        await other.has_heard(channel, *(b"%d" % number for number in range(20)))
    for number, client in enumerate(cluster.clients):
        carried = {str(name) for name in await client.pubsub_shardchannels("promptroom:0:{prompt:*")}
        assert carried == {f"promptroom:0:{{{channel}}}" for channel in channels if owner(channel) == number}
    assert await sender.bus.ping() > 0


@pytest.mark.slow
async def test_a_shard_that_is_gone_is_a_loss(cluster: Cluster, nodes: RedisNodes) -> None:
    sender, other = await nodes.up(cluster.servers[0].url), await nodes.up(cluster.servers[1].url)
    channels = [f"prompt:{number}" for number in range(10)]
    await asyncio.gather(*(other.listen(channel) for channel in channels))
    # The one that the sender's URL names: another will tell it the layout.
    cluster.servers[0].kill()
    for node in (sender, other):
        await node.is_down()
    cluster.servers[0].start()
    for node in (sender, other):
        await node.is_up_again()
    for channel in channels:
        sender.bus.publish(channel, b"found")
        await other.has_heard(channel, b"found")


@pytest.mark.slow
async def test_a_hash_slot_that_moves_is_followed(cluster: Cluster, nodes: RedisNodes) -> None:
    sender, other = await nodes.up(cluster.servers[0].url), await nodes.up(cluster.servers[1].url)
    await other.listen("prompt:1")
    slot = slot_of(b"promptroom:0:{prompt:1}")
    there = (owner("prompt:1") + 1) % len(THIRDS)
    await cluster.move(slot, to=there)
    await other.is_up_again()

    async def is_heard() -> bool:
        # The sender learns of the move when it next sends to where the slot was.
        sender.bus.publish("prompt:1", b"found")
        return bool(other.heard["prompt:1"])

    await wait_until(is_heard, what="the message")
    assert "promptroom:0:{prompt:1}" in await cluster.clients[there].pubsub_shardchannels()


async def test_a_cluster_that_is_not_whole_is_waited_for(nodes: RedisNodes) -> None:
    alone = RedisServer("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    alone.start()
    try:
        with structlog.testing.capture_logs() as log:
            node = await nodes.start(alone.url)
            await wait_until(lambda: log, what="a line in the log")
        assert log[0]["reason"] == "the cluster serves 0 of 16384 hash slots"
        async with Redis.from_url(alone.url) as client:
            await say(client, "CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        # It does not even know its own name.
        await node.is_up()
        await node.listen("prompt:1")
        node.bus.publish("prompt:1", b"found")
        await node.has_heard("prompt:1", b"found")
    finally:
        await nodes.close()
        alone.close()


def test_a_line_that_is_gone_before_we_speak_is_a_loss_and_no_defect_of_ours() -> None:
    """The event loop of the server says it in its own way."""

    async def speak() -> Exception:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
            await reader.read()
            writer.transport.abort()
            await asyncio.sleep(0)
            try:
                writer.writelines([b"HELLO"])
            except RuntimeError as error:
                return error
        message = "uvloop took it"
        raise AssertionError(message)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, structlog.testing.capture_logs() as logs:
        assert str(as_loss(runner.run(speak()))) == "Connection closed by server."
    assert not logs

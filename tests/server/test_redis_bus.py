"""What can happen to a bus because there is a Redis in it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
import structlog
from redis.asyncio import Redis
from structlog.typing import EventDict

from server.bus import BusUnavailable
from server.redis_bus import (
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    NODES_REMEMBERED,
    STEADY_SECONDS,
    Pauses,
    Stamps,
)
from server.redis_link import QUEUE_BYTES
from server.telemetry import REGISTRY
from tests.faults.cluster.lane import Direction
from tests.faults.cluster.proxy import Proxy
from tests.server.bus_nodes import Node, RedisNodes
from tests.support.redis import RedisServer
from tests.support.waiting import wait_until

PASSWORD = "hunter2"


@pytest.fixture
async def nodes(redis: RedisServer) -> AsyncIterator[RedisNodes]:
    nodes = RedisNodes(redis.url)
    yield nodes
    await nodes.close()


@pytest.fixture
async def asking(redis: RedisServer) -> AsyncIterator[Redis]:
    """A client of Redis that has nothing to do with the bus."""
    async with Redis.from_url(redis.url) as client:
        yield client


@pytest.fixture
async def line(redis: RedisServer) -> AsyncIterator[Proxy]:
    """A line to Redis that can be slow, stalled or cut."""
    async with Proxy(redis.port) as proxy:
        yield proxy


@pytest.fixture
def log() -> Iterator[list[EventDict]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


def events(log: list[EventDict]) -> list[str]:
    return [line["event"] for line in log]


def over(line: Proxy) -> str:
    return f"redis://127.0.0.1:{line.port}/0"


def dropped() -> float:
    return REGISTRY.get_sample_value("promptroom_bus_dropped_total") or 0.0


async def connections_so_far(asking: Redis) -> int:
    """Return how many connections Redis has accepted in its life."""
    return int((await asking.info("stats"))["total_connections_received"])


async def _has_had(asking: Redis, connections: int) -> bool:
    return await connections_so_far(asking) >= connections


def open_files() -> int:
    """Return how many files and connections this process has open."""
    return sum(1 for _ in Path("/dev/fd").iterdir())


async def clients(asking: Redis) -> int:
    """Return how many connections Redis has besides the one that asks."""
    return len(await asking.client_list()) - 1


# --- losing Redis ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_a_redis_that_hangs_is_lost_and_found_again(
    nodes: RedisNodes, redis: RedisServer, log: list[EventDict]
) -> None:
    sender, other = await nodes.up(), await nodes.up()
    await other.listen("prompt:1")
    log.clear()
    redis.pause()
    for node in (sender, other):
        await node.is_down()
    redis.resume()
    for node in (sender, other):
        await node.is_up()
        assert node.changes == [True, False, True]
    sender.bus.publish("prompt:1", b"found")
    await other.has_heard("prompt:1", b"found")
    assert sorted(events(log)) == ["bus_down"] * 2 + ["bus_up"] * 2


@pytest.mark.slow
async def test_what_a_hanging_redis_reads_late_does_not_come_between(
    nodes: RedisNodes, redis: RedisServer, asking: Redis
) -> None:
    sender = await nodes.up()
    # The witness is patient: no loss of its connection hides what Redis was told.
    witness = asking.pubsub()
    await witness.ssubscribe("promptroom:0:{prompt:1}")
    assert (await witness.get_message(timeout=None))["type"] == "ssubscribe"
    redis.pause()
    for payload in (b"late", b"late" * 2_000_000, b"never sent"):
        sender.bus.publish("prompt:1", payload)
    await sender.is_down()
    redis.resume()
    await sender.is_up()
    sender.bus.publish("prompt:1", b"new")
    await sender.bus.ping()
    await wait_until(partial(_are, asking, 3), what="the lost connections are gone, the witness's is not")
    await asking.spublish("promptroom:0:{prompt:1}", b"that is all")
    heard: list[bytes] = []
    while not heard or heard[-1] != b"that is all":
        heard.append((await witness.get_message(timeout=None))["data"])
    await witness.aclose()  # type: ignore[no-untyped-call]
    assert not [one for one in heard if one.endswith(b"never sent")]

    # Whatever it was, told in the worst order, nobody is given what is older than the new.
    other = await nodes.up()
    await other.listen("prompt:1")
    for one in reversed(heard):
        await asking.spublish("promptroom:0:{prompt:1}", one)
    sender.bus.publish("prompt:1", b"at last")
    await other.has_heard("prompt:1", b"new", b"at last")


def test_only_so_many_nodes_are_remembered() -> None:
    stamps, before = Stamps(), Stamps()
    before.renew()
    old = before.stamp
    before.renew()
    assert stamps.unpack(before.stamp + b"new") == b"new"
    assert stamps.unpack(old + b"old") is None
    for _ in range(NODES_REMEMBERED):
        other = Stamps()
        other.renew()
        assert stamps.unpack(other.stamp) == b""
    # Nobody knows any more that there was anything newer.
    assert stamps.unpack(old + b"old") == b"old"


async def test_what_is_none_of_ours_is_ignored(nodes: RedisNodes, asking: Redis) -> None:
    node = await nodes.up()
    await node.listen("prompt:1")
    await asking.spublish("promptroom:0:{prompt:1}", b"")
    await asking.spublish("promptroom:0:{prompt:1}", b"hello")
    node.bus.publish("prompt:1", b"ours")
    await node.has_heard("prompt:1", b"ours")


@pytest.mark.slow
@pytest.mark.parametrize("direction", [Direction.TO_SERVER, Direction.TO_CLIENT])
async def test_a_line_that_is_cut_one_way_is_lost(nodes: RedisNodes, line: Proxy, direction: Direction) -> None:
    sender, far = await nodes.up(), await nodes.up(over(line))
    await far.listen("prompt:1")
    line.drop(direction)
    await far.is_down()
    assert sender.bus.is_up
    line.heal()
    await far.is_up()
    sender.bus.publish("prompt:1", b"found")
    await far.has_heard("prompt:1", b"found")
    assert (sender.changes, far.changes) == ([True], [True, False, True])


@pytest.mark.slow
async def test_a_slow_line_is_not_lost(nodes: RedisNodes, line: Proxy) -> None:
    line.delay(0.2)
    far, near = await nodes.up(over(line)), await nodes.up()
    await far.listen("prompt:1")
    for number in range(1, 6):
        near.bus.publish("prompt:1", b"%d" % number)
        assert await far.bus.ping() >= 0.4
    await far.has_heard("prompt:1", b"1", b"2", b"3", b"4", b"5")
    assert far.changes == [True]


@pytest.mark.parametrize("kind", ["pubsub", "normal"])
async def test_a_connection_that_redis_ends_is_made_again(nodes: RedisNodes, asking: Redis, kind: str) -> None:
    sender, other = await nodes.up(), await nodes.up()
    await other.listen("prompt:1")
    await asking.client_kill_filter(_type=kind, skipme=True)
    for node in (sender, other):
        await node.is_up_again()
    sender.bus.publish("prompt:1", b"found")
    await other.has_heard("prompt:1", b"found")
    assert await clients(asking) == 4


async def test_flushing_redis_takes_nothing(nodes: RedisNodes, redis: RedisServer) -> None:
    sender, other = await nodes.up(), await nodes.up()
    await other.listen("prompt:1")
    redis.flush()
    sender.bus.publish("prompt:1", b"heard")
    await other.has_heard("prompt:1", b"heard")
    assert (sender.changes, other.changes) == ([True], [True])


async def test_thousands_of_channels_are_subscribed_again_in_few_commands(
    nodes: RedisNodes, redis: RedisServer
) -> None:
    sender, other = await nodes.up(), await nodes.up()
    channels = [f"prompt:{number}" for number in range(3_000)]
    await asyncio.gather(*(other.listen(channel) for channel in channels))
    redis.kill()
    await other.is_down()
    redis.start()
    await sender.is_up()
    await other.is_up()
    async with Redis.from_url(redis.url) as asking:
        subscribed: dict[str, Any] = await asking.info("commandstats")
        assert subscribed["cmdstat_ssubscribe"]["calls"] <= 10
    for channel in channels:
        sender.bus.publish(channel, b"found")
    for channel in channels:
        await other.has_heard(channel, b"found")


async def test_whatever_happens_what_is_wanted_is_heard(nodes: RedisNodes, asking: Redis, rng: Random) -> None:
    sender, other = await nodes.up(), await nodes.up()
    channels = [f"prompt:{number}" for number in range(20)]
    wanted: set[str] = set()
    waiting: list[asyncio.Task[None]] = []
    for _ in range(1_000):
        channel = rng.choice(channels)
        if rng.random() < 0.01:
            await asking.client_kill_filter(_type=rng.choice(("pubsub", "normal")), skipme=True)
        elif rng.random() < 0.5:
            sender.bus.publish(channel, b"noise")
        elif channel in wanted:
            wanted.discard(channel)
            other.bus.unsubscribe(channel)
        else:
            wanted.add(channel)
            waiting.append(asyncio.create_task(other.listen(channel)))
            # A task begins in the next turn.
            await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    for node in (sender, other):
        await wait_until(partial(_pings, node), what="a round trip")
    await other.listen("nodes")
    for channel in (*channels, "nodes"):
        sender.bus.publish(channel, b"at last")
    await other.has_heard("nodes", b"at last")
    assert {channel for channel in channels if b"at last" in other.heard[channel]} == wanted


async def _pings(node: Node) -> bool:
    try:
        return await node.bus.ping() >= 0
    except BusUnavailable:
        return False


# --- not finding Redis ----------------------------------------------------------------------------------------------


async def test_a_server_starts_without_redis_and_finds_it_later(
    nodes: RedisNodes, redis: RedisServer, log: list[EventDict]
) -> None:
    redis.kill()
    node = await nodes.start()
    await node.listen("prompt:1")
    await wait_until(lambda: log, what="a line in the log")
    with pytest.raises(BusUnavailable, match="connecting to"):
        await node.bus.ping()
    assert node.changes == []
    redis.start()
    await node.is_up()
    node.bus.publish("prompt:1", b"found")
    await node.has_heard("prompt:1", b"found")
    assert node.changes == [True]
    assert events(log) == ["bus_down", "bus_up"]


async def test_a_wrong_password_is_said_and_tried_again(
    nodes: RedisNodes, redis: RedisServer, asking: Redis, log: list[EventDict]
) -> None:
    await asking.ping()
    await asking.config_set("requirepass", "another")
    try:
        node = await nodes.start(f"redis://:{PASSWORD}@127.0.0.1:{redis.port}/0")
        before = await connections_so_far(asking)
        await wait_until(partial(_has_had, asking, before + 5), what="some attempts")
        assert not node.bus.is_up
        await asking.config_set("requirepass", PASSWORD)
        await node.is_up()
    finally:
        await asking.config_set("requirepass", "")
    assert events(log) == ["bus_down", "bus_up"]
    assert "password" in log[0]["reason"]
    assert (log[0]["redis"], log[0]["see"]) == (f"127.0.0.1:{redis.port}", "REDIS_URL")
    assert PASSWORD not in str(log)


async def test_a_url_that_never_answers_holds_nobody_up(nodes: RedisNodes, line: Proxy) -> None:
    line.stall()
    node = await nodes.start(over(line))
    await node.listen("prompt:1")
    node.bus.publish("prompt:1", b"dropped")
    node.bus.unsubscribe("prompt:1")
    with pytest.raises(BusUnavailable, match="not connected yet"):
        await node.bus.ping()
    await wait_until(lambda: line.open_connections, what="an attempt")
    await node.bus.close()
    assert node.changes == []


def test_the_pauses_grow_and_are_uneven(rng: Random) -> None:
    many = [Pauses(rng) for _ in range(100)]
    longest = 0.0
    for _ in range(20):
        pauses = [one.next() for one in many]
        assert len(set(pauses)) > 90
        assert FIRST_PAUSE_SECONDS / 2 <= min(pauses) <= max(pauses) <= LONGEST_PAUSE_SECONDS
        assert max(pauses) >= longest * 0.9
        longest = max(pauses)
    assert longest > LONGEST_PAUSE_SECONDS * 0.9


def test_only_a_bus_that_lasted_makes_the_pauses_short_again(rng: Random) -> None:
    pauses = Pauses(rng)
    for _ in range(2_000):
        pauses.next()
    pauses.was_up_for(STEADY_SECONDS / 2)
    assert pauses.next() > FIRST_PAUSE_SECONDS
    pauses.was_up_for(STEADY_SECONDS)
    assert pauses.next() <= FIRST_PAUSE_SECONDS


# --- what waits -----------------------------------------------------------------------------------------------------


async def test_what_waits_is_bounded_and_the_rest_is_dropped(nodes: RedisNodes, asking: Redis) -> None:
    # Redis itself hangs up on a subscriber for which so much waits: this one may be slow.
    await asking.config_set("client-output-buffer-limit", "pubsub 0 0 0")
    sender, other = await nodes.up(), await nodes.up()
    await other.listen("prompt:1")
    before = dropped()
    payloads = [b"%02d" % number + bytes(1024 * 1024) for number in range(40)]
    for payload in payloads:
        sender.bus.publish("prompt:1", payload)
    kept = QUEUE_BYTES // len(payloads[0])
    assert kept < len(payloads)
    assert dropped() == before + len(payloads) - kept
    await other.has_heard("prompt:1", *payloads[:kept])
    # There is room again.
    sender.bus.publish("prompt:1", payloads[-1])
    await other.has_heard("prompt:1", *payloads[:kept], payloads[-1])


async def test_a_subscription_that_nobody_waits_for_any_more_hurts_nobody(nodes: RedisNodes, line: Proxy) -> None:
    node = await nodes.up(over(line))
    line.stall(Direction.TO_CLIENT)
    waiting = asyncio.create_task(node.listen("prompt:1"))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    line.heal()
    await node.listen("prompt:2")
    node.bus.publish("prompt:1", b"heard")
    await node.has_heard("prompt:1", b"heard")


@pytest.mark.slow
async def test_a_subscription_ends_its_waiting_when_redis_is_lost(nodes: RedisNodes, line: Proxy) -> None:
    node = await nodes.up(over(line))
    line.stall()
    await node.listen("prompt:1")
    assert not node.bus.is_up


# --- letting go -----------------------------------------------------------------------------------------------------


async def test_closing_leaves_no_task_and_no_connection(nodes: RedisNodes, asking: Redis) -> None:
    await asking.ping()
    tasks, connections = asyncio.all_tasks(), await clients(asking)
    node = await nodes.up()
    await node.listen("prompt:1")
    assert await clients(asking) == connections + 2
    await node.bus.close()
    assert asyncio.all_tasks() == tasks
    await wait_until(partial(_are, asking, connections), what="Redis has seen them go")


async def _are(asking: Redis, connections: int) -> bool:
    return await clients(asking) == connections


@pytest.mark.slow
async def test_closing_waits_for_no_redis_that_hangs(nodes: RedisNodes, redis: RedisServer) -> None:
    tasks, files = asyncio.all_tasks(), open_files()
    node = await nodes.up()
    redis.pause()
    # Far more than the system's buffers take.
    for _ in range(30):
        node.bus.publish("prompt:1", bytes(1024 * 1024))
    await asyncio.sleep(0)
    await node.bus.close()
    assert asyncio.all_tasks() == tasks
    await wait_until(lambda: open_files() == files, what="the connections are closed")


# --- who shares a Redis ---------------------------------------------------------------------------------------------


async def test_deployments_with_different_databases_hear_nothing_of_each_other(
    nodes: RedisNodes, redis: RedisServer
) -> None:
    first, same = await nodes.up(), await nodes.up(f"redis://127.0.0.1:{redis.port}?db=0")
    # More databases than Redis has: none is ever selected.
    other = await nodes.up(f"redis://127.0.0.1:{redis.port}/99")
    for node in (first, same, other):
        await node.listen("nodes")
    first.bus.publish("nodes", b"ours")
    await same.has_heard("nodes", b"ours")
    other.bus.publish("nodes", b"theirs")
    await other.has_heard("nodes", b"theirs")
    await first.has_heard("nodes", b"ours")

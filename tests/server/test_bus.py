"""What every bus promises, with nodes in one process and with nodes that share a Redis."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from random import Random
from typing import Protocol

import pytest
import structlog

from server.bus import Bus, BusUnavailable, Exchange, InProcessBus
from server.limits import MAX_FRAME_BYTES
from server.redis_bus import RedisBus
from server.telemetry import REGISTRY
from tests.server.bus_nodes import Node
from tests.support.redis import RedisServer
from tests.support.waiting import wait_until


class Deployment(Protocol):
    """Nodes that share a bus, which can be taken from all of them."""

    def bus(self) -> Bus: ...

    def take_down(self) -> None: ...

    def bring_back(self) -> None: ...


class InOneProcess:
    def __init__(self) -> None:
        self._exchange = Exchange()
        self._buses: list[InProcessBus] = []

    def bus(self) -> Bus:
        bus = InProcessBus(self._exchange)
        self._buses.append(bus)
        return bus

    def take_down(self) -> None:
        for bus in self._buses:
            bus.cut_off()

    def bring_back(self) -> None:
        for bus in self._buses:
            bus.mend()


class OverRedis:
    def __init__(self, redis: RedisServer) -> None:
        self._redis = redis

    def bus(self) -> Bus:
        return RedisBus(self._redis.url)

    def take_down(self) -> None:
        self._redis.kill()

    def bring_back(self) -> None:
        self._redis.start()


@pytest.fixture(params=["in_process", "redis"])
def deployment(request: pytest.FixtureRequest) -> Deployment:
    return InOneProcess() if request.param == "in_process" else OverRedis(request.getfixturevalue("redis"))


NewNode = Callable[[], Awaitable[Node]]


@pytest.fixture
async def new_node(deployment: Deployment) -> AsyncIterator[NewNode]:
    """Makes nodes whose bus is up; all are closed at the end."""
    nodes: list[Node] = []

    async def make() -> Node:
        node = Node(deployment.bus())
        nodes.append(node)
        await node.start()
        await node.is_up()
        return node

    yield make
    for node in nodes:
        await node.bus.close()


def numbered(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


def metric(name: str) -> float:
    return REGISTRY.get_sample_value(f"promptroom_bus_{name}") or 0.0


async def test_a_bus_of_several_nodes_says_so(new_node: NewNode) -> None:
    node = await new_node()
    assert node.bus.is_shared
    assert node.bus.kind in {"in_process", "redis"}
    assert node.changes == [True]
    assert metric("up") == 1


async def test_every_subscriber_gets_all_in_order_the_sender_too(new_node: NewNode) -> None:
    sender, other, third = [await new_node() for _ in range(3)]
    for node in (sender, other, third):
        await node.listen("prompt:1")
    for payload in numbered(1_000):
        sender.bus.publish("prompt:1", payload)
    for node in (sender, other, third):
        await node.has_heard("prompt:1", *numbered(1_000))


async def test_the_order_holds_over_many_turns_and_sizes(new_node: NewNode, rng: Random) -> None:
    sender, other = await new_node(), await new_node()
    await other.listen("prompt:1")
    sent = [b"%d " % number + b"x" * rng.choice((0, 100, 7_000, 200_000)) for number in range(200)]
    for payload in sent:
        sender.bus.publish("prompt:1", payload)
        if rng.random() < 0.3:
            await asyncio.sleep(0)
    await other.has_heard("prompt:1", *sent)


async def test_who_has_subscribed_hears_the_very_next_message(new_node: NewNode) -> None:
    sender, other = await new_node(), await new_node()
    for number in range(50):
        channel = f"prompt:{number}"
        await other.listen(channel)
        sender.bus.publish(channel, b"first")
        await other.has_heard(channel, b"first")


async def test_channels_are_kept_apart(new_node: NewNode) -> None:
    sender, other = await new_node(), await new_node()
    for channel in ("prompt:1", "prompt:2", "nodes"):
        await other.listen(channel)
    for channel in ("prompt:2", "prompt:3", "nodes", "prompt:1"):
        sender.bus.publish(channel, channel.encode())
    for channel in ("prompt:1", "prompt:2", "nodes"):
        await other.has_heard(channel, channel.encode())
    assert not other.heard["prompt:3"]


async def test_nothing_is_heard_after_unsubscribing(new_node: NewNode) -> None:
    sender, other = await new_node(), await new_node()
    await other.listen("prompt:1")
    await other.listen("nodes")
    other.bus.unsubscribe("prompt:1")
    other.bus.unsubscribe("prompt:1")
    other.bus.unsubscribe("never")
    sender.bus.publish("prompt:1", b"unheard")
    sender.bus.publish("nodes", b"heard")
    await other.has_heard("nodes", b"heard")
    assert not other.heard["prompt:1"]

    await other.listen("prompt:1")
    sender.bus.publish("prompt:1", b"again")
    await other.has_heard("prompt:1", b"again")


async def test_a_channel_that_is_left_and_joined_at_once_is_joined(new_node: NewNode) -> None:
    sender, other = await new_node(), await new_node()
    await other.listen("prompt:1")
    for number in range(20):
        other.bus.unsubscribe("prompt:1")
        await other.listen("prompt:1")
        sender.bus.publish("prompt:1", b"%d" % number)
        await other.has_heard("prompt:1", *numbered(number + 1))


async def test_subscribing_again_replaces_the_handler(new_node: NewNode) -> None:
    node = await new_node()
    await node.listen("prompt:1")
    replaced = node.heard.pop("prompt:1")
    await node.listen("prompt:1")
    node.bus.publish("prompt:1", b"once")
    await node.has_heard("prompt:1", b"once")
    assert not replaced


async def test_a_handler_that_raises_ends_nothing(new_node: NewNode) -> None:
    sender, other = await new_node(), await new_node()

    def fail(payload: bytes) -> None:
        raise ValueError(payload)

    await other.bus.subscribe("prompt:1", fail)
    await other.listen("prompt:2")
    with structlog.testing.capture_logs() as log:
        sender.bus.publish("prompt:1", b"bad")
        sender.bus.publish("prompt:2", b"good")
        await other.has_heard("prompt:2", b"good")
    assert [(line["event"], line["channel"]) for line in log] == [("bus_handler_failed", "prompt:1")]
    assert other.changes == [True]


async def test_no_handler_is_called_from_within_a_call(new_node: NewNode) -> None:
    node = await new_node()
    answered: list[bytes] = []

    def answer(payload: bytes) -> None:
        if len(payload) < 10:
            before = len(answered)
            node.bus.publish("prompt:1", payload + b"x")
            assert len(answered) == before
        answered.append(payload)

    await node.bus.subscribe("prompt:1", answer)
    node.bus.publish("prompt:1", b"")
    assert not answered
    await wait_until(lambda: len(answered) == 11, what="all answers")
    assert answered == [b"x" * length for length in range(11)]


async def test_the_largest_message_passes(new_node: NewNode) -> None:
    sender, other = await new_node(), await new_node()
    await other.listen("prompt:1")
    large = bytes(range(256)) * (MAX_FRAME_BYTES // 256)
    sender.bus.publish("prompt:1", large)
    sender.bus.publish("prompt:1", b"after it")
    await other.has_heard("prompt:1", large, b"after it")


async def test_a_ping_is_a_time(new_node: NewNode) -> None:
    node = await new_node()
    began = time.monotonic()
    seconds = await node.bus.ping()
    assert 0 <= seconds <= time.monotonic() - began


async def test_a_loss_is_told_and_healed(new_node: NewNode, deployment: Deployment) -> None:
    sender, other = await new_node(), await new_node()
    await other.listen("prompt:1")
    await other.listen("prompt:2")
    deployment.take_down()
    for node in (sender, other):
        await node.is_down()
        assert node.changes == [True, False]
        with pytest.raises(BusUnavailable, match=r"^[^\n]+$"):
            await node.bus.ping()

    dropped = metric("dropped_total")
    sender.bus.publish("prompt:1", b"lost")
    assert metric("dropped_total") == dropped + 1
    # Neither waits for a bus that is down.
    other.bus.unsubscribe("prompt:2")
    await other.listen("prompt:3")

    deployment.bring_back()
    for node in (sender, other):
        await node.is_up()
        assert node.changes == [True, False, True]
    for channel in ("prompt:2", "prompt:1", "prompt:3"):
        sender.bus.publish(channel, b"found")
    await other.has_heard("prompt:1", b"found")
    await other.has_heard("prompt:3", b"found")
    assert not other.heard["prompt:2"]


async def test_losses_without_end_are_told_one_by_one(new_node: NewNode, deployment: Deployment) -> None:
    node = await new_node()
    await node.listen("prompt:1")
    for number in range(1, 4):
        deployment.take_down()
        await node.is_down()
        deployment.bring_back()
        await node.is_up()
        assert node.changes == [True, *([False, True] * number)]
        node.bus.publish("prompt:1", b"%d" % number)
        await node.has_heard("prompt:1", *numbered(number + 1)[1:])


async def test_a_listener_to_changes_that_raises_ends_nothing(deployment: Deployment) -> None:
    bus = deployment.bus()

    def fail(is_up: bool) -> None:  # noqa: FBT001 - as it is called
        raise ValueError(is_up)

    with structlog.testing.capture_logs() as log:
        await bus.start(fail)
        await wait_until(lambda: bus.is_up, what="the bus is up")
        assert await bus.ping() >= 0
    await bus.close()
    assert [line["is_up"] for line in log if line["event"] == "bus_change_failed"] == [True]


async def test_a_listener_to_changes_may_use_the_bus(deployment: Deployment) -> None:
    node = Node(deployment.bus())
    subscribing: list[asyncio.Task[None]] = []

    def changed(is_up: bool) -> None:  # noqa: FBT001 - as it is called
        if is_up:
            subscribing.append(asyncio.create_task(node.listen("nodes")))
            node.bus.publish("nodes", b"perhaps too early")

    await node.bus.start(changed)
    await node.is_up()
    await asyncio.gather(*subscribing)
    node.bus.publish("nodes", b"here")
    await wait_until(lambda: b"here" in node.heard["nodes"], what="the message")
    await node.bus.close()


async def test_the_last_words_of_a_node_are_heard(new_node: NewNode) -> None:
    leaving, other = await new_node(), await new_node()
    await other.listen("nodes")
    await leaving.listen("nodes")
    for payload in numbered(100):
        leaving.bus.publish("nodes", payload)
    await leaving.bus.close()
    await other.has_heard("nodes", *numbered(100))
    assert not leaving.bus.is_up
    assert leaving.changes == [True]


async def test_a_closed_bus_does_nothing(new_node: NewNode) -> None:
    closed, other = await new_node(), await new_node()
    await closed.listen("nodes")
    await other.listen("nodes")
    await closed.bus.close()
    await closed.bus.close()
    closed.bus.publish("nodes", b"unheard")
    closed.bus.unsubscribe("nodes")
    other.bus.publish("nodes", b"heard")
    await other.has_heard("nodes", b"heard")
    assert not closed.heard["nodes"]
    with pytest.raises(BusUnavailable):
        await closed.bus.ping()


async def test_what_passes_is_counted(new_node: NewNode) -> None:
    sender, other = await new_node(), await new_node()
    await other.listen("prompt:1")
    before = metric("published_total"), metric("received_total")
    for payload in numbered(10):
        sender.bus.publish("prompt:1", payload)
    await other.has_heard("prompt:1", *numbered(10))
    await wait_until(lambda: metric("published_total") == before[0] + 10, what="ten messages counted as sent")
    assert metric("received_total") == before[1] + 10


# --- in one process only --------------------------------------------------------------------------------------------


async def test_a_lone_server_has_a_bus_that_does_nothing() -> None:
    node = Node(InProcessBus())
    assert not node.bus.is_shared
    assert node.bus.is_up
    await node.start()
    await node.listen("nodes")
    node.bus.publish("nodes", b"to nobody")
    await wait_until(lambda: node.changes, what="the first change")
    assert await node.bus.ping() == 0.0
    assert (node.changes, node.heard["nodes"]) == ([True], [])
    node.bus.unsubscribe("nodes")
    await node.bus.close()


async def test_an_exchange_loses_what_it_is_told_to() -> None:
    exchange = Exchange(loses=lambda channel, payload: channel == "prompt:1" and payload == b"1")
    sender, other = Node(InProcessBus(exchange)), Node(InProcessBus(exchange))
    for node in (sender, other):
        await node.start()
        await node.is_up()
    await other.listen("prompt:1")
    for payload in numbered(3):
        sender.bus.publish("prompt:1", payload)
    await other.has_heard("prompt:1", b"0", b"2")


async def test_one_node_alone_can_be_cut_off() -> None:
    exchange = Exchange()
    cut_off = InProcessBus(exchange)
    sender, other, third = Node(InProcessBus(exchange)), Node(cut_off), Node(InProcessBus(exchange))
    for node in (sender, other, third):
        await node.start()
        await node.is_up()
        await node.listen("prompt:1")
    sender.bus.publish("prompt:1", b"on its way")
    cut_off.cut_off()
    other.bus.publish("prompt:1", b"never sent")
    sender.bus.publish("prompt:1", b"for others")
    await third.has_heard("prompt:1", b"on its way", b"for others")
    cut_off.mend()
    await wait_until(lambda: other.changes == [True, False, True], what="the node is back")
    other.bus.publish("prompt:1", b"back")
    await third.has_heard("prompt:1", b"on its way", b"for others", b"back")
    assert other.heard["prompt:1"] == [b"back"]
    assert (sender.changes, third.changes) == ([True], [True])

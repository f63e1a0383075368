"""Which nodes are there, and when a process may act on what it knows."""

from uuid import UUID

import structlog

from server.bus import Exchange, InProcessBus
from server.envelope import Heartbeat, NodeMessage, PromptDeleted
from server.nodes import SILENCE_SECONDS, Nodes
from server.pulse import PAUSE_SECONDS, Pulse
from tests.server.living import SECRET, Clock
from tests.support.waiting import wait_until


class Neighbour:
    """One node, and what it was told."""

    def __init__(self, exchange: Exchange | None = None, secret: bytes = SECRET) -> None:
        self.clock = Clock()
        self.bus = InProcessBus(exchange)
        self.nodes = Nodes(self.bus, secret, self.clock)
        self.said: list[tuple[UUID, NodeMessage]] = []
        self.gone: list[UUID] = []
        self.changes: list[bool] = []

    def heard(self, node_id: UUID, message: NodeMessage) -> None:
        self.said.append((node_id, message))

    def node_gone(self, node_id: UUID) -> None:
        self.gone.append(node_id)

    def bus_changed(self, *, is_up: bool) -> None:
        self.changes.append(is_up)

    async def start(self) -> "Neighbour":
        await self.nodes.start(self)
        await wait_until(lambda: self.bus.is_up, what="the bus")
        return self


async def two() -> tuple[Neighbour, Neighbour]:
    exchange = Exchange()
    first, second = await Neighbour(exchange).start(), await Neighbour(exchange).start()
    for one in (first, second):
        one.nodes.tick()
    await wait_until(lambda: first.nodes.others == second.nodes.others == 1, what="the two to know each other")
    return first, second


async def test_nodes_hear_each_other_and_not_themselves() -> None:
    first, second = await two()
    second.nodes.tell_all(PromptDeleted(UUID(int=7)))
    await wait_until(lambda: (second.nodes.node_id, PromptDeleted(UUID(int=7))) in first.said, what="the message")
    assert all(node_id == first.nodes.node_id for node_id, _ in second.said)


async def test_a_node_that_leaves_is_gone_at_once() -> None:
    first, second = await two()
    await second.nodes.close()
    await wait_until(lambda: first.gone == [second.nodes.node_id], what="the farewell")
    assert first.nodes.others == 0


async def test_the_log_says_by_which_name_others_know_a_node_and_when_it_leaves() -> None:
    with structlog.testing.capture_logs() as lines:
        first, second = await two()
        await second.nodes.close()
        await wait_until(lambda: first.gone == [second.nodes.node_id], what="the farewell")
    assert [line["event"] for line in lines if line["node"] == str(second.nodes.node_id)] == [
        "node_starting",
        "node_found",
        "node_left",
    ]


async def test_a_node_that_is_silent_is_gone_in_seconds() -> None:
    first, second = await two()
    first.clock.advance(SILENCE_SECONDS - 0.1)
    first.nodes.tick()
    assert not first.gone
    first.clock.advance(0.2)
    first.nodes.tick()
    assert first.gone == [second.nodes.node_id]
    second.nodes.tick()
    await wait_until(lambda: first.nodes.others == 1, what="it to be found again")


async def test_a_node_with_another_key_is_a_stranger() -> None:
    exchange = Exchange()
    first = await Neighbour(exchange).start()
    stranger = await Neighbour(exchange, secret=b"another secret of thirty-two bytes!!").start()
    friend = await Neighbour(exchange).start()
    stranger.nodes.tick()
    friend.nodes.tick()
    await wait_until(lambda: first.nodes.others, what="the friend")
    assert {type(message) for _, message in first.said} == {Heartbeat}
    assert first.nodes.others == 1


async def test_a_lone_server_says_nothing() -> None:
    lone = await Neighbour().start()
    assert not lone.nodes.are_many
    await lone.nodes.listen(UUID(int=1), lambda *_: None)
    lone.nodes.tell(UUID(int=1), Heartbeat())
    lone.nodes.tick()
    lone.nodes.forget(UUID(int=1))
    await lone.nodes.close()
    assert not lone.said


def test_a_process_that_was_away_is_not_current_until_somebody_has_made_sure() -> None:
    clock = Clock()
    pulse = Pulse(clock)
    for _ in range(5):
        clock.advance(1)
        assert pulse.is_current()
        assert not pulse.beat()
    clock.advance(PAUSE_SECONDS)
    assert not pulse.is_current(), "before the first beat, too"
    assert pulse.beat()
    assert not pulse.is_current()
    clock.advance(1)
    assert pulse.beat(), "again and again, until somebody has"
    pulse.renewed()
    assert pulse.is_current()
    clock.advance(1)
    assert not pulse.beat()

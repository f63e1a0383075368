"""Where the load balancer takes connections, and how it ends them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from random import Random

import pytest

from tests.faults.cluster.door import Door
from tests.faults.cluster.plain_servers import Caller, PlainServer, caller, plain_server
from tests.support.waiting import wait_until

_NODES = 3
_MANY = 30


@pytest.fixture
async def nodes() -> AsyncIterator[list[PlainServer]]:
    """Three servers that echo."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(plain_server(echoes=True)) for _ in range(_NODES)]


@pytest.fixture
async def door(nodes: list[PlainServer], rng: Random) -> AsyncIterator[Door]:
    """The door in front of them, which chooses by chance."""
    async with Door([node.port for node in nodes], rng=rng) as opened:
        yield opened


async def enter(stack: AsyncExitStack, door: Door) -> Caller:
    """Connect, and return when a node has answered."""
    client = await stack.enter_async_context(caller(door.port))
    client.say(b"hello")
    await client.hears(b"hello")
    return client


async def taken_to(door: Door, nodes: list[PlainServer], times: int) -> list[int]:
    """Connect again and again, and return the number of the node each time."""
    taken: list[int] = []
    async with AsyncExitStack() as stack:
        for _ in range(times):
            before = [len(node.received) for node in nodes]
            await enter(stack, door)
            after = [len(node.received) for node in nodes]
            taken += [number for number, (b, a) in enumerate(zip(before, after, strict=True)) if a > b]
    return taken


async def test_without_chance_the_nodes_take_turns(nodes: list[PlainServer]) -> None:
    async with Door([node.port for node in nodes]) as door:
        taken = await taken_to(door, nodes, 2 * _NODES)
    assert taken[:_NODES] == taken[_NODES:]
    assert set(taken) == set(range(_NODES))


async def test_chance_is_the_seeds(nodes: list[PlainServer], seed: int) -> None:
    ports = [node.port for node in nodes]
    async with Door(ports, rng=Random(seed)) as one, Door(ports, rng=Random(seed)) as other:
        taken = await taken_to(one, nodes, _MANY)
        assert taken == await taken_to(other, nodes, _MANY)
    assert set(taken) == set(range(_NODES))


async def test_a_node_that_refuses_is_passed_over_until_it_is_back(door: Door, nodes: list[PlainServer]) -> None:
    await nodes[1].stop()
    assert set(await taken_to(door, nodes, _MANY)) == {0, 2}
    await nodes[1].start()
    assert set(await taken_to(door, nodes, _MANY)) == {0, 1, 2}


async def test_new_connections_can_be_steered(door: Door, nodes: list[PlainServer]) -> None:
    async with AsyncExitStack() as stack:
        door.only(1)
        assert set(await taken_to(door, nodes, 5)) == {1}
        staying = await enter(stack, door)
        door.only(0, 2)
        assert set(await taken_to(door, nodes, _MANY)) == {0, 2}
        door.all()
        assert set(await taken_to(door, nodes, _MANY)) == {0, 1, 2}
        staying.say(b", still here")
        await staying.hears(b"hello, still here")


async def test_where_nobody_is_connections_end(door: Door, nodes: list[PlainServer]) -> None:
    for node in nodes:
        await node.stop()
    async with caller(door.port) as client:
        await client.ends()
    await wait_until(lambda: not door.open_connections, what="the door to forget it")


async def test_the_connections_of_one_node_are_dropped_alone(door: Door) -> None:
    async with AsyncExitStack() as stack:
        clients = []
        for number in range(_NODES):
            door.only(number)
            clients.append(await enter(stack, door))
        door.drop_connections(1)
        await clients[1].ends()
        await wait_until(lambda: not door.connections_of(1), what="the door to forget it")
        assert [door.connections_of(number) for number in range(_NODES)] == [1, 0, 1]
        assert not clients[0].ended
        door.drop_connections()
        await clients[0].ends()
        await clients[2].ends()


async def test_flapping_ends_as_many_as_it_says_in_the_middle(door: Door, nodes: list[PlainServer]) -> None:
    said = bytes(range(256))
    async with AsyncExitStack() as stack:
        clients = [await enter(stack, door) for _ in range(4)]
        assert door.flap(2) == 2
        for client in clients:
            client.say(said)
        await wait_until(lambda: sum(client.ended for client in clients) == 2, what="two to end")
        whole = b"hello" + said
        for client in clients:
            if not client.ended:
                await client.hears(whole)
            else:
                assert whole.startswith(client.heard)
                assert client.heard != whole
    assert all(whole.startswith(one) for node in nodes for one in node.received)


async def test_its_addresses_are_those_of_its_port(door: Door) -> None:
    assert door.base_url == f"http://127.0.0.1:{door.port}"
    assert door.websocket_url == f"ws://127.0.0.1:{door.port}/ws"

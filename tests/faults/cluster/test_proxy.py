"""What each fault of a line does to plain bytes, and that nothing else happens to them."""

import asyncio
from collections.abc import AsyncIterator
from random import Random

import pytest

from tests.faults.cluster.lane import BUFFER_BYTES, Direction
from tests.faults.cluster.plain_servers import PlainServer, caller, plain_server, time_for_an_exchange
from tests.faults.cluster.proxy import Proxy
from tests.support.waiting import wait_until

_MUCH = 16 * 1024 * 1024
_MARK = b"<mark>"
_DIRECTIONS = (Direction.TO_SERVER, Direction.TO_CLIENT, Direction.BOTH)


@pytest.fixture
async def echo() -> AsyncIterator[PlainServer]:
    """A server that sends everything back."""
    async with plain_server(echoes=True) as server:
        yield server


@pytest.fixture
async def listening() -> AsyncIterator[PlainServer]:
    """A server that says only what it is told to say."""
    async with plain_server(echoes=False) as server:
        yield server


@pytest.fixture
async def line(echo: PlainServer, rng: Random) -> AsyncIterator[Proxy]:
    """A line to the server that echoes."""
    async with Proxy(echo.port, rng=rng, mark=_MARK) as proxy:
        yield proxy


@pytest.fixture
async def quiet_line(listening: PlainServer, rng: Random) -> AsyncIterator[Proxy]:
    """A line to the other one."""
    async with Proxy(listening.port, rng=rng) as proxy:
        yield proxy


async def test_everything_passes_both_ways_and_is_counted(line: Proxy, rng: Random) -> None:
    data = rng.randbytes(_MUCH)
    async with caller(line.port) as client:
        client.say(data)
        await client.hears(data)
        assert line.open_connections == 1
    assert line.bytes_passed(Direction.TO_SERVER) == line.bytes_passed(Direction.TO_CLIENT) == _MUCH
    assert line.bytes_passed() == 2 * _MUCH
    await wait_until(lambda: not line.open_connections, what="the line to notice")


async def test_a_half_closed_connection_stays_open_the_other_way(quiet_line: Proxy, listening: PlainServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", quiet_line.port)
    writer.write(b"question")
    await wait_until(lambda: listening.received == [b"question"], what="the question")
    listening.say(0, b"answer")
    writer.write_eof()
    assert await reader.read() == b"answer"
    writer.close()
    await writer.wait_closed()


async def test_a_delay_delays_and_keeps_the_order(line: Proxy, rng: Random) -> None:
    clock = asyncio.get_running_loop().time
    line.delay(0.05, jitter=0.05)
    async with caller(line.port) as client:
        started, said = clock(), b""
        for _ in range(20):
            piece = rng.randbytes(1000)
            client.say(piece)
            said += piece
            await asyncio.sleep(0)
        await client.hears(said)
        assert clock() - started >= 0.1


async def test_healing_brings_at_once_what_was_delayed_for_long(line: Proxy) -> None:
    async with caller(line.port) as client:
        line.delay(3600)
        client.say(b"late")
        await wait_until(lambda: line.bytes_held == 4, what="the line to have it")
        line.heal()
        await client.hears(b"late")


@pytest.mark.parametrize("direction", _DIRECTIONS)
async def test_a_stalled_line_keeps_everything_until_it_is_healed(
    line: Proxy, echo: PlainServer, direction: Direction
) -> None:
    async with caller(line.port) as client:
        client.say(b"before ")
        await client.hears(b"before ")
        line.stall(direction)
        client.say(b"after")
        await wait_until(lambda: line.bytes_held == 5, what="the line to have it")
        await time_for_an_exchange(echo)
        assert client.heard == b"before "
        assert echo.received[:1] == [b"before after" if direction is Direction.TO_CLIENT else b"before "]
        line.heal()
        await client.hears(b"before after")
        assert not client.ended


async def test_a_stalled_line_stops_a_sender_instead_of_growing(line: Proxy, echo: PlainServer, rng: Random) -> None:
    data = rng.randbytes(_MUCH)
    async with caller(line.port) as client:
        client.say(b"!")
        await client.hears(b"!")
        line.stall(Direction.TO_SERVER)
        client.say(data)
        await wait_until(lambda: line.bytes_held >= BUFFER_BYTES, what="the line to be full")
        await time_for_an_exchange(echo)
        assert line.bytes_held <= 2 * BUFFER_BYTES
        assert client.writer.transport.get_write_buffer_size() > 0
        line.heal()
        await client.hears(b"!" + data)


async def test_a_client_that_does_not_read_stops_its_server(line: Proxy, echo: PlainServer, rng: Random) -> None:
    data = rng.randbytes(_MUCH)
    reader, writer = await asyncio.open_connection("127.0.0.1", line.port, limit=1)
    writer.write(data)
    await wait_until(lambda: line.bytes_held >= BUFFER_BYTES, what="the line to be full")
    await time_for_an_exchange(echo)
    assert line.bytes_held <= 4 * BUFFER_BYTES
    assert len(echo.received[0]) < _MUCH
    assert await reader.readexactly(_MUCH) == data
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("rudely", [False, True])
async def test_what_was_sent_before_giving_up_arrives_when_the_line_is_healed(
    line: Proxy, echo: PlainServer, *, rudely: bool
) -> None:
    async with caller(line.port) as client:
        client.say(b"one")
        await client.hears(b"one")
        line.stall(Direction.TO_SERVER)
        client.say(b", two")
        await wait_until(lambda: line.bytes_held == 5, what="the line to have it")
        if rudely:
            client.reset()
    await time_for_an_exchange(echo)
    assert line.open_connections == 1
    line.heal()
    await wait_until(lambda: echo.finished == len(echo.received), what="the server to hear the end")
    assert echo.received[:1] == [b"one, two"]


async def test_an_end_that_comes_when_the_client_is_gone_hurts_nobody(line: Proxy, echo: PlainServer) -> None:
    async with caller(line.port) as client:
        client.say(b"one")
        await client.hears(b"one")
        line.stall(Direction.TO_CLIENT)
        client.writer.write_eof()
        await wait_until(lambda: echo.finished == 1, what="the server to end")
        client.reset()
        await time_for_an_exchange(echo)
        line.heal()
        await wait_until(lambda: not line.open_connections, what="the line to forget it")


async def test_who_gave_up_connecting_over_a_stalled_line_never_reaches_the_server(
    line: Proxy, echo: PlainServer
) -> None:
    line.stall()
    async with caller(line.port) as client:
        client.say(b"is anybody there?")
        await wait_until(lambda: line.bytes_held, what="the line to have it")
        async with caller(line.port) as impatient:
            impatient.say(b"bye")
            await wait_until(lambda: line.open_connections == 2, what="both to be there")
        await time_for_an_exchange(echo)
        line.heal()
        await client.hears(b"is anybody there?")
        await wait_until(lambda: line.open_connections == 1, what="the other one to be forgotten")
    assert b"bye" not in echo.received


async def test_a_cut_line_refuses_and_keeps_its_port(line: Proxy) -> None:
    port = line.port
    async with caller(port) as client:
        client.say(b"hello")
        await client.hears(b"hello")
        line.cut()
        await client.ends()
        assert client.was_reset
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
    line.heal()
    async with caller(port) as client:
        client.say(b"again")
        await client.hears(b"again")


@pytest.mark.parametrize("direction", _DIRECTIONS)
async def test_dropped_bytes_are_gone_and_their_connections_with_them(
    line: Proxy, echo: PlainServer, direction: Direction
) -> None:
    async with caller(line.port) as loser, caller(line.port) as silent:
        for client in (loser, silent):
            client.say(b"hello")
            await client.hears(b"hello")
        line.drop(direction)
        loser.say(b" lost")
        await time_for_an_exchange(echo)
        assert loser.heard == b"hello"
        assert not loser.ended
        line.heal()
        await loser.ends()
        assert loser.was_reset
        assert loser.heard == b"hello"
        silent.say(b" again")
        await silent.hears(b"hello again")


async def test_a_throttled_line_takes_its_time(line: Proxy, rng: Random) -> None:
    clock = asyncio.get_running_loop().time
    data = rng.randbytes(100_000)
    async with caller(line.port) as client:
        started = clock()
        line.throttle(500_000)
        client.say(data)
        await client.hears(data)
        # All but the last slice of it was waited for.
        assert clock() - started >= 0.15


async def test_a_throttled_line_is_shared_and_healed(line: Proxy, echo: PlainServer) -> None:
    async with caller(line.port) as one, caller(line.port) as other:
        line.throttle(1)
        one.say(b"abc")
        other.say(b"abc")
        await wait_until(lambda: line.bytes_held, what="something to wait")
        await time_for_an_exchange(echo)
        assert line.bytes_passed(Direction.TO_CLIENT) < 6
        line.heal()
        await one.hears(b"abc")
        await other.hears(b"abc")


async def test_lost_answers_are_to_questions_that_arrived(line: Proxy, echo: PlainServer) -> None:
    line.lose_answers(2)
    for number in range(3):
        async with caller(line.port) as client:
            client.say(b"question")
            if number == 2:
                await client.hears(b"question")
                continue
            await client.ends()
            assert client.was_reset
            assert not client.heard
    assert echo.received == [b"question"] * 3
    assert line.answers_to_lose == 0


async def test_answers_are_lost_only_where_the_mark_was_sent_before(line: Proxy) -> None:
    async with caller(line.port) as other, caller(line.port) as marked:
        line.lose_answers(1, marked=True)
        marked.say(b"prepare " + _MARK)
        await marked.hears(b"prepare " + _MARK)
        other.say(b"question")
        await other.hears(b"question")
        marked.say(b"commit")
        await marked.ends()
        assert marked.was_reset
        other.say(b"s")
        await other.hears(b"questions")


async def test_a_connection_that_flaps_ends_within_what_it_carries(rng: Random) -> None:
    said = rng.randbytes(1000)
    async with plain_server(echoes=True) as echo, Proxy(echo.port, rng=rng) as line, caller(line.port) as client:
        await wait_until(lambda: len(echo.received) == 1, what="the connection")
        assert line.flap(5) == 1
        client.say(said)
        await client.ends()
        assert said.startswith(client.heard)
        assert client.heard != said
        assert said.startswith(echo.received[0])


async def test_a_server_that_is_away_ends_the_connection_and_comes_back(line: Proxy, echo: PlainServer) -> None:
    await echo.stop()
    async with caller(line.port) as client:
        await client.ends()
    await echo.start()
    async with caller(line.port) as client:
        client.say(b"back")
        await client.hears(b"back")


async def test_an_end_of_the_server_ends_the_client(line: Proxy, echo: PlainServer) -> None:
    async with caller(line.port) as client:
        client.say(b"hello")
        await client.hears(b"hello")
        await echo.stop()
        await client.ends()
    await wait_until(lambda: not line.open_connections, what="the line to notice")


@pytest.mark.parametrize("number", range(20))
async def test_faults_that_keep_connections_change_nothing_that_arrives(number: int, seed: int) -> None:
    rng = Random(f"{seed} {number}")
    data = rng.randbytes(300_000)
    async with plain_server(echoes=True) as echo, Proxy(echo.port, rng=rng) as line, caller(line.port) as client:
        for start in range(0, len(data), 10_000):
            client.say(data[start : start + 10_000])
            _gentle_fault(line, rng)
            # Not waiting for anything: it decides how much the fault meets.
            await asyncio.sleep(rng.random() / 500)
        line.heal()
        await client.hears(data)


@pytest.mark.parametrize("number", range(20))
async def test_whatever_happens_a_connection_brings_no_holes(number: int, seed: int) -> None:
    rng = Random(f"{seed} {number}")
    data = rng.randbytes(300_000)
    async with plain_server(echoes=True) as echo, Proxy(echo.port, rng=rng) as line, caller(line.port) as client:
        for start in range(0, len(data), 10_000):
            client.say(data[start : start + 10_000])
            rng.choice([_gentle_fault, _gentle_fault, _rough_fault])(line, rng)
            # As above.
            await asyncio.sleep(rng.random() / 500)
        line.heal()
        await wait_until(lambda: client.ended or len(client.heard) == len(data), what="everything, or the end")
        assert data.startswith(client.heard)
        assert all(data.startswith(one) for one in echo.received)


def _gentle_fault(line: Proxy, rng: Random) -> None:
    direction = rng.choice(_DIRECTIONS)
    rng.choice(
        [
            lambda: line.delay(rng.random() / 100, jitter=rng.random() / 100),
            lambda: line.stall(direction),
            lambda: line.throttle(rng.uniform(1e6, 1e7)),
            line.heal,
            line.heal,
        ]
    )()


def _rough_fault(line: Proxy, rng: Random) -> None:
    direction = rng.choice(_DIRECTIONS)
    rng.choice([lambda: line.drop(direction), lambda: line.lose_answers(1), lambda: line.flap(1), line.cut])()

"""Nobody types for a long time: y-websocket hangs up after 30 s without a message, and must have no reason to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from server.limits import KEEPALIVE_SECONDS
from server.wire import WireProtocol
from tests.hostile.stage import raise_curtain
from tests.interoperability.pycrdt_provider import ProviderClient, provided
from tests.interoperability.stock import StockClient, StockProcess
from tests.server.living import House
from tests.server.test_websocket import listening
from tests.support.waiting import wait_until

STOCK_PATIENCE_SECONDS = 30
SILENCE_SECONDS = 60


@pytest.fixture
async def house(sqlite_url: str) -> AsyncIterator[House]:
    """A hub whose clocks are ours."""
    house = await House.build(sqlite_url, text="Hello")
    yield house
    await house.close()


@asynccontextmanager
async def two_clients(
    url: str, prompt: object, token: str, yjs: StockProcess
) -> AsyncIterator[tuple[StockClient, ProviderClient]]:
    stock = await yjs.open(url, prompt, "header", token)
    # Presence would break the silence: it is renewed every 15 s.
    await stock.say(None)
    async with provided(f"{url}/{prompt}", token) as provider:
        yield stock, provider
    await stock.close()


async def heard(stock: StockClient, provider: ProviderClient) -> tuple[int, int]:
    return (await stock.report()).messages, provider.channel.heard


async def test_silence_is_broken_for_everybody_in_time(house: House) -> None:
    assert KEEPALIVE_SECONDS < STOCK_PATIENCE_SECONDS / 2
    async with (
        listening(house, WireProtocol) as reception,
        StockProcess() as yjs,
        two_clients(f"ws://127.0.0.1:{reception.port}/ws", house.prompt_id, reception.token(), yjs) as (
            stock,
            provider,
        ),
    ):
        for _ in range(5):
            before = await heard(stock, provider)
            house.clock.advance(KEEPALIVE_SECONDS)
            house.hub.tick()

            async def kept_alive(before: tuple[int, int] = before) -> bool:
                now = await heard(stock, provider)
                return now[0] > before[0] and now[1] > before[1]

            await wait_until(kept_alive, what="a message for each of them")
        report = await stock.report()
        assert (report.opened, report.closes, report.complaints) == (1, (), ())
        assert provider.channel.close_code is None


@pytest.mark.long
async def test_a_minute_of_silence_costs_nobody_the_connection(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with raise_curtain(tmp_path_factory.mktemp("server")) as stage:
        prompt, token = await stage.new_prompt("Hello.\n"), stage.people.ann.token
        async with two_clients(stage.server.websocket_url, prompt, token, stage.yjs) as (stock, provider):
            # Real time, because the stock client's patience is measured in it.
            await asyncio.sleep(SILENCE_SECONDS + 5)
            report = await stock.report()
            assert (report.opened, report.closes, report.synced) == (1, (), True)
            assert provider.channel.close_code is None
            provider.append("Still here. ")

            async def seen() -> bool:
                return "Still here. " in await stock.text()

            await wait_until(seen, what="what the other one types")

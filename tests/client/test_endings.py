import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus

import pytest
from websockets.exceptions import InvalidURI

from client.errors import PromptClosed
from client.patience import FIRST_DELAY_SECONDS
from client.peer import Prompt, connect
from crdt.errors import EngineFailure
from crdt.messages import Update
from tests.client.opening import Naps, opened
from tests.client.small_server import SmallServer, small_server
from tests.support.waiting import wait_until


async def test_a_server_that_is_not_there_yet_is_waited_for(server: SmallServer, naps: Naps) -> None:
    await server.stop()

    async def come_later() -> None:
        await wait_until(lambda: len(naps.taken) > 3, what="some attempts in vain")
        await server.start()

    async with asyncio.TaskGroup() as group:
        group.create_task(come_later())
        async with opened(server, naps) as prompt:
            assert prompt.text == "hello"
    first, second, third = naps.taken[:3]
    assert FIRST_DELAY_SECONDS / 2 <= first <= FIRST_DELAY_SECONDS <= second <= 2 * FIRST_DELAY_SECONDS <= third


async def test_a_restarting_server_is_given_the_time_it_asks_for(server: SmallServer, naps: Naps) -> None:
    async with opened(server, naps) as prompt:
        await server.close_all(1012, "3.5")
        await wait_until(lambda: len(server.paths) == 2 and prompt.synced, what="the second connection")
        assert naps.taken == [3.5]


@pytest.mark.parametrize("code", [4400, 4401, 4403, 4404, 4409, 4413])
async def test_a_door_that_stays_shut_is_not_knocked_at_again(server: SmallServer, naps: Naps, code: int) -> None:
    server.closings.append((code, "because"))
    with pytest.raises(PromptClosed) as raised:
        async with opened(server, naps):
            pass
    assert (raised.value.code, raised.value.reason) == (code, "because")
    assert naps.taken == []


@pytest.mark.parametrize("status", [HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND])
async def test_a_refused_upgrade_is_an_ending_too(server: SmallServer, status: HTTPStatus) -> None:
    server.refusals.append(status)
    with pytest.raises(PromptClosed) as raised:
        async with opened(server):
            pass
    assert raised.value.code == 4000 + status


@pytest.mark.parametrize("status", [HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS])
async def test_a_refusal_that_passes_is_tried_again(server: SmallServer, naps: Naps, status: HTTPStatus) -> None:
    server.refusals += [status, status]
    async with opened(server, naps) as prompt:
        assert prompt.text == "hello"
    assert len(naps.taken) == 2


async def test_a_final_end_reaches_everybody_who_waits_and_every_later_edit(server: SmallServer) -> None:
    async with opened(server) as prompt:
        waiting = [
            asyncio.ensure_future(prompt.wait_for(lambda text: text == "never")),
            asyncio.ensure_future(anext(aiter_after_first(prompt))),
        ]
        await server.close_all(4404, "deleted")
        for failed in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(failed, PromptClosed)
            assert failed.code == 4404
        with pytest.raises(PromptClosed):
            await prompt.insert(0, "x")
        with pytest.raises(PromptClosed):
            await prompt.wait_saved()
        assert prompt.text == "hello"


async def aiter_after_first(prompt: Prompt) -> AsyncIterator[str]:
    texts = prompt.observe()
    await anext(texts)
    async for text in texts:
        yield text


async def test_leaving_after_a_final_end_says_so_only_where_edits_are_lost(server: SmallServer) -> None:
    async def edit_and_be_removed() -> None:
        async with opened(server) as prompt:
            server.room.store_is_up = False
            await prompt.insert(0, "x")
            await server.close_all(4403, "removed")

    with pytest.raises(PromptClosed):
        await edit_and_be_removed()
    async with opened(server) as prompt:
        await server.close_all(4403, "removed")
        with pytest.raises(PromptClosed):
            await prompt.wait_for(lambda text: text == "never")


async def test_a_token_that_expired_is_replaced(server: SmallServer, naps: Naps) -> None:
    tokens = iter(["first", "second"])

    async def fresh() -> str:
        return next(tokens)

    async with opened(server, naps, token=fresh) as prompt:
        await server.close_all(4401, "expired")
        await wait_until(lambda: len(server.tokens) == 2 and prompt.synced, what="the second connection")
    assert server.tokens == ["Bearer first", "Bearer second"]
    assert naps.taken == [0.0]


async def test_a_fresh_token_that_is_refused_is_final(server: SmallServer) -> None:
    async def fresh() -> str:
        return "refused"

    server.closings.append((4401, "unknown"))
    with pytest.raises(PromptClosed) as raised:
        async with opened(server, token=fresh):
            pass
    assert raised.value.code == 4401
    assert len(server.tokens) == 1


async def test_a_given_token_that_expired_is_final_unless_it_was_renewed(server: SmallServer) -> None:
    async with opened(server) as prompt:
        prompt.renew_token("renewed")
        await wait_until(lambda: server.room.tokens == ["renewed"], what="the renewal in band")
        await server.close_all(1011)
        await wait_until(lambda: len(server.tokens) == 2 and prompt.synced, what="the second connection")
        assert server.tokens[1] == "Bearer renewed"
        await server.close_all(4401)
        with pytest.raises(PromptClosed):
            await prompt.wait_for(lambda text: text == "never")


async def test_a_server_that_cannot_acknowledge_is_not_written_to() -> None:
    async with small_server(speaks_extension=False) as server:
        with pytest.raises(PromptClosed) as raised:
            async with opened(server):
                pass
    assert raised.value.code == 1010


async def test_an_address_that_is_none_is_said_at_once() -> None:
    with pytest.raises(InvalidURI):
        async with connect("ftp://127.0.0.1", "p1", token="t"):
            pass


async def test_an_update_that_the_engine_does_not_survive_ends_it_with_a_word(server: SmallServer) -> None:
    async with opened(server) as prompt:
        server.room.tell(Update(b"\x01\x01"))
        with pytest.raises(EngineFailure):
            await prompt.wait_for(lambda text: text == "never")


async def test_a_connection_that_breaks_is_replaced(server: SmallServer, naps: Naps) -> None:
    async with opened(server, naps) as prompt:
        server.break_all()
        await prompt.insert(0, "x")
        await prompt.wait_saved()
        assert server.room.text == "xhello"
        assert len(naps.taken) == 1

"""Clients that know nothing of us: y-websocket as it is published, and pycrdt's own provider."""

from __future__ import annotations

import asyncio

import pytest

from crdt.document import Document
from crdt.offsets import utf16_length
from server.limits import MAX_FRAME_BYTES
from tests.hostile.stage import Stage
from tests.interoperability.pycrdt_provider import provided
from tests.interoperability.stock import StockClient, Way
from tests.support.people import Person
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

WAYS: tuple[Way, ...] = ("header", "ticket", "protocol")
NO_SUCH_PROMPT = 4404
TOO_LARGE = 4413
# A console line of y-websocket about a message type that it does not know; it goes on.
UNKNOWN_MESSAGE = "Unable to compute message"


async def open_stock(stage: Stage, prompt: str, person: Person, way: Way = "header") -> StockClient:
    secret = person.token
    if way == "ticket":
        secret = (await stage.ask("POST", "/api/v1/auth/tickets", by=person))["ticket"]
    return await stage.yjs.open(stage.server.websocket_url, prompt, way, secret)


async def agree(*clients: StockClient) -> str:
    """Wait until all show the same text, and answer it."""

    async def equal() -> bool:
        return len({await client.text() for client in clients}) == 1

    await wait_until(equal, what="the same text at all")
    return await clients[0].text()


async def stored_text(stage: Stage, prompt: str) -> str:
    document = Document()
    document.apply([update for _, update in await stage.stored(prompt)])
    return document.text


@pytest.mark.parametrize("way", WAYS)
async def test_two_stock_clients_type_together(stage: Stage, way: Way) -> None:
    prompt = await stage.new_prompt("Say {{greeting}} 😀.\n")
    ann = await open_stock(stage, prompt, stage.people.ann, way)
    bob = await open_stock(stage, prompt, stage.people.bob, way)
    for number in range(20):
        await asyncio.gather(ann.edit(0, insert=f"a{number} 😀"), bob.edit(0, insert="b👩‍👧"))
    await bob.edit(0, remove=len("b"))
    text = await agree(ann, bob)
    await wait_until_stored(stage, prompt, text)
    for client in (ann, bob):
        report = await client.report()
        assert (report.opened, report.closes, report.waiting) == (1, (), False)
        # Without the extension there is nothing that a stock client does not know.
        assert way == "protocol" or not report.complaints
        assert set(report.complaints) <= {UNKNOWN_MESSAGE}
        await client.close()


async def test_stock_clients_see_each_other_and_nobody_lies_about_a_name(stage: Stage) -> None:
    prompt = await stage.new_prompt("Hello.\n")
    ann, bob = [await open_stock(stage, prompt, each) for each in (stage.people.ann, stage.people.bob)]
    await ann.say({"user": {"name": "Not Ann"}, "cursor": {"anchor": 3, "head": 5}})
    ann_id = (await ann.report()).client_id

    async def seen_by_bob() -> bool:
        return "cursor" in (await bob.report()).presence.get(ann_id, {})

    await wait_until(seen_by_bob, what="Ann's cursor at Bob's")
    seen = (await bob.report()).presence[ann_id]
    assert seen["cursor"] == {"anchor": 3, "head": 5}
    assert seen["user"]["id"] == str(stage.people.ann.user_id)
    assert seen["user"]["name"] != "Not Ann"
    await ann.close()

    async def gone() -> bool:
        return ann_id not in (await bob.report()).presence

    await wait_until(gone, what="Ann to be gone")
    await bob.close()


async def test_everybody_together(stage: Stage) -> None:
    prompt = await stage.new_prompt("Say {{greeting}} 😀.\n")
    ann, bob = stage.people.ann, stage.people.bob
    yjs = await open_stock(stage, prompt, ann)
    async with provided(stage.url(prompt), bob.token) as pycrdt, stage.honest(prompt, ann) as own:
        for number in range(10):
            pycrdt.append(f"p{number} 漢字😀 ")
            await yjs.edit(0, insert=f"y{number} 👩‍👧 ")
            await own.type(f"o{number} é😀 ", at=0)

        async def equal() -> bool:
            return len({pycrdt.text, own.text, await yjs.text()}) == 1

        await wait_until(equal, what="the same text at all")
        assert utf16_length(own.text) > 200
        assert all(f"{author}9 " in own.text for author in "pyo")
        await wait_until_stored(stage, prompt, own.text)
        # A provider sends back all that it hears; what is known is not stored again.
        assert len(await stage.stored(prompt)) == 1 + 30
        assert pycrdt.channel.close_code is None
        assert own.is_open
    await yjs.close()


async def test_a_stock_client_that_views_changes_nothing_and_stays(stage: Stage) -> None:
    prompt = await stage.new_prompt("Hello.\n")
    vera = await open_stock(stage, prompt, stage.people.vera)
    ann = await open_stock(stage, prompt, stage.people.ann)
    stored = await stage.stored(prompt)
    await vera.edit(0, insert="I may not. ")
    await ann.edit(0, insert="I may. ")

    async def heard() -> bool:
        return "I may. " in await vera.text()

    await wait_until(heard, what="what Ann typed at Vera's")
    assert await ann.text() == "I may. Hello.\n"
    assert len(await stage.stored(prompt)) == len(stored) + 1
    assert (await vera.report()).opened == 1
    await vera.close()
    await ann.close()


async def test_a_restart_is_survived_with_what_was_typed_meanwhile(stage: Stage) -> None:
    prompt = await stage.new_prompt("Hello.\n")
    ann, bob = [await open_stock(stage, prompt, each) for each in (stage.people.ann, stage.people.bob)]
    stage.server.kill()
    await ann.edit(0, insert="While it was away 😀. ")
    await stage.server.start()
    await wait_until(ann.is_synced, what="Ann to be back")
    await wait_until(bob.is_synced, what="Bob to be back")
    assert await agree(ann, bob) == "While it was away 😀. Hello.\n"
    await ann.close()
    await bob.close()


async def test_a_prompt_that_is_deleted_is_not_asked_for_again(stage: Stage) -> None:
    prompt = await stage.new_prompt("Hello.\n")
    ann = await open_stock(stage, prompt, stage.people.ann)
    await stage.ask("DELETE", f"/api/v1/prompts/{prompt}")
    await ends_for_good(ann, NO_SUCH_PROMPT)


async def test_a_paste_that_is_too_large_is_not_sent_again_and_again(stage: Stage) -> None:
    prompt = await stage.new_prompt("Hello.\n")
    ann = await open_stock(stage, prompt, stage.people.ann)
    bob = await open_stock(stage, prompt, stage.people.bob)
    await ann.edit(0, insert="x" * MAX_FRAME_BYTES)
    await ends_for_good(ann, TOO_LARGE)
    await bob.edit(0, insert="Others go on. ")
    await wait_until_stored(stage, prompt, "Others go on. Hello.\n")
    await bob.close()


async def ends_for_good(client: StockClient, code: int) -> None:
    """Wait until the client is closed with the code; y-websocket comes back after any but a final one."""

    async def closed() -> bool:
        return bool((await client.report()).closes)

    await wait_until(closed, what=f"the connection to be closed with {code}")
    report = await client.report()
    assert (report.closes, report.opened) == ((code,), 1)
    assert not report.connects
    await client.close()


async def wait_until_stored(stage: Stage, prompt: str, text: str) -> None:
    async def stored() -> bool:
        return await stored_text(stage, prompt) == text

    await wait_until(stored, what=f"{text[:80]!r} in the journal")

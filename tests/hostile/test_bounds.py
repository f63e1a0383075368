"""Writers who fill what is bounded: the prompt, the client ids, what waits."""

from __future__ import annotations

import asyncio

import pytest

from crdt.diff import TextEdit
from crdt.document import Document, merge
from crdt.messages import AwarenessUpdate, Update
from server.limits import MAX_DOCUMENT_BYTES
from tests.hostile.memory import MIB, Memory
from tests.hostile.stage import Stage
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

MALFORMED = 4400
CONFLICT = 4409
TOO_LARGE = 4413
LINE = "A line of a paste that nobody needs, over and over again.\n"


async def test_a_prompt_that_is_full_can_be_emptied_and_used_again(stage: Stage) -> None:
    prompt = await stage.new_prompt("Hello.\n")
    async with stage.honest(prompt, stage.people.ann) as ann:
        # All at once, so that most of it is on its way to the journal when the next one comes.
        together = [fill(stage, prompt, client_id=1_000 + number, size=7 * MIB) for number in range(6)]
        taken = list(await asyncio.gather(*together))
        assert sum(taken) <= MAX_DOCUMENT_BYTES
        for number, shift in enumerate(range(21)):
            taken.append(await fill(stage, prompt, client_id=2_000 + number, size=2 * MIB >> shift))
        assert MAX_DOCUMENT_BYTES - MIB < sum(taken) <= MAX_DOCUMENT_BYTES
        length = len("Hello.\n") + sum(taken)
        await wait_until(lambda: len(ann.text) == length, what="what was taken to be seen", seconds=60)
        await ann.edit(0, length - len("Hello.\n"), "")
        await ann.type("There is room again. ")
        assert ann.text == "Hello.\nThere is room again. "
        assert ann.is_open


async def fill(stage: Stage, prompt: str, *, client_id: int, size: int) -> int:
    """Paste that many characters, and answer how many were taken: all or none."""
    update = Document(client_id=client_id).edit([TextEdit(0, 0, (LINE * (size // len(LINE) + 1))[:size])])
    async with stage.attacker(prompt) as attacker:
        await attacker.send(Update(update))
        await wait_until(lambda: attacker.acknowledged == 1 or not attacker.is_open, what="a verdict", seconds=60)
        assert attacker.connection.close_code in {None, TOO_LARGE}
        return size if attacker.is_open else 0


async def test_client_ids_of_those_who_are_here_are_not_taken(stage: Stage) -> None:
    prompt = await stage.new_prompt("Hello.\n")
    async with stage.honest(prompt, stage.people.ann) as ann, stage.attacker(prompt) as attacker:
        # Ann has typed nothing yet; her client id is known to everybody who sees her cursor.
        ann.say({"cursor": 3})
        await wait_until(
            lambda: any(isinstance(each, AwarenessUpdate) for each in attacker.messages), what="her cursor"
        )
        forged = Document(client_id=ann.peer.document.client_id)
        await attacker.send(Update(forged.edit([TextEdit(0, 0, "I was here first. ")])))
        assert await attacker.close_code() == CONFLICT
        await ann.type("Ann types. ")
        assert ann.text == "Hello.\nAnn types. "
        assert ann.is_open


async def test_a_refused_update_takes_no_client_id(stage: Stage) -> None:
    prompt = await stage.new_prompt("Hello.\n")
    async with stage.honest(prompt, stage.people.ann, client_id=500) as ann:
        await ann.type("Ann types. ")
        async with stage.attacker(prompt) as attacker:
            # One update that writes under a new id and under Ann's.
            new, forged = Document(client_id=501), Document(ann.peer.document.encode_state(), client_id=500)
            both = merge([new.edit([TextEdit(0, 0, "a")]), forged.edit([TextEdit(0, 0, "b")])])
            await attacker.send(Update(both))
            assert await attacker.close_code() == CONFLICT
        async with stage.honest(prompt, stage.people.bob, client_id=501) as bob:
            await bob.type("Bob types. ")
            assert bob.is_open


async def test_pastes_of_viewers_are_not_even_read(stage: Stage) -> None:
    async with stage.scene() as scene:
        memory = Memory(stage.server.pid)
        text, stored = await scene.agree(), await scene.stored()
        for body in (bytes(7 * MIB), Document(client_id=9).edit([TextEdit(0, 0, LINE * 100_000)])):
            async with stage.attacker(scene.prompt, stage.people.vera) as viewer:
                await viewer.send(Update(body))
                assert await viewer.is_answered()
        assert (await scene.agree(), await scene.stored()) == (text, stored)
        await scene.go_on()
        assert memory.growth < 64 * MIB


async def test_pastes_of_many_writers_at_once_are_read_one_after_the_other(stage: Stage) -> None:
    async with stage.scene() as scene:
        memory = Memory(stage.server.pid)
        stored = await scene.stored()

        async def paste_nonsense() -> int | None:
            async with stage.attacker(scene.prompt) as attacker:
                await attacker.send(Update(b"\x01\x01\x07\x00\x00" + bytes(7 * MIB)))
                return await attacker.close_code()

        codes = await asyncio.gather(*(paste_nonsense() for _ in range(10)))
        assert set(codes) == {MALFORMED}
        assert await scene.stored() == stored
        await scene.go_on()
        # Each connection holds what it was sent until it is read, and nobody holds it twice for long.
        assert memory.growth < 10 * 7 * MIB * 3

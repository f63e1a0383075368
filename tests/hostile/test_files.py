"""Every hostile input, sent into a room with honest people: only the sender's connection ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from crdt.messages import Message, SyncStep1, SyncStep2, Update
from tests.hostile.memory import MIB, Memory
from tests.hostile.stage import Scene, Stage
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

FILES = sorted(Path(__file__).parents[1].joinpath("data", "hostile").glob("*.*"))
INPUTS = [file for file in FILES if file.suffix in {".update", ".sv", ".frame"}]

MALFORMED = 4400
CONFLICT = 4409
STAYS = None

NOT_MALFORMED: Mapping[str, int | None] = {
    # New structs under a client id that is somebody else's.
    "clock_poison_victim7_at5_len1000.update": CONFLICT,
    "fuzz_03.update": CONFLICT,
    # Deletes what nobody has typed yet. It waits, within bounds, for what it names; the sender is asked what it knows.
    "fuzz_00.update": STAYS,
}
"""How the connection of an editor ends who sends what is well formed; everything else is malformed, or damages."""

# What a hostile state vector asks for is 1 GiB; what Python and SQLite keep of a few hundred frames is far below.
MOST_GROWTH = 32 * MIB


def messages_of(file: Path) -> Iterator[Message | bytes]:
    content = file.read_bytes()
    if file.suffix == ".update":
        yield Update(content)
        yield SyncStep2(content)
    elif file.suffix == ".sv":
        yield SyncStep1(content)
    else:
        yield content


async def attack(scene: Scene, file: Path) -> None:
    """Send an input in every way it fits, as a viewer and as an editor."""
    as_editor = NOT_MALFORMED.get(file.name, MALFORMED)
    for message in messages_of(file):
        async with scene.stage.attacker(scene.prompt) as editor:
            await editor.send(message)
            if as_editor is STAYS:
                assert await editor.is_answered()
            else:
                assert await editor.close_code() == as_editor
        async with scene.stage.attacker(scene.prompt, scene.stage.people.vera) as viewer:
            await viewer.send(message)
            # Of a viewer's update that can be read nothing is taken, so nothing in it can do harm.
            assert await viewer.is_answered() or viewer.connection.close_code == MALFORMED


async def test_the_inputs_are_here() -> None:
    assert len(INPUTS) == 33
    assert {file.name for file in INPUTS} >= NOT_MALFORMED.keys()


@pytest.mark.parametrize("file", INPUTS, ids=lambda file: file.name)
async def test_only_the_sender_is_closed(stage: Stage, file: Path) -> None:
    async with stage.scene() as scene:
        memory = Memory(stage.server.pid)
        text, stored = await scene.agree(), await scene.stored()
        await attack(scene, file)
        assert await scene.stored() == stored
        assert await scene.agree() == text
        await scene.go_on()
        assert memory.growth < MOST_GROWTH


async def test_after_all_of_them_the_prompt_opens_as_it_was(stage: Stage) -> None:
    async with stage.scene() as scene:
        for file in INPUTS:
            await attack(scene, file)
        await scene.go_on()
        text, stored, prompt = await scene.agree(), await scene.stored(), scene.prompt
    await wait_until(stage.nobody_is_there, what="every room to be unloaded")
    async with stage.honest(prompt, stage.people.ann) as ann:
        assert ann.text == text
    await stage.server.restart()
    async with stage.honest(prompt, stage.people.ann) as ann:
        assert ann.text == text
        assert await stage.stored(prompt) == stored
        await ann.type("And on. ")
    assert await stage.server.terminate() == 0
    await stage.server.command("fsck")
    await stage.server.start()

"""People who ask and do not listen, or listen slowly: what waits for them is bounded, and nobody else waits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crdt.codec import encode
from crdt.diff import TextEdit
from crdt.document import Document
from crdt.messages import QueryAwareness, SyncStep1, SyncStep2, Update
from crdt.update import encode_state_vector
from server.limits import OUTBOX_DRAIN_SECONDS
from tests.hostile.attacker import Attacker
from tests.hostile.memory import MIB, Memory
from tests.hostile.stage import ANN, Scene, Stage
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

TOO_SLOW = 1013
TEXT = "A line of a prompt that is long enough to be worth asking for.\n" * 4_000

PASTE = "x" * 100_000
DELIVERED = "promptroom_updates_delivered_total"
SENT_AWAY = f'promptroom_connections_closed_total{{code="{TOO_SLOW}"}}'
SMALL_BUFFER = 4096

# What waits in a socket is at most its bound and one answer more; the rest is what Python keeps of the frames.
MOST_GROWTH = 48 * MIB


def not_ready(number: int) -> bytes:
    """A short update that builds on what nobody has."""
    author = Document(client_id=1_000_000 + number)
    author.edit([TextEdit(0, 0, "a")])
    return author.edit([TextEdit(1, 1, "b")])


def since_somewhere(number: int) -> SyncStep1:
    """A question of somebody who has a beginning of what Ann typed first; not half of its second character."""
    return SyncStep1(encode_state_vector({ANN: (0, 1, 3, 4, 5, 6, 7)[number % 7]}))


QUESTIONS: dict[str, Callable[[int], bytes]] = {
    "the whole document": lambda _: encode(SyncStep1(b"\x00")),
    "the document since somewhere": lambda number: encode(since_somewhere(number)),
    "who is here": lambda _: encode(QueryAwareness()),
    "what to do with what is not ready": lambda number: encode(Update(not_ready(number))),
}


@pytest.mark.parametrize("name", QUESTIONS)
async def test_answers_to_one_who_does_not_read_do_not_pile_up(stage: Stage, name: str) -> None:
    async with stage.scene() as scene:
        await scene.ann.type(TEXT)
        await scene.browser.say({"cursor": "x" * 4_000})
        questions = [QUESTIONS[name](number) for number in range(2_000)]
        memory = Memory(stage.server.pid)
        async with stage.attacker(scene.prompt) as attacker:
            transport = attacker.connection.transport
            transport.pause_reading()
            for question in questions:
                await attacker.send(question)
            await scene.go_on()
            transport.resume_reading()
            # The answer to a close frame comes behind everything else: now all of it has been dealt with.
            await attacker.connection.close()
        await scene.go_on()
        assert memory.growth < MOST_GROWTH


async def test_many_questions_get_few_answers_and_the_last_one_is_right(stage: Stage) -> None:
    async with stage.scene() as scene, stage.attacker(scene.prompt, stage.people.vera) as asker:
        for number in range(5_000):
            await asker.send(since_somewhere(number))
        await scene.go_on()
        await asker.send(SyncStep1(b"\x00"))
        await wait_until(lambda: text_of(asker) == scene.ann.text, what="the whole text")
        assert sum(isinstance(message, SyncStep2) for message in asker.messages) < 200


def text_of(reader: Attacker) -> str:
    document = Document()
    document.apply([message.update for message in reader.messages if isinstance(message, SyncStep2 | Update)])
    return document.text


async def test_one_who_reads_slowly_gets_one_diff_and_is_up_to_date(stage: Stage) -> None:
    async with stage.scene() as scene, stage.attacker(scene.prompt, receive_buffer=SMALL_BUFFER) as reader:
        assert await reader.is_answered()
        memory = Memory(stage.server.pid)
        await fall_behind(scene, reader)
        heard = len(reader.messages)
        await scene.ann.type("Typed while the reader slept. ")
        text = await scene.agree()
        reader.connection.transport.resume_reading()
        await wait_until(lambda: text_of(reader) == text, what="the reader to be up to date")
        diffs = [message for message in reader.messages[heard:] if isinstance(message, SyncStep2)]
        assert len(diffs) == 1
        assert reader.is_open
        await scene.go_on()
        await wait_until(lambda: text_of(reader) == scene.ann.text, what="the reader to hear what is typed now")
        assert memory.growth < MOST_GROWTH


@pytest.mark.long
async def test_one_who_never_reads_is_sent_away(stage: Stage) -> None:
    async with stage.scene() as scene, stage.attacker(scene.prompt, receive_buffer=SMALL_BUFFER) as reader:
        assert await reader.is_answered()
        await fall_behind(scene, reader)
        before = await stage.metric(SENT_AWAY)

        async def is_sent_away() -> bool:
            return await stage.metric(SENT_AWAY) > before

        await wait_until(is_sent_away, what="it to be sent away", seconds=OUTBOX_DRAIN_SECONDS + 20)
        await scene.go_on()
        reader.connection.transport.resume_reading()
        assert await reader.close_code() in {TOO_SLOW, 1006}


async def fall_behind(scene: Scene, reader: Attacker) -> None:
    """Have a reader read nothing, while others write, until the server sends it nothing more."""
    reader.connection.transport.pause_reading()
    # Bob, the stock client and the reader get what Ann types.
    while await frames_for_one_edit(scene) == 3:
        await scene.ann.edit(0, len(PASTE), "")
    await scene.ann.edit(0, len(PASTE), "")


async def frames_for_one_edit(scene: Scene) -> float:
    before = await scene.stage.metric(DELIVERED)
    await scene.ann.type(PASTE, at=0)
    return await scene.stage.metric(DELIVERED) - before


async def test_whoever_builds_on_nothing_is_asked_once_at_a_time(stage: Stage) -> None:
    async with stage.scene() as scene, stage.attacker(scene.prompt) as attacker:
        assert await attacker.is_answered()
        asked_at_first = questions_to(attacker)
        for number in range(500):
            await attacker.send(Update(not_ready(number)))
        assert await attacker.is_answered()
        assert questions_to(attacker) <= asked_at_first + 1
        await scene.go_on()


def questions_to(client: Attacker) -> int:
    return sum(isinstance(message, SyncStep1) for message in client.messages)

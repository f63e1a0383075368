"""Odd questions: state vectors that are well formed and that no honest client has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random

import pytest

from crdt.diff import TextEdit
from crdt.document import Document, new_client_id
from crdt.messages import SyncStep1
from crdt.offsets import codepoint_to_utf16
from crdt.update import encode_state_vector, read_update
from tests.hostile.memory import MIB, Memory
from tests.hostile.stage import Stage

WORDS = ("a", "b ", "é", "漢字", "😀", "👩‍👧", "x😀y", "😀😀", "\n")
MALFORMED = 4400
LARGEST_CLOCK = 2**31 - 1
LARGEST_CLIENT = 2**53 - 1


def written_together(random: Random, *, authors: int, edits: int) -> Document:
    """A document by several hands, with much of it deleted again; the last author's replica."""
    replicas = [Document(client_id=new_client_id(random)) for _ in range(authors)]
    for _ in range(edits):
        author = random.choice(replicas)
        text = author.text
        start, end = sorted(codepoint_to_utf16(text, random.randint(0, len(text))) for _ in range(2))
        update = author.edit([TextEdit(start, min(end, start) if random.random() < 0.6 else end, random.choice(WORDS))])
        for replica in replicas:
            if replica is not author:
                replica.apply([update])
    return replicas[-1]


def odd_vectors(random: Random, state: Mapping[int, int]) -> Iterator[dict[int, int]]:
    """Every clock of every client, alone and among the true ones; clients nobody knows; clocks beyond the end."""
    for client, clock in state.items():
        for asked in (*range(clock + 2), LARGEST_CLOCK):
            yield {client: asked}
            yield {**state, client: asked}
    yield {0: 0}
    yield {LARGEST_CLIENT: LARGEST_CLOCK, **state}
    yield {random.randrange(2**53): random.randrange(2**31) for _ in range(2_000)}
    for _ in range(50):
        yield {client: random.randint(0, clock + 1) for client, clock in state.items() if random.random() < 0.8}


def test_no_question_harms_the_document(rng: Random) -> None:
    for _ in range(20):
        document = written_together(rng, authors=rng.randint(1, 4), edits=rng.randint(1, 40))
        text, state = document.text, document.encode_state()
        for vector in odd_vectors(rng, document.state_vector()):
            answer = document.encode_diff(encode_state_vector(vector))
            assert not document.condemned
            assert len(answer) <= 2 * len(state) + 100
        # What is encoded is kept; the engine itself is asked here.
        document.apply([state])
        assert (document.text, document.encode_state()) == (text, state)


def test_an_honest_question_gets_what_is_missing(rng: Random) -> None:
    for _ in range(20):
        whole = written_together(rng, authors=3, edits=30)
        behind = Document()
        behind.apply([whole.encode_state()])
        update = whole.edit([TextEdit(0, 0, rng.choice(WORDS))])
        answer = whole.encode_diff(behind.encode_state_vector())
        assert read_update(answer).writes == read_update(update).writes
        behind.apply([answer])
        assert behind.text == whole.text


@pytest.mark.slow
@pytest.mark.asyncio(loop_scope="module")
async def test_questions_to_a_server_end_nobody_elses_connection(stage: Stage, rng: Random) -> None:
    async with stage.scene() as scene:
        memory = Memory(stage.server.pid)
        text, stored = await scene.agree(), await scene.stored()
        vectors = odd_vectors(rng, scene.ann.peer.document.state_vector())
        for vector in vectors:
            async with stage.attacker(scene.prompt, stage.people.vera) as viewer:
                await viewer.send(SyncStep1(encode_state_vector(vector)))
                # Nobody can have half a character; every other question is answered.
                assert await viewer.is_answered() or viewer.connection.close_code == MALFORMED
        assert await scene.agree() == text
        assert await scene.stored() == stored
        await scene.go_on()
        assert memory.growth < 32 * MIB

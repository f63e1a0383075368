"""The text and who wrote it at any point of a journal, with keyframes and without."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from crdt.attribution import Row, replay_rows
from crdt.diff import TextEdit
from crdt.document import Document
from crdt.offsets import utf16_length
from persistence.edits import Edit, EditKind
from persistence.tables import journal, keyframes
from server.compactor import CHECKPOINT_EDITS_AT_UNLOAD
from server.fsck import check_everything
from server.history.blame import passages
from server.history.past import Past
from server.history.sessions import Session
from server.workers import Workers
from tests.crdt.sessions import random_edit
from tests.server.living import House
from tests.support.waiting import wait_until

EVERY = 10
POISON = bytes.fromhex("01010701000000")


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    """A prompt on each database in turn."""
    house = await House.build(database_url, text="Hello, 😀!\n")
    yield house
    await house.close()


@pytest.fixture
async def past(house: House) -> AsyncIterator[Past]:
    past = Past(house.store, Workers(), every=EVERY)
    yield past
    past.close()


async def write(house: House, random: Random, rows: int, *, kind: EditKind = EditKind.TYPED) -> list[str]:
    """Have Anna and Ben edit in turn; answer the text after each row of the journal."""
    entries = await house.journal()
    texts = [replay_rows(None, [Row(seq, update) for seq, update in enumerate(entries, 1)]).text]
    replicas = {name: Document(client_id=random.randrange(2**31, 2**32)) for name in ("anna", "ben")}
    said = list(entries)
    heard = dict.fromkeys(replicas, 0)
    edits = []
    for _ in range(rows):
        name = random.choice(list(replicas))
        replica = replicas[name]
        replica.apply(said[heard[name] :])
        place = random_edit(random, replica.text)
        said.append(replica.edit([place if place.text else TextEdit(place.start, place.end, "+")]))
        heard[name] = len(said)
        texts.append(replica.text)
        edits.append(Edit(said[-1], house.people[name].user_id, kind))
    await house.store.journal.append(house.prompt_id, edits)
    return texts


async def stored_keyframes(house: House) -> list[int]:
    return await house.store.keyframes.seqs(house.prompt_id)


async def authors(house: House, past: Past, seq: int) -> list[tuple[int, int, UUID, EditKind]]:
    spans = await past.spans(house.prompt_id, seq)
    bylines = await house.store.journal.bylines(house.prompt_id, [span.seq for span in spans])
    return [(one.start, one.end, one.user_id, one.kind) for one in passages(spans, bylines)]


async def test_the_text_at_every_point_is_what_it_was(house: House, past: Past, rng: Random) -> None:
    texts = await write(house, rng, 54)
    assert [await past.text(house.prompt_id, seq) for seq in range(1, 56)] == texts
    assert await stored_keyframes(house) == [10, 20, 30, 40, 50]
    assert [await past.text(house.prompt_id, seq) for seq in range(55, 0, -1)] == texts[::-1]
    assert await stored_keyframes(house) == [10, 20, 30, 40, 50]


async def test_who_wrote_what_is_the_same_from_wherever_it_is_worked_out(house: House, past: Past, rng: Random) -> None:
    texts = await write(house, rng, 54)
    whole = Past(house.store, Workers(), every=1_000)
    for seq in (1, 9, 10, 11, 37, 55):
        expected = await authors(house, whole, seq)
        assert await authors(house, past, seq) == expected
        assert sum(end - start for start, end, _, _ in expected) == utf16_length(texts[seq - 1])
        assert {user for _, _, user, _ in expected} <= {person.user_id for person in house.people.values()}


async def test_keyframes_are_made_once_however_many_ask(house: House, past: Past, rng: Random) -> None:
    texts = await write(house, rng, 30)
    asked = [past.text(house.prompt_id, seq) for seq in (31, 31, 30, 12, 31)]
    assert await asyncio.gather(*asked) == [texts[seq - 1] for seq in (31, 31, 30, 12, 31)]
    assert await stored_keyframes(house) == [10, 20, 30]


async def test_keyframes_are_kept_up_in_the_background(house: House, past: Past, rng: Random) -> None:
    await write(house, rng, 20)
    await past.keep_up(house.prompt_id, 21)
    assert await stored_keyframes(house) == [10, 20]
    texts = await write(house, rng, 20)
    await past.keep_up(house.prompt_id, 41)
    assert await stored_keyframes(house) == [10, 20, 30, 40]
    assert await past.text(house.prompt_id, 41) == texts[-1]


@pytest.mark.parametrize("column", ["state", "spans"])
async def test_a_damaged_keyframe_is_not_believed_and_made_anew(
    house: House, past: Past, rng: Random, column: str
) -> None:
    texts = await write(house, rng, 30)
    spans = await past.spans(house.prompt_id, 31)
    async with house.store.database.write() as connection:
        await connection.execute(update(keyframes).where(keyframes.c.seq > 10).values({column: b"damaged"}))
    assert await past.spans(house.prompt_id, 31) == spans
    assert await past.text(house.prompt_id, 31) == texts[-1]
    assert [finding async for finding in house.store.verify()] == []


async def test_what_happened_is_made_anew_too(house: House, past: Past, rng: Random) -> None:
    await write(house, rng, 30)
    before = await past.sessions(house.prompt_id, until=31, limit=9)
    async with house.store.database.write() as connection:
        await connection.execute(update(keyframes).where(keyframes.c.seq == 20).values(activity=b"damaged"))
    assert await past.sessions(house.prompt_id, until=31, limit=9) == before
    assert [finding async for finding in house.store.verify()] == []


async def test_a_row_in_quarantine_is_left_out_and_what_was_made_with_it_forgotten(
    house: House, past: Past, rng: Random
) -> None:
    await write(house, rng, 20)
    await past.keep_up(house.prompt_id, 21)
    await house.store.journal.append(house.prompt_id, [Edit(POISON, house.people["anna"].user_id)])
    before = await past.text(house.prompt_id, 21)
    assert (await house.open("anna")).peer.text == before
    assert await house.store.quarantine.sequences(house.prompt_id) == {22}
    assert await past.text(house.prompt_id, 22) == before
    assert (await past.spans(house.prompt_id, 22)).length == utf16_length(before)
    await house.store.keyframes.forget_from(house.prompt_id, 20)
    assert await stored_keyframes(house) == [10]


async def test_a_rotten_row_that_nobody_has_noticed_hides_nothing_else(house: House, past: Past, rng: Random) -> None:
    texts = await write(house, rng, 5)
    await house.store.journal.append(house.prompt_id, [Edit(POISON, house.people["anna"].user_id)])
    assert await past.text(house.prompt_id, 7) == texts[-1]
    assert (await past.spans(house.prompt_id, 7)).length == utf16_length(texts[-1])
    await house.store.journal.append(house.prompt_id, [Edit(b"\0\0", house.people["anna"].user_id)] * 5)
    assert await past.text(house.prompt_id, 12) == texts[-1]


async def test_many_rows_are_replayed_in_another_process(house: House, rng: Random) -> None:
    texts = await write(house, rng, 100)
    past = Past(house.store, Workers(), every=1_000)
    assert await past.text(house.prompt_id, 101) == texts[-1]
    assert (await past.spans(house.prompt_id, 101)).length == utf16_length(texts[-1])
    past.close()


async def test_fsck_holds_keyframes_against_the_journal(house: House, past: Past, rng: Random) -> None:
    await write(house, rng, 30)
    await past.keep_up(house.prompt_id, 31)
    assert await check_everything(house.store) == []
    keyframe = await house.store.keyframes.nearest(house.prompt_id, 20)
    (stretch,) = await house.store.keyframes.stretches(house.prompt_id, until=20, limit=1)
    assert keyframe is not None
    older = await house.store.keyframes.nearest(house.prompt_id, 10)
    assert older is not None
    finding = f"prompt {house.prompt_id}: the keyframe at 20 is not what its journal comes to"
    for damaged in (replace(keyframe, spans=older.spans), replace(keyframe, state=older.state)):
        await house.store.keyframes.save(house.prompt_id, damaged, stretch)
        assert await check_everything(house.store) == [finding]
    await house.store.keyframes.save(house.prompt_id, keyframe, replace(stretch, activity=b"[]"))
    assert await check_everything(house.store) == [finding]
    await house.store.keyframes.save(house.prompt_id, replace(keyframe, state=b"nonsense"), stretch)
    (said,) = await check_everything(house.store)
    assert said.startswith(f"prompt {house.prompt_id}: the keyframe after 10 cannot be read")


async def set_times(house: House, *minutes: float) -> None:
    """Let the rows of the journal have been stored at these minutes."""
    entries = await house.store.journal.read(house.prompt_id)
    start = entries[0].created_at
    async with house.store.database.write() as connection:
        for entry, minute in zip(entries, minutes, strict=True):
            at = start + timedelta(minutes=minute)
            await connection.execute(update(journal).where(journal.c.seq == entry.seq).values(created_at=at))


async def test_work_is_told_as_sessions(house: House, past: Past, rng: Random) -> None:
    await write(house, rng, 44)
    # Pauses after the rows 3, 10, 25 and 40.
    pauses = [20 * sum(row > after for after in (3, 10, 25, 40)) + row / 60 for row in range(1, 46)]
    await set_times(house, *pauses)

    async def pages(limit: int) -> list[Session]:
        until: int | None = 45
        found: list[Session] = []
        while until is not None:
            page, until = await past.sessions(house.prompt_id, until=until, limit=limit)
            assert 1 <= len(page) <= limit
            found += page
        return found

    sessions = await pages(100)
    assert [(one.from_seq, one.to_seq) for one in sessions] == [(41, 45), (26, 40), (11, 25), (4, 10), (1, 3)]
    first = sessions[-1]
    assert first.user_ids[0] == house.people["owner"].user_id
    assert first.kinds == (EditKind.CREATED, EditKind.TYPED)
    assert (first.inserted, sessions[0].inserted) >= (10, 1)
    for limit in (1, 2, 4, 5):
        assert await pages(limit) == sessions


async def test_without_keyframes_the_same_is_told(house: House, past: Past, rng: Random) -> None:
    await write(house, rng, 44)
    whole = Past(house.store, Workers(), every=1_000)
    expected = await whole.sessions(house.prompt_id, until=45, limit=9)
    assert await past.sessions(house.prompt_id, until=45, limit=9) == expected
    async with house.store.database.write() as connection:
        await connection.execute(delete(keyframes))
        assert list(await connection.scalars(select(keyframes.c.seq))) == []
    assert await past.sessions(house.prompt_id, until=45, limit=9) == expected


async def test_keyframes_are_made_behind_checkpoints(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house.hub.past, "_every", EVERY)
    anna = await house.open("anna")
    for _ in range(CHECKPOINT_EDITS_AT_UNLOAD):
        anna.type("x")
        await anna.saved()
    anna.hang_up()
    house.hub.tick()
    house.clock.advance(61.0)
    house.hub.tick()
    expected = list(range(EVERY, CHECKPOINT_EDITS_AT_UNLOAD + 2, EVERY))

    async def made() -> bool:
        return await stored_keyframes(house) == expected

    await wait_until(made, what="the keyframes", seconds=60.0)
    assert await check_everything(house.store) == []


async def test_a_keyframe_that_is_forgotten_while_the_next_is_made_is_made_again(
    house: House, past: Past, rng: Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = await write(house, rng, 25)
    await past.keep_up(house.prompt_id, 10)
    save = house.store.keyframes.save

    async def save_too_late(*saved: Any) -> None:  # noqa: ANN401
        monkeypatch.setattr(house.store.keyframes, "save", save)
        await house.store.keyframes.forget_from(house.prompt_id, 5)
        await save(*saved)

    monkeypatch.setattr(house.store.keyframes, "save", save_too_late)
    assert await past.text(house.prompt_id, 25) == texts[24]
    assert await house.store.keyframes.seqs(house.prompt_id) == [10, 20]
    assert await check_everything(house.store) == []

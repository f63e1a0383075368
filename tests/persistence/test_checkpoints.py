"""Checkpoints: the newest two, believed only while their digest matches."""

import asyncio
import uuid

import pytest
from sqlalchemy import select, update

from persistence.checkpoints import Checkpoint
from persistence.errors import CheckpointInvalid, Conflict, NotFound
from persistence.prompts import Prompt
from persistence.tables import checkpoints
from tests.persistence.conftest import HandClock, Home


async def prompt_with_entries(home: Home, count: int) -> Prompt:
    prompt = await home.prompt()
    await home.store.journal.append(prompt.id, home.edits(*[b"x"] * (count - 1)))
    return prompt


async def stored_seqs(home: Home) -> list[int]:
    async with home.store.database.read() as connection:
        return list(await connection.scalars(select(checkpoints.c.seq).order_by(checkpoints.c.seq)))


async def test_the_newest_checkpoint_is_read_and_two_are_kept(home: Home, clock: HandClock) -> None:
    prompt = await prompt_with_entries(home, 9)
    assert await home.store.checkpoints.latest(prompt.id) is None
    for seq in (2, 5, 9):
        clock.advance(seconds=1)
        await home.store.checkpoints.save(prompt.id, seq, b"state %d" % seq)
    assert await home.store.checkpoints.latest(prompt.id) == Checkpoint(9, b"state 9", clock.now)
    assert await stored_seqs(home) == [5, 9]


async def test_saving_the_same_position_again_replaces_it(home: Home) -> None:
    prompt = await prompt_with_entries(home, 3)
    for state in (b"before", b"after"):
        await home.store.checkpoints.save(prompt.id, 3, state)
    latest = await home.store.checkpoints.latest(prompt.id)
    assert latest is not None
    assert latest.state == b"after"
    assert await stored_seqs(home) == [3]


async def test_many_who_save_at_once_leave_two(home: Home) -> None:
    prompt = await prompt_with_entries(home, 9)
    await asyncio.gather(*[home.store.checkpoints.save(prompt.id, seq, b"state") for seq in range(1, 10)])
    assert await stored_seqs(home) == [8, 9]


@pytest.mark.parametrize("column", ["state", "digest"])
async def test_a_damaged_checkpoint_is_refused_and_discarding_it_brings_the_one_before(home: Home, column: str) -> None:
    prompt = await prompt_with_entries(home, 9)
    for seq in (5, 9):
        await home.store.checkpoints.save(prompt.id, seq, b"state %d" % seq)
    async with home.store.database.write() as connection:
        await connection.execute(update(checkpoints).where(checkpoints.c.seq == 9).values({column: b"damaged"}))
    with pytest.raises(CheckpointInvalid) as invalid:
        await home.store.checkpoints.latest(prompt.id)
    assert (invalid.value.prompt_id, invalid.value.seq) == (prompt.id, 9)
    await home.store.checkpoints.discard(prompt.id, invalid.value.seq)
    latest = await home.store.checkpoints.latest(prompt.id)
    assert latest is not None
    assert latest.state == b"state 5"


async def test_a_state_that_ended_up_at_another_position_is_not_believed(home: Home) -> None:
    prompt = await prompt_with_entries(home, 9)
    await home.store.checkpoints.save(prompt.id, 5, b"state")
    async with home.store.database.write() as connection:
        await connection.execute(update(checkpoints).values(seq=6))
    with pytest.raises(CheckpointInvalid):
        await home.store.checkpoints.latest(prompt.id)


async def test_a_checkpoint_lies_within_the_journal(home: Home) -> None:
    prompt = await prompt_with_entries(home, 3)
    for seq in (0, -1, 4):
        with pytest.raises(Conflict, match="1 to 3"):
            await home.store.checkpoints.save(prompt.id, seq, b"state")
    with pytest.raises(NotFound):
        await home.store.checkpoints.save(uuid.uuid4(), 1, b"state")

"""Keyframes: kept for good, and believed only while their digests match."""

import uuid

import pytest
from sqlalchemy import delete, update

from persistence.errors import Conflict, KeyframeInvalid, NotFound
from persistence.keyframes import Keyframe, Stretch
from persistence.prompts import Prompt
from persistence.tables import keyframes
from tests.persistence.conftest import Home


async def prompt_with_keyframes(home: Home, *seqs: int) -> Prompt:
    """A prompt of ten entries with keyframes at some of them."""
    prompt = await home.prompt()
    await home.store.journal.append(prompt.id, home.edits(*[b"x"] * 9))
    since = 0
    for seq in seqs:
        await home.store.keyframes.save(prompt.id, keyframe(seq), Stretch(since, seq, b"activity %d" % seq))
        since = seq
    return prompt


def keyframe(seq: int) -> Keyframe:
    return Keyframe(seq, b"state %d" % seq, b"spans %d" % seq)


async def findings(home: Home) -> list[tuple[str, int | None]]:
    return [(finding.code, finding.seq) async for finding in home.store.verify()]


async def test_the_nearest_one_before_a_point_is_found(home: Home) -> None:
    prompt = await prompt_with_keyframes(home, 2, 4, 8)
    nearest = home.store.keyframes.nearest
    assert [await nearest(prompt.id, seq) for seq in (1, 2, 3, 9)] == [None, keyframe(2), keyframe(2), keyframe(8)]
    newest = home.store.keyframes.newest_seq
    assert [await newest(prompt.id, until=seq) for seq in (1, 2, 7, 10)] == [0, 2, 4, 8]
    assert await home.store.keyframes.seqs(prompt.id) == [2, 4, 8]
    assert await home.store.keyframes.seqs(uuid.uuid4()) == []
    assert await findings(home) == []


async def test_what_happened_is_told_newest_first(home: Home) -> None:
    prompt = await prompt_with_keyframes(home, 2, 4, 8)
    stretches = home.store.keyframes.stretches
    assert await stretches(prompt.id, until=9, limit=2) == [Stretch(4, 8, b"activity 8"), Stretch(2, 4, b"activity 4")]
    assert await stretches(prompt.id, until=3, limit=2) == [Stretch(0, 2, b"activity 2")]


async def test_saving_the_same_position_again_replaces_it(home: Home) -> None:
    prompt = await prompt_with_keyframes(home, 2)
    after = Keyframe(2, b"after", b"")
    await home.store.keyframes.save(prompt.id, after, Stretch(0, 2, b"other"))
    assert await home.store.keyframes.nearest(prompt.id, 2) == after
    assert await home.store.keyframes.stretches(prompt.id, until=2, limit=9) == [Stretch(0, 2, b"other")]


@pytest.mark.parametrize("column", ["state", "spans", "digest"])
async def test_a_damaged_keyframe_is_refused_and_named(home: Home, column: str) -> None:
    prompt = await prompt_with_keyframes(home, 2, 4)
    await damage(home, 4, **{column: b"damaged"})
    with pytest.raises(KeyframeInvalid) as invalid:
        await home.store.keyframes.nearest(prompt.id, 9)
    assert (invalid.value.prompt_id, invalid.value.seq) == (prompt.id, 4)
    assert await home.store.keyframes.nearest(prompt.id, 3) == keyframe(2)
    assert await findings(home) == [("keyframe_digest", 4)]


@pytest.mark.parametrize("column", ["activity", "activity_digest"])
async def test_damaged_activity_is_refused_and_named(home: Home, column: str) -> None:
    prompt = await prompt_with_keyframes(home, 2, 4)
    await damage(home, 2, **{column: b"damaged"})
    with pytest.raises(KeyframeInvalid) as invalid:
        await home.store.keyframes.stretches(prompt.id, until=9, limit=9)
    assert invalid.value.seq == 2
    assert await findings(home) == [("keyframe_digest", 2)]


async def test_a_keyframe_that_ended_up_at_another_position_is_not_believed(home: Home) -> None:
    prompt = await prompt_with_keyframes(home, 2)
    await damage(home, 2, seq=3)
    with pytest.raises(KeyframeInvalid):
        await home.store.keyframes.nearest(prompt.id, 9)


async def test_keyframes_that_do_not_go_on_from_each_other_are_named(home: Home) -> None:
    prompt = await prompt_with_keyframes(home, 2, 4, 8, 9)
    async with home.store.database.write() as connection:
        await connection.execute(delete(keyframes).where(keyframes.c.seq == 8))
    assert await findings(home) == [("keyframe_gap", 9)]
    await home.store.keyframes.forget_from(prompt.id, 4)
    assert await home.store.keyframes.seqs(prompt.id) == [2]


async def test_a_keyframe_lies_within_the_journal(home: Home) -> None:
    prompt = await prompt_with_keyframes(home)
    for seq in (0, 11):
        with pytest.raises(Conflict):
            await home.store.keyframes.save(prompt.id, keyframe(seq), Stretch(0, seq, b""))
    with pytest.raises(NotFound):
        await home.store.keyframes.save(uuid.uuid4(), keyframe(1), Stretch(0, 1, b""))
    await home.store.keyframes.save(prompt.id, keyframe(10), Stretch(0, 10, b""))
    await damage(home, 10, seq=12)
    assert await findings(home) == [("keyframe_beyond_head", 12)]


async def damage(home: Home, at: int, **columns: object) -> None:
    async with home.store.database.write() as connection:
        await connection.execute(update(keyframes).where(keyframes.c.seq == at).values(columns))


async def test_bylines_say_who_brought_rows(home: Home) -> None:
    prompt = await prompt_with_keyframes(home)
    entries = {entry.seq: entry for entry in await home.store.journal.read(prompt.id)}
    bylines = await home.store.journal.bylines(prompt.id, [9, 2, 2, 700, 5])
    assert set(bylines) == {2, 5, 9}
    for seq, byline in bylines.items():
        entry = entries[seq]
        assert (byline.seq, byline.user_id, byline.kind, byline.created_at) == (
            seq,
            entry.user_id,
            entry.kind,
            entry.created_at,
        )
    assert set(await home.store.journal.bylines(prompt.id, range(1, 2_000))) == set(range(1, 11))
    assert await home.store.journal.bylines(prompt.id, []) == {}


async def test_one_whose_forerunner_was_forgotten_meanwhile_is_not_saved(home: Home) -> None:
    prompt = await prompt_with_keyframes(home, 2, 4)
    await home.store.keyframes.forget_from(prompt.id, 3)
    with pytest.raises(Conflict):
        await home.store.keyframes.save(prompt.id, keyframe(6), Stretch(4, 6, b""))
    await home.store.keyframes.save(prompt.id, keyframe(4), Stretch(2, 4, b""))
    await home.store.keyframes.save(prompt.id, keyframe(6), Stretch(4, 6, b""))
    assert await findings(home) == []

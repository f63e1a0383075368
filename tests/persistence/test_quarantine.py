"""What was refused is kept: journal rows for ever, the rest within bounds."""

import uuid

import pytest

from persistence.errors import Conflict
from persistence.quarantine import KEPT_PER_PROMPT, MAX_PAYLOAD_BYTES
from tests.persistence.conftest import HandClock, Home


async def test_the_newest_evidence_is_kept_and_the_oldest_makes_room(home: Home, clock: HandClock) -> None:
    prompt, other = await home.prompt(), await home.prompt("other")
    await home.store.quarantine.add(other.id, update=b"theirs", reason="engine_failed")
    for number in range(KEPT_PER_PROMPT + 3):
        clock.advance(seconds=1)
        await home.store.quarantine.add(prompt.id, update=b"%d" % number, reason="engine_failed", user_id=home.owner_id)
    kept = await home.store.quarantine.list(prompt.id)
    assert [item.payload for item in kept] == [b"%d" % number for number in range(KEPT_PER_PROMPT + 2, 2, -1)]
    assert (kept[0].user_id, kept[0].seq, kept[0].reason, kept[0].created_at) == (
        *(home.owner_id, None),
        *("engine_failed", clock.now),
    )
    assert len(await home.store.quarantine.list(other.id)) == 1


async def test_a_journal_row_is_never_forgotten_and_stands_once(home: Home, clock: HandClock) -> None:
    prompt = await home.prompt()
    await home.store.quarantine.add(prompt.id, seq=7, update=b"first", reason="update_malformed")
    await home.store.quarantine.add(prompt.id, seq=7, update=b"again", reason="update_malformed")
    await home.store.quarantine.add(prompt.id, seq=9, update=b"x", reason="update_malformed")
    for _ in range(KEPT_PER_PROMPT + 1):
        clock.advance(seconds=1)
        await home.store.quarantine.add(prompt.id, update=b"evidence", reason="engine_failed")
    assert await home.store.quarantine.sequences(prompt.id) == {7, 9}
    kept = await home.store.quarantine.list(prompt.id)
    assert len(kept) == KEPT_PER_PROMPT + 2
    assert [item.payload for item in kept if item.seq == 7] == [b"first"]


async def test_large_evidence_is_cut(home: Home) -> None:
    prompt = await home.prompt()
    await home.store.quarantine.add(prompt.id, update=bytes(MAX_PAYLOAD_BYTES + 1), reason="engine_failed")
    assert len((await home.store.quarantine.list(prompt.id))[0].payload) == MAX_PAYLOAD_BYTES


async def test_evidence_of_no_prompt_is_refused(home: Home) -> None:
    with pytest.raises(Conflict):
        await home.store.quarantine.add(uuid.uuid4(), update=b"x", reason="engine_failed")
    assert await home.store.quarantine.sequences(uuid.uuid4()) == frozenset()

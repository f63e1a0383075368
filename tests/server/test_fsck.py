"""`promptroom fsck` names what is wrong, and says nothing of what is not."""

import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from crdt.causality import Knowledge
from crdt.diff import TextEdit
from crdt.document import initial_state
from crdt.knowledge_bytes import encode_knowledge
from server.fsck import check_everything
from server.rebuild import load_prompt
from server.workers import Workers
from tests.server.living import House


@pytest.fixture
async def house(sqlite_url: str) -> AsyncIterator[House]:
    """A prompt with four journal entries."""
    house = await House.build(sqlite_url, text="Hello")
    for text in ("one", "two", "three"):
        edits = [TextEdit(0, 0, text)]
        await house.hub.edit(house.prompt_id, house.people["anna"], partial(_as_they_are, edits))
    yield house
    await house.close()


def _as_they_are(edits: Sequence[TextEdit], _text: str) -> Sequence[TextEdit]:
    return edits


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The file, to be changed behind the store's back."""
    connection = sqlite3.connect(tmp_path / "promptroom.db", isolation_level=None)
    yield connection
    connection.close()


async def state(house: House) -> bytes:
    return initial_state((await house.hub.live(house.prompt_id)).text, 99)


async def test_a_sound_store_has_no_findings(house: House) -> None:
    assert await check_everything(house.store) == []


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        ("UPDATE journal SET payload = x'00ff' WHERE seq = 3", "entry 3 cannot be applied"),
        ("UPDATE journal SET payload = x'01010701000000' WHERE seq = 2", "entry 2 cannot be applied"),
        ("DELETE FROM journal WHERE seq = 2", "no entry 2"),
        ("DELETE FROM journal WHERE seq = 4", "ends at 3"),
    ],
)
async def test_the_first_bad_row_is_named(
    house: House, database: sqlite3.Connection, damage: str, finding: str
) -> None:
    database.execute(damage)
    findings = await check_everything(house.store)
    assert str(house.prompt_id) in findings[0]
    assert finding in findings[0]


async def test_what_builds_on_a_bad_row_is_counted_and_not_named(house: House, database: sqlite3.Connection) -> None:
    database.execute("UPDATE journal SET payload = x'00ff' WHERE seq = 2")
    (finding,) = await check_everything(house.store)
    assert finding.startswith(f"prompt {house.prompt_id}: entry 2 cannot be applied (")
    assert finding.endswith("), nor can 2 after it")


async def test_what_is_in_quarantine_is_named(house: House) -> None:
    await house.store.quarantine.add(house.prompt_id, update=b"\0", reason="engine_failed", user_id=None, seq=4)
    assert await check_everything(house.store) == [f"prompt {house.prompt_id}: entry 4 is in quarantine"]


async def test_a_checkpoint_that_is_another_text_is_named(house: House) -> None:
    await house.store.checkpoints.save(house.prompt_id, 4, await state(house))
    (finding,) = await check_everything(house.store)
    assert finding == f"prompt {house.prompt_id}: the checkpoint at 4 is not what its journal comes to"


async def test_what_was_kept_with_a_checkpoint_and_is_not_true_is_named(house: House) -> None:
    stored = await load_prompt(house.store, Workers(), house.prompt_id)
    state = stored.document.encode_state()
    await house.store.checkpoints.save(house.prompt_id, 4, state, encode_knowledge(stored.knowledge))
    assert await check_everything(house.store) == []
    await house.store.checkpoints.save(house.prompt_id, 4, state, encode_knowledge(Knowledge({7: 1})))
    (finding,) = await check_everything(house.store)
    assert finding == f"prompt {house.prompt_id}: what was kept with the checkpoint at 4 is not what it holds"


async def test_a_checkpoint_that_cannot_be_read_is_named(house: House) -> None:
    await house.store.checkpoints.save(house.prompt_id, 3, b"\xff\xff")
    (finding,) = await check_everything(house.store)
    assert finding.startswith(f"prompt {house.prompt_id}: the checkpoint at 3 cannot be read")


async def test_a_checkpoint_with_other_bytes_than_were_written_is_named_once(
    house: House, database: sqlite3.Connection
) -> None:
    await house.store.checkpoints.save(house.prompt_id, 4, await state(house))
    database.execute("UPDATE checkpoints SET state = x'0000'")
    (finding,) = await check_everything(house.store)
    assert "does not match its digest" in finding

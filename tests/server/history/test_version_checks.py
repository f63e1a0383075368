"""`promptroom fsck` names every version, text and label that is not what was stored."""

import random
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from persistence.labels import LabelChange
from server.fsck import check_everything
from server.history.making import make_live_version
from tests.server.living import House


@pytest.fixture
async def house(sqlite_url: str) -> AsyncIterator[House]:
    """A prompt with three versions and two labels."""
    house = await House.build(sqlite_url, text="Hello")
    anna, ben = await house.open("anna"), await house.open("ben")
    author_id = house.people["anna"].user_id
    for number, tab in enumerate((anna, ben, anna)):
        tab.pump().type(f"{number} 😀 and some more text. ")
        await tab.saved()
        prompt = await house.store.prompts.get(house.prompt_id)
        version, _ = await make_live_version(
            house.store, house.hub, prompt, author_id=author_id, message=f"Version {number}", at=1.8e9 + number
        )
        change = LabelChange(author_id, version.id, is_protected=number == 1, reason="on")
        await house.store.labels.change(house.prompt_id, "production", change, permit=lambda _: None)
        await house.store.labels.change(
            house.prompt_id, "canary", LabelChange(author_id, version.id), permit=lambda _: None
        )
    yield house
    await house.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The file, to be changed behind the store's back."""
    connection = sqlite3.connect(tmp_path / "promptroom.db", isolation_level=None)
    yield connection
    connection.close()


async def test_sound_versions_have_no_findings(house: House) -> None:
    assert await check_everything(house.store) == []


async def test_a_name_that_some_take_for_several_lines_is_one(house: House, database: sqlite3.Connection) -> None:
    people = house.people
    database.execute("UPDATE users SET name = ? WHERE id = ?", ("Be\u2028n\x85", people["ben"].user_id.bytes))
    tab = await house.open("ben")
    tab.type("More. ")
    await tab.saved()
    prompt = await house.store.prompts.get(house.prompt_id)
    await make_live_version(house.store, house.hub, prompt, author_id=people["anna"].user_id, message="Named", at=1.9e9)
    assert await check_everything(house.store) == []


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        ("UPDATE versions SET data = x'00' WHERE number = 2", "version 2 "),
        ("UPDATE versions SET message = 'Another' WHERE number = 2", "has another message"),
        ("UPDATE versions SET path = 'other.prompt' WHERE number = 1", "has another text"),
        ("UPDATE versions SET author_name = 'Eve' WHERE number = 1", "has another author"),
        ("UPDATE versions SET co_authors = '[]' WHERE number = 2", "has other co-authors"),
        ("UPDATE versions SET co_authors = '[{}]' WHERE number = 2", "cannot be read"),
        ("UPDATE versions SET created_at = created_at + 1 WHERE number = 3", "has another time"),
        ("UPDATE versions SET seq = seq + 1 WHERE number = 1", "has another seq"),
        ("UPDATE versions SET seq = 99 WHERE number = 3", "does not follow version 2"),
        ("UPDATE versions SET parent_id = NULL WHERE number = 3", "does not follow version 2"),
        ("UPDATE versions SET number = 7 WHERE number = 2", "does not follow version 1"),
        ("DELETE FROM versions WHERE number = 1", "does not follow version 0"),
        ("DELETE FROM versions WHERE number = 3", "names version"),
        ("UPDATE blobs SET data = x'00'", "cannot be read"),
        ("UPDATE blobs SET data = (SELECT data FROM blobs ORDER BY id LIMIT 1)", "does not come to its id"),
        ("DELETE FROM blobs", "has no text"),
        ("UPDATE labels SET version_id = (SELECT id FROM versions WHERE number = 1)", "is not where its history leads"),
        ("UPDATE labels SET is_protected = 1 - is_protected WHERE name = 'canary'", "the label canary is not where"),
        ("UPDATE labels SET name = 'canaru' WHERE name = 'canary'", "the label canary is not where"),
        ("DELETE FROM labels WHERE name = 'canary'", "the label canary is not where"),
        ("DELETE FROM label_moves WHERE name = 'production' AND number = 2", "the label production is not where"),
    ],
)
async def test_what_was_damaged_is_named(house: House, database: sqlite3.Connection, damage: str, finding: str) -> None:
    database.execute(damage)
    findings = await check_everything(house.store)
    assert any(finding in each for each in findings), findings
    assert all(str(house.prompt_id) in each for each in findings if "rows of" not in each), findings


@pytest.mark.parametrize(("table", "column"), [("versions", "data"), ("blobs", "data")])
async def test_every_flipped_byte_of_an_object_is_found(
    house: House, database: sqlite3.Connection, rng: random.Random, table: str, column: str
) -> None:
    rows = database.execute(f"SELECT rowid, {column} FROM {table}").fetchall()  # noqa: S608 - names of our own
    for _ in range(60):
        rowid, stored = rng.choice(rows)
        flipped = bytearray(stored)
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
        database.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (bytes(flipped), rowid))  # noqa: S608
        findings = await check_everything(house.store)
        assert len(findings) == 1, (bytes(flipped), findings)
        assert str(house.prompt_id) in findings[0]
        database.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (stored, rowid))  # noqa: S608
    assert await check_everything(house.store) == []

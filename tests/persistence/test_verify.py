"""What fsck finds, after somebody has damaged the database on purpose."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Executable, delete, text, update

from persistence.address import DatabaseAddress
from persistence.prompts import Prompt
from persistence.store import Store
from persistence.tables import checkpoints, client_ids, journal, prompts, users
from persistence.verify import Finding
from tests.persistence.conftest import Home, home_of


@pytest.fixture
async def prompt(home: Home) -> Prompt:
    prompt = await home.prompt()
    await home.store.journal.append(prompt.id, home.edits(*[b"x"] * 9), {2: home.owner_id})
    await home.store.checkpoints.save(prompt.id, 4, b"state")
    await home.store.checkpoints.save(prompt.id, 8, b"state")
    return prompt


async def damage(store: Store, *statements: Executable) -> None:
    """Run statements with foreign keys switched off."""
    async with store.database.engine.connect() as connection:
        if store.database.is_sqlite:
            # Has no effect inside a transaction, and the next statement begins one.
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await driver.execute("PRAGMA foreign_keys = OFF")
        else:
            await connection.execute(text("SET session_replication_role = replica"))
        for statement in statements:
            await connection.execute(statement)
        await connection.commit()
        await connection.invalidate()


def overwrite_the_last_pages(path: Path) -> None:
    # Opening does not read them.
    content = bytearray(path.read_bytes())
    content[-20 * 4096 :] = b"\xff" * 20 * 4096
    path.write_bytes(content)


async def findings(store: Store) -> list[Finding]:
    return [finding async for finding in store.verify()]


async def codes(store: Store) -> list[tuple[str, int | None]]:
    return [(finding.code, finding.seq) for finding in await findings(store)]


async def test_a_sound_database_has_no_findings(home: Home, prompt: Prompt) -> None:
    await home.store.prompts.delete(prompt.id)
    assert await findings(home.store) == []


async def test_the_first_gap_of_each_journal_is_named(home: Home, prompt: Prompt) -> None:
    other = await home.prompt("other")
    await home.store.journal.append(other.id, home.edits(b"x", b"y"))
    of_prompt = journal.c.prompt_id == prompt.id
    await damage(
        home.store,
        delete(journal).where(of_prompt, journal.c.seq.in_([3, 7])),
        delete(journal).where(journal.c.prompt_id == other.id, journal.c.seq == 1),
    )
    found = await findings(home.store)
    assert {(finding.code, finding.prompt_id, finding.seq) for finding in found} == {
        ("journal_gap", prompt.id, 3),
        ("journal_gap", other.id, 1),
    }
    assert all(str(finding.prompt_id) in finding.message for finding in found)


async def test_a_journal_that_ends_before_its_head_is_named(home: Home, prompt: Prompt) -> None:
    of_prompt = journal.c.prompt_id == prompt.id
    await damage(home.store, delete(journal).where(of_prompt, journal.c.seq > 8))
    assert await codes(home.store) == [("journal_head", 9)]
    await damage(home.store, delete(journal).where(of_prompt))
    assert await codes(home.store) == [("journal_head", 1)]


async def test_a_journal_that_goes_on_after_its_head_is_named(home: Home, prompt: Prompt) -> None:
    await damage(home.store, update(prompts).where(prompts.c.id == prompt.id).values(head_seq=9))
    assert await codes(home.store) == [("journal_head", 10)]


async def test_checkpoints_that_cannot_be_right_are_named_once_a_prompt(home: Home, prompt: Prompt) -> None:
    await damage(home.store, update(checkpoints).values(state=b"damaged"))
    assert await codes(home.store) == [("checkpoint_digest", 4)]
    await damage(home.store, update(checkpoints).where(checkpoints.c.seq == 8).values(seq=11))
    await damage(home.store, delete(checkpoints).where(checkpoints.c.seq == 4))
    assert await codes(home.store) == [("checkpoint_beyond_head", 11)]
    assert str(prompt.id) in (await findings(home.store))[0].message


async def test_users_who_do_not_exist_are_named(home: Home, prompt: Prompt) -> None:
    nobody = uuid.uuid4()
    await damage(
        home.store,
        update(journal).where(journal.c.prompt_id == prompt.id, journal.c.seq >= 5).values(user_id=nobody),
        update(client_ids).where(client_ids.c.client_id == 2).values(user_id=nobody),
    )
    found = [finding for finding in await findings(home.store) if finding.code != "reference_broken"]
    assert [(finding.code, finding.prompt_id, finding.seq) for finding in found] == [
        ("author_unknown", prompt.id, 5),
        ("client_id_unknown_user", prompt.id, None),
    ]
    assert "client id 2 " in found[1].message


async def test_sqlite_names_every_broken_reference_by_table(sqlite_store_url: str) -> None:
    store = await Store.open(sqlite_store_url)
    home = await home_of(store)
    await home.prompt()
    await damage(store, delete(users))
    found = await findings(store)
    assert "1 rows of memberships name rows of users that do not exist" in {finding.message for finding in found}
    await store.close()


async def test_a_damaged_file_is_named(sqlite_store_url: str) -> None:
    store = await Store.open(sqlite_store_url)
    home = await home_of(store)
    prompt = await home.prompt()
    await store.journal.append(prompt.id, home.edits(*[bytes(3_000)] * 20))
    await store.close()
    overwrite_the_last_pages(DatabaseAddress.parse(sqlite_store_url).path)
    store = await Store.open(sqlite_store_url)
    found = await findings(store)
    assert "database_damaged" in {finding.code for finding in found}
    await store.close()

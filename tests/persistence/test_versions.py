"""Versions: one chain for each prompt, whoever makes them at the same time."""

import asyncio
import uuid
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from persistence.errors import Conflict, HeadMoved, NotFound, StoreDamaged
from persistence.pages import CursorInvalid
from persistence.store import OpenMode, Store
from persistence.tables import blobs
from persistence.versions import Author, Version, VersionKind
from tests.persistence.conftest import Home, home_of
from tests.persistence.history_rows import AT, chain, made_id, new_version

TEXT = "Say 😀 to {{name}}\n" * 100


async def test_a_version_is_stored_as_it_was_made(home: Home) -> None:
    prompt = await home.prompt()
    new = new_version(home.owner_id, text=TEXT)
    version, is_new = await home.store.versions.create(prompt.id, new)
    assert is_new
    assert version == Version(
        id=new.id,
        seq=1,
        blob_id=new.blob_id,
        parent_id=None,
        path="greeting.prompt",
        kind=VersionKind.MANUAL,
        message=f"With {TEXT}",
        author=Author(home.owner_id, "Ada"),
        co_authors=(Author(home.owner_id, "Grace 😀"),),
        created_at=AT,
        number=1,
    )
    assert await home.store.versions.get(prompt.id, version.id) == version
    assert await home.store.versions.latest(prompt.id) == version
    assert (await home.store.versions.content(prompt.id, version.blob_id)).decode() == TEXT


async def test_a_prompt_without_versions_has_none(home: Home) -> None:
    prompt = await home.prompt()
    assert await home.store.versions.latest(prompt.id) is None
    assert (await home.store.versions.list(prompt.id)).items == ()
    for find in (home.store.versions.get, home.store.versions.content):
        with pytest.raises(NotFound):
            await find(prompt.id, made_id(1))


async def test_each_version_follows_the_one_before(home: Home) -> None:
    prompt, other = await home.prompt(), await home.prompt("Other")
    first, second, third = await chain(home, prompt.id, "a", "b", "c")
    assert [each.number for each in (first, second, third)] == [1, 2, 3]
    assert [each.parent_id for each in (first, second, third)] == [None, first.id, second.id]
    assert await home.store.versions.latest(prompt.id) == third
    assert await home.store.versions.latest(other.id) is None


async def test_the_text_of_the_latest_version_is_not_stored_again(home: Home) -> None:
    prompt = await home.prompt()
    first, second = await chain(home, prompt.id, "a", "b")
    again = new_version(home.owner_id, text="b", version_id=made_id(7, "c"), parent=second, seq=9)
    assert await home.store.versions.create(prompt.id, again) == (second, False)
    back = new_version(home.owner_id, text="a", version_id=made_id(8, "c"), parent=second, seq=9)
    third, is_new = await home.store.versions.create(prompt.id, back)
    assert (is_new, third.number, third.blob_id) == (True, 3, first.blob_id)
    async with home.store.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(blobs)) == 2


async def test_a_version_after_another_than_the_latest_is_refused(home: Home) -> None:
    prompt = await home.prompt()
    with pytest.raises(HeadMoved) as refused:
        await home.store.versions.create(prompt.id, replace(new_version(home.owner_id), parent_id=made_id(1)))
    assert refused.value.head is None
    first, second = await chain(home, prompt.id, "a", "b")
    for parent in (None, first):
        with pytest.raises(HeadMoved) as refused:
            await home.store.versions.create(prompt.id, new_version(home.owner_id, text="c", parent=parent))
        assert refused.value.head == second.id


async def test_of_many_who_make_a_version_at_once_one_does(home: Home) -> None:
    prompt = await home.prompt()
    outcomes = await asyncio.gather(
        *[home.store.versions.create(prompt.id, new_version(home.owner_id, text=text)) for text in "abcdefgh"],
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["HeadMoved"] * 7 + ["tuple"]
    assert len((await home.store.versions.list(prompt.id)).items) == 1


async def test_of_two_servers_that_make_the_same_version_one_does(postgres_store_url: str) -> None:
    nodes = [await Store.open(postgres_store_url, mode=OpenMode.CLUSTER) for _ in range(2)]
    home = await home_of(nodes[0])
    prompt = await home.prompt()
    parent: Version | None = None
    for text in "abcde":
        made = await asyncio.gather(
            *[
                node.versions.create(
                    prompt.id,
                    new_version(home.owner_id, text=text, version_id=made_id(ord(text), str(number)), parent=parent),
                )
                for number, node in enumerate(nodes)
            ]
        )
        assert made[0][0] == made[1][0]
        assert sorted(is_new for _, is_new in made) == [False, True]
        parent = made[0][0]
    for node in nodes:
        await node.close()


async def test_a_version_of_nothing_or_by_nobody_is_refused_and_leaves_nothing(home: Home) -> None:
    prompt, deleted = await home.prompt(), await home.prompt("Deleted")
    await home.store.prompts.delete(deleted.id)
    for absent in (uuid.uuid4(), deleted.id):
        with pytest.raises(NotFound):
            await home.store.versions.create(absent, new_version(home.owner_id))
    with pytest.raises(Conflict):
        await home.store.versions.create(prompt.id, new_version(uuid.uuid4()))
    async with home.store.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(blobs)) == 0


async def test_the_list_is_read_page_by_page_and_what_comes_meanwhile_is_left_out(home: Home) -> None:
    prompt = await home.prompt()
    made = await chain(home, prompt.id, *"abcde")
    first = await home.store.versions.list(prompt.id, limit=2)
    new = new_version(home.owner_id, text="f", parent=made[-1])
    await home.store.versions.create(prompt.id, new)
    second = await home.store.versions.list(prompt.id, limit=2, cursor=first.next_cursor)
    last = await home.store.versions.list(prompt.id, limit=2, cursor=second.next_cursor)
    assert [*first.items, *second.items, *last.items] == made[::-1]
    assert last.next_cursor is None


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1.5", "²", "9" * 10, "9" * 5_000, " 1"])
async def test_a_cursor_that_no_list_gave_out_is_refused(home: Home, cursor: str) -> None:
    prompt = await home.prompt()
    with pytest.raises(CursorInvalid):
        await home.store.versions.list(prompt.id, cursor=cursor)


async def test_the_beginning_of_an_id_finds_it_and_says_when_there_are_several(home: Home) -> None:
    prompt, other = await home.prompt(), await home.prompt("Other")
    parent: Version | None = None
    for number, beginning in enumerate(["abcdef0", "abcdef01", "abcdeff", "abcde9"]):
        new = new_version(home.owner_id, text=str(number), version_id=made_id(number, beginning), parent=parent)
        parent, _ = await home.store.versions.create(prompt.id, new)
    find = home.store.versions.beginning_with
    assert [version.number for version in await find(prompt.id, "abcdef01")] == [2]
    assert [version.number for version in await find(prompt.id, "abcdeff")] == [3]
    assert len(await find(prompt.id, "abcdef0")) == len(await find(prompt.id, "abc")) == 2
    assert await find(prompt.id, "abcdef2") == await find(other.id, "abc") == []


async def test_a_text_that_is_damaged_is_said_to_be(home: Home) -> None:
    prompt = await home.prompt()
    (version,) = await chain(home, prompt.id, "a")
    async with home.store.database.write() as connection:
        await connection.execute(update(blobs).values(data=b"damaged"))
    with pytest.raises(StoreDamaged, match=version.blob_id):
        await home.store.versions.content(prompt.id, version.blob_id)


async def test_the_journal_says_who_wrote_a_part_of_it(home: Home) -> None:
    prompt = await home.prompt()
    ada, ben = home.owner_id, (await home.store.accounts.create_user("Ben")).id
    for user_id in (ben, ada, ben, ada):
        home.owner_id = user_id
        await home.store.journal.append(prompt.id, home.edits(b"x"))
    writers = home.store.journal.writers
    assert await writers(prompt.id, after=0, until=5) == [ada, ben]
    assert await writers(prompt.id, after=0, until=4) == [ben, ada]
    assert await writers(prompt.id, after=3, until=4) == [ben]
    assert await writers(prompt.id, after=5, until=5) == []

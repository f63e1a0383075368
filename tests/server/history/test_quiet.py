"""A room that falls quiet after somebody changed the text leaves a version."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from crdt.diff import TextEdit
from persistence.errors import StoreUnavailable
from persistence.versions import NewVersion, Version, VersionKind
from server.history.making import Draft, make_live_version, make_version
from tests.server.living import House, Tab
from tests.server.street import Node, street
from tests.support.waiting import wait_until

QUIET = 300.0


@pytest.fixture
async def house(sqlite_url: str) -> AsyncIterator[House]:
    """A house that makes versions of what falls quiet."""
    house = await House.build(sqlite_url, text="Hello", version_after_quiet_seconds=QUIET)
    yield house
    await house.close()


async def versions(house: House) -> list[Version]:
    return list((await house.store.versions.list(house.prompt_id)).items)


async def count(house: House, expected: int) -> list[Version]:
    """Wait until there are as many versions."""

    async def are_there() -> bool:
        return len(await versions(house)) == expected

    await wait_until(are_there, what=f"{expected} versions")
    return await versions(house)


async def no_more_work() -> None:
    """Wait until every task that a tick has begun has ended."""
    tasks = [task for task in asyncio.all_tasks() if task.get_name() in {"automatic_version", "unload_room"}]
    await asyncio.gather(*tasks)


def let_pass(house: House, seconds: float) -> None:
    """Let time pass, with a tick before and after."""
    house.hub.tick()
    house.clock.advance(seconds)
    house.hub.tick()


def without_the_last(text: str) -> list[TextEdit]:
    return [TextEdit(len(text) - 1, len(text), "")]


async def write(tab: Tab, text: str) -> None:
    tab.type(text)
    await tab.saved()


async def test_a_quiet_room_leaves_a_version_of_whoever_wrote_last(house: House) -> None:
    anna, ben = await house.open("anna"), await house.open("ben")
    await write(ben, " 😀")
    await anna.shows("Hello 😀")
    anna.type("!", 0)
    await anna.saved()
    let_pass(house, QUIET)
    (version,) = await count(house, 1)
    assert (version.kind, version.seq, version.message) == (VersionKind.AUTOMATIC, 3, "Automatic version")
    assert version.author.id == house.people["anna"].user_id
    assert [each.id for each in version.co_authors] == [house.people[name].user_id for name in ("ben", "owner")]
    assert (await house.store.versions.content(house.prompt_id, version.blob_id)).decode() == "!Hello 😀"
    await wait_until(
        lambda: any("version.created" in str(event) for event in ben.pump().events), what="everybody to hear of it"
    )


async def test_a_room_that_is_typed_in_is_not_quiet(house: House) -> None:
    anna = await house.open("anna")
    for _ in range(3):
        await write(anna, "x")
        let_pass(house, QUIET - 1)
        await no_more_work()
    assert await versions(house) == []
    let_pass(house, 1)
    assert len(await count(house, 1)) == 1


async def test_what_did_not_change_leaves_nothing(house: House) -> None:
    anna = await house.open("anna")
    let_pass(house, QUIET)
    await no_more_work()
    assert await versions(house) == [], "it is as it was created"
    await write(anna, "x")
    prompt = await house.store.prompts.get(house.prompt_id)
    await make_live_version(
        house.store, house.hub, prompt, author_id=house.people["anna"].user_id, message="By hand", at=1.8e9
    )
    let_pass(house, QUIET)
    await no_more_work()
    await write(anna, "y")
    await house.hub.edit(house.prompt_id, house.people["anna"], without_the_last)
    let_pass(house, QUIET)
    await no_more_work()
    assert [version.kind for version in await versions(house)] == [VersionKind.MANUAL], "it is what it was"


async def test_one_quiet_leaves_one_version(house: House) -> None:
    anna = await house.open("anna")
    await write(anna, "x")
    for _ in range(4):
        let_pass(house, QUIET)
        await no_more_work()
    assert len(await versions(house)) == 1
    await write(anna, "y")
    let_pass(house, QUIET)
    second, first = await count(house, 2)
    assert second.parent_id == first.id


async def test_a_room_that_everybody_has_left_leaves_a_version_when_it_is_unloaded(house: House) -> None:
    anna = await house.open("anna")
    await write(anna, "x")
    anna.hang_up()
    let_pass(house, 61.0)
    await wait_until(lambda: house.hub.rooms == 0, what="the room to be unloaded")
    (version,) = await versions(house)
    assert (version.kind, version.seq) == (VersionKind.AUTOMATIC, 2)


async def test_a_version_that_could_not_be_stored_is_made_later(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = await house.open("anna")
    await write(anna, "x")
    create = house.store.versions.create
    refused: list[str] = []

    async def refuse(_prompt_id: object, new: NewVersion) -> tuple[Version, bool]:
        refused.append(new.id)
        raise StoreUnavailable

    monkeypatch.setattr(house.store.versions, "create", refuse)
    let_pass(house, QUIET)
    await wait_until(lambda: refused, what="the first attempt")
    await no_more_work()
    monkeypatch.setattr(house.store.versions, "create", create)
    let_pass(house, QUIET)
    await count(house, 1)


async def test_a_version_of_what_was_there_before_does_not_stand_in_for_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await house.open("anna")
    await write(anna, "x")
    before = await house.hub.live(house.prompt_id)
    await write(anna, "y")
    create = house.store.versions.create
    prompt = await house.store.prompts.get(house.prompt_id)

    async def come_second(prompt_id: UUID, new: NewVersion) -> tuple[Version, bool]:
        # Another node, which has not heard of the last edit yet.
        monkeypatch.setattr(house.store.versions, "create", create)
        author_id = house.people["anna"].user_id
        draft = Draft(before.text, before.head_seq, author_id, VersionKind.AUTOMATIC, "Automatic version", 1.8e9)
        await make_version(house.store, prompt, None, draft)
        return await create(prompt_id, new)

    monkeypatch.setattr(house.store.versions, "create", come_second)
    let_pass(house, QUIET)
    second, first = await count(house, 2)
    assert (first.seq, second.seq) == (2, 3)


async def test_it_can_be_switched_off(sqlite_url: str) -> None:
    house = await House.build(sqlite_url, text="Hello", version_after_quiet_seconds=0.0)
    anna = await house.open("anna")
    await write(anna, "x")
    let_pass(house, 1e6)
    anna.hang_up()
    let_pass(house, 1e6)
    await wait_until(lambda: house.hub.rooms == 0, what="the room to be unloaded")
    assert await versions(house) == []
    await house.close()


def all_quiet(nodes: list[Node]) -> None:
    """Let so much time pass on all nodes at once."""
    for seconds in (0.0, QUIET):
        for node in nodes:
            node.clock.advance(seconds)
            node.hub.tick()


async def test_of_two_nodes_one_makes_the_version(postgres_url: str) -> None:
    async with street(postgres_url, version_after_quiet_seconds=QUIET) as there:
        tabs = [await there.nodes[0].open("anna"), await there.nodes[1].open("ben")]
        tabs[0].type(" from anna")
        await there.agree("Hello from anna")
        for number in range(3):
            tabs[number % 2].type("!")
            await there.agree("Hello from anna" + "!" * (number + 1))

            all_quiet(there.nodes)
            made = await count(there.house, number + 1)
            await no_more_work()
            assert await versions(there.house) == made
            assert made[0].kind is VersionKind.AUTOMATIC

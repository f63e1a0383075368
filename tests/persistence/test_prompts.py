"""Prompts: created with their document, found by their tenant, changed by version, deleted softly."""

import asyncio
import uuid

import pytest

from persistence.errors import Conflict, NotFound, VersionConflict
from persistence.prompts import Prompt
from persistence.store import OpenMode, Store
from tests.persistence.conftest import HandClock, Home, home_of


async def names(home: Home, **narrowed: object) -> list[str]:
    page = await home.store.prompts.list(home.organization_id, **narrowed)  # type: ignore[arg-type]
    return [prompt.name for prompt in page.items]


async def test_a_new_prompt_is_what_was_asked_for(home: Home, clock: HandClock) -> None:
    prompt = await home.prompt("Größe")
    assert prompt == Prompt(
        id=prompt.id,
        organization_id=home.organization_id,
        project_id=home.project_id,
        name="Größe",
        slug="groe",
        epoch=1,
        head_seq=1,
        version=1,
        created_by=home.owner_id,
        created_at=clock.now,
        updated_at=clock.now,
        deleted_at=None,
    )
    assert await home.store.prompts.get(prompt.id) == prompt


async def test_prompts_with_one_name_get_different_slugs_even_after_a_deletion(home: Home) -> None:
    first = await home.prompt("Same")
    await home.store.prompts.delete(first.id)
    second, third = await home.prompt("same"), await home.prompt("SAME!")
    assert [prompt.slug for prompt in (first, second, third)] == ["same", "same-2", "same-3"]
    await home.store.prompts.restore(first.id)


async def test_many_who_create_the_same_name_at_once_all_succeed(home: Home) -> None:
    prompts = await asyncio.gather(*[home.prompt("Same") for _ in range(8)])
    assert len({prompt.slug for prompt in prompts}) == 8


async def test_of_all_who_create_the_first_prompt_at_once_one_does(home: Home) -> None:
    async def create() -> Prompt:
        return await home.store.prompts.create(
            organization_id=home.organization_id,
            project_id=home.project_id,
            name="First",
            state=b"state",
            client_id=1,
            user_id=home.owner_id,
            only_first=True,
        )

    outcomes = await asyncio.gather(*[create() for _ in range(6)], return_exceptions=True)
    (created,) = [outcome for outcome in outcomes if isinstance(outcome, Prompt)]
    assert all(isinstance(outcome, Prompt | Conflict) for outcome in outcomes)
    await home.store.prompts.delete(created.id)
    with pytest.raises(Conflict, match="already"):
        await create()


async def test_two_servers_that_choose_the_same_slug_at_once_both_succeed(postgres_store_url: str) -> None:
    nodes = [await Store.open(postgres_store_url, mode=OpenMode.CLUSTER) for _ in range(2)]
    homes = [await home_of(node) for node in nodes]
    for _ in range(5):
        await asyncio.gather(*[home.prompt("Same") for home in homes])
    assert len({prompt.slug for prompt in (await nodes[0].prompts.list(homes[0].organization_id)).items}) == 10
    for node in nodes:
        await node.close()


async def test_a_prompt_cannot_be_created_in_another_tenants_project(home: Home) -> None:
    other = await home.store.accounts.create_organization("Other")
    project = await home.store.projects.create(other.id, "Theirs")
    home.project_id = project.id
    with pytest.raises(NotFound, match="project"):
        await home.prompt()


async def test_a_prompt_by_nobody_is_refused_and_leaves_nothing(home: Home) -> None:
    home.owner_id = uuid.uuid4()
    with pytest.raises(Conflict):
        await home.prompt()
    assert await names(home) == []


async def test_another_tenants_prompt_is_not_found(home: Home) -> None:
    prompt = await home.prompt()
    other = await home.store.accounts.create_organization("Other")
    assert await home.store.prompts.get(prompt.id, organization_id=home.organization_id) == prompt
    with pytest.raises(NotFound):
        await home.store.prompts.get(prompt.id, organization_id=other.id)
    with pytest.raises(NotFound):
        await home.store.prompts.get(uuid.uuid4())
    assert (await home.store.prompts.list(other.id)).items == ()


async def test_the_list_is_narrowed_by_name_and_project(home: Home, clock: HandClock) -> None:
    other = await home.store.projects.create(home.organization_id, "Other")
    for name in ("Über uns", "100 % sure", "snake_case", "snakeXcase"):
        await home.prompt(name)
        clock.advance(seconds=1)
    home.project_id = other.id
    await home.prompt("elsewhere")
    assert await names(home, q="üBER") == ["Über uns"]
    assert await names(home, q="%") == ["100 % sure"]
    assert await names(home, q="e_c") == ["snake_case"]
    assert await names(home, q="'; DROP TABLE prompts; --") == []
    assert await names(home, project_id=other.id) == ["elsewhere"]
    assert await names(home, q="") == ["elsewhere", "snakeXcase", "snake_case", "100 % sure", "Über uns"]


async def test_a_prompt_is_renamed_and_keeps_its_slug(home: Home, clock: HandClock) -> None:
    prompt = await home.prompt("Before")
    clock.advance(seconds=1)
    renamed = await home.store.prompts.update(prompt.id, name="After", expected_version=1)
    assert (renamed.name, renamed.slug, renamed.version, renamed.updated_at) == ("After", "before", 2, clock.now)
    assert await home.store.prompts.get(prompt.id) == renamed
    assert await names(home, q="after") == ["After"]


async def test_a_prompt_moves_to_another_project_of_its_organization(home: Home) -> None:
    other = await home.store.projects.create(home.organization_id, "Other")
    staying = await home.prompt("Same")
    home.project_id = other.id
    await home.prompt("Same")
    moved = await home.store.prompts.update(staying.id, project_id=other.id)
    assert (moved.project_id, moved.slug) == (other.id, "same-2")
    foreign = await home.store.accounts.create_organization("Foreign")
    theirs = await home.store.projects.create(foreign.id, "Theirs")
    with pytest.raises(NotFound, match="project"):
        await home.store.prompts.update(staying.id, project_id=theirs.id)


async def test_of_two_who_change_the_same_version_one_is_told(home: Home) -> None:
    prompt = await home.prompt()
    outcomes = await asyncio.gather(
        home.store.prompts.update(prompt.id, name="a", expected_version=prompt.version),
        home.store.prompts.update(prompt.id, name="b", expected_version=prompt.version),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Prompt", "VersionConflict"]
    with pytest.raises(VersionConflict):
        await home.store.prompts.delete(prompt.id, expected_version=1)


async def test_a_deleted_prompt_is_gone_until_it_is_restored(home: Home, clock: HandClock) -> None:
    prompt = await home.prompt("Gone")
    deleted = await home.store.prompts.delete(prompt.id)
    assert deleted.deleted_at == clock.now
    for attempt in (home.store.prompts.get, home.store.prompts.delete):
        with pytest.raises(NotFound):
            await attempt(prompt.id)
    with pytest.raises(NotFound):
        await home.store.prompts.update(prompt.id, name="x")
    assert await names(home) == []
    assert await names(home, deleted=True) == ["Gone"]
    assert await home.store.prompts.get(prompt.id, include_deleted=True) == deleted
    restored = await home.store.prompts.restore(prompt.id)
    assert (restored.deleted_at, restored.version) == (None, 3)
    assert await home.store.prompts.restore(prompt.id) == restored
    assert await names(home) == ["Gone"]
    with pytest.raises(NotFound):
        await home.store.prompts.restore(uuid.uuid4())

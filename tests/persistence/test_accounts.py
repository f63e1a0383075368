"""Organizations, users, memberships, projects, and what a new database starts with."""

import asyncio
import uuid

import pytest

from persistence.accounts import Membership
from persistence.errors import Conflict, LastOwner, NotFound
from persistence.store import OpenMode, Store
from persistence.tables import memberships, projects
from tests.persistence.conftest import HandClock, Home


async def test_a_new_database_starts_with_an_owner_who_has_a_place_to_work(store: Store) -> None:
    first = await store.bootstrap()
    assert (first.is_new, first.organization.name, first.project.name, first.owner.name) == (
        *(True, "Home"),
        *("Prompts", "Owner"),
    )
    membership = await store.accounts.membership(first.organization.id, first.owner.id)
    assert membership is not None
    assert membership.role == "owner"
    assert first.project.organization_id == first.organization.id
    again = await store.bootstrap()
    assert not again.is_new
    assert (again.organization, again.project, again.owner) == (first.organization, first.project, first.owner)


async def test_servers_that_start_for_the_first_time_at_once_start_with_one_organization(store_url: str) -> None:
    mode = OpenMode.COMMAND
    stores = [await Store.open(store_url, mode=mode) for _ in range(3)]
    firsts = await asyncio.gather(*[store.bootstrap() for store in stores])
    assert len({first.organization.id for first in firsts}) == 1
    assert [first.is_new for first in firsts].count(True) == 1
    for store in stores:
        await store.close()


@pytest.mark.parametrize("table", [memberships, projects])
async def test_a_database_that_lost_its_owner_or_project_says_so(home: Home, table: object) -> None:
    async with home.store.database.write() as connection:
        await connection.execute(table.delete())  # type: ignore[attr-defined]
    with pytest.raises(NotFound, match="lost"):
        await home.store.bootstrap()


async def test_users_are_found_by_key_and_by_address_in_any_case(home: Home, clock: HandClock) -> None:
    accounts = home.store.accounts
    ada = await accounts.create_user("Ada", email=" Ada@Example.com ", password_hash="hash")
    assert (ada.email, ada.name, ada.password_hash, ada.created_at) == ("ada@example.com", "Ada", "hash", clock.now)
    assert await accounts.get_user(ada.id) == ada
    assert await accounts.user_by_email("ADA@example.com") == ada
    assert await accounts.user_by_email("eve@example.com") is None
    with pytest.raises(NotFound):
        await accounts.get_user(uuid.uuid4())


async def test_an_address_belongs_to_one_user_and_having_none_to_many(home: Home) -> None:
    accounts = home.store.accounts
    await accounts.create_user("Ada", email="ada@example.com")
    with pytest.raises(Conflict):
        await accounts.create_user("Eve", email="ADA@example.com")
    eve, bob = await accounts.create_user("Eve"), await accounts.create_user("Bob", email="  ")
    assert eve.email is bob.email is None
    with pytest.raises(Conflict):
        await accounts.update_user(eve.id, email="ada@example.com")


async def test_what_is_given_is_changed_and_the_rest_stays(home: Home, clock: HandClock) -> None:
    accounts = home.store.accounts
    ada = await accounts.create_user("Ada", email="ada@example.com", password_hash="old")
    clock.advance(seconds=1)
    assert (await accounts.update_user(ada.id, password_hash="new")).password_hash == "new"
    changed = await accounts.update_user(ada.id, name="Ada L.")
    assert (changed.name, changed.email, changed.password_hash, changed.updated_at) == (
        *("Ada L.", "ada@example.com"),
        *("new", clock.now),
    )
    with pytest.raises(NotFound):
        await accounts.update_user(uuid.uuid4(), name="nobody")


async def test_organizations_are_found_by_key(home: Home) -> None:
    other = await home.store.accounts.create_organization("Other")
    assert await home.store.accounts.get_organization(other.id) == other
    with pytest.raises(NotFound):
        await home.store.accounts.get_organization(uuid.uuid4())


async def test_a_member_joins_changes_role_leaves_and_joins_again(home: Home, clock: HandClock) -> None:
    accounts, organization_id = home.store.accounts, home.organization_id
    ada = await accounts.create_user("Ada")
    assert await accounts.membership(organization_id, ada.id) is None
    joined = await accounts.add_membership(organization_id, ada.id, "viewer")
    assert joined == Membership(organization_id, ada.id, "viewer", clock.now, clock.now)
    assert await accounts.membership(organization_id, ada.id) == joined
    with pytest.raises(Conflict, match="already"):
        await accounts.add_membership(organization_id, ada.id, "editor")
    clock.advance(seconds=1)
    assert (await accounts.set_role(organization_id, ada.id, "editor")).role == "editor"
    await accounts.remove_member(organization_id, ada.id)
    assert await accounts.membership(organization_id, ada.id) is None
    with pytest.raises(NotFound):
        await accounts.remove_member(organization_id, ada.id)
    with pytest.raises(NotFound):
        await accounts.set_role(organization_id, ada.id, "owner")
    again = await accounts.add_membership(organization_id, ada.id, "editor")
    assert await accounts.membership(organization_id, ada.id) == again


async def test_there_are_three_roles(home: Home) -> None:
    for attempt in (home.store.accounts.set_role, home.store.accounts.add_membership):
        with pytest.raises(ValueError, match="admin"):
            await attempt(home.organization_id, home.owner_id, "admin")


async def test_nobody_can_be_a_member_of_nothing(home: Home) -> None:
    with pytest.raises(Conflict):
        await home.store.accounts.add_membership(uuid.uuid4(), home.owner_id, "viewer")
    with pytest.raises(Conflict):
        await home.store.accounts.add_membership(home.organization_id, uuid.uuid4(), "viewer")


async def test_the_last_owner_stays(home: Home) -> None:
    accounts, organization_id = home.store.accounts, home.organization_id
    with pytest.raises(LastOwner):
        await accounts.set_role(organization_id, home.owner_id, "editor")
    with pytest.raises(LastOwner):
        await accounts.remove_member(organization_id, home.owner_id)
    assert (await accounts.set_role(organization_id, home.owner_id, "owner")).role == "owner"
    ada = await accounts.create_user("Ada")
    await accounts.add_membership(organization_id, ada.id, "owner")
    outcomes = await asyncio.gather(
        accounts.set_role(organization_id, home.owner_id, "editor"),
        accounts.remove_member(organization_id, ada.id),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, LastOwner) for outcome in outcomes) == 1


async def test_members_and_memberships_are_listed(home: Home, clock: HandClock) -> None:
    accounts = home.store.accounts
    other = await accounts.create_organization("Other")
    for name in ("Ada", "Bob"):
        clock.advance(seconds=1)
        user = await accounts.create_user(name, email=f"{name}@example.com")
        await accounts.add_membership(home.organization_id, user.id, "viewer")
    first = await accounts.members(home.organization_id, limit=2)
    second = await accounts.members(home.organization_id, limit=2, cursor=first.next_cursor)
    members = [(member.name, member.email, member.role) for member in first.items + second.items]
    assert members == [
        ("Owner", None, "owner"),
        ("Ada", "ada@example.com", "viewer"),
        ("Bob", "bob@example.com", "viewer"),
    ]
    clock.advance(seconds=1)
    await accounts.add_membership(other.id, home.owner_id, "viewer")
    assert [item.organization_id for item in await accounts.memberships_of(home.owner_id)] == [
        *(home.organization_id, other.id),
    ]


async def test_projects_belong_to_one_organization(home: Home) -> None:
    other = await home.store.accounts.create_organization("Other")
    project = await home.store.projects.create(other.id, "Theirs")
    assert await home.store.projects.get(project.id) == project
    assert await home.store.projects.get(project.id, organization_id=other.id) == project
    with pytest.raises(NotFound):
        await home.store.projects.get(project.id, organization_id=home.organization_id)
    assert [item.id for item in (await home.store.projects.list(home.organization_id)).items] == [home.project_id]
    with pytest.raises(Conflict):
        await home.store.projects.create(uuid.uuid4(), "Nobody's")

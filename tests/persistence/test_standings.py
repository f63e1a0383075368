"""Who may come in: answered from the database as it is now, many at once by one read."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
from sqlalchemy import event, update
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.errors import StoreUnavailable
from persistence.keys import MOST_AT_ONCE
from persistence.standings import READS_AT_ONCE, Standing, Standings
from persistence.tables import users
from tests.persistence.conftest import HandClock, Home


@contextmanager
def reads(home: Home) -> Iterator[list[str]]:
    """Note every statement that asks for members."""
    noted: list[str] = []

    def note(*execution: object) -> None:
        if "FROM memberships" in str(execution[2]):
            noted.append(str(execution[2]))

    engine = home.store.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield noted
    event.remove(engine, "before_cursor_execute", note)


class Doorway:
    """A database whose first reads wait for a door to open, and then fail if they are told to."""

    def __init__(self, home: Home, *, waiting: int, failure: Exception | None = None) -> None:
        self.door = asyncio.Event()
        self.arrived = asyncio.Event()
        self._home = home
        self._waiting = waiting
        self._failure = failure

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Read from the database behind the door."""
        if self._waiting:
            self._waiting -= 1
            self.arrived.set()
            await self.door.wait()
            if self._failure is not None:
                raise self._failure
        async with self._home.store.database.read() as connection:
            yield connection


async def test_a_members_standing_is_what_is_so_now(home: Home, clock: HandClock) -> None:
    accounts, organization_id = home.store.accounts, home.organization_id
    ada = await accounts.create_user("Ada", email="ada@example.com")
    assert await accounts.standing(organization_id, ada.id) is None
    await accounts.add_membership(organization_id, ada.id, "viewer")
    assert await accounts.standing(organization_id, ada.id) == Standing("Ada", "ada@example.com", "viewer", None)
    await accounts.set_role(organization_id, ada.id, "editor")
    await accounts.update_user(ada.id, name="Ada L.")
    assert await accounts.standing(organization_id, ada.id) == Standing("Ada L.", "ada@example.com", "editor", None)
    await accounts.remove_member(organization_id, ada.id)
    assert await accounts.standing(organization_id, ada.id) is None
    await accounts.add_membership(organization_id, ada.id, "owner")
    async with home.store.database.write() as connection:
        await connection.execute(update(users).where(users.c.id == ada.id).values(deleted_at=clock.now))
    assert await accounts.standing(organization_id, ada.id) is None


async def test_a_prompt_is_there_for_its_own_organization_until_it_is_deleted(home: Home) -> None:
    accounts = home.store.accounts
    prompt = await home.prompt()
    other = await accounts.create_organization("Other")
    await accounts.add_membership(other.id, home.owner_id, "viewer")

    async def epoch(organization_id: uuid.UUID, prompt_id: uuid.UUID) -> int | None:
        standing = await accounts.standing(organization_id, home.owner_id, prompt_id)
        assert standing is not None
        return standing.prompt_epoch

    assert await epoch(home.organization_id, prompt.id) == prompt.epoch
    await home.store.journal.append(prompt.id, home.edits(b"x"))
    standing = await accounts.standing(home.organization_id, home.owner_id, prompt.id)
    assert standing is not None
    assert standing.prompt_head == 2
    for organization_id, prompt_id in (
        (other.id, prompt.id),
        (home.organization_id, uuid.uuid4()),
        (home.organization_id, home.owner_id),
    ):
        assert await epoch(organization_id, prompt_id) is None
    assert await accounts.standing(home.organization_id, uuid.uuid4(), prompt.id) is None
    await home.store.prompts.delete(prompt.id)
    assert await epoch(home.organization_id, prompt.id) is None


async def test_those_who_ask_at_once_are_each_told_their_own(home: Home) -> None:
    accounts = home.store.accounts
    other = await accounts.create_organization("Other")
    ada, bob = await accounts.create_user("Ada"), await accounts.create_user("Bob")
    await accounts.add_membership(home.organization_id, ada.id, "viewer")
    await accounts.add_membership(other.id, ada.id, "editor")
    await accounts.add_membership(other.id, bob.id, "owner")
    prompt = await home.prompt()
    asked = [
        (organization_id, user_id, prompt_id)
        for organization_id in (home.organization_id, other.id)
        for user_id in (ada.id, bob.id, home.owner_id)
        for prompt_id in (None, prompt.id)
    ]
    ours = prompt.epoch
    with reads(home) as noted:
        answers = await asyncio.gather(*(accounts.standing(*question) for question in asked))
    assert answers == [
        *(Standing("Ada", None, "viewer", None), Standing("Ada", None, "viewer", ours, 1)),
        *(None, None),
        *(Standing("Owner", None, "owner", None), Standing("Owner", None, "owner", ours, 1)),
        *(Standing("Ada", None, "editor", None), Standing("Ada", None, "editor", None)),
        *(Standing("Bob", None, "owner", None), Standing("Bob", None, "owner", None)),
        *(None, None),
    ]
    assert len(noted) == 1


async def test_a_crowd_costs_a_handful_of_reads(home: Home) -> None:
    prompt = await home.prompt()
    crowd = 3 * MOST_AT_ONCE
    with reads(home) as noted:
        answers = await asyncio.gather(
            *(home.store.accounts.standing(home.organization_id, home.owner_id, prompt.id) for _ in range(crowd))
        )
    assert answers == [Standing("Owner", None, "owner", prompt.epoch, prompt.head_seq)] * crowd
    assert len(noted) == 3


async def test_who_asks_while_a_read_is_on_its_way_is_not_told_what_it_found(home: Home) -> None:
    doorway = Doorway(home, waiting=READS_AT_ONCE)
    standings = Standings(doorway)  # type: ignore[arg-type]
    before = []
    for _ in range(READS_AT_ONCE):
        doorway.arrived.clear()
        before.append(asyncio.create_task(standings.of(home.organization_id, home.owner_id)))
        await doorway.arrived.wait()
    joined = await home.store.accounts.create_user("Ada")
    asking = asyncio.create_task(standings.of(home.organization_id, joined.id))
    await home.store.accounts.add_membership(home.organization_id, joined.id, "viewer")
    doorway.door.set()
    assert await asking == Standing("Ada", None, "viewer", None)
    assert [answer.name for answer in await asyncio.gather(*before) if answer is not None] == ["Owner"] * READS_AT_ONCE


async def test_a_read_that_hangs_holds_up_only_those_who_wait_for_it(home: Home) -> None:
    doorway = Doorway(home, waiting=1)
    standings = Standings(doorway)  # type: ignore[arg-type]
    stuck = asyncio.create_task(standings.of(home.organization_id, home.owner_id))
    await doorway.arrived.wait()
    for _ in range(3):
        assert await standings.of(home.organization_id, home.owner_id) is not None
    stuck.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stuck
    doorway.door.set()
    assert await standings.of(home.organization_id, home.owner_id) is not None


@pytest.mark.parametrize("failure", [StoreUnavailable("gone"), ZeroDivisionError("a defect")])
async def test_a_read_that_fails_fails_for_those_who_asked_and_nobody_else(home: Home, failure: Exception) -> None:
    doorway = Doorway(home, waiting=1, failure=failure)
    standings = Standings(doorway)  # type: ignore[arg-type]
    doorway.door.set()
    asking = (standings.of(home.organization_id, home.owner_id) for _ in range(2))
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert [(type(answer), str(answer)) for answer in answers] == [(type(failure), str(failure))] * 2
    assert await standings.of(home.organization_id, home.owner_id) is not None

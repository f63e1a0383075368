"""Transactions: committed whole or not at all, whoever is cancelled, and never in each other's way."""

import asyncio
from collections.abc import Coroutine

import aiosqlite
import asyncpg
import pytest
from sqlalchemy import event

from persistence import address, engine
from persistence.errors import StoreUnavailable
from persistence.store import Store
from tests.persistence.conftest import Home, home_of


class CancelAt:
    """Cancels a task when it is about to run its nth statement, or to commit."""

    def __init__(self, store: Store) -> None:
        self._task: asyncio.Task[object] | None = None
        self._left = 0
        for name in ("before_cursor_execute", "commit"):
            event.listen(store.database.engine.sync_engine, name, self._on_step)

    async def run(self, work: Coroutine[object, object, object], *, step: int) -> bool:
        """Run the work and return whether it lived to be cancelled."""
        self._left = step
        self._task = asyncio.ensure_future(work)
        await asyncio.gather(self._task, return_exceptions=True)
        return self._left <= 0

    def _on_step(self, *arguments: object) -> None:
        del arguments
        self._left -= 1
        if self._left == 0 and self._task is not None:
            self._task.cancel()


async def test_a_request_that_is_cancelled_at_any_step_leaves_all_or_nothing(home: Home) -> None:
    cancel = CancelAt(home.store)
    step = 1
    while await cancel.run(home.prompt(f"p{step}"), step=step):
        step += 1
    # Creating a prompt takes its transaction's begin, six statements or more, and its commit.
    assert step > 7
    last = await home.prompt("last")
    assert await home.store.journal.append(last.id, home.edits(b"x")) == 2
    assert [finding async for finding in home.store.verify()] == []


async def fail_after_a_change(store: Store) -> None:
    async with store.database.write() as connection:
        await connection.exec_driver_sql("UPDATE organizations SET name = 'changed'")
        raise LookupError


async def test_a_transaction_that_raises_is_rolled_back(home: Home) -> None:
    with pytest.raises(LookupError):
        await fail_after_a_change(home.store)
    assert (await home.store.bootstrap()).organization.name == "Home"


async def test_many_writers_and_appends_at_once_all_succeed(home: Home) -> None:
    prompt = await home.prompt()
    appends = [home.store.journal.append(prompt.id, home.edits(b"%d" % number)) for number in range(30)]
    users = [home.store.accounts.create_user(f"u{number}") for number in range(30)]
    await asyncio.gather(*appends, *users)
    assert await home.store.journal.head(prompt.id) == 31


async def test_when_every_connection_is_busy_the_next_one_waits_only_so_long(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "POOL_CONNECTIONS", 1)
    monkeypatch.setattr(engine, "POOL_WAIT_SECONDS", 0.01)
    store = await Store.open(store_url)
    async with store.database.read():
        with pytest.raises(StoreUnavailable, match="busy"):
            await store.ping()
    assert await store.ping() >= 0
    home = await home_of(store)
    assert (await home.prompt()).head_seq == 1
    await store.close()


async def test_closing_closes_the_connection_of_a_request_that_still_runs(store_url: str) -> None:
    database = engine.Database(address.DatabaseAddress.parse(store_url))
    begun: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    async def hang() -> None:
        async with database.read() as connection:
            await connection.exec_driver_sql("SELECT 1")
            begun.set_result((await connection.get_raw_connection()).driver_connection)
            await asyncio.Event().wait()

    request = asyncio.create_task(hang())
    used = await begun
    assert not is_closed(used)
    await database.close()
    assert is_closed(used)
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)


def is_closed(connection: object) -> bool:
    """Whether a driver's connection is closed."""
    if isinstance(connection, aiosqlite.Connection):
        return not connection._running  # noqa: SLF001 - it has no other word for it
    assert isinstance(connection, asyncpg.Connection)
    return connection.is_closed()

"""What can happen to a server: it stops, it cuts us off, another takes over, it does not answer."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from persistence import postgres_writer
from persistence.address import DatabaseAddress
from persistence.errors import ClientIdConflict, StoreInUse, StoreUnavailable
from persistence.journal import Edit
from persistence.postgres_writer import PostgresWriter
from persistence.store import OpenMode, Store
from tests.persistence.conftest import Home, home_of
from tests.support.postgres import PostgresServer
from tests.support.waiting import wait_until


@pytest.fixture
async def home(postgres_store_url: str) -> AsyncIterator[Home]:
    store = await Store.open(postgres_store_url)
    yield await home_of(store)
    await store.close()


@asynccontextmanager
async def other_connection(url: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(DatabaseAddress.parse(url).dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def cut_off(url: str) -> None:
    """End every other session of the database, as a fail-over does."""
    async with other_connection(url) as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def assert_sound(home: Home) -> None:
    assert [finding async for finding in home.store.verify()] == []


async def test_a_commit_waits_for_the_disk(home: Home) -> None:
    async with home.store.database.read() as connection:
        for name, expected in (("synchronous_commit", "on"), ("jit", "off")):
            assert (await connection.exec_driver_sql(f"SHOW {name}")).scalar() == expected


@pytest.mark.faults
async def test_while_the_server_is_stopped_nothing_is_acknowledged_and_then_all_is_well(
    home: Home, postgres: PostgresServer
) -> None:
    prompt = await home.prompt()
    await home.store.journal.append(prompt.id, home.edits(b"before"))
    postgres.stop_immediate()
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await home.store.journal.append(prompt.id, home.edits(b"lost"))
        with pytest.raises(StoreUnavailable):
            await home.store.journal.head(prompt.id)
        with pytest.raises(StoreUnavailable):
            await home.store.ping()
    postgres.start()
    assert await home.store.journal.append(prompt.id, home.edits(b"after")) == 3
    assert [entry.update for entry in await home.store.journal.read(prompt.id, after=1)] == [b"before", b"after"]
    assert await home.store.ping() > 0
    await assert_sound(home)


@pytest.mark.faults
async def test_a_server_that_crashes_under_load_keeps_all_it_acknowledged(
    home: Home, postgres: PostgresServer, rng: random.Random
) -> None:
    prompts = [await home.prompt(f"p{number}") for number in range(5)]
    acknowledged: dict[tuple[UUID, int], bytes] = {}
    failures: list[StoreUnavailable] = []
    stopping = False

    async def write(name: int) -> None:
        number = 0
        while not stopping:
            number += 1
            prompt, update = rng.choice(prompts), b"%d.%d" % (name, number)
            try:
                seq = await home.store.journal.append(prompt.id, home.edits(update))
            except StoreUnavailable as error:
                failures.append(error)
                # As a client does: it keeps the edit and sends the next one later.
                await asyncio.sleep(0.01)
            else:
                acknowledged[prompt.id, seq] = update

    async def more() -> None:
        known = len(acknowledged)
        await wait_until(lambda: len(acknowledged) > known + 50, what="50 more appends")

    writers = [asyncio.ensure_future(write(name)) for name in range(8)]
    for _ in range(2):
        await more()
        postgres.stop_immediate()
        failures.clear()
        await wait_until(lambda: bool(failures), what="an append that fails")
        # Not in a thread: the system ends the server together with the thread that started it.
        postgres.start()
    await more()
    stopping = True
    await asyncio.gather(*writers)
    stored = {
        (prompt.id, entry.seq): entry.update for prompt in prompts for entry in await home.store.journal.read(prompt.id)
    }
    assert {key: stored.get(key) for key in acknowledged} == acknowledged
    await assert_sound(home)


async def test_sessions_that_are_cut_off_cost_one_group_at_most(home: Home, postgres_store_url: str) -> None:
    prompt = await home.prompt()
    await cut_off(postgres_store_url)
    await asyncio.gather(home.store.journal.append(prompt.id, home.edits(b"x")), return_exceptions=True)
    assert (await home.store.prompts.get(prompt.id)).name == prompt.name
    last = await home.store.journal.append(prompt.id, home.edits(b"y"))
    assert (await home.store.journal.read(prompt.id))[-1].seq == last
    await assert_sound(home)


async def test_a_second_server_is_refused_until_the_first_is_gone(postgres_store_url: str) -> None:
    first = await Store.open(postgres_store_url)
    with pytest.raises(StoreInUse, match="REDIS_URL"):
        await Store.open(postgres_store_url, lock_wait_seconds=0.0)
    with pytest.raises(StoreInUse):
        await Store.open(postgres_store_url, mode=OpenMode.CLUSTER, lock_wait_seconds=0.0)
    await first.close()
    await (await Store.open(postgres_store_url)).close()


async def test_servers_that_know_of_each_other_share_and_keep_a_lone_one_out(postgres_store_url: str) -> None:
    first = await Store.open(postgres_store_url, mode=OpenMode.CLUSTER)
    second = await Store.open(postgres_store_url, mode=OpenMode.CLUSTER)
    with pytest.raises(StoreInUse):
        await Store.open(postgres_store_url, lock_wait_seconds=0.0)
    await first.close()
    await second.close()


async def test_a_server_whose_place_was_taken_commits_nothing_until_it_has_it_again(postgres_store_url: str) -> None:
    store = await Store.open(postgres_store_url, lock_wait_seconds=0.1)
    home = await home_of(store)
    prompt = await home.prompt()
    async with other_connection(postgres_store_url) as usurper:
        await usurper.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        await wait_until(
            lambda: usurper.fetchval("SELECT pg_try_advisory_lock($1)", postgres_writer.LOCK_KEY),
            what="the lock to be free",
        )
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                await home.store.journal.append(prompt.id, home.edits(b"x"))
    assert await home.store.journal.append(prompt.id, home.edits(b"y")) == 2
    await store.close()


async def test_a_commit_that_was_given_up_is_ended_before_the_next_one_of_its_node(postgres_store_url: str) -> None:
    store = await Store.open(postgres_store_url, mode=OpenMode.CLUSTER)
    home = await home_of(store)
    prompt = await home.prompt()
    writer = store.journal.group_commit.writer if store.journal.group_commit else None
    assert isinstance(writer, PostgresWriter)
    async with other_connection(postgres_store_url) as other:
        async with other.transaction():
            await other.execute("SELECT 1 FROM prompts WHERE id = $1 FOR UPDATE", prompt.id)
            given_up = store.journal.append(prompt.id, home.edits(b"given up"))
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            await wait_until(lambda: other.fetchval(waiting), what="the commit to wait for the row")
            # The server does not look at a connection while it waits for a row.
            lost = writer._connection  # noqa: SLF001 - nobody else can lose it for the writer alone
            assert lost is not None
            lost.terminate()
            with pytest.raises(StoreUnavailable):
                await given_up
            # It takes the place of the session that waits for the row, which is not released yet.
            await store.journal.append((await home.prompt("another")).id, home.edits(b"x"))
            assert await other.fetchval(waiting) == 0
        assert await store.journal.append(prompt.id, home.edits(b"after")) == 2
    await assert_sound(home)
    await store.close()


async def test_nodes_that_append_to_the_same_prompts_at_once_share_gapless_numbers(
    postgres_store_url: str, rng: random.Random
) -> None:
    nodes = [await Store.open(postgres_store_url, mode=OpenMode.CLUSTER) for _ in range(3)]
    home = await home_of(nodes[0])
    prompts = [await home.prompt(f"p{number}") for number in range(6)]

    async def write(node: Store) -> None:
        for _ in range(15):
            chosen = rng.sample(prompts, k=rng.randint(1, len(prompts)))
            await asyncio.gather(*[node.journal.append(prompt.id, home.edits(b"x", b"y")) for prompt in chosen])

    await asyncio.gather(*[write(node) for node in nodes])
    await assert_sound(home)
    for node in nodes:
        await node.close()


async def test_a_client_id_that_two_nodes_bind_at_once_belongs_to_one_user(postgres_store_url: str) -> None:
    nodes = [await Store.open(postgres_store_url, mode=OpenMode.CLUSTER) for _ in range(2)]
    home = await home_of(nodes[0])
    prompt = await home.prompt()
    users = [home.owner_id, (await nodes[0].accounts.create_user("Ada")).id]
    for client_id in range(2, 22):
        outcomes = await asyncio.gather(
            *[
                node.journal.append(prompt.id, [Edit(b"x", user)], {client_id: user})
                for node, user in zip(nodes, users, strict=True)
            ],
            return_exceptions=True,
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == [ClientIdConflict.__name__, "int"]
        winner = users[[type(outcome) for outcome in outcomes].index(int)]
        assert (await home.store.journal.bindings(prompt.id))[client_id] == winner
    assert await home.store.journal.head(prompt.id) == 21
    for node in nodes:
        await node.close()


async def test_a_row_that_somebody_else_has_locked_is_not_waited_for_without_end(postgres_store_url: str) -> None:
    store = await Store.open(postgres_store_url, lock_wait_seconds=0.02)
    home = await home_of(store)
    prompt = await home.prompt()
    async with other_connection(postgres_store_url) as other:
        async with other.transaction():
            await other.execute("SELECT 1 FROM prompts WHERE id = $1 FOR UPDATE", prompt.id)
            with pytest.raises(StoreUnavailable, match="lock timeout"):
                await store.journal.append(prompt.id, home.edits(b"x"))
        assert await store.journal.append(prompt.id, home.edits(b"y")) == 2
    await store.close()


@pytest.mark.parametrize(("commit_seconds", "silence_seconds"), [(1.0, 60.0), (60.0, -59.0)])
async def test_a_commit_that_takes_too_long_is_given_up_by_the_server_or_if_need_be_by_us(
    postgres_store_url: str, monkeypatch: pytest.MonkeyPatch, commit_seconds: float, silence_seconds: float
) -> None:
    monkeypatch.setattr(postgres_writer, "COMMIT_SECONDS", commit_seconds)
    monkeypatch.setattr(postgres_writer, "_SILENCE_SECONDS", silence_seconds)
    store = await Store.open(postgres_store_url, lock_wait_seconds=60.0)
    home = await home_of(store)
    prompt = await home.prompt()
    async with other_connection(postgres_store_url) as other, other.transaction():
        await other.execute("SELECT 1 FROM prompts WHERE id = $1 FOR UPDATE", prompt.id)
        with pytest.raises(StoreUnavailable):
            await store.journal.append(prompt.id, home.edits(b"x"))
    assert await store.journal.append(prompt.id, home.edits(b"y")) == 2
    await assert_sound(home)
    await store.close()


@pytest.mark.faults
async def test_closing_while_the_server_is_stopped_fails_what_waits_and_ends(
    postgres_store_url: str, postgres: PostgresServer
) -> None:
    store = await Store.open(postgres_store_url)
    home = await home_of(store)
    prompt = await home.prompt()
    postgres.stop_immediate()
    waiting = store.journal.append(prompt.id, home.edits(b"x"))
    await store.close()
    assert isinstance(waiting.exception(), StoreUnavailable)


async def test_a_server_that_cannot_be_reached_is_unavailable_at_the_start() -> None:
    for mode in (OpenMode.SERVER, OpenMode.COMMAND):
        with pytest.raises(StoreUnavailable):
            await Store.open("postgresql+asyncpg://promptroom@127.0.0.1:1/nowhere", mode=mode)
    writer = PostgresWriter("postgresql://promptroom@127.0.0.1:1/x", "shown", lock_wait_seconds=1.0, shared=False)
    with pytest.raises(StoreUnavailable):
        await writer.open()
    await writer.close()

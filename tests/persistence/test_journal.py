"""The journal's contract, the same on SQLite and PostgreSQL."""

import asyncio
import random
import uuid

import pytest

from persistence.errors import ClientIdConflict, Conflict, NotFound, StoreError
from persistence.journal import Edit, EditKind, Head, JournalEntry
from persistence.keys import MOST_AT_ONCE
from tests.persistence.conftest import START, HandClock, Home


async def test_a_new_prompt_has_its_initial_state_as_entry_1(home: Home) -> None:
    prompt = await home.prompt(client_id=77, state=b"initial")
    assert await home.store.journal.read(prompt.id) == [
        JournalEntry(1, b"initial", home.owner_id, EditKind.CREATED, START)
    ]
    assert await home.store.journal.head(prompt.id) == 1
    assert await home.store.journal.bindings(prompt.id) == {77: home.owner_id}


async def test_an_append_resolves_to_the_last_seq_of_its_edits(home: Home, clock: HandClock) -> None:
    prompt = await home.prompt()
    clock.advance(seconds=1)
    author = (await home.store.accounts.create_user("Ada")).id
    edits = [Edit(b"a", home.owner_id), Edit(b"b", author, EditKind.PASTED), Edit(b"", home.owner_id, EditKind.AGENT)]
    assert await home.store.journal.append(prompt.id, edits) == 4
    assert await home.store.journal.read(prompt.id, after=1) == [
        JournalEntry(2, b"a", home.owner_id, EditKind.TYPED, clock.now),
        JournalEntry(3, b"b", author, EditKind.PASTED, clock.now),
        JournalEntry(4, b"", home.owner_id, EditKind.AGENT, clock.now),
    ]
    assert await home.store.journal.head(prompt.id) == 4


async def test_every_kind_of_edit_is_kept(home: Home) -> None:
    prompt = await home.prompt()
    await home.store.journal.append(prompt.id, [Edit(b"x", home.owner_id, kind) for kind in EditKind])
    assert [entry.kind for entry in await home.store.journal.read(prompt.id, after=1)] == list(EditKind)


async def test_an_append_moves_the_prompts_time_but_not_its_version(home: Home, clock: HandClock) -> None:
    prompt = await home.prompt()
    clock.advance(minutes=1)
    await home.store.journal.append(prompt.id, home.edits(b"x"))
    after = await home.store.prompts.get(prompt.id)
    assert (after.updated_at, after.version, after.head_seq) == (clock.now, prompt.version, 2)


@pytest.mark.parametrize("count", [1, 64, 149])
async def test_one_append_may_hold_any_number_of_edits(home: Home, count: int) -> None:
    prompt = await home.prompt()
    updates = [b"%d" % number for number in range(count)]
    assert await home.store.journal.append(prompt.id, home.edits(*updates)) == 1 + count
    entries = await home.store.journal.read(prompt.id, after=1)
    assert [entry.update for entry in entries] == updates
    assert [entry.seq for entry in entries] == list(range(2, count + 2))


async def test_a_large_update_survives(home: Home) -> None:
    prompt = await home.prompt()
    large = random.Random(1).randbytes(3_000_000)
    await home.store.journal.append(prompt.id, home.edits(large))
    assert (await home.store.journal.read(prompt.id))[-1].update == large


async def test_reading_starts_after_a_seq_and_stops_at_a_limit(home: Home) -> None:
    prompt = await home.prompt()
    await home.store.journal.append(prompt.id, home.edits(*[b"x"] * 9))
    assert [entry.seq for entry in await home.store.journal.read(prompt.id, after=4, limit=3)] == [5, 6, 7]
    assert await home.store.journal.read(prompt.id, after=10) == []
    assert await home.store.journal.read(uuid.uuid4()) == []


async def test_many_rooms_at_once_get_gapless_numbers_of_their_own(home: Home, rng: random.Random) -> None:
    prompts = [await home.prompt(f"p{number}") for number in range(20)]
    expected: dict[uuid.UUID, list[bytes]] = {prompt.id: [b"state"] for prompt in prompts}
    appended: list[tuple[asyncio.Future[int], int]] = []
    for number in range(300):
        prompt = rng.choice(prompts)
        updates = [b"%d.%d" % (number, place) for place in range(rng.randint(1, 5))]
        expected[prompt.id] += updates
        appended.append((home.store.journal.append(prompt.id, home.edits(*updates)), len(expected[prompt.id])))
        if rng.random() < 0.2:
            await asyncio.sleep(0)
    for future, last in appended:
        assert await future == last
    for prompt in prompts:
        entries = await home.store.journal.read(prompt.id)
        assert [entry.update for entry in entries] == expected[prompt.id]
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))


async def test_appends_of_one_prompt_in_one_group_keep_their_order(home: Home) -> None:
    prompt = await home.prompt()
    futures = [home.store.journal.append(prompt.id, home.edits(b"%d" % number)) for number in range(10)]
    assert await asyncio.gather(*futures) == list(range(2, 12))
    assert [entry.update for entry in await home.store.journal.read(prompt.id, after=1)] == [
        b"%d" % number for number in range(10)
    ]


async def test_a_client_id_is_bound_with_the_edits_that_use_it_first(home: Home) -> None:
    prompt = await home.prompt(client_id=1)
    largest = 2**53 - 1
    await home.store.journal.append(prompt.id, home.edits(b"x"), {2: home.owner_id, largest: home.owner_id})
    assert await home.store.journal.bindings(prompt.id) == dict.fromkeys([1, 2, largest], home.owner_id)


async def test_binding_a_client_id_again_to_the_same_user_is_harmless(home: Home) -> None:
    prompt = await home.prompt()
    for _ in range(2):
        await home.store.journal.append(prompt.id, home.edits(b"x"), {2: home.owner_id})
    assert await home.store.journal.head(prompt.id) == 3


async def test_the_same_client_id_in_another_prompt_is_another_one(home: Home) -> None:
    other = (await home.store.accounts.create_user("Ada")).id
    first, second = await home.prompt("a"), await home.prompt("b")
    await home.store.journal.append(first.id, home.edits(b"x"), {2: home.owner_id})
    await home.store.journal.append(second.id, home.edits(b"x"), {2: other})
    assert (await home.store.journal.bindings(second.id))[2] == other


async def test_a_client_id_of_another_user_is_refused_and_nothing_is_written(home: Home) -> None:
    other = (await home.store.accounts.create_user("Ada")).id
    prompt = await home.prompt()
    await home.store.journal.append(prompt.id, home.edits(b"x"), {2: home.owner_id})
    with pytest.raises(ClientIdConflict):
        await home.store.journal.append(prompt.id, [Edit(b"forged", other)], {3: other, 2: other})
    assert await home.store.journal.head(prompt.id) == 2
    assert len(await home.store.journal.read(prompt.id)) == 2
    assert 3 not in await home.store.journal.bindings(prompt.id)


async def test_of_two_users_who_claim_a_client_id_at_once_the_first_gets_it(home: Home) -> None:
    other = (await home.store.accounts.create_user("Ada")).id
    prompt = await home.prompt()
    first = home.store.journal.append(prompt.id, home.edits(b"x"), {2: home.owner_id})
    second = home.store.journal.append(prompt.id, [Edit(b"y", other)], {2: other})
    third = home.store.journal.append(prompt.id, home.edits(b"z"))
    outcomes = await asyncio.gather(first, second, third, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [int, ClientIdConflict, int]
    assert outcomes[0] == 2
    assert outcomes[2] == 3
    assert (await home.store.journal.bindings(prompt.id))[2] == home.owner_id


async def test_an_append_that_is_refused_fails_alone(home: Home) -> None:
    other = (await home.store.accounts.create_user("Ada")).id
    sound, bound, deleted = [await home.prompt(name) for name in ("sound", "bound", "deleted")]
    await home.store.prompts.delete(deleted.id)
    append = home.store.journal.append
    outcomes = await asyncio.gather(
        append(sound.id, home.edits(b"1")),
        append(uuid.uuid4(), home.edits(b"no such prompt")),
        append(deleted.id, home.edits(b"deleted")),
        append(bound.id, [Edit(b"forged", other)], {1: other}),
        append(sound.id, home.edits(b"2", b"3"), {9: home.owner_id}),
        append(sound.id, [Edit(b"no such user", uuid.uuid4())]),
        append(sound.id, home.edits(b"no such user to bind"), {10: uuid.uuid4()}),
        append(bound.id, home.edits(b"4")),
        append(sound.id, home.edits(b"5")),
        return_exceptions=True,
    )
    kinds = [type(outcome) if isinstance(outcome, StoreError) else outcome for outcome in outcomes]
    assert kinds == [2, NotFound, NotFound, ClientIdConflict, 4, Conflict, Conflict, 2, 5]
    assert [entry.update for entry in await home.store.journal.read(sound.id)] == [b"state", b"1", b"2", b"3", b"5"]
    assert [entry.update for entry in await home.store.journal.read(bound.id)] == [b"state", b"4"]
    assert len(await home.store.journal.read(deleted.id)) == 1


async def test_an_append_to_a_restored_prompt_goes_on_where_it_was(home: Home) -> None:
    prompt = await home.prompt()
    await home.store.prompts.delete(prompt.id)
    with pytest.raises(NotFound):
        await home.store.journal.append(prompt.id, home.edits(b"x"))
    await home.store.prompts.restore(prompt.id)
    assert await home.store.journal.append(prompt.id, home.edits(b"x")) == 2


async def test_an_append_without_edits_is_a_mistake_of_the_caller(home: Home) -> None:
    prompt = await home.prompt()
    with pytest.raises(ValueError, match="at least one edit"):
        home.store.journal.append(prompt.id, [])


async def test_the_head_of_no_prompt_is_not_found(home: Home) -> None:
    with pytest.raises(NotFound):
        await home.store.journal.head(uuid.uuid4())


async def test_the_heads_of_many_prompts_are_asked_for_at_once(home: Home) -> None:
    kept, longer, deleted = [await home.prompt(name) for name in ("kept", "longer", "deleted")]
    await home.store.journal.append(longer.id, home.edits(b"x", b"y"))
    await home.store.prompts.delete(deleted.id)
    nobody = [uuid.uuid4() for _ in range(MOST_AT_ONCE)]
    asked = [kept.id, *nobody, deleted.id, longer.id]
    assert await home.store.journal.heads(asked) == {kept.id: Head(1, 1), longer.id: Head(3, 1)}
    assert await home.store.journal.heads([]) == {}


async def test_cancelling_an_append_that_waits_withdraws_it_and_harms_no_other(home: Home) -> None:
    prompt = await home.prompt()
    futures = [home.store.journal.append(prompt.id, home.edits(b"%d" % number)) for number in range(3)]
    futures[1].cancel()
    assert [await futures[0], await futures[2]] == [2, 3]
    assert [entry.update for entry in await home.store.journal.read(prompt.id, after=1)] == [b"0", b"2"]


async def test_cancelling_an_append_on_its_way_to_the_disk_harms_nothing(home: Home) -> None:
    prompt = await home.prompt()
    for number in range(20):
        future = home.store.journal.append(prompt.id, home.edits(b"%d" % number))
        # One more turn each time, so that the cancellation meets every stage of a commit.
        for _ in range(number):
            await asyncio.sleep(0)
        future.cancel()
    last = await home.store.journal.append(prompt.id, home.edits(b"last"))
    entries = await home.store.journal.read(prompt.id)
    assert [entry.seq for entry in entries] == list(range(1, last + 1))
    assert entries[-1].update == b"last"


async def test_closing_commits_what_waits_and_refuses_what_comes(home: Home) -> None:
    prompt = await home.prompt()
    futures = [home.store.journal.append(prompt.id, home.edits(b"%d" % number)) for number in range(50)]
    closing = asyncio.ensure_future(home.store.close())
    assert await asyncio.gather(*futures) == list(range(2, 52))
    await closing
    with pytest.raises(StoreError, match="closed"):
        await home.store.journal.append(prompt.id, home.edits(b"late"))


async def test_a_probe_commits_nothing_and_resolves_to_the_head(home: Home, clock: HandClock) -> None:
    prompt = await home.prompt()
    await home.store.journal.append(prompt.id, home.edits(b"x"))
    before = await home.store.prompts.get(prompt.id)
    clock.advance(seconds=1)
    assert await home.store.journal.probe(prompt.id) == 2
    assert await home.store.prompts.get(prompt.id) == before
    with pytest.raises(NotFound):
        await home.store.journal.probe(uuid.uuid4())

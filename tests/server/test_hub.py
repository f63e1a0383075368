"""The life of rooms: loaded once, kept while needed, unloaded, drained."""

import asyncio
from uuid import uuid4

import pytest

from crdt.diff import TextEdit
from persistence.errors import StoreUnavailable as StoreIsUnavailable
from server.access import Principal, Role
from server.errors import EditConflict, PromptNotFound, Restarting, StoreUnavailable, Unavailable
from tests.server.living import HeldJournal, House
from tests.support.waiting import wait_until


def insert(text: str, at: int = 0) -> list[TextEdit]:
    return [TextEdit(at, at, text)]


async def test_a_hundred_first_joiners_load_a_prompt_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    loads = 0
    read = house.store.journal.read

    async def counted(*args: object, **kwargs: object) -> object:
        nonlocal loads
        loads += 1
        await asyncio.sleep(0)
        return await read(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(house.store.journal, "read", counted)
    tabs = await asyncio.gather(*(house.open("anna" if n % 2 else "ben") for n in range(100)))
    assert loads == 1
    assert house.hub.rooms == 1
    assert house.hub.connections == 100
    assert {tab.peer.text for tab in tabs} == {"Hello"}


async def test_one_who_gives_up_does_not_spoil_it_for_the_others(house: House) -> None:
    first = asyncio.create_task(house.open("anna"))
    await asyncio.sleep(0)
    second = asyncio.create_task(house.open("ben"))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).peer.text == "Hello"


async def test_an_idle_room_is_unloaded_and_comes_back_as_it_was(house: House) -> None:
    anna = await house.open("anna")
    anna.type("!")
    await anna.saved()
    anna.hang_up()
    house.hub.tick()
    assert house.hub.rooms == 1
    house.clock.advance(61)
    house.hub.tick()
    await wait_until(lambda: house.hub.rooms == 0, what="the unloading")
    assert (await house.open("ben")).peer.text == "Hello!"


async def test_a_room_with_somebody_in_it_stays(house: House) -> None:
    await house.open("anna")
    house.clock.advance(10_000)
    house.hub.tick()
    house.hub.tick()
    await asyncio.sleep(0)
    assert house.hub.rooms == 1


async def test_one_who_comes_while_a_room_unloads_gets_a_new_one(house: House) -> None:
    anna = await house.open("anna")
    for letter in "x" * 150:
        anna.type(letter)
    await anna.saved()
    anna.hang_up()
    house.clock.advance(61)
    house.hub.tick()
    ben = await house.open("ben")
    assert ben.peer.text == "Hello" + "x" * 150
    assert house.hub.rooms == 1
    ben.type("!")
    await ben.saved()


async def test_one_who_comes_just_before_a_room_unloads_keeps_it(house: House) -> None:
    anna = await house.open("anna")
    await anna.saved()
    anna.hang_up()
    house.clock.advance(61)
    house.hub.tick()
    # Nothing has run since: the room is still live, and joined in this very turn of the loop.
    ben = await house.open("ben")
    ben.type("!")
    await ben.saved()
    assert ben.socket.closed_with is None
    assert (await house.hub.live(house.prompt_id)).text == "Hello!"


async def test_a_room_whose_prompt_turns_out_to_be_deleted_is_gone_for_everybody(house: House) -> None:
    anna = await house.open("anna")
    await house.store.prompts.delete(house.prompt_id)
    anna.type("!")
    await wait_until(lambda: anna.socket.close_code == 4404, what="the end of the session")
    assert house.hub.rooms == 0
    with pytest.raises(PromptNotFound):
        await house.hub.live(house.prompt_id)


async def test_unloading_a_long_tail_leaves_a_checkpoint(house: House) -> None:
    anna = await house.open("anna")
    for letter in "x" * 150:
        anna.type(letter)
    await anna.saved()
    anna.hang_up()
    house.clock.advance(61)
    house.hub.tick()
    await wait_until(lambda: house.hub.rooms == 0, what="the unloading")
    checkpoint = await house.store.checkpoints.latest(house.prompt_id)
    assert checkpoint is not None
    assert checkpoint.seq == await house.store.journal.head(house.prompt_id)
    assert (await house.open("ben")).peer.text == "Hello" + "x" * 150


async def test_join_and_leave_storms_leave_nothing_behind(house: House) -> None:
    async def visit(name: str) -> None:
        tab = await house.open(name)
        tab.type(".")
        await tab.saved()
        tab.hang_up()

    for _ in range(5):
        await asyncio.gather(*(visit("anna" if n % 2 else "ben") for n in range(20)))
        house.clock.advance(61)
        house.hub.tick()
    await wait_until(lambda: house.hub.connections == 0, what="everybody to leave")
    house.clock.advance(61)
    house.hub.tick()
    await wait_until(lambda: house.hub.rooms == 0, what="the unloading")
    assert (await house.hub.live(house.prompt_id)).text == "Hello" + "." * 100


async def test_live_names_participants_once_however_many_tabs_they_have(house: House) -> None:
    for name in ("anna", "anna", "vera"):
        await house.open(name)
    live = await house.hub.live(house.prompt_id)
    assert [(each.name, each.connections) for each in live.participants] == [("anna", 2), ("vera", 1)]


async def test_an_unknown_prompt_is_said_to_be_unknown(house: House) -> None:
    with pytest.raises(PromptNotFound):
        await house.hub.live(uuid4())


async def test_a_store_that_is_away_is_said_to_be_away(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object, **__: object) -> object:
        raise StoreIsUnavailable("stopped")

    with monkeypatch.context() as patch:
        patch.setattr(house.store.prompts, "get", away)
        with pytest.raises(StoreUnavailable):
            await house.hub.live(house.prompt_id)
    assert (await house.hub.live(house.prompt_id)).text == "Hello"


async def test_an_edit_made_for_somebody_is_stored_shown_and_attributed(house: House) -> None:
    anna, ben = await house.open("anna"), house.people["ben"]
    result = await house.hub.edit(house.prompt_id, ben, lambda text: insert("!", len(text)))
    assert result.text == "Hello!"
    assert result.seq == await house.store.journal.head(house.prompt_id)
    await anna.shows("Hello!")
    (*_, last) = await house.store.journal.read(house.prompt_id)
    assert (last.user_id, last.kind) == (ben.user_id, "api")


async def test_an_edit_that_changes_nothing_is_not_stored(house: House) -> None:
    before = await house.journal()
    assert (await house.hub.edit(house.prompt_id, house.people["ben"], lambda _: [])).text == "Hello"
    assert await house.journal() == before


async def test_an_edit_for_another_state_of_the_text_is_refused(house: House) -> None:
    ben = house.people["ben"]
    base = (await house.hub.live(house.prompt_id)).head_seq
    await house.hub.edit(house.prompt_id, ben, lambda _: insert("a"), base_seq=base)
    with pytest.raises(EditConflict):
        await house.hub.edit(house.prompt_id, ben, lambda _: insert("b"), base_seq=base)


async def test_an_edit_whose_commit_fails_is_not_said_to_be_made(house: House) -> None:
    journal = HeldJournal(house.store)
    journal.failure = StoreIsUnavailable("the disk is full")
    with pytest.raises(StoreUnavailable):
        await house.hub.edit(house.prompt_id, house.people["ben"], lambda _: insert("a"))
    journal.failure = None


async def test_concurrent_edits_for_several_people_all_count(house: House) -> None:
    async def edit(principal: Principal) -> None:
        await house.hub.edit(house.prompt_id, principal, lambda text: insert(".", len(text)))

    await asyncio.gather(*(edit(house.people["ben" if n % 2 else "anna"]) for n in range(40)))
    assert (await house.hub.live(house.prompt_id)).text == "Hello" + "." * 40


async def test_a_deleted_prompt_closes_its_sessions(house: House) -> None:
    anna = await house.open("anna")
    await house.hub.prompt_deleted(house.prompt_id)
    assert anna.socket.close_code == 4404
    assert house.hub.rooms == 0


async def test_draining_commits_what_is_on_its_way_and_tells_when_to_come_back(house: House) -> None:
    journal = HeldJournal(house.store)
    anna = await house.open("anna")
    await anna.saved()
    journal.held = True
    anna.type("!")
    await wait_until(lambda: journal.waiting, what="the append")
    draining = asyncio.create_task(house.hub.drain(5.0))
    await asyncio.sleep(0)
    await journal.release()
    await draining
    assert anna.pump().peer.saved
    assert anna.socket.closed_with is not None
    code, reason = anna.socket.closed_with
    assert code == 1012
    assert 0.5 <= float(reason) <= 3.0
    with pytest.raises(Restarting):
        await house.hub.live(house.prompt_id)
    late = house.tab("ben")
    await house.hub.join(house.prompt_id, late.session)
    assert late.socket.closed_with is not None
    assert late.socket.closed_with[0] == 1012
    assert 0.5 <= float(late.socket.closed_with[1]) <= 3.0


async def test_draining_ends_within_its_deadline_when_the_store_hangs(house: House) -> None:
    journal = HeldJournal(house.store)
    anna = await house.open("anna")
    journal.held = True
    anna.type("!")
    await wait_until(lambda: journal.waiting, what="the append")
    await house.hub.drain(0.01)
    assert anna.socket.close_code == 1012
    assert not anna.pump().peer.saved
    await journal.release()


async def test_a_room_unloads_even_when_its_last_commit_fails(house: House) -> None:
    journal = HeldJournal(house.store)
    anna = await house.open("anna")
    await anna.saved()
    journal.failure = StoreIsUnavailable("the disk is full")
    anna.type("!")
    anna.hang_up()
    async with house.hub._rooms.pinned(house.prompt_id) as room:  # noqa: SLF001 - its last moments
        await room.drain()
    journal.failure = None
    house.hub._rooms.forget(room, PromptNotFound())  # noqa: SLF001
    assert (await house.hub.live(house.prompt_id)).text == "Hello"


class HeldLoading:
    """Loading of rooms that waits until it is let through."""

    def __init__(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        self.started = False
        self.let_through = asyncio.Event()
        self._read = house.store.journal.read
        monkeypatch.setattr(house.store.journal, "read", self._held)

    async def _held(self, *args: object, **kwargs: object) -> object:
        self.started = True
        await self.let_through.wait()
        return await self._read(*args, **kwargs)  # type: ignore[arg-type]


async def test_who_is_removed_while_the_room_is_loaded_does_not_get_in(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading = HeldLoading(house, monkeypatch)
    anna, principal = house.tab("anna"), house.people["anna"]
    joining = asyncio.create_task(house.hub.join(house.prompt_id, anna.session))
    await wait_until(lambda: loading.started, what="the loading")
    await house.hub.role_changed(principal.organization_id, principal.user_id, None)
    loading.let_through.set()
    await joining
    assert anna.socket.close_code == 4403
    assert (await house.hub.live(house.prompt_id)).participants == ()


async def test_who_is_demoted_while_the_room_is_loaded_comes_in_as_that(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading = HeldLoading(house, monkeypatch)
    anna, principal = house.tab("anna"), house.people["anna"]
    joining = asyncio.create_task(house.hub.join(house.prompt_id, anna.session))
    await wait_until(lambda: loading.started, what="the loading")
    await house.hub.role_changed(principal.organization_id, principal.user_id, Role.VIEWER)
    loading.let_through.set()
    await joining
    assert [each.role for each in (await house.hub.live(house.prompt_id)).participants] == [Role.VIEWER]


async def test_a_room_that_is_still_loaded_when_the_server_stops_is_not_opened(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading = HeldLoading(house, monkeypatch)
    anna = house.tab("anna")
    joining = asyncio.create_task(house.hub.join(house.prompt_id, anna.session))
    await wait_until(lambda: loading.started, what="the loading")
    await house.hub.drain(5.0)
    loading.let_through.set()
    await joining
    assert anna.socket.close_code == 1012
    assert house.hub.rooms == 0


async def test_a_prompt_that_is_deleted_while_it_is_loaded_lets_nobody_stay(house: House) -> None:
    opening = asyncio.create_task(house.open("anna"))
    await asyncio.sleep(0)
    await house.hub.prompt_deleted(house.prompt_id)
    assert house.hub.rooms == 0
    opening.cancel()


async def test_a_room_whose_engine_fails_at_a_question_is_rebuilt(house: House) -> None:
    anna = await house.open("anna")
    async with house.hub._rooms.pinned(house.prompt_id) as room:  # noqa: SLF001 - the engine has to be broken by hand
        room.document.condemned = True
    with pytest.raises(Unavailable):
        await house.hub.live(house.prompt_id)
    anna.type("!")
    await anna.saved()
    assert (await house.hub.live(house.prompt_id)).text == "Hello!"

"""The promise, seen from a room: what is shown or acknowledged is stored."""

import asyncio

import pytest
import structlog

from crdt.client_peer import RoomEventReceived
from crdt.codec import encode
from crdt.diff import TextEdit
from crdt.document import Document
from crdt.messages import Acknowledgement, SyncStep1, Update
from persistence.errors import StoreUnavailable
from server.life import Doubt, RoomState
from server.rebuilding import Rebuilding
from tests.server.living import HeldJournal, House, Tab
from tests.support.waiting import wait_until


def event_types(tab: Tab) -> list[object]:
    """The types of the room events that a client has heard."""
    return [event.event["type"] for event in tab.events if isinstance(event, RoomEventReceived)]


async def test_what_one_types_the_other_sees(house: House) -> None:
    anna, ben = await house.open("anna"), await house.open("ben")
    anna.type(", Ben")
    await ben.shows("Hello, Ben")
    ben.type("! 😀")
    await anna.shows("Hello, Ben! 😀")
    await anna.saved()
    await ben.saved()
    rebuilt = Document()
    rebuilt.apply(await house.journal())
    assert rebuilt.text == "Hello, Ben! 😀"


async def test_nothing_is_shown_or_acknowledged_before_it_is_committed(house: House) -> None:
    journal = HeldJournal(house.store)
    anna, ben = await house.open("anna"), await house.open("ben")
    await anna.saved()
    ben.pump()
    journal.held = True
    anna.type("!")
    await wait_until(lambda: journal.waiting, what="the append")
    for _ in range(10):
        await asyncio.sleep(0)
    assert not any(isinstance(message, Update) for message in ben.socket.take_messages())
    assert not any(isinstance(message, Acknowledgement) for message in anna.socket.take_messages())
    assert (await house.hub.live(house.prompt_id)).text == "Hello"
    await journal.release()
    await ben.shows("Hello!")
    await anna.saved()


async def test_edits_that_arrive_during_a_commit_share_the_next_one(house: House) -> None:
    journal = HeldJournal(house.store)
    anna, ben = await house.open("anna"), await house.open("ben")
    journal.held = True
    for letter in "abc":
        anna.type(letter)
        await asyncio.sleep(0)
    await wait_until(lambda: journal.waiting, what="the first append")
    assert len(journal.waiting) == 1
    before = await house.store.journal.head(house.prompt_id)
    await journal.release()
    await ben.shows("Helloabc")
    assert await house.store.journal.head(house.prompt_id) == before + 3


async def test_a_failed_commit_loses_nothing_and_tells_no_lie(house: House) -> None:
    journal = HeldJournal(house.store)
    anna, ben = await house.open("anna"), await house.open("ben")
    journal.failure = StoreUnavailable("the disk is full")
    anna.type(" kept")
    await wait_until(lambda: "store.unavailable" in event_types(anna.pump()), what="the bad news")
    assert not anna.peer.saved
    assert ben.pump().peer.text == "Hello"
    journal.failure = None
    await ben.shows("Hello kept")
    await anna.saved()
    assert "store.available" in event_types(anna)


async def test_a_store_that_stays_away_is_one_line_of_the_log_and_not_one_for_each_attempt(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    async def pause(_: Rebuilding, attempts: int) -> None:
        asked.append(attempts)
        await asyncio.sleep(0)

    monkeypatch.setattr(Rebuilding, "_pause", pause)
    journal = HeldJournal(house.store)
    anna = await house.open("anna")
    with structlog.testing.capture_logs() as lines:
        journal.failure = StoreUnavailable("the disk is full")
        anna.type(" kept")
        await wait_until(lambda: len(asked) > 5, what="the store to be asked several times")
    journal.failure = None
    await anna.saved()
    postponed = [line for line in lines if line["event"] == "rebuild_postponed"]
    assert [line["reason"] for line in postponed] == ["the disk is full"]


async def test_edits_made_while_the_store_is_away_are_stored_when_it_returns(house: House) -> None:
    journal = HeldJournal(house.store)
    anna, ben = await house.open("anna"), await house.open("ben")
    journal.failure = StoreUnavailable("the database was stopped")
    for letter in " offline":
        anna.type(letter)
        anna.pump()
        await asyncio.sleep(0)
    journal.failure = None
    await ben.shows("Hello offline")
    await anna.saved()
    assert len(await house.journal()) < 1 + len(" offline") + 3


async def test_a_repeated_update_is_acknowledged_and_not_stored_again(house: House) -> None:
    anna = await house.open("anna")
    anna.type("!")
    await anna.saved()
    stored = await house.journal()
    anna.hang_up()
    back = house.tab("anna")
    back.peer = anna.peer
    await back.open(house.prompt_id)
    await back.saved()
    assert await house.journal() == stored


async def test_an_engine_failure_condemns_the_document_and_not_the_room(house: House) -> None:
    anna, ben = await house.open("anna"), await house.open("ben")
    anna.type("!")
    await ben.shows("Hello!")
    async with house.hub._rooms.pinned(house.prompt_id) as room:  # noqa: SLF001 - the engine has to be broken by hand
        room.document.condemned = True
        anna.type("?")
        await wait_until(lambda: not room.document.condemned and room.state is RoomState.LIVE, what="the rebuild")
    await ben.shows("Hello!?")
    await anna.saved()


async def test_a_doubt_is_resolved_in_favour_of_the_journal(house: House) -> None:
    anna = await house.open("anna")
    async with house.hub._rooms.pinned(house.prompt_id) as room:  # noqa: SLF001 - doubts come from inside
        room.document.apply([Document().edit([TextEdit(0, 0, "never stored ")])])
        room.doubt(Doubt.CHECKPOINT)
        await wait_until(lambda: room.state is RoomState.LIVE, what="the rebuild")
        assert room.document.text == "Hello"
    assert anna.pump().peer.text == "Hello"


async def test_a_viewer_changes_nothing(house: House) -> None:
    vera, anna = await house.open("vera"), await house.open("anna")
    stored = await house.journal()
    vera.type(" hacked")
    anna.type(" honest")
    await anna.saved()
    assert len(await house.journal()) == len(stored) + 1
    assert not vera.pump().peer.saved
    assert anna.pump().peer.text == "Hello honest"


async def test_the_inbox_is_bounded(house: House) -> None:
    """More than the bound waiting for a commit: memory is let go, and nothing is lost."""
    journal = HeldJournal(house.store)
    anna = await house.open("anna")
    await anna.saved()
    journal.held = True
    anna.type("x")
    await wait_until(lambda: journal.waiting, what="the append")
    async with house.hub._rooms.pinned(house.prompt_id) as room:  # noqa: SLF001 - 32 MiB through a socket would take long
        room.appender._inbox.size = 1 << 40  # noqa: SLF001
        anna.type("y")
        assert not room.appender._inbox  # noqa: SLF001
    await journal.release()
    await anna.saved()
    assert (await house.hub.live(house.prompt_id)).text == "Helloxy"


async def test_nobody_is_told_that_the_store_is_back_before_it_takes_commits(house: House) -> None:
    """A full disk can be read: a room that only looked would promise, fail and promise again."""
    journal = HeldJournal(house.store)
    anna = await house.open("anna")
    await anna.saved()
    journal.failure = StoreUnavailable("the disk is full")
    anna.type("!")
    await wait_until(lambda: "store.unavailable" in event_types(anna.pump()), what="the bad news")
    assert (await house.store.prompts.get(house.prompt_id)).name == "Greeting"
    for _ in range(200):
        await asyncio.sleep(0)
        anna.pump()
    assert event_types(anna).count("store.unavailable") == 1
    assert "store.available" not in event_types(anna)
    ready_meanwhile = not house.hub.awaits_store
    journal.failure = None
    await anna.saved()
    assert (ready_meanwhile, house.hub.awaits_store) == (False, False)
    assert event_types(anna).count("store.available") == 1


async def test_who_asks_while_a_broken_document_is_rebuilt_is_answered_and_not_blamed(house: House) -> None:
    anna, ben = await house.open("anna"), await house.open("ben")
    anna.type("!")
    await anna.saved()
    question = encode(SyncStep1(ben.peer.document.encode_state_vector()))
    async with house.hub._rooms.pinned(house.prompt_id) as room:  # noqa: SLF001 - whose engine is to fail
        room.document.condemned = True
        anna.send(question)
        assert anna.socket.close_code == 4400  # it was her question that the engine did not survive
        ben.send(question)
        await wait_until(lambda: room.state is RoomState.LIVE, what="the rebuilding")
    await ben.shows("Hello!")
    assert ben.socket.close_code is None

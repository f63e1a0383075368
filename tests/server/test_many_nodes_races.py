"""What happens between two turns of the loop, and while an answer is on its way."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import pytest
from sqlalchemy import delete, update

from crdt.codec import encode
from crdt.document import Document
from crdt.messages import Update
from crdt.update import read_update
from persistence import tables
from persistence.edits import Head
from server import follower, look_ahead
from server.access import Role
from server.arrivals import Elsewhere
from server.errors import Forbidden, PromptNotFound, ServerError
from server.life import Doubt, RoomState
from server.pulse import Pulse
from tests.server.late import (
    LateAnswers,
    LateHeads,
    LateStandings,
    deletion,
    fall_behind,
    held_back,
    inside,
    room_of,
    turns,
)
from tests.server.living import Clock, Tab
from tests.server.street import Street, street
from tests.support.waiting import wait_until

NEVER = 1e6
SOON = 10.0


@pytest.fixture(autouse=True)
def _never_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks at the journal without a reason, so that nothing heals by itself."""
    monkeypatch.setattr(follower, "HEADS_SECONDS", NEVER)
    monkeypatch.setattr(follower, "HEADS_SECONDS_WITHOUT_BUS", NEVER)


@pytest.fixture
async def two(sqlite_url: str) -> AsyncIterator[Street]:
    async with street(sqlite_url) as built:
        yield built


# --- what is read, and what is on its way from here -------------------------------------------------------------------


async def test_what_is_typed_while_a_reading_begins_is_acknowledged(two: Street) -> None:
    ben = await two.nodes[1].sender("ben")
    head, frame = await fall_behind(two), await deletion(two)
    room, journal = room_of(two.nodes[1]), LateAnswers(two.house.store)
    journal.late = True
    journal.next_read_waits_for = wait_until(
        lambda: journal.has_committed or not room.appender.awaits_answer, what="what was handed in before it"
    )
    # In the turn in which the room begins to read.
    asyncio.get_running_loop().call_later(0, ben.send, frame)
    room.learn(head)
    await wait_until(lambda: journal.has_committed, what="the commit")
    await journal.answer()
    await wait_until(lambda: room.head_seq == head + 1, what="it to be shown", seconds=SOON)
    await wait_until(lambda: not room.appender.size, what="it to be acknowledged", seconds=SOON)


async def test_a_reading_that_a_doubt_has_overtaken_reads_nothing_of_ours(
    two: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "_PIECE", 1)
    ben = await two.nodes[1].sender("ben")
    head, frame = await fall_behind(two), await deletion(two)
    room, journal = room_of(two.nodes[1]), LateAnswers(two.house.store)
    may_read = asyncio.Event()
    journal.next_read_waits_for = may_read.wait()
    room.learn(head)
    await wait_until(lambda: journal.next_read_waits_for is None, what="the reading to begin")
    room.doubt(Doubt.DIVERGED)
    await wait_until(lambda: room.state is RoomState.LIVE, what="the room to be read anew")
    journal.late = True
    ben.send(frame)
    await turns()
    await wait_until(lambda: journal.has_committed or not room.appender.awaits_answer, what="what was handed in")
    readings = journal.readings
    may_read.set()
    await wait_until(lambda: journal.readings > readings, what="the end of the reading")
    await wait_until(lambda: journal.has_committed, what="the commit")
    await turns()
    await journal.answer()
    await wait_until(lambda: room.head_seq == head + 1, what="it to be shown", seconds=SOON)
    await wait_until(lambda: not room.appender.size, what="it to be acknowledged", seconds=SOON)


async def test_a_commit_where_something_was_shown_already_is_a_doubt(two: Street) -> None:
    """As when a standby takes over that lacked the last edit: its number is given out a second time."""
    ben = await two.nodes[1].open("ben")
    ben.type("!")
    await ben.saved()
    head = room_of(two.nodes[1]).head_seq
    async with two.house.store.database.write() as connection:
        await connection.execute(delete(tables.journal).where(tables.journal.c.seq == head))
        await connection.execute(update(tables.prompts).values(head_seq=head - 1))
    ben.type("?")
    await wait_until(lambda: ben.pump().peer.saved, what="it to be acknowledged", seconds=SOON)
    await two.agree("Hello!?")


# --- coming and going -------------------------------------------------------------------------------------------------


async def test_who_waits_for_a_room_that_is_closed_in_the_same_turn_is_not_let_into_it(two: Street) -> None:
    ben = await two.nodes[1].open("ben")
    await ben.saved()
    head = await fall_behind(two)
    node, journal = two.nodes[1], LateAnswers(two.house.store)
    may_read = asyncio.Event()
    journal.next_read_waits_for = may_read.wait()
    tab = Tab(node.hub, two.house.people["anna"], [])
    joining = asyncio.ensure_future(node.hub.join(two.house.prompt_id, tab.session, at_least=head))
    await wait_until(lambda: journal.next_read_waits_for is None, what="the reading to begin")
    room = room_of(node)
    # What is missing is shown, and the prompt deleted, before anybody else has a turn.
    entry = (await two.house.journal())[-1]
    room.hear(Elsewhere(head, head, (entry,), (read_update(entry),), {}))
    node.hub._rooms.forget(room, PromptNotFound())  # noqa: SLF001 - the deletion itself
    may_read.set()
    with pytest.raises(ServerError):
        await joining
    assert not room.members


async def test_nobody_waits_for_what_a_closed_room_could_show(two: Street) -> None:
    ben = await two.nodes[1].sender("ben")
    head = await fall_behind(two)
    node, room = two.nodes[1], room_of(two.nodes[1])
    looked = asyncio.Event()
    heads = two.house.store.journal.heads

    async def late_heads(prompt_ids: Sequence[UUID]) -> dict[UUID, Head]:
        await looked.wait()
        return await heads(prompt_ids)

    two.house.store.journal.heads = late_heads  # type: ignore[method-assign]
    # It builds on what this node has not heard of.
    author = Document()
    author.apply(await two.house.journal())
    ben.send(encode(Update(author.edit([inside(author.text)]))))
    looking = node.hub._rooms._look_ahead  # noqa: SLF001 - nobody else knows who looks
    assert room in looking
    node.hub._rooms.forget(room, PromptNotFound())  # noqa: SLF001 - as when it is unloaded
    looked.set()
    await wait_until(lambda: room not in looking, what="the end of the look", seconds=SOON)
    assert head > room.head_seq


# --- what is known of people ------------------------------------------------------------------------------------------


async def test_a_role_that_changes_during_a_review_is_not_taken_back_by_it(two: Street) -> None:
    node = two.nodes[0]
    anna = await node.open("anna")
    principal = anna.session.principal
    standings = LateStandings(two.house.store)
    node.clock.advance(31)
    node.hub.tick()
    await wait_until(lambda: standings.read, what="the review to read")
    await two.house.store.accounts.set_role(principal.organization_id, principal.user_id, "viewer")
    await two.nodes[1].hub.role_changed(principal.organization_id, principal.user_id, Role.VIEWER)
    await wait_until(lambda: anna.session.principal.role is Role.VIEWER, what="the other role")
    standings.may_answer.set()
    await wait_until(lambda: not node.hub._reviewing, what="the end of the review")  # noqa: SLF001 - it says nothing
    assert anna.session.principal.role is Role.VIEWER


async def test_what_was_read_before_a_node_was_stopped_does_not_make_it_current(two: Street) -> None:
    node = two.nodes[0]
    anna = await node.open("anna")
    await anna.saved()
    principal = anna.session.principal
    node.hub.bus_changed(is_up=True)
    standings = LateStandings(two.house.store)
    node.hub.tick()
    await wait_until(lambda: standings.read, what="the review to read")
    # Here it is stopped; when it goes on, the answers are there at once.
    two.exchange.loses = lambda *_: True
    await two.house.store.accounts.remove_member(principal.organization_id, principal.user_id)
    stored = await two.house.journal()
    node.clock.advance(20)
    node.hub.tick()
    standings.may_answer.set()
    await wait_until(lambda: not node.hub._reviewing, what="the end of the review")  # noqa: SLF001 - it says nothing
    anna.type(" too late")
    await wait_until(lambda: room_of(node).state is RoomState.LOADING, what="the doubt", seconds=SOON)
    node.hub.tick()
    await wait_until(lambda: anna.socket.close_code == Forbidden.close_code, what="the end of the membership")
    assert await two.house.journal() == stored


# --- who knows more than a node does ----------------------------------------------------------------------------------


async def test_a_look_that_began_before_refuses_nobody(two: Street) -> None:
    anna, ben = await two.nodes[0].open("anna"), await two.nodes[1].open("ben")
    anna.type(" there")
    await two.agree("Hello there")
    stranger = await two.nodes[1].sender("owner")
    heads = LateHeads(two.house.store)
    stranger.send(await held_back(two))
    await wait_until(lambda: heads.read, what="a look at the journal")
    two.exchange.loses = lambda *_: True
    anna.type(", you")
    await anna.saved()
    # It builds on that, and says it again when it is asked for it.
    ben.peer.document.apply([(await two.house.journal())[-1]])
    ben.type(" two")
    for _ in range(5):
        ben.pump()
        await turns()
    heads.may_answer.set()
    await ben.saved()
    assert ben.socket.close_code is None
    assert await two.nodes[1].text() == "Hello there, you two"


async def test_whoever_builds_on_nothing_has_the_journal_looked_at_now_and_then(
    two: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_ahead, "LOOK_AGAIN_SECONDS", NEVER)
    stranger = await two.nodes[1].sender("owner")
    heads = LateHeads(two.house.store)
    heads.may_answer.set()
    for _ in range(5):
        stranger.send(await held_back(two))
        await wait_until(lambda: heads.read == heads.asked, what="the look")
        await turns()
    assert heads.asked == 1


def test_a_process_was_away_when_the_machine_was_suspended() -> None:
    monotonic, time_of_day = Clock(), Clock()
    pulse = Pulse(monotonic, time_of_day)
    time_of_day.advance(3600)
    assert not pulse.is_current()
    assert pulse.beat()
    pulse.renewed()
    assert pulse.is_current()
    time_of_day.advance(-3600)
    assert pulse.is_current()
    assert not pulse.beat()

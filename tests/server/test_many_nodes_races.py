"""What happens between two turns of the loop, and what nodes must not do for ever."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from uuid import UUID

import pytest
from sqlalchemy import delete, update

from crdt import lineage
from crdt.codec import encode
from crdt.diff import TextEdit
from crdt.document import Document, initial_state
from crdt.messages import Update
from crdt.update import read_update
from persistence import tables
from persistence.edits import Edit, Head
from server import arrivals, follower, look_ahead
from server.access import Role
from server.arrivals import Arrivals, Elsewhere
from server.envelope import Fingerprint, Seal
from server.errors import Forbidden, PromptNotFound, ServerError
from server.life import Doubt, RoomState
from server.room import Room
from tests.server.late import LateAnswers, LateHeads, LateStandings
from tests.server.living import SECRET, Tab
from tests.server.street import Node, Street, street
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


def room_of(node: Node) -> Room:
    room = node.hub._rooms.get(node.house.prompt_id)  # noqa: SLF001 - nobody else has it
    assert room is not None
    return room


async def fall_behind(built: Street, text: str = "!") -> int:
    """Have something stored that only the first node hears of; answer how far the journal reaches."""
    built.exchange.loses = lambda *_: True
    anna = await built.nodes[0].open("anna")
    anna.type(text)
    await anna.saved()
    return await built.house.store.journal.head(built.house.prompt_id)


async def deletion(built: Street) -> bytes:
    """A frame that deletes the first letter: shown twice it changes nothing, so that nobody notices."""
    author = Document((await built.house.journal())[0])
    return encode(Update(author.edit([TextEdit(0, 1, "")])))


async def turns(count: int = 50) -> None:
    """Let the loop turn, far less than a commit takes."""
    for _ in range(count):
        await asyncio.sleep(0)


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


# --- much at once -----------------------------------------------------------------------------------------------------


async def test_more_than_may_wait_is_read_and_shown(two: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "ARRIVALS_BYTES", 1_000)
    ben = await two.nodes[1].open("ben")
    two.exchange.loses = lambda *_: True
    anna = await two.nodes[0].open("anna")
    for _ in range(3):
        anna.type("x" * 600)
        await anna.saved()
    room_of(two.nodes[1]).learn(await two.house.store.journal.head(two.house.prompt_id))
    await wait_until(lambda: len(ben.pump().peer.text) == len("Hello") + 1_800, what="all of it", seconds=SOON)


async def test_what_fills_a_gap_is_shown_however_much_waits_behind_it(
    two: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "ARRIVALS_BYTES", 1_000)
    ben = await two.nodes[1].open("ben")
    anna = await two.nodes[0].open("anna")
    await anna.saved()
    two.exchange.loses = lambda *_: True
    anna.type("x" * 600)
    await anna.saved()
    two.exchange.loses = None
    anna.type("x" * 600)
    await anna.saved()
    await wait_until(lambda: len(ben.pump().peer.text) == len("Hello") + 1_200, what="both", seconds=SOON)


def test_small_updates_that_wait_are_bounded_by_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "MAX_ARRIVALS", 3)
    waiting = Arrivals()
    for seq in range(10, 20):
        waiting.add(Elsewhere(seq, seq, (b"x",), (), {}))
    waiting.add(Elsewhere(2, 2, (b"x",), (), {}), is_next=True)
    assert waiting.known_seq == 19
    heads = [1, 9, 10, 11, 12]
    taken = [arrival.first_seq for head in heads if (arrival := waiting.take(head)) is not None]
    assert taken == [2, 10, 11, 12]


async def test_what_each_could_insert_they_can_insert_together(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Judging a place costs more the more often people took turns there; merged, a flush costs the sum of it."""
    monkeypatch.setattr(lineage, "MAX_STEPS", 200)
    async with street(sqlite_url, text="()") as built:
        author_id = built.house.people["anna"].user_id
        pair = [Document((await built.house.journal())[0], client_id=client_id) for client_id in (100, 200)]
        for turn in range(40):
            frame = pair[turn % 2].edit([inside(pair[turn % 2].text)])
            pair[1 - turn % 2].apply([frame])
            await built.house.store.journal.append(
                built.house.prompt_id, [Edit(frame, author_id)], {(100, 200)[turn % 2]: author_id}
            )
        ben = await built.nodes[1].open("ben")
        doubts: list[Doubt] = []
        monkeypatch.setattr(room_of(built.nodes[1]), "doubt", doubts.append)
        state = pair[0].encode_state()
        everybody = [await built.nodes[0].sender("anna") for _ in range(20)]
        for one in everybody:
            author = Document(state)
            one.send(encode(Update(author.edit([inside(author.text)]))))
        await wait_until(lambda: len(ben.pump().peer.text) == 2 + 40 + 20 or doubts, what="all of it")
        assert not doubts


def inside(text: str) -> TextEdit:
    return TextEdit(len(text) - 1, len(text) - 1, "x")


# --- comparing --------------------------------------------------------------------------------------------------------


async def look(node: Node) -> None:
    """Have a node hold its rooms against the journal."""
    rooms = node.hub._rooms  # noqa: SLF001 - nobody else says when
    await rooms._follower.compare_heads(list(rooms._live.values()))  # noqa: SLF001 - as above


def fingerprints_of(built: Street) -> list[str]:
    """The channels on which fingerprints are said from now on."""
    said: list[str] = []

    def note(channel: str, payload: bytes) -> bool:
        if isinstance(Seal(SECRET, UUID(int=0)).open(channel, payload)[1], Fingerprint):
            said.append(channel)
        return False

    built.exchange.loses = note
    return said


async def test_what_is_left_of_the_fingerprints_comes_with_the_next_look(
    two: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "_FINGERPRINTS_AT_ONCE", 1)
    house, (first, second) = two.house, two.nodes
    prompt = await house.store.prompts.get(house.prompt_id)
    other = await house.store.prompts.create(
        organization_id=prompt.organization_id,
        project_id=prompt.project_id,
        name="Another",
        state=initial_state("Bye", 1),
        client_id=1,
        user_id=house.people["owner"].user_id,
    )
    said = fingerprints_of(two)
    for prompt_id in (house.prompt_id, other.id):
        for node in (first, second):
            await Tab(node.hub, house.people["anna"], house.tabs).open(prompt_id)
    await turns()
    for _ in range(4):
        await look(first)
    assert sorted(said) == sorted(f"prompt:{prompt_id}" for prompt_id in (house.prompt_id, other.id))


async def test_a_fingerprint_is_said_when_somebody_can_hear_it(two: Street) -> None:
    said = fingerprints_of(two)
    for node in two.nodes:
        await node.open("anna")
    await turns()
    first = two.nodes[0]
    first.bus.cut_off()
    await wait_until(lambda: not first.bus.is_up, what="the bus to be lost")
    for _ in range(3):
        await look(first)
    first.bus.mend()
    await wait_until(lambda: first.bus.is_up, what="the bus to be back")
    await look(first)
    assert said


async def test_nodes_that_never_agree_do_not_read_for_ever(two: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when two versions of the engine write one document in different bytes, and a worker has to tell."""
    for node in two.nodes:
        await node.open("anna")
    await turns()
    said = fingerprints_of(two)

    def are_live() -> bool:
        return all(room_of(node).state is RoomState.LIVE for node in two.nodes)

    def fingerprint_of(node: Node) -> Callable[[Room], Awaitable[Fingerprint | None]]:
        async def fingerprint(room: Room) -> Fingerprint | None:
            if room.state is not RoomState.LIVE:
                return None
            await wait_until(are_live, what="both rooms to be live")
            return Fingerprint(room.head_seq, node.node_id.bytes)

        return fingerprint

    for node in two.nodes:
        monkeypatch.setattr(node.hub._rooms._follower, "_fingerprint", fingerprint_of(node))  # noqa: SLF001 - as above
    for _ in range(2):
        await look(two.nodes[0])
    await wait_until(lambda: len(said) > 1, what="the difference to be noticed")
    for _ in range(20):
        await turns()
        await wait_until(are_live, what="both rooms to be read anew")
    assert len(said) <= 4


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


async def held_back(built: Street) -> bytes:
    """A frame that builds on what nobody has stored."""
    author = Document((await built.house.journal())[0])
    author.edit([inside(author.text)])
    return encode(Update(author.edit([inside(author.text)])))


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

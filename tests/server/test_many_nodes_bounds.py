"""What nodes must neither keep nor do without an end."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from uuid import UUID

import pytest

from crdt import lineage
from crdt.codec import encode
from crdt.document import Document, initial_state
from crdt.messages import Update
from persistence.edits import Edit, Head
from server import arrivals, follower, hub
from server.arrivals import Arrivals, Elsewhere
from server.envelope import Fingerprint, Seal
from server.life import Doubt, RoomState
from server.rebuilding import Rebuilding
from server.room import Room
from tests.server.late import inside, room_of, turns
from tests.server.living import SECRET, House, Tab
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


async def test_a_room_that_doubts_again_and_again_is_read_ever_less_often(
    two: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when somebody says everything twice, to two nodes at once."""
    pauses: list[int] = []

    async def pause(_: Rebuilding, attempts: int) -> None:
        pauses.append(attempts)

    monkeypatch.setattr(Rebuilding, "_pause", pause)
    ben = await two.nodes[1].open("ben")
    room = room_of(two.nodes[1])
    for _ in range(4):
        room.doubt(Doubt.JOURNAL_MOVED)
        await wait_until(lambda: room.state is RoomState.LIVE, what="the room to be read anew")
    assert pauses == [0, 1, 2, 3]
    ben.type("!")
    await ben.saved()


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


# --- what goes on whatever happens ------------------------------------------------------------------------------------


async def test_a_look_that_fails_unexpectedly_is_not_the_last(two: Street) -> None:
    node = two.nodes[1]
    await node.open("ben")
    journal = two.house.store.journal
    heads, looks = journal.heads, 0

    async def fails_once(prompt_ids: Sequence[UUID]) -> dict[UUID, Head]:
        nonlocal looks
        looks += 1
        if looks == 1:
            message = "a defect"
            raise RuntimeError(message)
        return await heads(prompt_ids)

    journal.heads = fails_once  # type: ignore[method-assign]
    node.hub.bus_changed(is_up=True)
    await wait_until(lambda: looks == 1, what="the look that fails")
    await turns()
    node.hub.bus_changed(is_up=True)
    await wait_until(lambda: looks == 2, what="the next look", seconds=SOON)


async def test_a_tick_that_fails_is_not_the_last(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ticks a node's pulse would stop, and it would hand nothing to the journal any more."""
    monkeypatch.setattr(hub, "TICK_SECONDS", 0.001)
    ticks = 0

    def fails() -> None:
        nonlocal ticks
        ticks += 1
        message = "a defect"
        raise RuntimeError(message)

    monkeypatch.setattr(house.hub, "tick", fails)
    await house.hub.start()
    await wait_until(lambda: ticks > 1, what="the next tick", seconds=SOON)

"""What several nodes make of one prompt, whatever becomes of the messages between them."""

import random
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy import delete, update

from crdt.codec import encode
from crdt.diff import TextEdit
from crdt.document import Document
from crdt.messages import Update
from crdt.offsets import codepoint_to_utf16
from persistence import tables
from persistence.errors import StoreUnavailable
from server import follower, telemetry
from server.access import Role
from server.envelope import Envelope, Seal
from server.errors import Forbidden
from server.rebuild import rebuild
from tests.server.living import SECRET, HeldJournal
from tests.server.street import Street, street
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal is looked at more often, so that nobody waits."""
    monkeypatch.setattr(follower, "HEADS_SECONDS", 0.05)
    monkeypatch.setattr(follower, "HEADS_SECONDS_WITHOUT_BUS", 0.05)


@pytest.fixture
async def two(sqlite_url: str) -> AsyncIterator[Street]:
    async with street(sqlite_url) as built:
        yield built


async def rebuilt(built: Street) -> str:
    """What the journal comes to."""
    result = rebuild(None, await built.house.journal())
    assert not result.rejected
    return Document(result.state).text


def rooms_of(built: Street) -> list[object]:
    return [node.hub._rooms.get(built.house.prompt_id) for node in built.nodes]  # noqa: SLF001 - nobody else has them


# --- one text ---------------------------------------------------------------------------------------------------------


async def test_what_is_typed_on_one_node_is_shown_on_the_other(two: Street) -> None:
    anna, ben = await two.nodes[0].open("anna"), await two.nodes[1].open("ben")
    anna.type(" from anna")
    await two.agree("Hello from anna")
    ben.type("Well: ", at=0)
    assert await two.agree("Well: Hello from anna") == await rebuilt(two)


async def test_nothing_is_published_before_it_is_stored(two: Street) -> None:
    journal = HeldJournal(two.house.store)
    anna, ben = await two.nodes[0].open("anna"), await two.nodes[1].open("ben")
    journal.held = True
    anna.type("!")
    await wait_until(lambda: journal.waiting, what="the append")
    assert ben.pump().peer.text == "Hello"
    await journal.release()
    await two.agree("Hello!")


async def test_each_edit_is_stored_once_and_each_flush_published_once(two: Street) -> None:
    published = 0

    def count(channel: str, payload: bytes) -> bool:
        nonlocal published
        published += isinstance(Seal(SECRET, UUID(int=0)).open(channel, payload)[1], Envelope)
        return False

    two.exchange.loses = count
    anna, ben = await two.nodes[0].open("anna"), await two.nodes[1].open("ben")
    stored = len(await two.house.journal())
    for number in range(20):
        (anna if number % 2 else ben).type(str(number))
        await two.agree()
    rows = len(await two.house.journal()) - stored
    assert rows == 20
    assert published == 20


@pytest.mark.parametrize("loss", [0.0, 0.3, 1.0])
async def test_whatever_is_lost_between_them_all_nodes_show_the_journal(
    sqlite_url: str, rng: random.Random, loss: float
) -> None:
    async with street(sqlite_url, nodes=3, loses=lambda *_: rng.random() < loss) as built:
        tabs = [await built.nodes[number % 3].open(name) for number, name in enumerate(["anna", "ben"] * 3)]
        for _ in range(150):
            tab = rng.choice(tabs)
            place = rng.randint(0, len(tab.peer.text))
            tab.type(rng.choice(["x", "yz", "😀"]), at=codepoint_to_utf16(tab.peer.text, place))
            if rng.random() < 0.3:
                rng.choice(tabs).pump()
            if rng.random() < 0.1:
                await tab.saved()
        assert await built.agree() == await rebuilt(built)


async def test_while_the_bus_is_away_the_journal_is_read_and_then_all_is_as_before(two: Street) -> None:
    anna, ben = await two.nodes[0].open("anna"), await two.nodes[1].open("ben")
    for node in two.nodes:
        node.bus.cut_off()
    anna.type(" one")
    await two.agree("Hello one")
    ben.type(" two")
    await two.agree("Hello one two")
    for node in two.nodes:
        node.bus.mend()
    anna.type(" three")
    await two.agree("Hello one two three")


async def test_who_comes_from_another_node_is_shown_what_was_seen_there(
    two: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No message arrives and nobody looks: what the handshake knew of the journal is enough."""
    monkeypatch.setattr(follower, "HEADS_SECONDS", 1e6)
    ben = await two.nodes[1].open("ben")
    await ben.saved()
    two.exchange.loses = lambda *_: True
    anna = await two.nodes[0].open("anna")
    anna.type(" seen")
    await anna.saved()
    head = await two.house.store.journal.head(two.house.prompt_id)
    moved = await two.nodes[1].open("anna", at_least=head)
    assert moved.peer.text == "Hello seen"


async def test_what_a_tab_heard_from_another_tab_is_no_attack(two: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tabs of one browser pass on what they are shown; one that is on another node knows more than its node does."""
    monkeypatch.setattr(follower, "HEADS_SECONDS", 1e6)
    anna, ben = await two.nodes[0].open("anna"), await two.nodes[1].open("ben")
    anna.type(" there")
    await two.agree("Hello there")
    two.exchange.loses = lambda *_: True
    anna.type(", you")
    await anna.saved()
    ben.peer.document.apply([(await two.house.journal())[-1]])
    # Asked for what its own edit builds on, the tab says the other one's again, under the other one's client id.
    ben.type(" two")
    await ben.saved()
    assert await two.nodes[1].text() == "Hello there, you two"


async def test_a_large_update_is_read_from_the_journal(two: Street) -> None:
    anna, ben = await two.nodes[0].open("anna"), await two.nodes[1].open("ben")
    anna.type("x" * 400_000)
    await two.agree()
    assert len(ben.peer.text) == len("Hello") + 400_000


# --- one client on two nodes ------------------------------------------------------------------------------------------


async def test_an_edit_that_is_sent_to_two_nodes_is_there_once(two: Street) -> None:
    """As when a node stores it and dies before it says so: the client goes to another one and sends it again."""
    journal = HeldJournal(two.house.store)
    anna, again = await two.nodes[0].sender("anna"), await two.nodes[1].sender("anna")
    journal.held = True
    author = Document((await two.house.journal())[0], client_id=4711)
    edit = author.edit([edit_at_end(author.text, "!")])
    for tab in (anna, again):
        tab.send(frame_of(edit))
    await wait_until(lambda: len(journal.waiting) == 2, what="both appends")
    await journal.release()
    assert await two.agree("Hello!") == await rebuilt(two)


async def test_one_client_that_says_two_things_is_held_to_the_first(two: Street) -> None:
    journal = HeldJournal(two.house.store)
    anna, liar = await two.nodes[0].sender("anna"), await two.nodes[1].sender("anna")
    ben = await two.nodes[0].open("ben")
    journal.held = True
    state = (await two.house.journal())[0]
    for tab, text in ((anna, "first"), (liar, "other")):
        author = Document(state, client_id=4711)
        tab.send(frame_of(author.edit([edit_at_end(author.text, text)])))
    await wait_until(lambda: len(journal.waiting) == 2, what="both appends")
    await journal.release()
    await wait_until(lambda: ben.pump().peer.text == "Hellofirst", what="what was stored first")

    async def nodes_agree() -> bool:
        return {await node.text() for node in two.nodes} == {"Hellofirst"}

    await wait_until(nodes_agree, what="both nodes to show what was stored first")
    assert await rebuilt(two) == "Hellofirst"


async def test_a_client_id_belongs_to_whoever_used_it_first_on_any_node(two: Street) -> None:
    journal = HeldJournal(two.house.store)
    anna, ben = await two.nodes[0].sender("anna"), await two.nodes[1].sender("ben")
    journal.held = True
    state = (await two.house.journal())[0]
    for tab, text in ((anna, "anna's"), (ben, "ben's, and longer")):
        author = Document(state, client_id=4711)
        tab.send(frame_of(author.edit([edit_at_end(author.text, text)])))
    await wait_until(lambda: len(journal.waiting) == 2, what="both appends")
    await journal.release()
    # Asked for what is not stored, the second one says it again, and is told then whose id it is.
    author = Document(state, client_id=4711)
    again = author.edit([edit_at_end(author.text, "ben's, and longer")])
    assert await two.nodes[1].text() == "Helloanna's"
    ben.send(frame_of(again))
    await wait_until(lambda: ben.socket.close_code == 4409, what="the end of the second one")
    await two.agree("Helloanna's")


# --- what else nodes say ----------------------------------------------------------------------------------------------


async def test_a_role_is_followed_on_every_node(two: Street) -> None:
    ben = await two.nodes[1].open("ben")
    principal = ben.session.principal
    await two.nodes[0].hub.role_changed(principal.organization_id, principal.user_id, Role.VIEWER)
    await wait_until(lambda: ben.session.principal.role is Role.VIEWER, what="the other role")
    await two.nodes[0].hub.role_changed(principal.organization_id, principal.user_id, None)
    await wait_until(lambda: ben.socket.close_code == Forbidden.close_code, what="the end of the membership")


async def test_a_role_that_changed_unheard_is_looked_up(two: Street) -> None:
    two.exchange.loses = lambda *_: True
    ben = await two.nodes[1].open("ben")
    principal = ben.session.principal
    await two.house.store.accounts.set_role(principal.organization_id, principal.user_id, "viewer")
    two.nodes[1].clock.advance(31)
    two.nodes[1].hub.tick()
    await wait_until(lambda: ben.session.principal.role is Role.VIEWER, what="the other role")


async def test_a_prompt_that_is_deleted_closes_everybody_on_every_node(two: Street) -> None:
    tabs = [await node.open("anna") for node in two.nodes]
    await two.house.store.prompts.delete(two.house.prompt_id)
    await two.nodes[0].hub.prompt_deleted(two.house.prompt_id)
    await wait_until(lambda: [tab.socket.close_code for tab in tabs] == [4404, 4404], what="the end of both")


async def test_a_prompt_that_was_deleted_unheard_is_found_out(two: Street) -> None:
    ben = await two.nodes[1].open("ben")
    await two.house.store.prompts.delete(two.house.prompt_id)
    await wait_until(lambda: ben.socket.close_code == 4404, what="the end")


async def test_room_events_reach_everybody(two: Street) -> None:
    ben = await two.nodes[1].open("ben")
    two.nodes[0].hub.publish(two.house.prompt_id, {"type": "prompt.updated", "name": "Grüße"})
    expected = {"type": "prompt.updated", "name": "Grüße"}
    await wait_until(lambda: expected in [getattr(e, "event", None) for e in ben.pump().events], what="the event")


async def test_who_is_on_another_node_is_a_participant_until_the_node_goes(two: Street) -> None:
    first, second = two.nodes
    await first.open("anna")
    await second.open("ben")

    async def names(expected: list[str]) -> bool:
        live = await first.hub.live(two.house.prompt_id)
        return [person.name for person in live.participants] == expected

    await wait_until(lambda: names(["anna", "ben"]), what="both to be there")
    for node in two.nodes:
        node.hub.tick()
    await wait_until(lambda: first.nodes.others == 1, what="the nodes to know each other")
    # It dies: nothing more is heard of it.
    second.bus.cut_off()
    first.clock.advance(10)
    first.hub.tick()
    await wait_until(lambda: names(["anna"]), what="nobody to be left of the other node")


# --- doubt ------------------------------------------------------------------------------------------------------------


async def test_two_nodes_that_show_different_texts_find_it_out_and_read_the_journal(two: Street) -> None:
    anna = await two.nodes[0].open("anna")
    await two.nodes[1].open("ben")
    anna.type("!")
    await two.agree("Hello!")
    room = rooms_of(two)[1]
    stray = Document(room.document.encode_state())  # type: ignore[attr-defined]
    room.document.apply([stray.edit([edit_at_end("Hello!", " not stored")])])  # type: ignore[attr-defined]
    before = telemetry.DIVERGENCES._value.get()  # noqa: SLF001 - the counter itself
    await wait_until(lambda: telemetry.DIVERGENCES._value.get() > before, what="the difference to be noticed")  # noqa: SLF001

    async def same() -> bool:
        return {await node.text() for node in two.nodes} == {"Hello!"}

    await wait_until(same, what="both to show the journal")


async def test_a_journal_that_goes_back_takes_its_rooms_with_it(two: Street) -> None:
    """As when the database is one that was restored, or a standby that had not heard of everything."""
    ben = await two.nodes[1].open("ben")
    ben.type("!")
    await two.agree("Hello!")
    async with two.house.store.database.write() as connection:
        await connection.execute(delete(tables.journal).where(tables.journal.c.seq > 1))
        await connection.execute(update(tables.prompts).values(head_seq=1))
    room = rooms_of(two)[1]
    await wait_until(lambda: room.head_seq == 1, what="the room to be read anew")  # type: ignore[attr-defined]
    # What the journal does not have any more, somebody still has, and it is asked for.
    await two.agree("Hello!")


async def test_a_node_that_was_stopped_commits_nothing_for_somebody_who_may_not_write_any_more(two: Street) -> None:
    node = two.nodes[0]
    anna = await node.open("anna")
    await anna.saved()
    node.hub.tick()
    node.clock.advance(20)
    # All of this has happened meanwhile, and was heard by nobody here.
    principal = anna.session.principal
    two.exchange.loses = lambda *_: True
    await two.house.store.accounts.remove_member(principal.organization_id, principal.user_id)
    stored = await two.house.journal()
    anna.type(" too late")
    node.hub.tick()
    await wait_until(lambda: anna.socket.close_code == Forbidden.close_code, what="the end of the membership")
    assert await two.house.journal() == stored
    await (await node.open("ben")).shows("Hello")


async def test_a_node_that_was_stopped_goes_on_when_nothing_has_changed(two: Street) -> None:
    node = two.nodes[0]
    anna = await node.open("anna")
    await anna.saved()
    node.hub.tick()
    node.clock.advance(20)
    anna.type("!")
    node.hub.tick()
    await two.agree("Hello!")


async def test_what_nobody_of_ours_has_sealed_is_shown_to_nobody(two: Street) -> None:
    anna = await two.nodes[0].open("anna")
    await anna.saved()
    head = await two.house.store.journal.head(two.house.prompt_id)
    stray = Document((await two.house.journal())[0])
    lie = stray.edit([edit_at_end("Hello", " forged")])
    channel = f"prompt:{two.house.prompt_id}"
    forged = Seal(b"another key", two.nodes[1].node_id).close(channel, Envelope(1, head + 1, head + 1, lie))
    true = Seal(SECRET, two.nodes[1].node_id).close("prompt:another", Envelope(1, head + 1, head + 1, lie))
    rejected = telemetry.ENVELOPES_REJECTED._value.get()  # noqa: SLF001 - the counter itself
    for payload in (forged, true, b"", b"\0" * 40):
        two.exchange.send(channel, payload)
    await wait_until(
        lambda: telemetry.ENVELOPES_REJECTED._value.get() == rejected + 4,  # noqa: SLF001
        what="all four to be refused",
    )
    await two.agree("Hello")


async def test_a_store_that_cannot_be_read_for_what_is_missing_makes_the_room_wait(two: Street) -> None:
    anna, ben = await two.nodes[0].open("anna"), await two.nodes[1].open("ben")
    await two.agree("Hello")
    two.exchange.loses = lambda *_: True
    journal = HeldJournal(two.house.store)
    read = journal._journal.read  # noqa: SLF001 - it fails once

    async def fails(*_: object, **__: object) -> object:
        journal._journal.read = read  # type: ignore[method-assign]  # noqa: SLF001
        message = "away"
        raise StoreUnavailable(message)

    journal._journal.read = fails  # type: ignore[method-assign, assignment]  # noqa: SLF001
    anna.type("!")
    await two.agree("Hello!")
    assert ben.peer.text == "Hello!"


def edit_at_end(text: str, added: str) -> TextEdit:
    return TextEdit(len(text), len(text), added)


def frame_of(payload: bytes) -> bytes:
    return encode(Update(payload))

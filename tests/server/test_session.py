"""One connection: what it may send, how it ends, what it is told."""

import asyncio

import pytest

from crdt.client_peer import RoomEventReceived
from crdt.codec import encode
from crdt.diff import TextEdit
from crdt.document import EMPTY_UPDATE
from crdt.messages import Acknowledgement, SyncStep1, SyncStep2, TokenRenewal, Update
from crdt.update import encode_state_vector
from server import limits
from server.access import Principal, Role
from tests.server.living import HeldJournal, House
from tests.support.waiting import wait_until


async def test_a_malformed_frame_ends_the_connection_and_no_other(house: House) -> None:
    anna, ben = await house.open("anna"), await house.open("ben")
    anna.send(b"\x00\x02\xff")
    assert anna.socket.close_code == 4400
    ben.type("!")
    await ben.saved()


async def test_a_malformed_update_ends_the_connection(house: House) -> None:
    anna = await house.open("anna")
    anna.send(encode(Update(bytes.fromhex("01010701000000"))))
    assert anna.socket.close_code == 4400
    assert "update_" in (anna.socket.closed_with or (0, ""))[1]


async def test_writing_under_a_foreign_client_id_ends_the_connection(house: House) -> None:
    anna, ben = await house.open("anna"), await house.open("ben")
    anna.type("!")
    await anna.saved()
    anna.type("?")
    forged = anna.peer.document.encode_state()
    anna.hang_up()
    ben.send(encode(Update(forged)))
    await ben.saved()  # it was stored already: relaying is no offence
    anna.peer.edit([TextEdit(0, 0, "x")])
    ben.send(encode(Update(anna.peer.document.encode_state())))
    assert ben.socket.close_code == 4409


async def test_an_expired_token_closes_the_socket(house: House) -> None:
    anna = house.tab("anna")
    principal = house.people["anna"]
    token = house.authenticator.issue(principal.user_id, principal.organization_id, ttl=60)
    anna.session.principal = await house.authenticator.principal(token)
    await anna.open(house.prompt_id)
    house.clock.advance(59)
    house.wall_clock.advance(59)
    house.hub.tick()
    assert anna.socket.close_code is None
    renewed = house.authenticator.issue(principal.user_id, principal.organization_id, ttl=60)
    anna.send(encode(TokenRenewal(renewed)))
    before = anna.session.principal
    await wait_until(lambda: anna.session.principal is not before, what="the renewal")
    house.clock.advance(59)
    house.wall_clock.advance(59)
    house.hub.tick()
    assert not anna.session.is_closed
    house.clock.advance(2)
    house.wall_clock.advance(2)
    house.hub.tick()
    assert anna.socket.closed_with is not None
    assert anna.socket.closed_with[0] == 4401


async def test_a_socket_is_not_renewed_for_another_user(house: House) -> None:
    anna, ben = await house.open("anna"), house.people["ben"]
    token = house.authenticator.issue(ben.user_id, ben.organization_id, ttl=60)
    anna.send(encode(TokenRenewal(token)))
    await wait_until(lambda: anna.socket.close_code, what="the end")
    assert anna.socket.close_code == 4403


async def test_silence_is_broken_before_clients_give_up(house: House) -> None:
    anna = await house.open("anna")
    anna.pump()
    house.hub.tick()
    assert anna.socket.unread == []
    house.clock.advance(limits.KEEPALIVE_SECONDS)
    house.hub.tick()
    assert anna.socket.take() == [b"\x01\x01\x00"]


async def test_who_sends_nothing_between_two_pings_is_gone(house: House) -> None:
    anna, gone = await house.open("anna"), await house.open("ben")
    for _ in range(2):
        house.clock.advance(limits.WEBSOCKET_PING_SECONDS)
        house.hub.tick()
    assert (anna.socket.pings, gone.socket.pings) == (2, 2)
    gone.socket.answers = False
    house.clock.advance(limits.WEBSOCKET_PING_SECONDS)
    house.hub.tick()
    assert gone.socket.close_code == 1011
    assert anna.socket.close_code is None


async def test_who_has_nothing_to_do_is_not_looked_at(house: House) -> None:
    anna = await house.open("anna")
    anna.pump()
    house.clock.advance(1)
    house.hub.tick()
    assert anna.session.upkeep.due_at == pytest.approx(house.clock() + limits.KEEPALIVE_SECONDS, abs=1.5)


async def test_a_slow_reader_gets_one_diff_when_it_has_drained(house: House) -> None:
    anna, slow = await house.open("anna"), await house.open("ben")
    anna.pump()
    slow.pump()
    slow.session.congested()
    for letter in " and more":
        anna.type(letter)
        await anna.saved()
    assert slow.socket.unread == []
    slow.session.drained()
    sync = [message for message in slow.socket.take_messages() if isinstance(message, SyncStep2)]
    assert len(sync) == 1
    slow.peer.receive(encode(sync[0]))
    assert slow.peer.text == "Hello and more"


async def test_a_reader_that_never_drains_is_sent_away(house: House) -> None:
    slow = await house.open("ben")
    slow.session.congested()
    house.clock.advance(limits.OUTBOX_DRAIN_SECONDS + 1)
    house.hub.tick()
    assert slow.socket.close_code == 1013


async def test_a_slow_reader_that_takes_a_little_is_waited_for(house: House) -> None:
    slow = await house.open("ben")
    slow.socket.stuck_bytes = 5_000_000
    slow.session.congested()
    for _ in range(10):
        house.clock.advance(limits.OUTBOX_DRAIN_SECONDS - 1)
        slow.socket.stuck_bytes -= 100_000
        house.hub.tick()
    assert not slow.session.is_closed
    house.clock.advance(limits.OUTBOX_DRAIN_SECONDS + 1)
    house.hub.tick()
    assert slow.socket.closed_with is not None
    assert slow.socket.closed_with[0] == 1013


async def test_questions_of_a_reader_that_does_not_read_do_not_pile_up(house: House) -> None:
    slow = await house.open("ben")
    slow.pump()
    slow.session.congested()
    for _ in range(100):
        slow.send(encode(SyncStep1(b"\x00")))
    assert slow.socket.unread == []
    slow.session.drained()
    assert sum(isinstance(message, SyncStep2) for message in slow.socket.take_messages()) == 1


async def test_a_heavy_update_is_read_elsewhere_and_what_follows_waits_its_turn(house: House) -> None:
    anna, ben = await house.open("anna"), await house.open("ben")
    big = "x" * (limits.HEAVY_BYTES + 1)
    anna.type(big)
    reading_meanwhile = anna.socket.reading
    anna.type("y")
    await anna.saved()
    assert (reading_meanwhile, anna.socket.reading) == (False, True)
    await ben.shows("Hello" + big + "y")


async def test_a_role_that_changes_is_felt_at_once(house: House) -> None:
    anna = await house.open("anna")
    principal = house.people["anna"]
    await house.hub.role_changed(principal.organization_id, principal.user_id, Role.VIEWER)
    anna.type(" refused")
    stored = await house.journal()
    anna.pump()
    await house.hub.role_changed(principal.organization_id, principal.user_id, Role.EDITOR)
    await anna.saved()
    assert len(await house.journal()) == len(stored) + 1
    roles = [event.event.get("role") for event in anna.events if isinstance(event, RoomEventReceived)]
    assert roles == ["editor", "viewer", "editor"]


async def test_a_member_who_is_removed_is_closed(house: House) -> None:
    anna = await house.open("anna")
    principal = house.people["anna"]
    await house.hub.role_changed(principal.organization_id, principal.user_id, None)
    assert anna.socket.close_code == 4403


async def test_a_stock_client_hears_only_what_it_knows(house: House) -> None:
    stock = await house.open("anna", extensions=False)
    stock.type("!")
    house.hub.publish(house.prompt_id, {"type": "prompt.updated", "name": "Other"})
    stock.pump()
    kinds = {type(event).__name__ for event in stock.events}
    assert kinds <= {"Synced", "Changed", "AwarenessChanged"}


async def test_what_came_too_early_is_asked_for_once(house: House) -> None:
    anna = await house.open("anna")
    anna.pump()
    frames = []
    for letter in "abcdef":
        end = len(anna.peer.text)
        anna.peer.edit([TextEdit(end, end, letter)])
        frames += anna.peer.data_to_send()
    anna.send(*frames[1:])  # the first is lost
    questions = [message for message in anna.socket.take_messages() if isinstance(message, SyncStep1)]
    assert len(questions) == 1
    anna.peer.receive(encode(questions[0]))
    anna.send(*anna.peer.data_to_send())
    ben = await house.open("ben")
    await ben.shows("Helloabcdef")


async def test_a_state_vector_that_ends_inside_a_pair_ends_the_connection(house: House) -> None:
    anna, ben = await house.open("anna"), await house.open("ben")
    anna.type("😀")
    await anna.saved()
    state = anna.peer.document.state_vector()
    state[anna.peer.document.client_id] -= 1
    ben.send(encode(SyncStep1(encode_state_vector(state))))
    assert ben.socket.closed_with is not None
    assert ben.socket.closed_with[0] == 4400
    assert ben.socket.closed_with[1].startswith("state_vector_splits_pair")


async def test_an_empty_answer_is_not_acknowledged_before_what_was_sent_earlier(house: House) -> None:
    journal = HeldJournal(house.store)
    anna = await house.open("anna")
    await anna.saved()
    journal.held = True
    anna.type("!")
    await wait_until(lambda: journal.waiting, what="the append")
    anna.send(encode(SyncStep2(EMPTY_UPDATE)))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not any(isinstance(message, Acknowledgement) for message in anna.socket.take_messages())
    await journal.release()
    acknowledged = Acknowledgement(3)  # the answer of the beginning, the edit, the empty answer
    await wait_until(lambda: acknowledged in anna.socket.take_messages(), what="all of it to be acknowledged")


async def test_no_more_than_one_frame_waits_for_a_room_that_is_loaded(house: House) -> None:
    anna = house.tab("anna")
    anna.send(*anna.peer.open())
    reading_before = anna.socket.reading
    await house.hub.join(house.prompt_id, anna.session)
    assert (reading_before, anna.socket.reading) == (False, True)
    await wait_until(lambda: anna.pump().peer.synced, what="the first sync")


async def test_renewals_wait_for_each_other_and_only_the_last_of_those_that_wait_counts(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    answers = asyncio.Event()
    authenticate = house.hub.authenticate

    async def slowly(token: str) -> Principal:
        asked.append(token)
        await answers.wait()
        return await authenticate(token)

    monkeypatch.setattr(house.hub, "authenticate", slowly)
    anna = await house.open("anna")
    principal = house.people["anna"]
    tokens = [
        house.authenticator.issue(principal.user_id, principal.organization_id, ttl=60 + seconds)
        for seconds in range(50)
    ]
    anna.send(encode(TokenRenewal(tokens[0])))
    await wait_until(lambda: asked, what="the first renewal")
    anna.send(*(encode(TokenRenewal(token)) for token in tokens[1:]))
    answers.set()
    last = house.wall_clock.now + 60 + 49
    await wait_until(lambda: anna.session.principal.expires_at == last, what="the last renewal")
    assert asked == [tokens[0], tokens[-1]]


async def test_a_role_taken_away_while_a_token_is_looked_at_stays_away(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    principal = house.people["anna"]
    authenticate = house.hub.authenticate
    asked: list[str] = []

    async def demoted_meanwhile(token: str) -> Principal:
        asked.append(token)
        answer = await authenticate(token)
        if len(asked) == 1:
            accounts = house.store.accounts
            await accounts.set_role(principal.organization_id, principal.user_id, Role.VIEWER)
            await house.hub.role_changed(principal.organization_id, principal.user_id, Role.VIEWER)
        return answer

    anna = await house.open("anna")
    monkeypatch.setattr(house.hub, "authenticate", demoted_meanwhile)
    token = house.authenticator.issue(principal.user_id, principal.organization_id, ttl=60)
    anna.send(encode(TokenRenewal(token)))
    renewed_until = house.wall_clock.now + 60
    await wait_until(lambda: anna.session.principal.expires_at == renewed_until, what="the renewal")
    assert anna.session.principal.role is Role.VIEWER

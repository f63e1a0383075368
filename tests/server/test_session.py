"""One connection: what it may send, how it ends, what it is told."""

from crdt.client_peer import RoomEventReceived
from crdt.codec import encode
from crdt.diff import TextEdit
from crdt.messages import SyncStep1, SyncStep2, TokenRenewal, Update
from server import limits
from server.access import Role
from tests.server.living import House
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
    house.wall_clock.advance(59)
    house.hub.tick()
    assert anna.socket.close_code is None
    renewed = house.authenticator.issue(principal.user_id, principal.organization_id, ttl=60)
    anna.send(encode(TokenRenewal(renewed)))
    before = anna.session.principal
    await wait_until(lambda: anna.session.principal is not before, what="the renewal")
    house.wall_clock.advance(59)
    house.hub.tick()
    assert not anna.session.is_closed
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

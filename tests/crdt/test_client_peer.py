from collections.abc import Sequence
from random import Random

import pytest

from crdt.codec import decode_frame, encode
from crdt.diff import TextEdit
from crdt.document import EMPTY_STATE_VECTOR, EMPTY_UPDATE, Document, initial_state
from crdt.errors import CrdtError, EngineFailure, FrameError, OffsetError
from crdt.messages import (
    Acknowledgement,
    AwarenessUpdate,
    Message,
    RoomEvent,
    SyncStep1,
    SyncStep2,
    TokenRenewal,
    Update,
)
from crdt.peer import (
    Acknowledged,
    Changed,
    ClientPeer,
    RoomEventReceived,
    Synced,
)
from tests.crdt.line import Line, connected
from tests.crdt.sessions import random_edit
from tests.crdt.small_room import SmallRoom

HELLO = initial_state("hello", 7)


def messages(frames: Sequence[bytes]) -> list[Message]:
    return [message for frame in frames for message in decode_frame(frame, max_bytes=10_000)]


def test_opening_says_what_the_client_has() -> None:
    peer = ClientPeer(Document(HELLO))
    assert messages(peer.open()) == [SyncStep1(b"\x01\x07\x05")]
    assert messages(ClientPeer().open()) == [SyncStep1(EMPTY_STATE_VECTOR)]


def test_a_client_is_synced_when_the_answer_to_its_step_1_is_here() -> None:
    line = connected(SmallRoom(Document(HELLO)))
    assert line.client.text == "hello"
    assert line.client.synced
    assert line.saved()
    assert [event for event in line.events if isinstance(event, Synced)] == [Synced()]
    assert Changed(HELLO) in line.events


def test_an_edit_is_saved_when_it_is_acknowledged_and_not_before() -> None:
    room = SmallRoom(Document(HELLO))
    line = connected(room)
    line.client.edit([TextEdit(5, 5, "!")])
    line.client.edit([TextEdit(6, 6, "?")])
    assert line.client.unacknowledged == 2
    line.deliver_to_server()
    assert room.text == "hello!?"
    assert not line.saved()
    line.deliver_to_client()
    assert line.saved()
    assert line.client.unacknowledged == 0
    assert line.events[-1] == Acknowledged(3)


def test_what_a_store_that_is_down_does_not_take_is_never_saved() -> None:
    room = SmallRoom(Document(HELLO))
    line, other = connected(room), connected(room)
    room.store_is_up = False
    line.client.edit([TextEdit(0, 0, "x")])
    line.deliver()
    other.deliver()
    assert not line.saved()
    assert line.client.unacknowledged == 1
    assert other.client.text == room.text == "hello"
    room.store_is_up = True
    line.cut()
    assert line.client.unacknowledged == 1
    line.connect()
    line.deliver()
    assert line.saved()
    assert room.text == "xhello"


def test_an_edit_that_changes_nothing_is_not_sent() -> None:
    line = connected(SmallRoom(Document(HELLO)))
    line.client.edit([])
    line.client.edit([TextEdit(1, 1, "")])
    assert line.client.data_to_send() == []
    assert line.saved()


def test_a_place_that_does_not_exist_is_refused_and_nothing_is_sent() -> None:
    line = connected(SmallRoom(Document(HELLO)))
    with pytest.raises(OffsetError):
        line.client.edit([TextEdit(9, 9, "x")])
    assert line.client.data_to_send() == []
    assert line.saved()


def test_what_was_edited_offline_is_sent_once_in_the_answer_to_step_1() -> None:
    room = SmallRoom(Document(HELLO))
    line = connected(room)
    line.cut()
    line.client.edit([TextEdit(5, 5, " there")])
    line.client.edit([TextEdit(0, 1, "J")])
    assert line.client.data_to_send() == []
    assert line.client.unacknowledged == 2
    assert not line.saved()
    line.connect()
    line.client.edit([TextEdit(0, 0, "> ")])
    assert line.client.data_to_send() == []
    line.deliver()
    assert room.text == line.client.text == "> Jello there"
    assert line.saved()
    assert len(room.updates) == 1


def test_what_was_sent_and_never_acknowledged_is_there_exactly_once() -> None:
    room = SmallRoom(Document(HELLO))
    line = connected(room)
    line.client.edit([TextEdit(5, 5, "!")])
    line.deliver_to_server()
    line.cut()
    assert line.client.unacknowledged == 1
    line.connect()
    line.deliver()
    assert line.saved()
    assert room.text == line.client.text == "hello!"


def test_before_the_servers_step_1_edits_wait_for_it() -> None:
    peer = ClientPeer(Document(HELLO))
    peer.open()
    peer.edit([TextEdit(0, 0, "x")])
    assert peer.data_to_send() == []
    peer.receive(encode(SyncStep1(b"\x01\x07\x05")))
    [answer] = messages(peer.data_to_send())
    assert isinstance(answer, SyncStep2)
    peer.edit([TextEdit(0, 0, "y")])
    assert [type(message) for message in messages(peer.data_to_send())] == [Update]
    assert peer.unacknowledged == 2
    peer.receive(encode(Acknowledgement(1)))
    assert peer.unacknowledged == 1


def test_an_answer_that_carries_no_edit_is_nothing_to_wait_for() -> None:
    """A reader's step 2 is never acknowledged, and changes nothing."""
    peer = ClientPeer()
    peer.open()
    peer.receive(encode(SyncStep1(b"\x01\x07\x05")) + encode(SyncStep2(HELLO)))
    assert peer.saved


def test_a_server_may_ask_again() -> None:
    room = SmallRoom(Document(HELLO))
    line = connected(room)
    line.client.edit([TextEdit(0, 0, "x")])
    line.client.data_to_send()
    line.client.receive(encode(SyncStep1(b"\x01\x07\x05")))
    line.deliver()
    assert room.text == "xhello"


@pytest.mark.parametrize(
    "message",
    [
        TokenRenewal("t"),
        Acknowledgement(1),
        RoomEvent("[]"),
        RoomEvent("{"),
        SyncStep1(b"\x05"),
        AwarenessUpdate(b"\x09"),
    ],
)
def test_what_a_server_may_not_say_is_refused(message: Message) -> None:
    peer = ClientPeer()
    peer.open()
    with pytest.raises(CrdtError):
        peer.receive(encode(message))


def test_acknowledgements_never_go_back() -> None:
    line = connected(SmallRoom())
    line.client.edit([TextEdit(0, 0, "x")])
    line.deliver()
    with pytest.raises(FrameError):
        line.client.receive(encode(Acknowledgement(1)))


def test_an_update_that_the_engine_does_not_survive_is_its_failure() -> None:
    peer = ClientPeer()
    peer.open()
    with pytest.raises(EngineFailure):
        peer.receive(encode(Update(b"\x01\x01")))
    assert peer.document.condemned


def test_room_events_are_passed_on() -> None:
    room = SmallRoom()
    line = connected(room)
    room.tell_event('{"type":"role.changed","role":"viewer"}')
    line.deliver()
    assert line.events[-1] == RoomEventReceived({"type": "role.changed", "role": "viewer"})


def test_a_token_is_renewed_in_band() -> None:
    room = SmallRoom()
    line = connected(room)
    line.client.renew_token("fresh")
    line.deliver()
    assert room.tokens == ["fresh"]
    line.cut()
    line.client.renew_token("lost")
    assert line.client.data_to_send() == []


def test_an_empty_answer_changes_nothing() -> None:
    peer = ClientPeer()
    peer.open()
    assert peer.receive(encode(SyncStep2(EMPTY_UPDATE))) == [Synced()]
    assert peer.receive(encode(SyncStep2(EMPTY_UPDATE))) == []


def something_happens(rng: Random, line: Line) -> None:
    match rng.randrange(8):
        case 0 if line.session is not None:
            line.cut()
        case 1 if line.session is None:
            line.connect()
        case 2:
            line.deliver_to_server()
        case 3:
            line.deliver_to_client()
        case 4:
            line.deliver()
        case _:
            line.client.edit([random_edit(rng, line.client.text)])


def test_many_clients_with_bad_lines_end_with_the_same_text(rng: Random) -> None:
    for _ in range(20):
        room = SmallRoom(Document(HELLO))
        lines = [connected(room) for _ in range(4)]
        for _ in range(120):
            something_happens(rng, rng.choice(lines))
        for line in lines:
            if line.session is None:
                line.connect()
        for line in [*lines, *lines]:
            line.deliver()
        assert {line.client.text for line in lines} == {room.text}
        assert all(line.saved() for line in lines)
        assert Document(room.document.encode_state()).text == room.text

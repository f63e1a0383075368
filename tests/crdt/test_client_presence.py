from crdt.awareness import AwarenessEntry, Json, encode_awareness, read_awareness
from crdt.codec import decode_frame, encode
from crdt.messages import (
    AwarenessUpdate,
    Message,
    QueryAwareness,
)
from crdt.peer import (
    AwarenessChanged,
    ClientPeer,
)
from tests.crdt.line import connected
from tests.crdt.small_room import SmallRoom


def said(peer: ClientPeer) -> list[Message]:
    return [message for frame in peer.data_to_send() for message in decode_frame(frame, max_bytes=1_000)]


def presence(peer: ClientPeer) -> dict[int, object]:
    return {entry.client_id: entry.state for entry in peer.awareness.entries()}


def test_presence_reaches_others_and_comes_back_after_a_disconnect() -> None:
    room = SmallRoom()
    ada, bob = connected(room), connected(room)
    ada.client.set_presence({"cursor": 3})
    ada.deliver()
    bob.deliver()
    assert presence(bob.client) == {ada.client.document.client_id: {"cursor": 3}}
    assert presence(ada.client) == {}

    gone = room.presence.remove([ada.client.document.client_id])
    ada.cut()
    room.tell(AwarenessUpdate(encode_awareness(gone)))
    bob.deliver()
    assert presence(bob.client) == {}
    assert bob.events[-1] == AwarenessChanged(tuple(gone))

    ada.connect()
    ada.deliver()
    bob.deliver()
    assert presence(bob.client) == {ada.client.document.client_id: {"cursor": 3}}


def test_presence_can_be_taken_back() -> None:
    room = SmallRoom()
    ada, bob = connected(room), connected(room)
    states: list[dict[str, Json] | None] = [{"cursor": 3}, None, None]
    for state in states:
        ada.client.set_presence(state)
        ada.deliver()
        bob.deliver()
    assert presence(bob.client) == {}
    ada.client.renew_presence()
    assert ada.client.data_to_send() == []


def test_a_newcomer_hears_who_is_here() -> None:
    room = SmallRoom()
    ada = connected(room)
    ada.client.set_presence({"cursor": 3})
    ada.deliver()
    assert presence(connected(room).client) == {ada.client.document.client_id: {"cursor": 3}}


def test_presence_is_repeated_when_asked_for() -> None:
    peer = ClientPeer()
    peer.set_presence({"a": 1})
    peer.open()
    peer.receive(encode(QueryAwareness()))
    [message] = said(peer)
    assert isinstance(message, AwarenessUpdate)
    [entry] = read_awareness(message.payload, max_entries=1, max_state_bytes=100)
    assert entry.state == {"a": 1}


def test_whoever_was_reported_gone_speaks_up_with_a_higher_clock() -> None:
    peer = ClientPeer()
    peer.open()
    peer.set_presence({"a": 1})
    gone = AwarenessEntry(peer.document.client_id, 40, None)
    assert peer.receive(encode(AwarenessUpdate(encode_awareness([gone])))) == []
    peer.data_to_send()
    peer.renew_presence()
    [message] = said(peer)
    assert isinstance(message, AwarenessUpdate)
    assert read_awareness(message.payload, max_entries=1, max_state_bytes=100)[0].clock == 41

import pytest

from crdt.codec import encode
from crdt.errors import FrameError, FrameTooLarge, StateVectorError
from crdt.messages import (
    Acknowledgement,
    AwarenessUpdate,
    Message,
    QueryAwareness,
    RoomEvent,
    SyncStep1,
    SyncStep2,
    TokenRenewal,
    Update,
)
from crdt.peer import (
    AwarenessQueried,
    AwarenessReceived,
    ServerPeer,
    StateVectorReceived,
    TokenRenewed,
    UpdateReceived,
)


def server_peer(*, extensions: bool = True) -> ServerPeer:
    return ServerPeer(max_frame_bytes=1_000, extensions=extensions)


def test_the_server_numbers_what_it_will_acknowledge() -> None:
    peer = server_peer()
    frames: list[Message] = [Update(b"a"), SyncStep2(b"b"), AwarenessUpdate(b"p"), Update(b"c"), SyncStep2(b"d")]
    assert [event for message in frames for event in peer.receive(encode(message))] == [
        UpdateReceived(b"a", 1, None),
        UpdateReceived(b"b", 2, 1),
        AwarenessReceived(b"p"),
        UpdateReceived(b"c", 3, None),
        UpdateReceived(b"d", 4, 2),
    ]


def test_several_messages_in_a_frame_are_several_events() -> None:
    frame = encode(SyncStep1(b"\x01\x07\x05")) + encode(QueryAwareness()) + encode(TokenRenewal("t"))
    assert server_peer().receive(frame) == [
        StateVectorReceived(b"\x01\x07\x05", {7: 5}),
        AwarenessQueried(),
        TokenRenewed("t"),
    ]


@pytest.mark.parametrize("message", [Acknowledgement(1), RoomEvent("{}")])
def test_what_only_servers_say_is_an_unknown_type(message: Message) -> None:
    with pytest.raises(FrameError) as raised:
        server_peer().receive(encode(message))
    assert raised.value.code == "frame_unknown_type"


def test_a_token_is_renewed_only_where_the_extension_was_negotiated() -> None:
    with pytest.raises(FrameError) as raised:
        server_peer(extensions=False).receive(encode(TokenRenewal("t")))
    assert raised.value.code == "frame_unknown_type"
    assert server_peer().receive(encode(TokenRenewal("t"))) == [TokenRenewed("t")]


def test_a_token_stands_in_no_log() -> None:
    assert "secret" not in repr(TokenRenewed("secret"))


def test_frames_are_bounded_and_strict() -> None:
    with pytest.raises(FrameTooLarge):
        server_peer().receive(bytes(1_001))
    with pytest.raises(FrameError):
        server_peer().receive(b"")
    with pytest.raises(StateVectorError):
        server_peer().receive(encode(SyncStep1(b"\xff\xff\xff\xff\x02")))

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.codec import (
    MAX_MESSAGES,
    decode_frame,
    encode,
    read_var_bytes,
    read_var_string,
    read_var_uint,
    write_var_bytes,
    write_var_string,
    write_var_uint,
)
from crdt.errors import FrameError, FrameTooLarge
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
from crdt.varint import MAX_VARINT

LIMIT = 1_000_000

payloads = st.binary(max_size=300)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(SyncStep1, payloads),
    st.builds(SyncStep2, payloads),
    st.builds(Update, payloads),
    st.builds(AwarenessUpdate, payloads),
    st.just(QueryAwareness()),
    st.builds(Acknowledgement, st.integers(0, MAX_VARINT)),
    st.builds(RoomEvent, texts),
    st.builds(TokenRenewal, texts),
)


def refusal(frame: bytes, *, max_bytes: int = LIMIT) -> str:
    with pytest.raises(FrameError) as caught:
        decode_frame(frame, max_bytes=max_bytes)
    return caught.value.code


@given(st.lists(messages, min_size=1, max_size=5))
def test_decodes_what_was_encoded(sent: list[Message]) -> None:
    frame = b"".join(map(encode, sent))

    assert decode_frame(frame, max_bytes=LIMIT) == tuple(sent)


@pytest.mark.parametrize("length", [0, 1, 126, 127, 128, 129, 16_383, 16_384])
def test_updates_around_the_lengths_that_take_another_byte(length: int) -> None:
    update = Update(bytes(length))

    assert decode_frame(encode(update), max_bytes=LIMIT) == (update,)


@given(messages)
def test_truncation_at_every_byte(message: Message) -> None:
    frame = encode(message)
    for length in range(len(frame)):
        assert refusal(frame[:length]) == "frame_truncated"


@given(st.binary(max_size=100))
def test_any_bytes_are_messages_or_our_error(frame: bytes) -> None:
    try:
        decoded = decode_frame(frame, max_bytes=LIMIT)
    except FrameError:
        return
    # What was read can be said again: nothing was left over or made up.
    assert decode_frame(b"".join(map(encode, decoded)), max_bytes=LIMIT) == decoded


@pytest.mark.parametrize("kind", [2, 4, 5, 6, 7, 11, 100, 127, 128, MAX_VARINT])
def test_unknown_message_types(kind: int) -> None:
    assert refusal(write_var_uint(kind) + b"\x00") == "frame_unknown_type"


@pytest.mark.parametrize("step", [3, 4, 127, 128])
def test_unknown_sync_types(step: int) -> None:
    assert refusal(b"\x00" + write_var_uint(step) + b"\x00") == "frame_unknown_type"


def test_a_frame_has_a_size() -> None:
    frame = encode(Update(bytes(100)))

    assert decode_frame(frame, max_bytes=len(frame))
    with pytest.raises(FrameTooLarge) as caught:
        decode_frame(frame, max_bytes=len(frame) - 1)
    assert caught.value.code == "frame_too_large"


def test_a_frame_has_a_number_of_messages() -> None:
    query = encode(QueryAwareness())

    assert len(decode_frame(query * MAX_MESSAGES, max_bytes=LIMIT)) == MAX_MESSAGES
    assert refusal(query * (MAX_MESSAGES + 1)) == "frame_too_many_messages"
    with pytest.raises(FrameError):
        decode_frame(query * 3, max_bytes=LIMIT, max_messages=2)


def test_a_payload_that_claims_more_than_is_there() -> None:
    assert refusal(b"\x00\x02" + write_var_uint(2**31) + b"\x00") == "frame_truncated"
    assert refusal(b"\x00\x02" + write_var_uint(MAX_VARINT)) == "frame_truncated"


@pytest.mark.parametrize("lead", [b"", b"\x00", b"\x00\x02", b"\x01", b"\x08", b"\x0a"])
def test_endless_numbers_are_refused_at_once(lead: bytes) -> None:
    assert refusal(lead + b"\xff" * 8_000_000, max_bytes=10_000_000) == "varint_oversize"


@pytest.mark.parametrize("kind", [b"\x09", b"\x0a"])
@pytest.mark.parametrize("encoded", [b"\xff", b"\xed\xa0\xbd", b"\xc0\x80", b"\xf4\x90\x80\x80"])
def test_strings_are_utf_8(kind: bytes, encoded: bytes) -> None:
    assert refusal(kind + write_var_bytes(encoded)) == "frame_text_invalid"


def test_strings_count_bytes_not_characters() -> None:
    # pycrdt's own encoder counts characters and so cannot read what it wrote.
    assert write_var_string("é😀") == b"\x06" + "é😀".encode()
    assert read_var_string(write_var_string("é😀"), 0) == ("é😀", 7)


def test_half_a_surrogate_pair_cannot_be_written() -> None:
    with pytest.raises(UnicodeEncodeError):
        write_var_string("\ud83d")


def test_parts_are_read_one_behind_the_other() -> None:
    data = write_var_uint(300) + write_var_bytes(b"ab") + write_var_string("c")
    value, offset = read_var_uint(data, 0)
    payload, offset = read_var_bytes(data, offset)
    text, offset = read_var_string(data, offset)

    assert (value, payload, text, offset) == (300, b"ab", "c", len(data))


def test_a_token_does_not_show() -> None:
    assert "secret" not in repr(TokenRenewal("secret"))
    assert "secret" not in str(decode_frame(encode(TokenRenewal("secret")), max_bytes=LIMIT))

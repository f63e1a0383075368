"""Frames to messages and back, bounded: y-protocols on lib0's variable-length integers.

Rules:

- a varint has at most 8 bytes and stays below 2**53, so reading one takes constant time and every
  number is exact in JavaScript;
- a length is a count of bytes (UTF-8 bytes for strings) and never exceeds what is left;
- a frame is a sequence of whole messages of known types with nothing after them;
- whatever is wrong is a :class:`~crdt.errors.FrameError` or a :class:`~crdt.errors.FrameTooLarge`, never
  another exception.

Source: lib0 ``encoding.js`` and ``decoding.js``; y-protocols ``sync.js`` and ``PROTOCOL.md``.
"""

from __future__ import annotations

from typing import Final, assert_never

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
from crdt.varint import MAX_VARINT, MORE, read_varint

MAX_MESSAGES: Final = 64  # honest clients send one message per frame, or a handful when they connect

SYNC: Final = 0
AWARENESS: Final = 1
QUERY_AWARENESS: Final = 3
ACKNOWLEDGEMENT: Final = 8
ROOM_EVENT: Final = 9
TOKEN_RENEWAL: Final = 10

STEP_1: Final = 0
STEP_2: Final = 1
UPDATE: Final = 2

_ONE_BYTE: Final = tuple(bytes((value,)) for value in range(MORE))
# The message type, the sync type and the length of an update of fewer than 128 bytes are a byte each.
SHORT_UPDATE_HEADER: Final = 3
_SHORT_UPDATE_FRAME: Final = SHORT_UPDATE_HEADER + MORE


def read_var_uint(data: bytes, offset: int) -> tuple[int, int]:
    """Read one varint at ``offset``; return the value and the offset behind it.

    Raises:
        FrameError: ``frame_truncated`` or ``varint_oversize``.
    """
    try:
        return read_varint(data, offset)
    except IndexError as error:
        raise FrameError("the frame ends inside a number", code="frame_truncated") from error
    except OverflowError as error:
        raise FrameError(str(error), code="varint_oversize") from error


def write_var_uint(value: int) -> bytes:
    """Encode ``value`` as a varint.

    Raises:
        ValueError: the value is negative or above 2**53 - 1.
    """
    if 0 <= value < MORE:
        return _ONE_BYTE[value]
    if not 0 <= value <= MAX_VARINT:
        raise ValueError(f"not a varint of at most 53 bits: {value}")
    encoded = bytearray()
    while value >= MORE:
        encoded.append(value & 0x7F | MORE)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def read_var_bytes(data: bytes, offset: int) -> tuple[bytes, int]:
    """Read bytes behind their length; return them and the offset behind them.

    Raises:
        FrameError: ``frame_truncated`` or ``varint_oversize``.
    """
    length, start = read_var_uint(data, offset)
    end = start + length
    if end > len(data):
        raise FrameError("the frame ends inside a payload", code="frame_truncated")
    return data[start:end], end


def write_var_bytes(payload: bytes) -> bytes:
    """Encode ``payload`` behind its length in bytes."""
    return write_var_uint(len(payload)) + payload


def read_var_string(data: bytes, offset: int) -> tuple[str, int]:
    """Read a UTF-8 string behind its length in bytes; return it and the offset behind it.

    Raises:
        FrameError: ``frame_truncated``, ``varint_oversize`` or ``frame_text_invalid``.
    """
    payload, end = read_var_bytes(data, offset)
    try:
        return payload.decode(), end
    except UnicodeDecodeError as error:
        raise FrameError("a string is not UTF-8", code="frame_text_invalid") from error


def write_var_string(text: str) -> bytes:
    """Encode ``text`` as UTF-8 behind its length in bytes.

    Raises:
        ValueError: the text holds half a surrogate pair, which UTF-8 cannot carry.
    """
    return write_var_bytes(text.encode())


def is_short_update(frame: bytes) -> bool:
    """Whether a frame is one update of fewer than 128 bytes; it stands behind ``SHORT_UPDATE_HEADER`` bytes."""
    size = len(frame)
    return (
        SHORT_UPDATE_HEADER <= size < _SHORT_UPDATE_FRAME
        and frame[0] == SYNC
        and frame[1] == UPDATE
        and frame[2] == size - SHORT_UPDATE_HEADER
    )


def decode_frame(frame: bytes, *, max_bytes: int, max_messages: int = MAX_MESSAGES) -> tuple[Message, ...]:
    """Decode one WebSocket frame into its messages, in order; at least one.

    Args:
        frame: the payload of one binary frame.
        max_bytes: the largest frame accepted, in bytes.
        max_messages: the most messages accepted in one frame.

    Raises:
        FrameTooLarge: the frame has more than ``max_bytes``.
        FrameError: with the code of the rule that the frame breaks.
    """
    size = len(frame)
    if size > max_bytes:
        raise FrameTooLarge(f"a frame of {size} bytes; at most {max_bytes} are accepted")
    if is_short_update(frame):
        return (Update(frame[SHORT_UPDATE_HEADER:]),)
    message, offset = _read_message(frame, 0)
    if offset == size:
        return (message,)
    messages = [message]
    while offset < size:
        if len(messages) == max_messages:
            raise FrameError(f"more than {max_messages} messages in a frame", code="frame_too_many_messages")
        message, offset = _read_message(frame, offset)
        messages.append(message)
    return tuple(messages)


def _read_message(frame: bytes, offset: int) -> tuple[Message, int]:
    kind, offset = read_var_uint(frame, offset)
    if kind == SYNC:
        return _read_sync(frame, offset)
    if kind == AWARENESS:
        payload, offset = read_var_bytes(frame, offset)
        return AwarenessUpdate(payload), offset
    if kind == QUERY_AWARENESS:
        return QueryAwareness(), offset
    return _read_extension(kind, frame, offset)


def _read_sync(frame: bytes, offset: int) -> tuple[Message, int]:
    step, offset = read_var_uint(frame, offset)
    if step > UPDATE:
        raise FrameError(f"unknown sync message {step}", code="frame_unknown_type")
    payload, offset = read_var_bytes(frame, offset)
    if step == UPDATE:
        return Update(payload), offset
    if step == STEP_2:
        return SyncStep2(payload), offset
    return SyncStep1(payload), offset


def _read_extension(kind: int, frame: bytes, offset: int) -> tuple[Message, int]:
    if kind == ACKNOWLEDGEMENT:
        count, offset = read_var_uint(frame, offset)
        return Acknowledgement(count), offset
    if kind == ROOM_EVENT:
        json, offset = read_var_string(frame, offset)
        return RoomEvent(json), offset
    if kind == TOKEN_RENEWAL:
        token, offset = read_var_string(frame, offset)
        return TokenRenewal(token), offset
    raise FrameError(f"unknown message type {kind}", code="frame_unknown_type")


def encode(message: Message) -> bytes:
    """Encode one message; a frame is one message, or several joined."""
    match message:
        case Update(update):
            encoded = b"\x00\x02" + write_var_bytes(update)
        case Acknowledgement(count):
            encoded = b"\x08" + write_var_uint(count)
        case SyncStep2(update):
            encoded = b"\x00\x01" + write_var_bytes(update)
        case SyncStep1(state_vector):
            encoded = b"\x00\x00" + write_var_bytes(state_vector)
        case AwarenessUpdate(payload):
            encoded = b"\x01" + write_var_bytes(payload)
        case QueryAwareness():
            encoded = b"\x03"
        case RoomEvent(json):
            encoded = b"\x09" + write_var_string(json)
        case TokenRenewal(token):
            encoded = b"\x0a" + write_var_string(token)
        case _:
            assert_never(message)
    return encoded

"""WebSocket frames in what came from a socket: whole binary messages are taken out here, all others are the parser's.

Nearly every frame of a client is one masked binary message that has arrived whole. Read here it costs an eighth of what
the parser takes, which knows everything about frames, and uvicorn's handling of its events.

Source: RFC 6455 §5.2.
"""

from __future__ import annotations

from typing import Final

from server.limits import MAX_FRAME_BYTES

try:
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask

_WHOLE_BINARY: Final = 0x82
# What is answered to our pings, which have no payload.
_EMPTY_PONG: Final = b"\x8a\x80"
_MASKED: Final = 0x80
_MASK_BYTES: Final = 4
_SHORT_HEADER: Final = 2
_LENGTH_16: Final = 126


def read_messages(data: bytes, offset: int) -> tuple[list[bytes], int]:
    """Answers the binary messages that stand whole at an offset, and the offset of what is none or not yet whole."""
    messages: list[bytes] = []
    size = len(data)
    if data.startswith(_EMPTY_PONG, offset) and size - offset >= _SHORT_HEADER + _MASK_BYTES:
        offset += _SHORT_HEADER + _MASK_BYTES
    while size - offset > _SHORT_HEADER and data[offset] == _WHOLE_BINARY:
        length = data[offset + 1] - _MASKED
        start = offset + _SHORT_HEADER + _MASK_BYTES
        if length >= _LENGTH_16:
            frame = frame_bytes(data, offset)
            if frame is None or frame > MAX_FRAME_BYTES:
                break
            width = 2 if length == _LENGTH_16 else 8
            start, length = start + width, frame - (_SHORT_HEADER + _MASK_BYTES + width)
        end = start + length
        if length < 0 or end > size:
            break
        messages.append(apply_mask(data[start:end], data[start - _MASK_BYTES : start]))
        offset = end
    return messages, offset


def frame_bytes(data: bytes, offset: int) -> int | None:
    """Answers the size of the frame at an offset with its header; None where that is not here yet.

    A frame without a mask is never one of a client: what is here of it is all that the parser needs to refuse it.
    """
    if len(data) - offset < _SHORT_HEADER:
        return None
    length = data[offset + 1] - _MASKED
    size = _SHORT_HEADER + _MASK_BYTES
    if length < _LENGTH_16:
        return size + length if length >= 0 else len(data) - offset
    width = 2 if length == _LENGTH_16 else 8
    start = offset + _SHORT_HEADER
    if len(data) < start + width:
        return None
    return size + width + int.from_bytes(data[start : start + width], "big")

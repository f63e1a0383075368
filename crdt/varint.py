"""lib0's variable-length unsigned integers: seven bits a byte, the lowest first.

The numbers of Yjs's formats are all of this kind, so reading one is the innermost step of everything.

Source: lib0 ``decoding.js``, ``readVarUint``.
"""

from __future__ import annotations

from typing import Final

MAX_VARINT_BYTES: Final = 8  # 56 bits: the fewest whole bytes that hold MAX_VARINT
MAX_VARINT: Final = 2**53 - 1  # JavaScript's Number.MAX_SAFE_INTEGER; beyond it Yjs throws
MORE: Final = 0x80  # the bit of a byte that says another one follows


def read_varint(data: bytes, offset: int) -> tuple[int, int]:
    """Read one varint at ``offset`` in constant time; return the value and the offset behind it.

    Raises:
        IndexError: the bytes end inside the number.
        OverflowError: the number has more than 8 bytes or 53 bits.
    """
    # Written out for up to five bytes, which is what client ids take: 0.3 µs instead of 0.5.  Each constant
    # takes back the continuation bits of the bytes before the last.
    first = data[offset]
    if first < MORE:
        return first, offset + 1
    second = data[offset + 1]
    if second < MORE:
        return first - 0x80 + (second << 7), offset + 2
    third = data[offset + 2]
    if third < MORE:
        return first - 0x4080 + (second << 7) + (third << 14), offset + 3
    fourth = data[offset + 3]
    if fourth < MORE:
        return first - 0x204080 + (second << 7) + (third << 14) + (fourth << 21), offset + 4
    fifth = data[offset + 4]
    if fifth < MORE:
        return first - 0x10204080 + (second << 7) + (third << 14) + (fourth << 21) + (fifth << 28), offset + 5
    return _read_long(data, offset)


def _read_long(data: bytes, offset: int) -> tuple[int, int]:
    value = 0
    for position in range(MAX_VARINT_BYTES):
        byte = data[offset + position]
        value |= (byte & 0x7F) << (7 * position)
        if byte < MORE:
            if value > MAX_VARINT:
                break
            return value, offset + position + 1
    raise OverflowError("a number has more than 53 bits or 8 bytes")

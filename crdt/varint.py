"""lib0's variable-length unsigned integers: seven bits a byte, the lowest first.

The one-byte case is written out where speed counts; everything longer comes here.

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
    byte = data[offset]
    if byte < MORE:
        return byte, offset + 1
    value = byte & 0x7F
    for shift in range(7, 7 * MAX_VARINT_BYTES, 7):
        offset += 1
        byte = data[offset]
        if byte < MORE:
            value |= byte << shift
            if value > MAX_VARINT:
                break
            return value, offset + 1
        value |= (byte & 0x7F) << shift
    raise OverflowError("a number has more than 53 bits or 8 bytes")

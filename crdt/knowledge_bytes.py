"""What a replica knows, as bytes to be kept beside its state.

To read a state strictly and to work out what it knows takes most of the time that opening a document takes;
to read these bytes takes a twentieth of it.  They can be thrown away at any time: whoever cannot read them
reads the state instead.

Bytes that were damaged are told from others by their checksum.  Bytes that were forged run nothing and take
memory in proportion to their number, but what they claim is believed, as it is of the state itself: they belong
where the state is kept, and are written together with it.
"""

from __future__ import annotations

import sys
import zlib
from struct import Struct
from typing import Final

from crdt.causality import Knowledge
from crdt.columns import ColumnReader, ColumnWriter

# To be raised whenever other columns are written, and whenever knowledge of the same state would be another.
VERSION: Final = 1

_BYTE_ORDER: Final = sys.byteorder[:1].encode()
# The version, the order of the bytes in columns, and the checksum of what follows.
_HEAD: Final = Struct("<HcI")

# Deflate without a frame, fast: a half to a tenth of the bytes, for a tenth of the time.
_LEVEL: Final = 1
_WINDOW: Final = -zlib.MAX_WBITS
# Honest columns come to three to fifteen times what they take deflated; a bomb comes to a thousand times.
_MOST_TIMES: Final = 100


def encode_knowledge(knowledge: Knowledge) -> bytes:
    """All that a replica knows, for :func:`decode_knowledge`."""
    columns = ColumnWriter()
    knowledge.write(columns)
    content = zlib.compress(columns.written(), _LEVEL, _WINDOW)
    return _HEAD.pack(VERSION, _BYTE_ORDER, zlib.crc32(content)) + content


def decode_knowledge(data: bytes) -> Knowledge | None:
    """What was encoded, or nothing: written by another version or machine, or not readable in any way."""
    if len(data) < _HEAD.size:
        return None
    version, byte_order, checksum = _HEAD.unpack_from(data)
    content = memoryview(data)[_HEAD.size :]
    if version != VERSION or byte_order != _BYTE_ORDER or checksum != zlib.crc32(content):
        return None
    try:
        columns = ColumnReader(_inflated(content))
        knowledge = Knowledge.read(columns)
        columns.close()
    except (ValueError, IndexError, OverflowError, zlib.error):
        return None
    return knowledge


def _inflated(content: memoryview) -> bytes:
    inflater = zlib.decompressobj(_WINDOW)
    inflated = inflater.decompress(content, _MOST_TIMES * len(content) + 1)
    if not inflater.eof or inflater.unused_data:
        raise ValueError("a part is missing, or more than there should be")
    return inflated

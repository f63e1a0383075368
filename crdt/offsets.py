"""The only place where units of text are converted.

Three units meet here:

- UTF-16 code units: every public interface, Monaco, JavaScript, the clocks of the CRDT.
- code points: what a Python string counts.
- UTF-8 bytes: what the engine's text counts.

The last two are never guessed from each other.  An offset inside a surrogate pair names no place
in a text, and a lone surrogate is no text: both are an ``OffsetError``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from crdt.errors import OffsetError


def utf16_length(text: str) -> int:
    """The length of a text in UTF-16 code units.

    Raises:
        OffsetError: the text holds a lone surrogate (``text_invalid``).
    """
    return len(text) if text.isascii() else len(_to_utf16(text)) // 2


def utf8_length(text: str) -> int:
    """The length of a text in UTF-8 bytes.

    Raises:
        OffsetError: the text holds a lone surrogate (``text_invalid``).
    """
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise _lone_surrogate() from None


def utf16_split(text: str, offsets: Sequence[int]) -> list[str]:
    """Cut a text at several places at once.

    Args:
        text: what to cut.
        offsets: where, in UTF-16 code units, ascending; the same place may be named twice.

    Returns:
        One piece more than there are offsets; joined they are the text.

    Raises:
        OffsetError: an offset is out of bounds, out of order or inside a surrogate pair, or the
            text holds a lone surrogate.
    """
    if text.isascii():
        return [text[start:end] for start, end in _spans(offsets, len(text))]
    units = _to_utf16(text)
    spans = _spans(offsets, len(units) // 2)
    try:
        return [units[2 * start : 2 * end].decode("utf-16-le") for start, end in spans]
    except UnicodeDecodeError:
        raise OffsetError("an offset is inside a surrogate pair") from None


def utf16_slice(text: str, start: int, end: int) -> str:
    """The part of a text between two UTF-16 offsets; raises ``OffsetError`` as ``utf16_split``."""
    return utf16_split(text, (start, end))[1]


def utf16_to_codepoint(text: str, offset: int) -> int:
    """A UTF-16 offset as code points; raises ``OffsetError`` as ``utf16_split``."""
    return len(utf16_split(text, (offset,))[0])


def codepoint_to_utf16(text: str, offset: int) -> int:
    """A code point offset as UTF-16 code units.

    Raises:
        OffsetError: the offset is out of bounds, or the text holds a lone surrogate.
    """
    if not 0 <= offset <= len(text):
        raise OffsetError(f"offset {offset} is outside a text of {len(text)} code points")
    return utf16_length(text[:offset])


def utf16_to_utf8(text: str, offset: int) -> int:
    """A UTF-16 offset as UTF-8 bytes; raises ``OffsetError`` as ``utf16_split``."""
    return utf8_length(utf16_split(text, (offset,))[0])


def utf8_to_utf16(text: str, offset: int) -> int:
    """A UTF-8 offset as UTF-16 code units.

    Raises:
        OffsetError: the offset is out of bounds or inside a character, or the text holds a lone
            surrogate.
    """
    length = utf8_length(text)
    if not 0 <= offset <= length:
        raise OffsetError(f"offset {offset} is outside a text of {length} UTF-8 bytes")
    try:
        return utf16_length(text.encode()[:offset].decode())
    except UnicodeDecodeError:
        raise OffsetError(f"offset {offset} is inside a character") from None


def _spans(offsets: Sequence[int], length: int) -> list[tuple[int, int]]:
    spans = list(pairwise((0, *offsets, length)))
    if any(start > end for start, end in spans):
        raise OffsetError(f"offsets are out of order or outside a text of {length} UTF-16 units")
    return spans


def _to_utf16(text: str) -> bytes:
    try:
        return text.encode("utf-16-le")
    except UnicodeEncodeError:
        raise _lone_surrogate() from None


def _lone_surrogate() -> OffsetError:
    return OffsetError("the text holds a lone surrogate", code="text_invalid")

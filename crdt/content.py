"""The parts of structs, read strictly: how many clocks their content takes and where it ends.

Rules:

- a clock stays below 2**31;
- text is UTF-8; its clocks are UTF-16 code units;
- values (``Any``) and JSON are at most 32 deep; JSON is what JavaScript, Rust and Python all read
  alike: finite numbers, no half of a surrogate pair;
- embedded types are text, map and array.

Functions take the whole update and an offset, and return the offset behind what they read.  They raise
``IndexError`` where the bytes end and ``OverflowError`` on a varint out of bounds, which
:func:`crdt.update.read_update` turns into its own error, and :class:`~crdt.errors.UpdateError` otherwise.

Source: Yjs ``structs/Content*.js``; lib0 ``decoding.js``, ``readAny``.
"""

from __future__ import annotations

from json import JSONDecoder, dumps
from math import isinf
from typing import Final

from crdt.errors import UpdateError
from crdt.varint import MAX_VARINT, MORE, read_varint

MAX_DEPTH: Final = 32  # from 12,000 browsers overflow their stack, from 41,000 the engine kills the process
MAX_CLOCK: Final = 2**31 - 1  # the engine counts clocks in 32 bits
EMBEDDED_TYPES: Final = frozenset({0, 1, 2})  # array, map, text; the others are XML and links

Collection = dict[str, object] | list[object]

LAST_OF_ONE_UNIT: Final = "\uffff"
_BYTES: Final = 116
_ARRAY: Final = 117
_MAP: Final = 118
_STRING: Final = 119
_INTEGER: Final = 125
# True, false, 64-bit integer, double, float, null and undefined carry a fixed number of bytes.
_FIXED: Final = {120: 0, 121: 0, 122: 8, 123: 8, 124: 4, 126: 0, 127: 0}
_INTEGER_LOW_BITS: Final = 6  # the first byte of a signed integer holds its sign and six bits of it


def read_id(data: bytes, offset: int) -> tuple[int, int, int]:
    """Read the id of a struct; return its client, its clock and the offset behind it."""
    client, offset = read_varint(data, offset)
    clock, offset = read_varint(data, offset)
    if clock >= MAX_CLOCK:
        raise UpdateError("a clock has more than 31 bits", code="update_clock_oversize")
    return client, clock, offset


def skip_bytes(data: bytes, offset: int) -> tuple[int, int]:
    """Step over bytes behind their length; return where they start and end."""
    length, start = read_varint(data, offset)
    end = start + length
    if end > len(data):
        raise IndexError
    return start, end


def read_string(data: bytes, offset: int) -> tuple[str, int]:
    """Read a string behind its length in bytes; return it and the offset behind it."""
    start, end = skip_bytes(data, offset)
    return decode_utf8(data[start:end]), end


def decode_utf8(encoded: bytes) -> str:
    """Decode UTF-8 strictly."""
    try:
        return encoded.decode()
    except UnicodeDecodeError as error:
        raise UpdateError("a string is not UTF-8", code="update_text_invalid") from error


def utf16_units(text: str) -> int:
    """How many UTF-16 code units the text has."""
    return len(text.encode("utf-16-le")) // 2


def pair_middles(text: str) -> list[int]:
    """The UTF-16 offsets between the two halves of each surrogate pair."""
    astral = [index for index, character in enumerate(text) if character > LAST_OF_ONE_UNIT]
    # Each pair before it has moved a character by one unit more.
    return [index + earlier + 1 for earlier, index in enumerate(astral)]


def read_values(data: bytes, offset: int) -> tuple[int, int]:
    """Read a list of values; return their number and the offset behind them."""
    count, offset = read_varint(data, offset)
    if count > len(data) - offset:
        raise UpdateError("more values are announced than bytes are left", code="update_count_oversize")
    for _ in range(count):
        offset = _skip_value(data, offset, MAX_DEPTH)
    return count, offset


def _skip_value(data: bytes, offset: int, depth: int) -> int:
    kind = data[offset]
    offset += 1
    if kind in _FIXED:
        offset += _FIXED[kind]
        if offset > len(data):
            raise IndexError
        return offset
    if kind == _STRING:
        return read_string(data, offset)[1]
    if kind == _INTEGER:
        return _skip_integer(data, offset)
    if kind == _BYTES:
        return skip_bytes(data, offset)[1]
    if kind in (_ARRAY, _MAP):
        return _skip_collection(data, offset, depth, has_keys=kind == _MAP)
    raise UpdateError(f"a value of unknown kind {kind}", code="update_content_unsupported")


def _skip_collection(data: bytes, offset: int, depth: int, *, has_keys: bool) -> int:
    if not depth:
        raise UpdateError(f"a value is nested deeper than {MAX_DEPTH}", code="update_nested_too_deep")
    count, offset = read_varint(data, offset)
    if count > len(data) - offset:
        raise UpdateError("more values are announced than bytes are left", code="update_count_oversize")
    for _ in range(count):
        if has_keys:
            _, offset = read_string(data, offset)
        offset = _skip_value(data, offset, depth - 1)
    return offset


def _skip_integer(data: bytes, offset: int) -> int:
    if data[offset] < MORE:
        return offset + 1
    high_bits, offset = read_varint(data, offset + 1)
    if high_bits > MAX_VARINT >> _INTEGER_LOW_BITS:
        raise OverflowError("an integer has more than 53 bits")
    return offset


def skip_format(data: bytes, offset: int) -> int:
    """Step over a formatting mark: a key and a JSON value."""
    _, offset = read_string(data, offset)
    value, offset = read_string(data, offset)
    _check_json(value)
    return offset


def skip_embedded_type(data: bytes, offset: int) -> int:
    """Step over the kind of an embedded type."""
    kind, offset = read_varint(data, offset)
    if kind not in EMBEDDED_TYPES:
        raise UpdateError(f"an embedded type of unsupported kind {kind}", code="update_content_unsupported")
    return offset


def _check_json(text: str) -> None:
    try:
        value = _JSON.decode(text)
    except RecursionError as error:
        raise _nested_too_deep() from error
    except ValueError as error:
        raise UpdateError("a formatting value is not JSON", code="update_json_invalid") from error
    if "\\u" in text:
        _check_surrogates(value)
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _check_depth(value)


def _finite(literal: str) -> float:
    number = float(literal)
    if isinf(number):
        raise ValueError(literal)
    return number


def _refuse(literal: str) -> object:
    raise ValueError(literal)


# NaN and Infinity are Python's own additions to JSON; numbers beyond a double the engine refuses.
_JSON: Final = JSONDecoder(parse_float=_finite, parse_int=_finite, parse_constant=_refuse)


def _check_surrogates(value: object) -> None:
    try:
        dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise UpdateError("half a surrogate pair in JSON", code="update_json_invalid") from error


def _check_depth(value: object) -> None:
    level = _collections([value])
    for _ in range(MAX_DEPTH):
        if not level:
            return
        level = [inner for outer in level for inner in _collections(outer)]
    if level:
        raise _nested_too_deep()


def _collections(values: Collection) -> list[Collection]:
    members = values.values() if isinstance(values, dict) else values
    return [member for member in members if isinstance(member, dict | list)]


def _nested_too_deep() -> UpdateError:
    return UpdateError(f"a value is nested deeper than {MAX_DEPTH}", code="update_nested_too_deep")

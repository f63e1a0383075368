"""Updates and state vectors of Yjs's first format, read strictly.

What this reader accepts, the engine and browsers take without failing and read alike; what it refuses
never reaches them.  It answers what an update writes, needs and deletes, and keeps none of its content.

Rules, beside those of :mod:`crdt.structs` and :mod:`crdt.content`:

- a varint has at most 8 bytes and 53 bits, so a client id does too;
- every count is at most the number of bytes that are left;
- no deletion is empty; a client's deletions ascend and do not overlap, and stand in one place;
- nothing comes behind the deletions;
- a gap (Skip) is no attack: the update is merely not ready.

Time and memory are linear in the size of the update.  Nothing is raised but
:class:`~crdt.errors.UpdateError` and :class:`~crdt.errors.StateVectorError`.

Source: Yjs ``utils/encoding.js``, ``utils/UpdateDecoder.js``, ``utils/DeleteSet.js``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crdt.codec import write_var_uint
from crdt.content import MAX_CLOCK
from crdt.errors import StateVectorError, UpdateError
from crdt.keystroke import read_keystroke
from crdt.pairs import halves_pair, splits_pair
from crdt.ranges import ClockRange
from crdt.structs import StructReader
from crdt.summary import PLAIN, Structure, UpdateSummary
from crdt.varint import read_varint

__all__ = ["Structure", "UpdateSummary", "encode_state_vector", "read_any_update", "read_state_vector", "read_update"]


def read_update(data: bytes) -> UpdateSummary:
    """Read one update to its last byte.

    Raises:
        UpdateError: with the code of the rule that the update breaks.
    """
    return read_keystroke(data) or read_any_update(data)


def read_any_update(data: bytes) -> UpdateSummary:
    """Read one update of any kind, as :func:`read_update` does."""
    try:
        structs = StructReader(data)
        deletes = _read_deletes(data, structs.read(0))
    except IndexError as error:
        raise UpdateError("the update ends early", code="update_truncated") from error
    except OverflowError as error:
        raise UpdateError(str(error), code="update_varint_oversize") from error
    if structs.middles:
        _check_own_pairs(structs, deletes)
    return UpdateSummary(
        tuple(structs.writes),
        structs.depends_on,
        deletes,
        structs.has_gap,
        structs.content_bytes,
        tuple(structs.places),
        _structure(structs),
    )


def _structure(structs: StructReader) -> Structure:
    if structs.is_text and not structs.homes and not structs.middles:
        return PLAIN
    return Structure(
        structs.homes,
        frozenset(structs.types),
        frozenset(structs.parents),
        structs.middles,
        structs.is_text,
    )


def _check_own_pairs(structs: StructReader, deletes: Iterable[ClockRange]) -> None:
    middles = {client: set(clocks) for client, clocks in structs.middles.items()}
    if splits_pair(middles, structs.places) or halves_pair(middles, deletes):
        raise UpdateError("a surrogate pair is taken apart", code="update_pair_split")


def _read_deletes(data: bytes, offset: int) -> tuple[ClockRange, ...]:
    deletes: list[ClockRange] = []
    clients, offset = read_varint(data, offset)
    if clients > len(data) - offset:
        raise UpdateError("more clients are announced than bytes are left", code="update_count_oversize")
    seen: set[int] = set()
    for _ in range(clients):
        client, offset = read_varint(data, offset)
        if client in seen:
            raise UpdateError("a client's deletions come in two places", code="update_client_repeated")
        seen.add(client)
        offset = _read_ranges(data, offset, client, deletes)
    if offset != len(data):
        raise UpdateError("bytes behind the end of the update", code="update_trailing_bytes")
    return tuple(deletes)


def _read_ranges(data: bytes, offset: int, client: int, deletes: list[ClockRange]) -> int:
    count, offset = read_varint(data, offset)
    if not count:
        raise UpdateError("a client is mentioned without deletions", code="update_empty_range")
    if count > len(data) - offset:
        raise UpdateError("more deletions are announced than bytes are left", code="update_count_oversize")
    end = 0
    for _ in range(count):
        start, offset = read_varint(data, offset)
        length, offset = read_varint(data, offset)
        if not length:
            raise UpdateError("a deletion is empty", code="update_empty_range")
        if start < end:
            raise UpdateError("deletions overlap or are out of order", code="update_range_order")
        end = start + length
        if end > MAX_CLOCK:
            raise UpdateError("a clock has more than 31 bits", code="update_clock_oversize")
        deletes.append(ClockRange(client, start, end))
    return offset


def read_state_vector(data: bytes) -> dict[int, int]:
    """Read a state vector: the next clock of every client.

    Raises:
        StateVectorError: it is not one.
    """
    try:
        return _read_state_vector(data)
    except IndexError as error:
        raise StateVectorError("the state vector ends early") from error
    except OverflowError as error:
        raise StateVectorError(str(error)) from error


def _read_state_vector(data: bytes) -> dict[int, int]:
    count, offset = read_varint(data, 0)
    if count > len(data) - offset:
        raise StateVectorError("more clients are announced than bytes are left")
    state: dict[int, int] = {}
    for _ in range(count):
        client, offset = read_varint(data, offset)
        clock, offset = read_varint(data, offset)
        if client in state:
            raise StateVectorError("a client is mentioned twice")
        if clock > MAX_CLOCK:
            raise StateVectorError("a clock has more than 31 bits")
        state[client] = clock
    if offset != len(data):
        raise StateVectorError("bytes behind the end of the state vector")
    return state


def encode_state_vector(state: Mapping[int, int]) -> bytes:
    """Encode a state vector, the highest client first as Yjs does.

    Args:
        state: the next clock of every client, in UTF-16 units.
    """
    encoded = [write_var_uint(len(state))]
    for client in sorted(state, reverse=True):
        encoded += (write_var_uint(client), write_var_uint(state[client]))
    return b"".join(encoded)

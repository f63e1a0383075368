"""What one node says to the others of the connections that it has in a room, as bytes.

    version (1) · flags (1) · states · since · people

States are an awareness payload behind its length; a client that this node does not hold any more has the state null.
Since holds a number for each client that is here, in the order of the states. People are JSON behind its length, a row
of id, name, role and number of connections for each. Numbers are varints.

A report says what has changed, or is a part of everything: the first part begins anew, and what no part up to the last
has named is gone. Everything is said in parts because a room has thousands of clients, and whoever reads a part keeps
all others waiting.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from crdt.awareness import AwarenessEntry, encode_awareness, read_awareness
from crdt.codec import read_var_bytes, read_var_string, read_var_uint, write_var_bytes, write_var_string, write_var_uint
from crdt.errors import AwarenessError, FrameError
from server.access import Role
from server.attendance import Participant
from server.limits import MAX_AWARENESS_STATE_BYTES, MAX_CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crdt.awareness import Json

# Two milliseconds or so to read: a stamped state has some 250 bytes. Longer reports come in parts.
MAX_CLIENTS_PER_REPORT: Final = 128
# A state is written anew with its user: 1e15 becomes 1000000000000000.0, and beside half a surrogate pair, which only
# ASCII can carry, a character of one byte becomes an escape of six. What a client may say must not fail on the way.
MAX_REPORTED_STATE_BYTES: Final = 8 * MAX_AWARENESS_STATE_BYTES
# As many of the longest states as a report may hold; beside them the names of as many people are short.
MAX_REPORT_BYTES: Final = (MAX_CLIENTS_PER_REPORT + 1) * MAX_REPORTED_STATE_BYTES

_VERSION: Final = 1
_BEGINS: Final = 1
_ENDS: Final = 2
_ASKS: Final = 4
_HEAD_BYTES: Final = 2
_ROLES: Final = frozenset(role.value for role in Role)


@dataclass(frozen=True, slots=True)
class Claim:
    """A client id that a connection of a node holds, and the state it shows.

    `since` is when its user took the id, on whichever node, in milliseconds since the epoch.
    """

    node_id: UUID
    user_id: UUID
    since: int
    entry: AwarenessEntry


@dataclass(frozen=True, slots=True)
class Report:
    """What a node says.

    `gone` are the client ids that it does not hold any more; `people` with no connections have left; `begins` and
    `ends` mark the first and the last part of everything; `asks` wants everything of everybody else.
    """

    claims: tuple[Claim, ...] = ()
    gone: tuple[int, ...] = ()
    people: tuple[Participant, ...] = ()
    begins: bool = False
    ends: bool = False
    asks: bool = False


def encode_reports(
    claims: Sequence[Claim],
    gone: Sequence[int],
    people: Sequence[Participant],
    *,
    is_everything: bool,
    asks: bool,
) -> Iterator[bytes]:
    """Answers at least one payload; several where one would be too long. Only the last one asks."""
    entries = [AwarenessEntry(client_id, 0, None) for client_id in gone] + [claim.entry for claim in claims]
    since = [b""] * len(gone) + [write_var_uint(claim.since) for claim in claims]
    length = max(len(entries), len(people), 1)
    for start in range(0, length, MAX_CLIENTS_PER_REPORT):
        end = start + MAX_CLIENTS_PER_REPORT
        is_last = end >= length
        flags = (_ASKS if asks and is_last else 0) | (
            ((_BEGINS if start == 0 else 0) | (_ENDS if is_last else 0)) if is_everything else 0
        )
        yield b"".join(
            (
                bytes((_VERSION, flags)),
                write_var_bytes(encode_awareness(entries[start:end])),
                *since[start:end],
                write_var_string(json.dumps([_row(person) for person in people[start:end]], separators=(",", ":"))),
            )
        )


def read_report(payload: bytes, node_id: UUID) -> Report:
    """Reads what a node says. Raises AwarenessError for what is malformed or beyond a bound."""
    if len(payload) > MAX_REPORT_BYTES:
        raise AwarenessError(f"a report of {len(payload)} bytes; at most {MAX_REPORT_BYTES} are accepted")
    try:
        return _read(payload, node_id)
    except FrameError as error:
        raise AwarenessError(str(error)) from error


def _read(payload: bytes, node_id: UUID) -> Report:
    if len(payload) < _HEAD_BYTES or payload[0] != _VERSION:
        raise AwarenessError("a report of another version")
    flags = payload[1]
    if flags & ~(_BEGINS | _ENDS | _ASKS):
        raise AwarenessError("a report with unknown flags")
    states, offset = read_var_bytes(payload, _HEAD_BYTES)
    claims, gone = [], []
    for entry in read_awareness(states, max_entries=MAX_CLIENTS_PER_REPORT, max_state_bytes=MAX_REPORTED_STATE_BYTES):
        if entry.state is None:
            gone.append(entry.client_id)
        else:
            since, offset = read_var_uint(payload, offset)
            claims.append(Claim(node_id, _user_of(entry.state), since, entry))
    rows, offset = read_var_string(payload, offset)
    if offset != len(payload):
        raise AwarenessError("bytes follow the last person")
    return Report(
        tuple(claims), tuple(gone), _read_people(rows), bool(flags & _BEGINS), bool(flags & _ENDS), bool(flags & _ASKS)
    )


def _user_of(state: dict[str, Json]) -> UUID:
    user = state.get("user")
    return _read_id(user.get("id") if isinstance(user, dict) else None)


def _read_id(text: object) -> UUID:
    try:
        user_id = UUID(text) if isinstance(text, str) else None
    except ValueError:
        user_id = None
    if user_id is None or str(user_id) != text:
        raise AwarenessError("somebody without an id")
    return user_id


def _row(person: Participant) -> list[object]:
    return [str(person.user_id), person.name, person.role.value, person.connections]


def _read_people(text: str) -> tuple[Participant, ...]:
    try:
        rows: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AwarenessError("people that are not JSON") from error
    if not isinstance(rows, list) or len(rows) > MAX_CLIENTS_PER_REPORT:
        raise AwarenessError("people that are no list, or too many")
    return tuple(_read_person(row) for row in rows)


def _read_person(row: object) -> Participant:
    match row:
        case [user_id, str(name), str(role), int(connections)] if (
            role in _ROLES and type(connections) is int and 0 <= connections <= MAX_CONNECTIONS
        ):
            return Participant(_read_id(user_id), name, Role(role), connections)
    raise AwarenessError("somebody who is not described as people are")

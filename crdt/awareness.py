"""Presence: who is here, with which cursor; never stored, merged by clocks.

Rules (y-protocols ``awareness.js``):

- every client numbers its own states; a higher clock wins;
- a null state removes the client, at a higher clock or at the one that is known, so that others may
  report a client gone without knowing its next number;
- a client that is not heard of for a while is gone.

Unlike there, nothing is remembered of a client that is gone, and whatever a browser could not read
back (clocks and numbers beyond its range, deep nesting) is refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from crdt.codec import read_var_string, read_var_uint, write_var_bytes, write_var_uint
from crdt.errors import AwarenessError, FrameError

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

MAX_CLOCK = 2**31 - 1  # what 32-bit integers hold in every Yjs port
MAX_DEPTH = 32  # cursors and names need four; a browser's stack is far away
# Numbers of more digits are infinite in a browser.
_MAX_DIGITS = 308


@dataclass(frozen=True, slots=True)
class AwarenessEntry:
    """The presence of one client.

    Args:
        client_id: whose.
        clock: the number of this state among the client's.
        state: what the client says of itself, or None when it is gone.
    """

    client_id: int
    clock: int
    state: dict[str, Json] | None


def read_awareness(payload: bytes, *, max_entries: int, max_state_bytes: int) -> list[AwarenessEntry]:
    """Read the payload of an awareness message strictly.

    Args:
        payload: what stands in the message.
        max_entries: the most clients accepted.
        max_state_bytes: the longest state accepted, in bytes of JSON.

    Raises:
        AwarenessError: the payload is malformed or exceeds a bound.
    """
    try:
        count, offset = read_var_uint(payload, 0)
        if count > max_entries:
            raise AwarenessError(f"presence of {count} clients; at most {max_entries} are accepted")
        entries: dict[int, AwarenessEntry] = {}
        for _ in range(count):
            entry, offset = _read_entry(payload, offset, max_state_bytes)
            entries[entry.client_id] = entry
    except FrameError as error:
        raise AwarenessError(str(error)) from error
    if len(entries) != count:
        raise AwarenessError("a client stands twice in one payload")
    if offset != len(payload):
        raise AwarenessError("bytes follow the last client")
    return list(entries.values())


def encode_awareness(entries: Sequence[AwarenessEntry]) -> bytes:
    """The payload of an awareness message that holds these entries."""
    parts = [write_var_uint(len(entries))]
    for entry in entries:
        parts += (
            write_var_uint(entry.client_id),
            write_var_uint(entry.clock),
            write_var_bytes(_encode_state(entry.state)),
        )
    return b"".join(parts)


class AwarenessStates:
    """The presence of everybody in a room.

    Args:
        clock: tells the time in seconds, from any beginning.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._entries: dict[int, AwarenessEntry] = {}
        self._heard: dict[int, float] = {}

    def __len__(self) -> int:
        """The number of clients that are here."""
        return len(self._entries)

    def entries(self) -> list[AwarenessEntry]:
        """Everybody who is here."""
        return list(self._entries.values())

    def get(self, client_id: int) -> AwarenessEntry | None:
        """One client, if it is here."""
        return self._entries.get(client_id)

    def apply(self, entries: Iterable[AwarenessEntry]) -> list[AwarenessEntry]:
        """Merge what was heard; returns what of it was news, to be passed on."""
        return [entry for entry in entries if self._is_news(entry)]

    def remove(self, client_ids: Iterable[int]) -> list[AwarenessEntry]:
        """Forget clients; returns what tells others that they are gone."""
        gone = []
        for client_id in client_ids:
            entry = self._entries.pop(client_id, None)
            if entry is not None:
                del self._heard[client_id]
                gone.append(AwarenessEntry(client_id, entry.clock, None))
        return gone

    def expire(self, older_than_seconds: float) -> list[AwarenessEntry]:
        """Forget clients that were silent for longer; returns what tells others that they are gone."""
        oldest = self._clock() - older_than_seconds
        return self.remove([client_id for client_id, heard in self._heard.items() if heard < oldest])

    def _is_news(self, entry: AwarenessEntry) -> bool:
        known = self._entries.get(entry.client_id)
        if entry.state is None:
            if known is None or entry.clock < known.clock:
                return False
            self.remove([entry.client_id])
            return True
        if known is not None and entry.clock <= known.clock:
            return False
        self._entries[entry.client_id] = entry
        self._heard[entry.client_id] = self._clock()
        return True


def _read_entry(payload: bytes, offset: int, max_state_bytes: int) -> tuple[AwarenessEntry, int]:
    client_id, offset = read_var_uint(payload, offset)
    clock, offset = read_var_uint(payload, offset)
    if clock > MAX_CLOCK:
        raise AwarenessError(f"a clock of {clock}")
    size, _ = read_var_uint(payload, offset)
    if size > max_state_bytes:
        raise AwarenessError(f"a state of {size} bytes; at most {max_state_bytes} are accepted")
    text, offset = read_var_string(payload, offset)
    return AwarenessEntry(client_id, clock, _decode_state(text)), offset


def _decode_state(text: str) -> dict[str, Json] | None:
    try:
        state: Json = json.loads(text, parse_int=_read_integer, parse_float=_read_float, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise AwarenessError("a state is not JSON that browsers can read") from error
    if state is not None and not isinstance(state, dict):
        raise AwarenessError("a state is neither an object nor null")
    # Most states have fewer brackets than levels are allowed.
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(state) > MAX_DEPTH:
        raise AwarenessError(f"a state is nested more than {MAX_DEPTH} deep")
    return state


def _encode_state(state: dict[str, Json] | None) -> bytes:
    text = json.dumps(state, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        # A lone surrogate, which a browser can say in JSON and UTF-8 cannot.
        return json.dumps(state, separators=(",", ":")).encode()


def _depth(value: Json) -> int:
    level, depth = [value], 0
    while level := [item for item in level if isinstance(item, list | dict)]:
        depth += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return depth


def _read_integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError("an integer beyond a browser's range")
    return int(digits)


def _read_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("a number beyond a browser's range")
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")

"""The structs of an update, read strictly: what each client wrote, and what it built on.

Rules:

- no struct is empty, and no client is mentioned without structs or twice;
- no struct refers to its own client at or behind its own clock, and no structs wait for each other;
- content is a string, a formatting mark, values, an embedded text, map or array, or what is left of
  deleted ones; sub-documents, links, moves, XML and embedded objects are refused;
- whatever stands in an embedded type of the same update finds a type there, or what is left of one.

Functions raise ``IndexError`` and ``OverflowError`` as :mod:`crdt.content` does.

Source: Yjs ``utils/encoding.js``, ``readClientsStructRefs``; ``structs/Item.js``, ``getMissing``.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable
from typing import Final

from crdt.content import (
    MAX_CLOCK,
    decode_utf8,
    pair_middles,
    read_id,
    read_string,
    read_values,
    skip_bytes,
    skip_embedded_type,
    skip_format,
    utf16_units,
)
from crdt.errors import UpdateError
from crdt.order import Section, Wait, applicable_order
from crdt.ranges import ClockRange, RangeSet
from crdt.summary import Home, Id, Place
from crdt.varint import read_varint

HAS_ORIGIN: Final = 0x80
HAS_RIGHT_ORIGIN: Final = 0x40
_HAS_KEY: Final = 0x20
_KIND: Final = 0x1F

_GC: Final = 0
_DELETED: Final = 1
STRING: Final = 4
_FORMAT: Final = 6
_TYPE: Final = 7
_VALUES: Final = 8
_SKIP: Final = 10


class StructReader:
    """Reads the structs of one update and keeps what was found.

    Args:
        data: the whole update.
    """

    __slots__ = (
        "_data",
        "_highest",
        "_left",
        "_remains",
        "_right",
        "_waits",
        "content_bytes",
        "depends_on",
        "has_gap",
        "homes",
        "is_text",
        "middles",
        "parents",
        "places",
        "sections",
        "types",
        "writes",
    )

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._highest: dict[int, int] = {}
        self._left: Id | None = None
        self._remains: list[ClockRange] = []
        self._right: Id | None = None
        self._waits: list[Wait] = []
        self.content_bytes = 0
        self.depends_on: dict[int, int] = {}
        self.has_gap = False
        self.homes: dict[Id, Home] = {}
        self.is_text = True
        self.middles: dict[int, array[int]] = {}
        self.parents: set[Id] = set()
        self.places: list[Place] = []
        self.sections: dict[int, Section] = {}
        self.types: set[Id] = set()
        self.writes: list[ClockRange] = []

    def read(self, offset: int) -> int:
        """Read the structs of all clients; return the offset behind them."""
        count, offset = read_varint(self._data, offset)
        if count > len(self._data) - offset:
            raise UpdateError("more clients are announced than bytes are left", code="update_count_oversize")
        for _ in range(count):
            offset = self._read_client(offset)
        self._settle_dependencies()
        if self.parents:
            self._check_parents()
        return offset

    def _read_client(self, offset: int) -> int:
        data = self._data
        count, offset = read_varint(data, offset)
        client, offset = read_varint(data, offset)
        clock, offset = read_varint(data, offset)
        if not count:
            raise UpdateError("a client is mentioned without structs", code="update_empty_struct")
        if count > len(data) - offset:
            raise UpdateError("more structs are announced than bytes are left", code="update_count_oversize")
        if clock > MAX_CLOCK:
            raise _clock_oversize()
        if client in self.sections:
            raise UpdateError("a client's structs come in two places", code="update_client_repeated")
        start = run = clock
        self._waits, self._highest = [], {}
        for _ in range(count):
            info = data[offset]
            if info == _SKIP:
                units, offset = read_varint(data, offset + 1)
                self._close_run(client, run, clock)
                self.has_gap = True
                run = clock + units
            elif info == _GC:
                units, offset = self._read_remains(offset + 1, client, clock)
            else:
                offset = self._read_place(info, offset + 1, client, clock)
                kind = info & _KIND
                units, offset = self._read_content(kind, offset, client, clock)
                self.places.append(Place(client, clock, clock + units, self._left, self._right, kind == _DELETED))
            if not units:
                raise UpdateError("a struct is empty", code="update_empty_struct")
            clock += units
            if clock > MAX_CLOCK:
                raise _clock_oversize()
        self._close_run(client, run, clock)
        self.sections[client] = Section(start, clock, self._waits)
        return offset

    def _close_run(self, client: int, start: int, end: int) -> None:
        if start < end:
            self.writes.append(ClockRange(client, start, end))

    def _read_content(self, kind: int, offset: int, client: int, clock: int) -> tuple[int, int]:
        if kind == STRING:
            return self._read_string(offset, client, clock)
        if kind == _DELETED:
            return self._read_remains(offset, client, clock)
        if kind == _FORMAT:
            return 1, skip_format(self._data, offset)
        self.is_text = False
        if kind == _TYPE:
            self.types.add((client, clock))
            return 1, skip_embedded_type(self._data, offset)
        if kind == _VALUES:
            return read_values(self._data, offset)
        raise UpdateError(f"content of unsupported kind {kind}", code="update_content_unsupported")

    def _read_string(self, offset: int, client: int, clock: int) -> tuple[int, int]:
        start, end = skip_bytes(self._data, offset)
        self.content_bytes += end - start
        encoded = self._data[start:end]
        if encoded.isascii():
            return end - start, end
        text = decode_utf8(encoded)
        units = utf16_units(text)
        if units != len(text):
            # An unsigned int holds every clock, in an eighth of what a list of them takes.
            middles = self.middles.setdefault(client, array("I"))
            middles.extend(clock + middle for middle in pair_middles(text))
        return units, end

    def _read_remains(self, offset: int, client: int, clock: int) -> tuple[int, int]:
        units, offset = read_varint(self._data, offset)
        self._remains.append(ClockRange(client, clock, clock + units))
        return units, offset

    def _read_place(self, info: int, offset: int, client: int, clock: int) -> int:
        self._left = self._right = None
        if info & _HAS_KEY:
            self.is_text = False
        if not info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN):
            return self._read_home(info, offset, client, clock)
        if info & HAS_ORIGIN:
            to_client, to_clock, offset = read_id(self._data, offset)
            self._depend(client, clock, to_client, to_clock)
            self._left = to_client, to_clock
        if info & HAS_RIGHT_ORIGIN:
            to_client, to_clock, offset = read_id(self._data, offset)
            self._depend(client, clock, to_client, to_clock)
            self._right = to_client, to_clock
        return offset

    def _read_home(self, info: int, offset: int, client: int, clock: int) -> int:
        is_root, offset = read_varint(self._data, offset)
        parent: str | Id
        if is_root == 1:
            parent, offset = read_string(self._data, offset)
        elif is_root == 0:
            to_client, to_clock, offset = read_id(self._data, offset)
            self._depend(client, clock, to_client, to_clock)
            parent = to_client, to_clock
            self.parents.add(parent)
            self.is_text = False
        else:
            raise UpdateError("a parent is neither a root nor a struct", code="update_malformed")
        key = None
        if info & _HAS_KEY:
            key, offset = read_string(self._data, offset)
        self.homes[client, clock] = parent, key
        return offset

    def _depend(self, client: int, clock: int, to_client: int, to_clock: int) -> None:
        if to_client == client:
            if to_clock >= clock:
                raise UpdateError("a struct refers to its own future", code="update_own_future")
        elif to_clock >= self._highest.get(to_client, 0):
            self._highest[to_client] = to_clock + 1
            self._waits.append(Wait(clock, to_client, to_clock + 1))

    def _settle_dependencies(self) -> None:
        """Leave out what other structs of the same update bring."""
        sections, depends_on = self.sections, self.depends_on
        if len(sections) <= 1:
            self.depends_on = self._highest
            return
        self._sort_places(applicable_order(sections))
        for section in sections.values():
            for _, client, needed in section.waits:
                if client in sections and needed <= sections[client].end:
                    continue
                if needed > depends_on.get(client, 0):
                    depends_on[client] = needed

    def _sort_places(self, steps: Iterable[tuple[int, int]]) -> None:
        """Put what was inserted into an order in which it can be applied."""
        remaining: dict[int, deque[Place]] = {client: deque() for client in self.sections}
        for place in self.places:
            remaining[place.client].append(place)
        self.places = []
        for client, end in steps:
            places = remaining[client]
            while places and places[0].start < end:
                self.places.append(places.popleft())

    def _check_parents(self) -> None:
        """Refuse parents that the update brings itself and that are no types, nor were."""
        written, remains = RangeSet(self.writes), RangeSet(self._remains)
        for client, clock in self.parents - self.types:
            brought = written.covers(client, clock, clock + 1)
            if brought and not remains.covers(client, clock, clock + 1):
                raise UpdateError("a struct stands in what is no type", code="update_parent_invalid")


def _clock_oversize() -> UpdateError:
    return UpdateError("a clock has more than 31 bits", code="update_clock_oversize")

"""How deep embedded types are nested.

Deleting the outermost of 10,000 overflows the stack of browsers; of 100,000, that of the engine, which
ends the process.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final

from crdt.columns import ColumnReader, ColumnWriter
from crdt.content import MAX_DEPTH
from crdt.summary import Home, Id, Place

# As deep as values are.
MAX_NESTING: Final = MAX_DEPTH


class Nesting:
    """The embedded types of a replica and their depths; a type in a root type has depth 1."""

    __slots__ = ("_depths",)

    def __init__(self) -> None:
        self._depths: dict[Id, int] = {}

    def __contains__(self, place: Id) -> bool:
        return place in self._depths

    def take_in(self, types: Collection[Id], places: Iterable[Place], home_of: Callable[[Id], Home | None]) -> None:
        """Take in new types.

        Args:
            types: which they are.
            places: where structs were inserted, these among them, each behind what it stands in.
            home_of: what a struct stands in, if that is known.
        """
        for client, start, *_ in places:
            place = client, start
            if place in types:
                home = home_of(place)
                parent = "" if home is None else home[0]
                self._depths[place] = 1 if isinstance(parent, str) else self._depths.get(parent, 0) + 1

    def are_too_deep(self, types: Iterable[Id]) -> bool:
        """Whether any of them is nested deeper than types may be."""
        return any(self._depths[place] > MAX_NESTING for place in types)

    def take_back(self, types: Iterable[Id]) -> None:
        """Forget types, as far as they were taken in."""
        for place in types:
            self._depths.pop(place, None)

    def update(self, other: Nesting) -> None:
        """Take in all types of another."""
        self._depths.update(other._depths)

    def write(self, columns: ColumnWriter) -> None:
        """Put down all types, for :meth:`read`."""
        columns.put_pairs(self._depths)
        columns.put(list(self._depths.values()))

    @classmethod
    def read(cls, columns: ColumnReader) -> Nesting:
        """Take up what :meth:`write` put down."""
        nesting = cls()
        nesting._depths = dict(zip(columns.take_pairs(), columns.take(), strict=True))
        return nesting

"""What lists stand in, put into columns: each once, however many structs begin in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from crdt.columns import ColumnReader, ColumnWriter
from crdt.summary import Home, Id

# Bits of one number for each home.
_IS_EMBEDDED: Final = 1
_HAS_KEY: Final = 2


def write_homes(columns: ColumnWriter, homes: Iterable[Home]) -> None:
    """Put down what lists stand in, for :func:`read_homes`."""
    numbers: dict[Home, int] = {}
    which = [numbers.setdefault(home, len(numbers)) for home in homes]
    columns.put([_kind(home) for home in numbers])
    columns.put_texts([parent for parent, _ in numbers if isinstance(parent, str)])
    columns.put_pairs([parent for parent, _ in numbers if not isinstance(parent, str)])
    columns.put_texts([key for _, key in numbers if key is not None])
    columns.put(which)


def read_homes(columns: ColumnReader) -> list[Home]:
    """Take up what :func:`write_homes` put down.

    Raises:
        ValueError: they are not all there.
        IndexError: as for ``ValueError``.
    """
    kinds = columns.take()
    names, structs, keys = columns.take_texts(), iter(columns.take_pairs()), columns.take_texts()
    homes: list[Home] = []
    for kind in kinds:
        parent: str | Id | None = next(structs, None) if kind & _IS_EMBEDDED else next(names, None)
        key = next(keys, None) if kind & _HAS_KEY else None
        if parent is None:
            raise ValueError("a list stands in nothing")
        homes.append((parent, key))
    return [homes[number] for number in columns.take()]


def _kind(home: Home) -> int:
    parent, key = home
    return (0 if isinstance(parent, str) else _IS_EMBEDDED) | (0 if key is None else _HAS_KEY)

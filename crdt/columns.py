"""Columns of whole numbers in bytes, to keep what was worked out instead of working it out again.

Written in the order of the bytes that the machine has, each column as wide as its largest number: so most of
reading is copying, done in C.  Reading takes no more memory than what it reads implies, creates nothing but
numbers, texts, tuples and lists, and raises ``ValueError``, ``IndexError`` or ``OverflowError`` where bytes are
not what :class:`ColumnWriter` writes.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import accumulate, chain
from struct import Struct
from typing import Any, Final, Literal, TypeVar

# How wide the numbers are, as in `array`, and how many there are.
_HEAD: Final = Struct("=cI")
_WIDTHS: Final = {code: array(code.decode()).itemsize for code in (b"B", b"H", b"I", b"Q")}

S = TypeVar("S", str, "list[Any]", "array[int]")


class ColumnWriter:
    """Puts columns down, one behind the other."""

    __slots__ = ("_pieces",)

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def put(self, numbers: Sequence[int]) -> None:
        """Put down numbers, none of them negative."""
        code = _narrowest(max(numbers, default=0))
        column = numbers if isinstance(numbers, array) and numbers.typecode == code else array(code, numbers)
        self._pieces += (_HEAD.pack(code.encode(), len(column)), column.tobytes())

    def put_groups(self, groups: Mapping[int, Collection[int]]) -> None:
        """Put down numbers by client."""
        self.put(list(groups))
        self.put([len(group) for group in groups.values()])
        self.put(list(chain.from_iterable(groups.values())))

    def put_pairs(self, pairs: Collection[tuple[int, int]]) -> None:
        """Put down pairs of numbers, as structs have them for names."""
        self.put([first for first, _ in pairs])
        self.put([second for _, second in pairs])

    def put_texts(self, texts: Sequence[str]) -> None:
        """Put down texts."""
        self.put([len(text) for text in texts])
        self.put("".join(texts).encode())

    def written(self) -> bytes:
        """All that was put down."""
        return b"".join(self._pieces)


class ColumnReader:
    """Takes columns up in the order in which they were put down.

    Args:
        data: what :meth:`ColumnWriter.written` gave.
    """

    __slots__ = ("_data", "_offset")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._offset = 0

    def take(self) -> array[int]:
        """Take up numbers."""
        start = self._offset + _HEAD.size
        if start > len(self._data):
            raise ValueError("a column is missing")
        code, count = _HEAD.unpack_from(self._data, self._offset)
        width = _WIDTHS.get(code, 0)
        self._offset = start + count * width
        if not width or self._offset > len(self._data):
            raise ValueError("not a column, or not all of it")
        column: array[int] = array(code.decode())
        column.frombytes(self._data[start : self._offset])
        return column

    def take_into(self, column: array[int]) -> None:
        """Take up numbers at the end of a column that is as wide as they are, or wider."""
        taken = self.take()
        column.extend(taken if taken.typecode == column.typecode else taken.tolist())

    def take_groups(self) -> dict[int, list[int]]:
        """Take up numbers by client."""
        clients, sizes, numbers = self.take(), self.take(), self.take().tolist()
        return dict(zip(clients, split(numbers, sizes), strict=True))

    def take_pairs(self) -> list[tuple[int, int]]:
        """Take up pairs of numbers."""
        return list(zip(self.take(), self.take(), strict=True))

    def take_texts(self) -> Iterator[str]:
        """Take up texts."""
        sizes, texts = self.take(), self.take()
        return split(texts.tobytes().decode(), sizes)

    def close(self) -> None:
        """Make sure that all was taken up.

        Raises:
            ValueError: there is more.
        """
        if self._offset != len(self._data):
            raise ValueError("something follows the last column")


def split(whole: S, sizes: array[int]) -> Iterator[S]:
    """Cut into pieces of these sizes.

    Raises:
        ValueError: the sizes are not those of the whole.
    """
    if sum(sizes) != len(whole):
        raise ValueError(f"{len(whole)} is not the sum of the sizes")
    return (whole[end - size : end] for size, end in zip(sizes, accumulate(sizes), strict=True))


def _narrowest(largest: int) -> Literal["B", "H", "I", "Q"]:
    if largest < 1 << 16:
        return "B" if largest < 1 << 8 else "H"
    return "I" if largest < 1 << 32 else "Q"

"""Which row of the journal brought each character of a text.

Lengths are UTF-16 units.  What is embedded in a text and is no text has a place in it for the engine, takes none in
what people see, and has no author: it stands here under a seq that no row has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, Final, NamedTuple

from crdt.columns import ColumnReader, ColumnWriter
from crdt.errors import EngineFailure
from crdt.offsets import utf16_length

_EMBEDDED: Final = 0
_PLACEHOLDER: Final = "\0"


class Span(NamedTuple):
    """A run of characters that one row brought, in UTF-16 units of the text."""

    start: int
    end: int
    seq: int


class Spans:
    """Which row brought each character of a text; never changed once made.

    Args:
        pieces: (length in UTF-16 units, seq), from the beginning of the text on.
    """

    __slots__ = ("_pieces",)

    def __init__(self, pieces: Iterable[tuple[int, int]] = ()) -> None:
        runs = groupby(pieces, key=itemgetter(1))
        self._pieces = [(sum(length for length, _ in run), seq) for seq, run in runs]

    def __iter__(self) -> Iterator[Span]:
        """The spans of the text, in order, without gaps."""
        start = 0
        for length, seq in self._pieces:
            if seq != _EMBEDDED:
                yield Span(start, start + length, seq)
                start += length

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spans) and self._pieces == other._pieces

    __hash__ = None  # type: ignore[assignment]  # compared by content, and long

    @property
    def length(self) -> int:
        """The length of the text in UTF-16 units."""
        return sum(length for length, seq in self._pieces if seq != _EMBEDDED)

    def encode(self) -> bytes:
        """The spans as bytes, for :meth:`decode`."""
        columns = ColumnWriter()
        columns.put([length for length, _ in self._pieces])
        columns.put([seq for _, seq in self._pieces])
        return columns.written()

    @classmethod
    def decode(cls, data: bytes) -> Spans:
        """What was encoded.

        Raises:
            ValueError: the bytes are not what :meth:`encode` writes.
        """
        columns = ColumnReader(data)
        lengths, seqs = columns.take(), columns.take()
        columns.close()
        spans = cls()
        spans._pieces = list(zip(lengths, seqs, strict=True))
        if not all(lengths) or any(one[1] == other[1] for one, other in pairwise(spans._pieces)):
            raise ValueError("spans are empty or not joined")
        return spans

    def changed(
        self, before: str, change: Sequence[Mapping[str, Any]], seq_of: Callable[[str], int]
    ) -> tuple[Spans, str]:
        """The spans after a change, and the text after it with marks in the place of what was inserted.

        Args:
            before: the text that these spans are of.
            change: what :meth:`crdt.document.Document.watch` told.
            seq_of: which row a character stands for that was inserted.

        Raises:
            EngineFailure: the change does not fit the text.
        """
        walk = _Walk(self._pieces, before)
        pieces: list[tuple[int, int]] = []
        text: list[str] = []
        for step in change:
            if "retain" in step:
                passed, kept = walk.take(int(step["retain"]))
                pieces += passed
                text.append(kept)
            elif "delete" in step:
                walk.take(int(step["delete"]))
            elif isinstance(inserted := step["insert"], str):
                text.append(inserted)
                pieces += ((len(list(run)), seq_of(mark)) for mark, run in groupby(inserted))
            else:
                text.append(_PLACEHOLDER)
                pieces.append((1, _EMBEDDED))
        passed, kept = walk.rest()
        after = Spans([*pieces, *passed])
        return after, after.without_embedded("".join([*text, kept]))

    def with_embedded(self, text: str) -> str:
        """The text with one character in the place of each thing that is embedded in it."""
        return self._exchanged(text, "", _PLACEHOLDER)

    def without_embedded(self, whole: str) -> str:
        """The text that :meth:`with_embedded` was given."""
        return self._exchanged(whole, _PLACEHOLDER, "")

    def _exchanged(self, text: str, present: str, wanted: str) -> str:
        if all(seq != _EMBEDDED for _, seq in self._pieces):
            return text
        units, start, cut = text.encode("utf-16-le"), 0, []
        for length, seq in self._pieces:
            end = start + 2 * length * (len(present) if seq == _EMBEDDED else 1)
            cut.append((wanted * length).encode("utf-16-le") if seq == _EMBEDDED else units[start:end])
            start = end
        return b"".join(cut).decode("utf-16-le")


class _Walk:
    """Goes along a text and its spans by UTF-8 bytes."""

    def __init__(self, pieces: Sequence[tuple[int, int]], text: str) -> None:
        self._pieces = iter(pieces)
        self._open = (0, 0)
        self._encoded = Spans(pieces).with_embedded(text).encode()
        self._offset = 0

    def take(self, length: int) -> tuple[list[tuple[int, int]], str]:
        """Go on by so many bytes; return what was passed.

        Raises:
            EngineFailure: the text ends, or there is the middle of a character.
        """
        end = self._offset + length
        try:
            text = self._encoded[self._offset : end].decode()
        except UnicodeDecodeError as error:
            raise EngineFailure("the engine cut a character") from error
        if end > len(self._encoded):
            raise EngineFailure("the engine changed more than there was")
        self._offset = end
        return list(self._pass(utf16_length(text))), text

    def rest(self) -> tuple[list[tuple[int, int]], str]:
        """Go on to the end."""
        return self.take(len(self._encoded) - self._offset)

    def _pass(self, units: int) -> Iterator[tuple[int, int]]:
        while units:
            length, seq = self._open if self._open[0] else next(self._pieces, (0, 0))
            if not length:
                raise EngineFailure("the spans are of a shorter text")
            passed = min(length, units)
            yield passed, seq
            self._open = (length - passed, seq)
            units -= passed

"""Who wrote each character: the journal replayed, and every character traced to the row that brought it.

The engine does not say which row a character came with, and to ask it after each row what changed takes time in
proportion to the whole document.  But where a character ends up does not depend on what character it is.  So many rows
are applied at once in a second document, in which each inserted UTF-16 unit is replaced by a *mark* that stands for
its row: what the engine then inserts into the text says by itself who wrote it, in one pass for thousands of rows.

What undo brings back is inserted anew, and is whose who undid.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from crdt.causality import Knowledge
from crdt.codec import write_var_uint
from crdt.document import Document, beyond
from crdt.errors import EngineFailure, UpdateError
from crdt.keystroke import read_keystroke
from crdt.offsets import utf16_length
from crdt.spans import Spans
from crdt.structs import StructReader
from crdt.update import read_update

# Marks take one UTF-16 unit and three bytes of UTF-8 each: those from U+0800 on, up to the surrogates.
_FIRST_MARK: Final = 0x0800
MOST_ROWS: Final = 0xD800 - _FIRST_MARK
"""So many rows can be told apart in one pass."""


class Row(NamedTuple):
    """A row of the journal.

    Args:
        seq: its place there, from 1.
        update: its bytes.
        stroke: the row that what it brings is laid to: one near it by the same author; 0 for itself.
    """

    seq: int
    update: bytes
    stroke: int = 0


class Replayed(NamedTuple):
    """What a replay came to.

    Args:
        state: the bytes of the document.
        text: what it shows.
        left_out: the seqs of the rows that no replay can take.
    """

    state: bytes
    text: str
    left_out: tuple[int, ...]


def replay_rows(state: bytes | None, rows: Sequence[Row]) -> Replayed:
    """Replay rows of the journal on a state.

    Args:
        state: of what came before them, or nothing.
        rows: in the order of the journal.

    Raises:
        EngineFailure: the engine raised.
    """
    document = Document(state)
    fresh, left_out = _each_once(document, rows)
    document.apply([row.update for row in fresh])
    return Replayed(document.encode_state(), document.text, left_out)


def attribute(state: bytes | None, spans: Spans, rows: Sequence[Row]) -> Spans:
    """The spans after rows of the journal.

    Args:
        state: of what came before them, or nothing.
        spans: of that state.
        rows: in the order of the journal, at most ``MOST_ROWS`` from first to last; their strokes are among them.

    Raises:
        EngineFailure: the engine raised, or does not say the same twice.
        ValueError: the rows are too many.
    """
    if not rows:
        return spans
    first_seq = rows[0].seq
    if rows[-1].seq - first_seq >= MOST_ROWS:
        raise ValueError(f"at most {MOST_ROWS} rows can be told apart")
    document = Document(state)
    fresh, _ = _each_once(document, rows)
    before = document.text
    if utf16_length(before) != spans.length:
        raise EngineFailure("the spans are of another text than the state")
    changes = document.watch()
    document.apply([marked(update, chr(_FIRST_MARK + (stroke or seq) - first_seq)) for seq, update, stroke in fresh])
    after, text = spans.changed(before, changes[0] if changes else (), lambda mark: ord(mark) - _FIRST_MARK + first_seq)
    if text != document.text:
        raise EngineFailure("the engine told of another change than it made")
    return after


def inserted_and_deleted(state: bytes | None, rows: Sequence[Row]) -> list[tuple[int, int]]:
    """About how many UTF-16 units each row inserted and deleted.

    Raises:
        EngineFailure: the engine raised.
    """
    document = Document(state)
    knowledge = Knowledge(document.state_vector())
    for client, start, end in read_update(document.encode_diff(document.encode_state_vector())).deletes:
        knowledge.deleted.add(client, start, end)
    counts = dict.fromkeys((row.seq for row in rows), (0, 0))
    for seq, update, _ in _each_once(document, rows)[0]:
        deleted = 0
        for client, start, end in read_update(update).deletes:
            if not knowledge.deleted.covers(client, start, end):
                deleted += end - start
                knowledge.deleted.add(client, start, end)
        counts[seq] = sum(units for _, _, units in _strings(update)), deleted
    return [counts[row.seq] for row in rows]


def marked(update: bytes, mark: str) -> bytes:
    """An update in which each UTF-16 unit of text is a mark, and nothing else is different.

    Args:
        update: bytes that the strict reader has accepted.
        mark: a character of one UTF-16 unit.
    """
    pieces: list[bytes] = []
    copied = 0
    for start, end, units in _strings(update):
        content = mark.encode() * units
        pieces += (update[copied:start], write_var_uint(len(content)), content)
        copied = end
    return b"".join([*pieces, update[copied:]])


def _each_once(document: Document, rows: Sequence[Row]) -> tuple[list[Row], tuple[int, ...]]:
    """The rows without what is known already, and the seqs of those that cannot be taken."""
    knowledge = Knowledge(document.state_vector())
    known = knowledge.state
    fresh: list[Row] = []
    left_out: list[int] = []
    for row in rows:
        seq, update, _ = row
        try:
            summary = read_update(update)
        except UpdateError:
            left_out.append(seq)
            continue
        if not knowledge.is_ready(summary):
            left_out.append(seq)
            continue
        fresh.append(row._replace(update=beyond(update, known)) if knowledge.repeats(summary) else row)
        for client, _, end in summary.writes:
            known[client] = max(end, known.get(client, 0))
    return fresh, tuple(left_out)


def _strings(update: bytes) -> list[tuple[int, int, int]]:
    """Where each string of the content stands, with its length before it, and its UTF-16 units."""
    keystroke = read_keystroke(update)
    if keystroke is not None:
        # One byte of length, the text, and one byte for no deletions.
        ((_, start, end),) = keystroke.writes
        return [(len(update) - keystroke.content_bytes - 2, len(update) - 1, end - start)]
    reader = _StringReader(update)
    reader.read(0)
    return reader.strings


class _StringReader(StructReader):
    """Keeps where strings stand."""

    __slots__ = ("strings",)

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.strings: list[tuple[int, int, int]] = []

    def _read_string(self, offset: int, client: int, clock: int) -> tuple[int, int]:
        units, end = super()._read_string(offset, client, clock)
        self.strings.append((offset, end, units))
        return units, end

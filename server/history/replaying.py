"""Rows of the journal replayed on a keyframe: pure, and run in a worker when there are many."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, NamedTuple

from crdt.attribution import Replayed, Row, attribute, inserted_and_deleted, replay_rows
from crdt.document import canonical_state
from crdt.errors import EngineFailure
from crdt.spans import Spans
from server.rebuild import rebuild

if TYPE_CHECKING:
    from collections.abc import Sequence

# A third of the bytes for a hundredth of the time that a replay takes.
_COMPRESSION = 1


class Base(NamedTuple):
    """What a replay begins from, compressed as a keyframe holds it."""

    state: bytes
    spans: bytes


class Made(NamedTuple):
    """What a keyframe is made of.

    `counts` are the units that each row inserted and deleted, `left_out` the seqs of rows that cannot be taken.
    """

    base: Base
    counts: list[tuple[int, int]]
    left_out: tuple[int, ...]


def text_after(base: Base | None, rows: Sequence[Row]) -> str:
    """Answers the text after rows. Raises EngineFailure."""
    return _replay(_state(base), rows)[0].text


def spans_after(base: Base | None, rows: Sequence[Row]) -> Spans:
    """Answers which row brought which part of the text after them. Raises EngineFailure."""
    state, spans = _state(base), _spans(base)
    try:
        return attribute(state, spans, rows)
    except EngineFailure:
        return attribute(state, spans, _replay(state, rows)[1])


def counts_after(base: Base | None, rows: Sequence[Row]) -> list[tuple[int, int]]:
    """Answers about how many UTF-16 units each row inserted and deleted. Raises EngineFailure."""
    return inserted_and_deleted(_state(base), rows)


def keyframe_after(base: Base | None, rows: Sequence[Row]) -> Made:
    """Answers what a keyframe after rows holds. Raises EngineFailure."""
    state, spans = _state(base), _spans(base)
    replayed, taken = _replay(state, rows)
    after = attribute(state, spans, taken)
    made = Base(
        zlib.compress(canonical_state(replayed.state), _COMPRESSION), zlib.compress(after.encode(), _COMPRESSION)
    )
    return Made(made, inserted_and_deleted(state, rows), replayed.left_out)


def _replay(state: bytes | None, rows: Sequence[Row]) -> tuple[Replayed, Sequence[Row]]:
    """Answers what rows come to, and those of them that the engine takes."""
    try:
        return replay_rows(state, rows), rows
    except EngineFailure:
        rejected = {rows[index].seq for index, _ in rebuild(state, [row.update for row in rows]).rejected}
        taken = [row for row in rows if row.seq not in rejected]
        replayed = replay_rows(state, taken)
        return replayed._replace(left_out=tuple(sorted(rejected | {*replayed.left_out}))), taken


def _state(base: Base | None) -> bytes | None:
    return zlib.decompress(base.state) if base is not None else None


def _spans(base: Base | None) -> Spans:
    return Spans.decode(zlib.decompress(base.spans)) if base is not None else Spans()

"""Every character is traced to the row of the journal that brought it."""

from collections.abc import Iterator, Sequence
from random import Random

import pytest

from crdt.attribution import MOST_ROWS, Row, attribute, inserted_and_deleted, marked, replay_rows
from crdt.diff import TextEdit
from crdt.document import Document, initial_state
from crdt.errors import EngineFailure
from crdt.offsets import codepoint_to_utf16, utf16_length, utf16_slice
from crdt.spans import Span, Spans
from crdt.update import read_update
from tests.crdt.yjs_oracle import LEVELS, Level, YjsOracle


@pytest.fixture(scope="module")
def yjs() -> Iterator[YjsOracle]:
    with YjsOracle() as oracle:
        yield oracle


def rows_of(updates: Sequence[bytes]) -> list[Row]:
    return [Row(seq, update) for seq, update in enumerate(updates, 1)]


def shown(rows: Sequence[Row], *, state: bytes | None = None, spans: Spans | None = None) -> list[tuple[str, int]]:
    """What stands in the text and who brought it, as (text, seq)."""
    after = attribute(state, spans or Spans(), rows)
    text = replay_rows(state, rows).text
    assert after.length == utf16_length(text)
    return [(utf16_slice(text, start, end), seq) for start, end, seq in after]


def typed(document: Document, start: int, end: int, text: str) -> bytes:
    return document.edit([TextEdit(start, end, text)])


def test_characters_belong_to_the_row_that_brought_them() -> None:
    document = Document(client_id=7)
    rows = rows_of([typed(document, 0, 0, "hello"), typed(document, 2, 2, "😀"), typed(document, 1, 3 + 1, "")])
    assert shown(rows[:2]) == [("he", 1), ("😀", 2), ("llo", 1)]
    assert shown(rows) == [("hllo", 1)]


def test_an_emoji_at_the_border_of_two_spans_stays_whole() -> None:
    document = Document(client_id=7)
    rows = rows_of([typed(document, 0, 0, "😀é漢"), typed(document, 2, 2, "😎"), typed(document, 0, 0, "👩‍👩‍👧")])
    assert shown(rows) == [("👩‍👩‍👧", 3), ("😀", 1), ("😎", 2), ("é漢", 1)]
    assert list(attribute(None, Spans(), rows)) == [Span(0, 8, 3), Span(8, 10, 1), Span(10, 12, 2), Span(12, 14, 1)]


def test_a_deletion_across_spans_leaves_what_is_around_it() -> None:
    document = Document(client_id=7)
    pieces = [typed(document, 0, 0, "abc"), typed(document, 3, 3, "😀ef"), typed(document, 7, 7, "ghi")]
    rows = rows_of([*pieces, typed(document, 2, 8, "")])
    assert shown(rows) == [("ab", 1), ("hi", 3)]
    half = replay_rows(None, rows[:2])
    assert shown(rows[2:], state=half.state, spans=attribute(None, Spans(), rows[:2])) == [("ab", 1), ("hi", 3)]


def test_what_is_brought_back_is_whose_who_brings_it_back() -> None:
    document = Document(client_id=7)
    rows = rows_of([typed(document, 0, 0, "kept gone"), typed(document, 4, 9, ""), typed(document, 4, 4, " gone")])
    assert shown(rows) == [("kept", 1), (" gone", 3)]


def test_a_row_is_laid_to_its_stroke() -> None:
    document = Document(client_id=7)
    first, second, third = (typed(document, place, place, text) for place, text in ((0, "a"), (1, "b"), (2, "c")))
    assert shown([Row(1, first, 2), Row(2, second, 2), Row(3, third)]) == [("ab", 2), ("c", 3)]


def test_what_a_row_repeats_stays_whose_it_was() -> None:
    document = Document(client_id=7)
    first = typed(document, 0, 0, "first")
    second = typed(document, 5, 5, " second")
    rows = rows_of([first, document.encode_state(), second])
    assert shown(rows) == [("first", 1), (" second", 2)]


def test_a_row_that_cannot_be_taken_is_left_out_and_named() -> None:
    document = Document(client_id=7)
    first, second, third = (typed(document, place, place, text) for place, text in ((0, "a"), (1, "b"), (2, "c")))
    rows = rows_of([first, second[:-1], third])
    assert replay_rows(None, rows).left_out == (2, 3)
    assert shown(rows) == [("a", 1)]


def test_no_rows_change_nothing() -> None:
    spans = Spans([(2, 1)])
    assert attribute(initial_state("ab", 7), spans, []) == spans


def test_spans_of_another_text_are_refused() -> None:
    document = Document(client_id=7)
    first, second = typed(document, 0, 0, "ab"), typed(document, 1, 1, "c")
    with pytest.raises(EngineFailure):
        attribute(first, Spans([(3, 1)]), [Row(2, second)])


def test_more_rows_than_there_are_marks_are_refused() -> None:
    with pytest.raises(ValueError, match="told apart"):
        attribute(None, Spans(), [Row(1, b"\0\0"), Row(MOST_ROWS + 1, b"\0\0")])


def test_the_last_mark_is_one_unit_too() -> None:
    document = Document(client_id=7)
    rows = [Row(1, typed(document, 0, 0, "a")), Row(MOST_ROWS, typed(document, 1, 1, "😀"))]
    assert shown(rows) == [("a", 1), ("😀", MOST_ROWS)]


def test_marks_stand_in_the_place_of_text_and_nothing_else_changes() -> None:
    update = initial_state("a😀 and a long text, " * 20, 7)
    changed = marked(update, "\u0800")
    assert read_update(changed).writes == read_update(update).writes
    assert Document(changed).text == "\u0800" * utf16_length(Document(update).text)


def test_rows_are_counted() -> None:
    document = Document(client_id=7)
    rows = rows_of([typed(document, 0, 0, "a😀c"), typed(document, 0, 1, ""), typed(document, 0, 2, "xyz")])
    assert inserted_and_deleted(None, rows) == [(4, 0), (0, 1), (3, 2)]
    assert inserted_and_deleted(rows[0].update, rows[1:]) == [(0, 1), (3, 2)]


def test_spans_survive_being_written_down() -> None:
    spans = Spans([(2, 1), (300, 70_000), (1, 0), (4, 1)])
    assert Spans.decode(spans.encode()) == spans
    assert Spans.decode(Spans().encode()) == Spans()


@pytest.mark.parametrize("pieces", [[(0, 1)], [(1, 1), (2, 1)]])
def test_spans_that_nobody_writes_are_refused(pieces: list[tuple[int, int]]) -> None:
    spans = Spans()
    spans._pieces = pieces  # noqa: SLF001 - there is no other way to write them
    with pytest.raises(ValueError, match="spans are"):
        Spans.decode(spans.encode())


def test_bytes_that_are_no_spans_are_refused(rng: Random) -> None:
    data = Spans([(2, 1), (300, 70_000)]).encode()
    for length in range(len(data)):
        with pytest.raises(ValueError, match="column"):
            Spans.decode(data[:length])
    with pytest.raises(ValueError, match="last column"):
        Spans.decode(data + b"\0")
    for _ in range(200):
        damaged = bytearray(data)
        damaged[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        try:
            Spans.decode(bytes(damaged))
        except (ValueError, OverflowError):
            continue


class Oracle:
    """Replicas that each insert characters of their own alphabet only, so that a text says who wrote it."""

    def __init__(self, random: Random, people: int) -> None:
        self._random = random
        self._replicas = [Document(client_id=random.randrange(1, 2**32)) for _ in range(people)]
        self._heard = [0] * people
        self.updates: list[bytes] = []
        self.authors: list[int] = []

    def step(self) -> None:
        """Somebody edits who has not heard of everything."""
        who = self._random.randrange(len(self._replicas))
        replica = self._replicas[who]
        upto = self._random.randint(self._heard[who], len(self.updates))
        replica.apply(self.updates[self._heard[who] : upto])
        self._heard[who] = upto
        place = self._random.randint(0, len(replica.text))
        length = self._random.choice([0, 0, 0, 1, 3, 8])
        inserted = "".join(self._random.choices(alphabet(who), k=self._random.choice([0, 1, 1, 2, 5])))
        start, end = (codepoint_to_utf16(replica.text, min(len(replica.text), place + far)) for far in (0, length))
        update = typed(replica, start, end, inserted)
        if self._random.random() < 0.1:
            # As a step 2 does: everything this replica has, of itself and of others.
            update = replica.encode_state()
        if len(update) > 2:
            self.updates.append(update)
            self.authors.append(who)


def alphabet(who: int) -> list[str]:
    """Characters of one, two, three and four bytes that nobody else writes."""
    return [chr(first + who * 4 + more) for first in (0x41, 0xC0, 0x4E00, 0x1F600) for more in range(4)]


@pytest.mark.parametrize("case", range(8))
def test_no_character_is_laid_at_anothers_door(case: int, rng: Random) -> None:
    oracle = Oracle(rng, people=2 + case % 4)
    while len(oracle.updates) < 300:
        oracle.step()
    rows = rows_of(oracle.updates)
    state, spans = None, Spans()
    while rows:
        taken = rng.randint(1, 80)
        batch, rows = rows[:taken], rows[taken:]
        spans = attribute(state, spans, batch)
        replayed = replay_rows(state, batch)
        state = replayed.state
        assert spans.length == utf16_length(replayed.text)
        for start, end, seq in spans:
            strangers = set(utf16_slice(replayed.text, start, end)) - set(alphabet(oracle.authors[seq - 1]))
            assert not strangers, f"{strangers} are not by the author of row {seq}"
    assert Document(state).text == Document(replay_rows(None, rows_of(oracle.updates)).state).text


@pytest.mark.parametrize("level", LEVELS)
def test_rows_taken_at_once_come_to_what_rows_one_by_one_come_to(yjs: YjsOracle, rng: Random, level: Level) -> None:
    for _ in range(15):
        rows = rows_of(yjs.session(rng, level, steps=80).updates)
        state, spans = None, Spans()
        for row in rows:
            spans = attribute(state, spans, [row])
            state = replay_rows(state, [row]).state
        assert attribute(None, Spans(), rows) == spans
        assert spans.length == utf16_length(Document(state).text)

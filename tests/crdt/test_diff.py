from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.alignment import Steps, differing_spans
from crdt.diff import TextEdit, apply_edits, minimal_edits, normalize_newlines
from crdt.errors import OffsetError
from crdt.offsets import codepoint_to_utf16, utf16_length
from tests.crdt.sessions import random_edit

TEXTS = st.text(st.sampled_from("ab \n é漢字😀👩\u200d"), max_size=60)
LINES = st.lists(st.sampled_from(["one two three\n", "a\n", "\n", "é 😀 漢字\n", "  {{name}}\n", "last"]), max_size=12)


@given(TEXTS, TEXTS)
def test_edits_lead_from_one_text_to_the_other(before: str, after: str) -> None:
    assert apply_edits(before, minimal_edits(before, after)) == after


@given(LINES, LINES)
def test_edits_lead_from_some_lines_to_others(before: list[str], after: list[str]) -> None:
    assert apply_edits("".join(before), minimal_edits("".join(before), "".join(after))) == "".join(after)


@given(TEXTS, TEXTS)
def test_edits_stand_in_order_and_apart_and_split_no_surrogate_pair(before: str, after: str) -> None:
    edits = minimal_edits(before, after)
    places = {codepoint_to_utf16(before, place) for place in range(len(before) + 1)}
    assert all(first.end < second.start for first, second in pairwise(edits))
    assert all({edit.start, edit.end} <= places for edit in edits)
    assert all(edit.text or edit.end > edit.start for edit in edits)
    assert all(utf16_length(edit.text) >= 0 for edit in edits)


@given(TEXTS)
def test_nothing_leads_from_a_text_to_itself(text: str) -> None:
    assert minimal_edits(text, text) == []


@pytest.mark.parametrize(
    ("before", "after", "edits"),
    [
        ("", "new", [TextEdit(0, 0, "new")]),
        ("old", "", [TextEdit(0, 3, "")]),
        ("one two three", "one 2 three", [TextEdit(4, 7, "2")]),
        ("the cat sat\nhere\n", "the cut sat\nhere now\n", [TextEdit(5, 6, "u"), TextEdit(16, 16, " now")]),
        ("a😀b", "a😁b", [TextEdit(1, 3, "😁")]),
        ("漢字仮名交じり文", "漢字かな交じり", [TextEdit(2, 4, "かな"), TextEdit(7, 8, "")]),
        ("1\n2\n3\n4\n", "1\n3\n4\n5\n", [TextEdit(2, 4, ""), TextEdit(8, 8, "5\n")]),
    ],
)
def test_edits_touch_only_what_differs(before: str, after: str, edits: list[TextEdit]) -> None:
    assert minimal_edits(before, after) == edits


def test_a_few_changes_in_a_long_text_stay_a_few_small_edits(rng: Random) -> None:
    words = ["".join(rng.choices("abcdefghij", k=rng.randint(1, 8))) for _ in range(500)]
    before = "\n".join(" ".join(rng.choices(words, k=10)) for _ in range(4_500))
    after = before
    for _ in range(50):
        after = apply_edits(after, [random_edit(rng, after)])
    edits = minimal_edits(before, after)
    assert apply_edits(before, edits) == after
    assert len(edits) <= 60
    assert sum(len(edit.text) + edit.end - edit.start for edit in edits) <= 2_000


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\n" * 50_000, "a\na\nb\n" * 16_000),
        ("ab" * 50_000, "ba" * 50_000),
        ("漢字" * 50_000, "字漢漢" * 33_000),
        ("x " * 50_000, "y x " * 25_000),
    ],
)
def test_hard_texts_are_replaced_instead_of_searched_for_ever(before: str, after: str) -> None:
    assert apply_edits(before, minimal_edits(before, after)) == after


def test_a_search_ends_when_its_steps_are_used_up(rng: Random) -> None:
    before, after = (rng.choices("abc", k=2_000) for _ in range(2))
    steps = Steps(1_000)
    [span] = differing_spans(before, after, steps)
    assert steps.left <= 0
    # One round of the search may go beyond the bound, never more.
    assert steps.left > -10_000
    assert after[span.after_start : span.after_end]


def test_lines_that_changed_places_keep_the_longest_chain() -> None:
    before = [f"{number}\n" for number in range(10)]
    after = [*before[7:], *before[:7]]
    assert minimal_edits("".join(before), "".join(after)) == [
        TextEdit(0, 0, "7\n8\n9\n"),
        TextEdit(14, 20, ""),
    ]


@pytest.mark.parametrize(
    ("text", "normal"), [("a\r\nb", "a\nb"), ("a\rb", "a\nb"), ("a\r\r\nb", "a\n\nb"), ("a\nb", "a\nb"), ("", "")]
)
def test_every_line_ends_in_a_newline(text: str, normal: str) -> None:
    assert normalize_newlines(text) == normal


def test_edits_speak_of_the_original_text_in_any_order() -> None:
    edits = [TextEdit(4, 5, "!"), TextEdit(0, 0, "x"), TextEdit(0, 0, "y"), TextEdit(1, 3, "")]
    assert apply_edits("a😀bc", edits) == "xyab!"


@pytest.mark.parametrize(
    "edits",
    [
        [TextEdit(0, 3, ""), TextEdit(2, 4, "")],
        [TextEdit(3, 2, "")],
        [TextEdit(0, 9, "")],
        [TextEdit(-1, 0, "")],
        [TextEdit(2, 2, "x")],
        [TextEdit(0, 0, "\ud83d")],
    ],
)
def test_edits_that_make_no_sense_are_refused(edits: list[TextEdit]) -> None:
    with pytest.raises(OffsetError):
        apply_edits("a😀bc", edits)


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(OffsetError):
        minimal_edits("", "\ud83d")
    with pytest.raises(OffsetError):
        minimal_edits("\ud83d", "")

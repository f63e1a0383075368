"""Where edits belong in a text, over arbitrary texts."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from crdt.diff import apply_edits, normalize_newlines
from server.api.placement import FindEdit, OffsetEdit, place_edits
from server.errors import EditConflict

texts = st.text(st.sampled_from("ab\n😀é"), max_size=20)


@given(text=texts, find=st.text(st.sampled_from("ab😀"), min_size=1, max_size=3), replace=texts)
def test_a_text_that_is_there_once_is_replaced_and_any_other_is_refused(text: str, find: str, replace: str) -> None:
    places = [at for at in range(len(text)) if text.startswith(find, at)]
    edits = [FindEdit(find=find, replace=replace)]
    if len(places) == 1:
        assert apply_edits(text, place_edits(text, edits)) == text.replace(find, replace)
        return
    with pytest.raises(EditConflict) as refused:
        place_edits(text, edits)
    assert bool(refused.value.details["found"]) == bool(places)


@given(text=texts, cut=st.tuples(st.integers(0, 20), st.integers(0, 20)), insert=st.text(st.sampled_from("x\r\n")))
def test_a_range_of_code_points_is_the_same_range_in_utf_16(text: str, cut: tuple[int, int], insert: str) -> None:
    start, end = sorted(cut)
    assume(end <= len(text))
    units = [len(text[:place].encode("utf-16-le")) // 2 for place in (start, end)]
    placed = place_edits(text, [OffsetEdit(start=units[0], end=units[1], text=insert)])
    assert apply_edits(text, placed) == text[:start] + normalize_newlines(insert) + text[end:]


def test_one_occurrence_that_overlaps_another_does_not_say_where() -> None:
    with pytest.raises(EditConflict) as refused:
        place_edits("aaa", [FindEdit(find="aa", replace="b")])
    assert refused.value.details["found"] == 2

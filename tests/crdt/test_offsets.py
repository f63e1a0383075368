import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import OffsetError
from crdt.offsets import (
    codepoint_to_utf16,
    utf8_length,
    utf8_to_utf16,
    utf16_length,
    utf16_slice,
    utf16_split,
    utf16_to_codepoint,
    utf16_to_utf8,
)

TEXTS = st.text(st.sampled_from("ab\n éß漢字😀👩\u200d\U0010ffff"), max_size=40)


@given(TEXTS)
def test_every_place_between_characters_has_one_offset_in_each_unit(text: str) -> None:
    for place in range(len(text) + 1):
        before = text[:place]
        utf16 = len(before.encode("utf-16-le")) // 2
        utf8 = len(before.encode())
        assert codepoint_to_utf16(text, place) == utf16
        assert utf16_to_codepoint(text, utf16) == place
        assert utf16_to_utf8(text, utf16) == utf8
        assert utf8_to_utf16(text, utf8) == utf16


@given(TEXTS)
def test_lengths_are_those_of_the_encodings(text: str) -> None:
    assert utf16_length(text) == len(text.encode("utf-16-le")) // 2
    assert utf8_length(text) == len(text.encode())


@given(TEXTS, st.data())
def test_a_text_is_cut_at_places_and_joined_again(text: str, data: st.DataObject) -> None:
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    pieces = utf16_split(text, [codepoint_to_utf16(text, place) for place in places])
    assert len(pieces) == len(places) + 1
    assert "".join(pieces) == text
    assert [len("".join(pieces[: index + 1])) for index in range(len(places))] == places


def test_a_slice_is_what_javascript_slices() -> None:
    assert utf16_slice("a😀b", 1, 3) == "😀"
    assert utf16_slice("abc", 1, 3) == "bc"


@pytest.mark.parametrize("offset", [-1, 5])
@pytest.mark.parametrize("text", ["a😀b", "abcd"])
def test_outside_the_text_is_no_place(text: str, offset: int) -> None:
    for convert in (utf16_to_codepoint, utf16_to_utf8):
        with pytest.raises(OffsetError) as raised:
            convert(text, offset)
        assert raised.value.code == "offset_invalid"


def test_outside_the_text_is_no_place_in_other_units() -> None:
    with pytest.raises(OffsetError):
        codepoint_to_utf16("abc", 4)
    with pytest.raises(OffsetError):
        utf8_to_utf16("é", 3)


def test_inside_a_surrogate_pair_is_no_place() -> None:
    with pytest.raises(OffsetError, match="surrogate pair"):
        utf16_to_codepoint("a😀b", 2)
    with pytest.raises(OffsetError, match="surrogate pair"):
        utf16_split("😀", [1, 1])
    with pytest.raises(OffsetError, match="inside a character"):
        utf8_to_utf16("a😀b", 2)


def test_offsets_out_of_order_are_refused() -> None:
    with pytest.raises(OffsetError):
        utf16_split("abc", [2, 1])


@pytest.mark.parametrize("text", ["\ud83d", "a\ude00", "é\ud83db"])
def test_a_lone_surrogate_is_no_text(text: str) -> None:
    for convert in (utf16_length, utf8_length):
        with pytest.raises(OffsetError) as raised:
            convert(text)
        assert raised.value.code == "text_invalid"
    with pytest.raises(OffsetError):
        utf16_split(text, [0])

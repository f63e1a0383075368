"""The strict reader: what an update says, and each rule that it can break."""

import pickle
from contextlib import suppress
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import UpdateError
from crdt.keystroke import read_keystroke
from crdt.ranges import ClockRange
from crdt.summary import PLAIN, Place, UpdateSummary
from crdt.update import read_any_update, read_update
from tests.crdt.hand_made import (
    ARRAY_TYPE,
    BINARY,
    DOCUMENT,
    EMBED,
    JSON,
    MAP_TYPE,
    TEXT_TYPE,
    XML_TYPE,
    deleted,
    deletions,
    embedded,
    formatting,
    gc,
    number,
    place,
    section,
    skip,
    string,
    update,
    values,
)
from tests.crdt.sessions import honest_session

MAX_CLOCK = 2**31 - 1
MANY = 8_000_000


def refusal(data: bytes) -> str:
    with pytest.raises(UpdateError) as caught:
        read_update(data)
    return caught.value.code


# --- what it answers


def test_typing_behind_a_neighbour() -> None:
    summary = read_update(update(section(7, 5, string("é!", left=(7, 4), right=(9, 2)))))

    assert summary.writes == (ClockRange(7, 5, 7),)
    assert summary.depends_on == {9: 3}
    assert summary.places == (Place(7, 5, 7, (7, 4), (9, 2)),)
    assert summary.content_bytes == 3
    assert summary.deletes == ()
    assert not summary.has_gap
    assert not summary.is_empty
    assert summary.structure is PLAIN


def test_the_first_text_names_what_it_stands_in() -> None:
    summary = read_update(update(section(7, 0, string("a😀"))))

    assert summary.writes == (ClockRange(7, 0, 3),)
    assert summary.structure.homes == {(7, 0): ("content", None)}
    assert summary.structure.roots == {"content"}
    assert summary.structure.is_text
    assert {client: list(clocks) for client, clocks in summary.structure.middles.items()} == {7: [2]}


def test_deletions() -> None:
    summary = read_update(update(deletes=(deletions(9, (1, 2), (5, 1)), deletions(3, (0, 1)))))

    assert summary.deletes == (ClockRange(9, 1, 3), ClockRange(9, 5, 6), ClockRange(3, 0, 1))
    assert summary.writes == ()
    assert summary.depends_on == {}


@pytest.mark.parametrize("data", [b"\x00\x00", b"\x00\x80\x00"])
def test_nothing(data: bytes) -> None:
    assert read_update(data).is_empty


def test_a_gap_splits_what_is_written() -> None:
    summary = read_update(update(section(7, 2, string("ab", left=(7, 1)), skip(3), gc(2))))

    assert summary.writes == (ClockRange(7, 2, 4), ClockRange(7, 7, 9))
    assert summary.has_gap


def test_a_gap_at_either_end_writes_nothing() -> None:
    assert read_update(update(section(7, 2, skip(3), gc(1), skip(1)))).writes == (ClockRange(7, 5, 6),)
    assert read_update(update(section(7, 2, skip(3)))).writes == ()


def test_other_clients_are_needed_up_to_what_is_referred_to() -> None:
    summary = read_update(
        update(
            section(7, 0, string("a", left=(3, 9)), string("b", left=(3, 4), right=(5, 1))),
            section(6, 0, embedded(parent=(4, 2))),
        )
    )

    assert summary.depends_on == {3: 10, 5: 2, 4: 3}
    assert summary.structure.parents == {(4, 2)}


def test_what_an_update_brings_itself_it_does_not_need() -> None:
    summary = read_update(
        update(
            section(9, 4, string("ab", left=(5, 1)), string("c", left=(5, 12))),
            section(5, 0, string("xyz", left=(8, 0)), string("x", left=(9, 4), right=(9, 3))),
        )
    )

    # Of client 5 the update brings four; what is behind it is needed from elsewhere.
    assert summary.depends_on == {5: 13, 8: 1}


def test_everything_that_is_read_but_not_kept() -> None:
    kinds = [b"\x7f", b"\x7e", b"\x78", b"\x79", b"\x7d\x05", b"\x7d\xc5\x07", b"\x7c" + bytes(4), b"\x7b" + bytes(8)]
    kinds += [
        b"\x7a" + bytes(8),
        b"\x77\x02\xc3\xa9",
        b"\x74\x01\xff",
        b"\x75\x02\x7e\x75\x00",
        b"\x76\x01\x01k\x76\x00",
    ]
    summary = read_update(
        update(
            section(
                7,
                0,
                values(*kinds),
                values(*kinds, key="k"),
                formatting('{"a": [1, -2.5e3, "\\ud83d\\ude00", null, true]}'),
                embedded(TEXT_TYPE),
                embedded(MAP_TYPE),
                embedded(ARRAY_TYPE),
                deleted(4),
                gc(1),
            )
        )
    )

    assert summary.writes == (ClockRange(7, 0, 2 * len(kinds) + 9),)
    assert summary.content_bytes == 0
    assert not summary.structure.is_text
    assert summary.structure.types == {(7, 2 * len(kinds) + clock) for clock in (1, 2, 3)}
    assert summary.structure.homes[7, len(kinds)] == ("content", "k")


def test_a_summary_goes_from_process_to_process() -> None:
    for data in honest_session(Random(1)).updates:
        summary = read_update(data)
        copy: UpdateSummary = pickle.loads(pickle.dumps(summary))  # noqa: S301 our own bytes
        assert copy == summary


# --- the short way


def test_the_short_way_answers_the_same(rng: Random) -> None:
    short = 0
    for _ in range(20):
        for data in honest_session(rng).updates:
            keystroke = read_keystroke(data)
            if keystroke is not None:
                short += 1
                assert keystroke == read_any_update(data)
    assert short


@given(st.data())
def test_the_short_way_takes_nothing_that_the_long_one_refuses(data: st.DataObject) -> None:
    keystroke = bytearray(update(section(300, 200, string("éa", left=(300, 199), right=(70_000, 3)))))
    for _ in range(data.draw(st.integers(1, 3))):
        keystroke[data.draw(st.integers(0, len(keystroke) - 1))] = data.draw(st.integers(0, 255))
    short = read_keystroke(bytes(keystroke))

    assert short is None or short == read_any_update(bytes(keystroke))


@pytest.mark.parametrize(
    "struct",
    [
        string("", left=(7, 4)),
        string("a" * 128, left=(7, 4)),
        string("😀", left=(7, 4)),
        string(b"\xff", left=(7, 4)),
        string("a", left=(7, 5)),
        string("a", left=(7, 4), right=(7, 5)),
        string("a", left=(7, 4), right=(8, MAX_CLOCK)),
        string("a", right=(7, 4)),
    ],
)
def test_the_short_way_leaves_to_the_long_one_what_is_unusual(struct: bytes) -> None:
    assert read_keystroke(update(section(7, 5, struct))) is None


# --- what it refuses


def test_truncation_at_every_byte() -> None:
    for data in honest_session(Random(2)).updates[:40]:
        for length in range(len(data)):
            with pytest.raises(UpdateError):
                read_update(data[:length])


EVERYTHING = update(
    section(
        7,
        0,
        string("é😀"),
        formatting("true", left=(7, 2)),
        values(b"\x77\x01a", b"\x76\x01\x01k\x75\x01\x7d\x80\x01", b"\x7b" + bytes(8), b"\x74\x02ab", key="k"),
        embedded(left=(7, 0)),
        skip(300),
        gc(200),
        deleted(200, left=(3, 2), right=(4, 5)),
    ),
    section(5, 300, string("x", parent=(7, 8))),
    deletes=(deletions(9, (1, 2), (500, 1)), deletions(3, (0, 1))),
)


def test_truncation_at_every_byte_of_everything() -> None:
    assert read_update(EVERYTHING).has_gap
    for length in range(len(EVERYTHING)):
        with pytest.raises(UpdateError):
            read_update(EVERYTHING[:length])


def test_bytes_behind_the_end() -> None:
    assert refusal(EVERYTHING + b"\x00") == "update_trailing_bytes"
    assert refusal(b"\x00\x00\x00") == "update_trailing_bytes"


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("update_empty_struct", update(section(7, 0))),
        ("update_empty_struct", update(section(7, 0, gc(0)))),
        ("update_empty_struct", update(section(7, 0, skip(0)))),
        ("update_empty_struct", update(section(7, 0, deleted(0)))),
        ("update_empty_struct", update(section(7, 0, string("")))),
        ("update_empty_struct", update(section(7, 0, values()))),
        ("update_empty_range", update(deletes=(deletions(7),))),
        ("update_empty_range", update(deletes=(deletions(7, (3, 0)),))),
        ("update_range_order", update(deletes=(deletions(7, (3, 2), (4, 1)),))),
        ("update_range_order", update(deletes=(deletions(7, (3, 2), (1, 1)),))),
        ("update_client_repeated", update(section(7, 0, gc(1)), section(7, 1, gc(1)))),
        ("update_client_repeated", update(deletes=(deletions(7, (0, 1)), deletions(7, (2, 1))))),
        ("update_clock_oversize", update(section(7, MAX_CLOCK, gc(1)))),
        ("update_clock_oversize", update(section(7, 0, gc(MAX_CLOCK), gc(1)))),
        ("update_clock_oversize", update(section(7, 0, skip(MAX_CLOCK + 1)))),
        ("update_clock_oversize", update(section(7, 0, string("a", left=(3, MAX_CLOCK))))),
        ("update_clock_oversize", update(section(7, 0, string("a", parent=(3, MAX_CLOCK))))),
        ("update_clock_oversize", update(deletes=(deletions(7, (MAX_CLOCK, 1)),))),
        ("update_clock_oversize", update(deletes=(deletions(7, (0, MAX_CLOCK + 1)),))),
        ("update_own_future", update(section(7, 3, string("a", left=(7, 3))))),
        ("update_own_future", update(section(7, 3, string("ab", right=(7, 4))))),
        ("update_own_future", update(section(7, 3, string("a", parent=(7, 9))))),
        (
            "update_circular",
            update(section(7, 0, gc(1), string("a", left=(3, 0))), section(3, 0, string("a", left=(7, 1)))),
        ),
        ("update_parent_invalid", update(section(7, 0, string("a"), string("b", parent=(7, 0))))),
        ("update_parent_invalid", update(section(7, 0, string("b", parent=(3, 1))), section(3, 0, string("ab")))),
        ("update_content_unsupported", update(section(7, 0, place(JSON) + b"\x01\x011"))),
        ("update_content_unsupported", update(section(7, 0, place(BINARY) + b"\x01a"))),
        ("update_content_unsupported", update(section(7, 0, place(EMBED) + b"\x04null"))),
        ("update_content_unsupported", update(section(7, 0, place(DOCUMENT) + b"\x01a\x7e"))),
        ("update_content_unsupported", update(section(7, 0, place(11) + b"\x00"))),
        ("update_content_unsupported", update(section(7, 0, place(31) + b"\x00"))),
        # A gap or what was collected, with neighbours: Yjs reads the length, the engine a struct.
        ("update_content_unsupported", update(section(7, 0, b"\x80" + number(3) + number(0) + number(1)))),
        ("update_content_unsupported", update(section(7, 0, b"\x8a" + number(3) + number(0) + number(1)))),
        ("update_content_unsupported", update(section(7, 0, embedded(XML_TYPE)))),
        ("update_content_unsupported", update(section(7, 0, embedded(7)))),
        ("update_content_unsupported", update(section(7, 0, values(b"\x73")))),
        ("update_content_unsupported", update(section(7, 0, values(b"\x80")))),
        ("update_malformed", update(section(7, 0, b"\x04\x02\x00\x01a"))),
        ("update_text_invalid", update(section(7, 0, string(b"\xff")))),
        ("update_text_invalid", update(section(7, 0, string(b"\xed\xa0\xbd")))),
        ("update_text_invalid", update(section(7, 0, place(4).replace(b"content", b"conten\xff") + b"\x01a"))),
        ("update_text_invalid", update(section(7, 0, values(b"\x77\x01\xff")))),
        ("update_text_invalid", update(section(7, 0, values(b"\x76\x01\x01\xff\x7e")))),
        ("update_pair_split", update(section(7, 0, string("😀"), string("a", left=(7, 0))))),
        ("update_pair_split", update(section(7, 0, string("a😀"), string("a", right=(7, 2))))),
        ("update_pair_split", update(section(7, 0, string("😀")), deletes=(deletions(7, (1, 1)),))),
        ("update_pair_split", update(section(7, 0, string("😀")), deletes=(deletions(7, (0, 1)),))),
    ],
)
def test_each_rule(code: str, data: bytes) -> None:
    assert refusal(data) == code


@pytest.mark.parametrize(
    "value",
    [
        *("", "nul", "NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 400, "9" * 5000, "01"),
        *("[1,]", "1 2", "'a'", "\ufeff1", '"\n"', '"\\ud83d"', '{"\\udc00": 1}'),
    ],
)
def test_json_that_is_not_read_alike_everywhere(value: str) -> None:
    assert refusal(update(section(7, 0, formatting(value)))) == "update_json_invalid"


@pytest.mark.parametrize("value", ['"[[[[[["', "1", " 1 ", "null", '{"a":{"b":[]}}', '"\\ud83d\\ude00"', "1e308", "-0"])
def test_json_that_is(value: str) -> None:
    assert read_update(update(section(7, 0, formatting(value)))).writes


def test_values_and_json_are_at_most_32_deep() -> None:
    def nested(depth: int) -> tuple[bytes, bytes]:
        return b"\x75\x01" * depth + b"\x7e", ("[" * depth + "]" * depth).encode()

    value, json = nested(32)
    assert read_update(update(section(7, 0, values(value), formatting(json.decode())))).writes
    for depth in (33, 1_000, 100_000):
        value, json = nested(depth)
        assert refusal(update(section(7, 0, values(value)))) == "update_nested_too_deep"
        assert refusal(update(section(7, 0, formatting(json.decode())))) == "update_nested_too_deep"
    wide = '{"a":[' + ",".join(["[]"] * 1_000) + "]}"
    assert read_update(update(section(7, 0, formatting(wide)))).writes


@pytest.mark.parametrize(
    "lead",
    [
        b"",
        b"\x01",
        b"\x01\x01",
        b"\x01\x01\x07",
        b"\x01\x01\x07\x00\x00",
        b"\x01\x01\x07\x00\x84",
        b"\x01\x01\x07\x00\x84\x03",
        b"\x01\x01\x07\x00\x04\x01",
        b"\x01\x01\x07\x00\x88\x03\x00\x01\x7d",
        b"\x00",
        b"\x00\x01",
        b"\x00\x01\x07\x01",
        b"\x00\x01\x07\x01\x00",
    ],
)
def test_endless_numbers_are_refused_at_once(lead: bytes) -> None:
    assert refusal(lead + b"\xff" * MANY) == "update_varint_oversize"


@pytest.mark.parametrize(
    "data",
    [
        number(2**29) + b"\x00",
        number(2**29) + bytes(MANY),
        b"\x01" + number(2**29) + b"\x07\x00" + b"\x00\x01",
        b"\x01\x01\x07\x00" + place(8) + number(2**29) + b"\x7e",
        b"\x01\x01\x07\x00" + place(8) + b"\x01\x75" + number(2**29) + b"\x7e",
        b"\x01\x01\x07\x00" + place(8) + b"\x01\x76" + number(2**29) + b"\x7e",
        b"\x00" + number(2**29) + b"\x07",
        b"\x00\x01\x07" + number(2**29) + b"\x01\x01",
    ],
)
def test_no_count_exceeds_what_is_left(data: bytes) -> None:
    assert refusal(data) == "update_count_oversize"


def test_integers_have_53_bits() -> None:
    assert read_update(update(section(7, 0, values(b"\x7d\xbf\xff\xff\xff\xff\xff\xff\x1f")))).writes
    for integer in (b"\xff" * 9 + b"\x01", b"\xbf" + b"\xff" * 6 + b"\x3f"):
        assert refusal(update(section(7, 0, values(b"\x7d" + integer)))) == "update_varint_oversize"


def test_a_client_has_53_bits() -> None:
    assert read_update(update(section(2**53 - 1, 0, gc(1)))).writes == (ClockRange(2**53 - 1, 0, 1),)
    assert refusal(b"\x01\x01" + b"\xff" * 7 + b"\x10" + b"\x00" + gc(1) + b"\x00") == "update_varint_oversize"


@given(st.binary(max_size=200))
def test_any_bytes_are_an_update_or_our_error(data: bytes) -> None:
    with suppress(UpdateError):
        read_update(data)

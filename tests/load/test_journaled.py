"""That every key stands in the journal once can be told from its rows."""

from load.journaled import Journaled
from load.keystrokes import Typist, typed


def pressed(client: int, count: int) -> list[bytes]:
    typist = Typist(client)
    return [typist.press(b"x") for _ in range(count)]


def test_a_row_for_every_key() -> None:
    found = Journaled.of([*pressed(1, 3), *pressed(2, 2)])
    assert (found.rows, found.edits, found.repeated) == (5, 5, 0)
    assert found.figures() == {"rows_per_edit": 1.0}
    assert found.problems() == []


def test_keys_that_were_joined_are_one_row() -> None:
    found = Journaled.of([typed(1, b"abcd"), typed(1, b"abcdef", 4)])
    assert (found.rows, found.edits, found.repeated) == (2, 6, 0)


def test_a_key_that_stands_there_twice_is_noticed() -> None:
    first, second, third = pressed(1, 3)
    found = Journaled.of([first, second, second, third, first])
    assert (found.rows, found.edits, found.repeated) == (5, 3, 2)
    assert found.problems() == ["2 keys stand in the journal more than once"]


def test_what_overlaps_counts_only_where_it_does() -> None:
    found = Journaled.of([typed(1, b"abcd"), typed(1, b"abcdef", 2)])
    assert (found.edits, found.repeated) == (6, 2)


def test_a_row_that_writes_nothing_is_none() -> None:
    found = Journaled.of([b"\x00\x00"])
    assert (found.rows, found.edits, found.figures()) == (0, 0, {})

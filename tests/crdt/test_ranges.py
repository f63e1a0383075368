from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.ranges import ClockRange, RangeSet

ranges = st.builds(
    lambda client, start, length: ClockRange(client, start, start + length),
    st.integers(1, 3),
    st.integers(0, 30),
    st.integers(1, 8),
)


def clocks(some: list[ClockRange]) -> set[tuple[int, int]]:
    return {(client, clock) for client, start, end in some for clock in range(start, end)}


@given(st.lists(ranges, max_size=20), ranges)
def test_is_a_set_of_clocks(added: list[ClockRange], asked: ClockRange) -> None:
    held = RangeSet(added)

    assert clocks(list(held)) == clocks(added)
    assert held.covers(*asked) == (clocks([asked]) <= clocks(added))


@given(st.lists(ranges, max_size=20))
def test_ranges_are_sorted_apart_and_counted(added: list[ClockRange]) -> None:
    held = list(RangeSet(added))

    assert held == sorted(held)
    assert len(held) == len(RangeSet(added))
    for before, after in pairwise(held):
        assert before.client < after.client or before.end < after.start


@given(st.lists(ranges, max_size=20).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))))
def test_the_order_of_adding_does_not_matter(orders: tuple[list[ClockRange], list[ClockRange]]) -> None:
    one, other = orders

    assert RangeSet(one) == RangeSet(other)


@given(st.lists(ranges, max_size=10), ranges)
def test_a_copy_goes_its_own_way(added: list[ClockRange], later: ClockRange) -> None:
    held = RangeSet(added)
    before = list(held)
    held.copy().add(*later)

    assert list(held) == before


def test_what_is_typed_extends_one_range() -> None:
    held = RangeSet()
    for clock in range(1000):
        held.add(7, clock, clock + 1)

    assert list(held) == [ClockRange(7, 0, 1000)]


@pytest.mark.parametrize(("start", "end"), [(3, 3), (4, 3)])
def test_nothing_is_no_range(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="not a range"):
        RangeSet().add(1, start, end)
    assert RangeSet().covers(1, start, end)


def test_is_no_key_and_equals_only_its_kind() -> None:
    with pytest.raises(TypeError):
        hash(RangeSet())
    assert RangeSet() != []
    assert repr(RangeSet([ClockRange(1, 2, 3)])) == "RangeSet([ClockRange(client=1, start=2, end=3)])"

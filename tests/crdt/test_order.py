from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import UpdateError
from crdt.order import Section, Wait, applicable_order

CLIENTS = 4
LENGTH = 6

waits = st.lists(st.tuples(st.integers(0, LENGTH - 1), st.integers(1, CLIENTS), st.integers(1, LENGTH + 2)), max_size=5)


def is_circular(sections: dict[int, Section]) -> bool:
    """Try every client in turn until nobody gets any further."""
    reached = {client: section.start for client, section in sections.items()}
    moved = True
    while moved:
        moved = False
        for client, section in sections.items():
            clock = reached[client]
            blocked = any(
                wait.clock == clock and reached[wait.client] < wait.needed <= sections[wait.client].end
                for wait in section.waits
                if wait.client in sections
            )
            if clock < section.end and not blocked:
                reached[client] += 1
                moved = True
    return any(reached[client] < section.end for client, section in sections.items())


@given(st.dictionaries(st.integers(1, CLIENTS), waits, min_size=1))
def test_finds_what_trying_every_order_finds(plan: dict[int, list[tuple[int, int, int]]]) -> None:
    sections = {
        client: Section(0, LENGTH, [Wait(*wait) for wait in sorted(waits) if wait[1] != client])
        for client, waits in plan.items()
    }
    try:
        applicable_order(sections)
    except UpdateError as error:
        assert error.code == "update_circular"  # noqa: PT017 either way is right, for one reason each
        assert is_circular(sections)
    else:
        assert not is_circular(sections)


def test_two_who_wait_for_each_other_in_turns() -> None:
    length = 2_000
    sections = {
        1: Section(0, length, [Wait(clock, 2, clock) for clock in range(1, length)]),
        2: Section(0, length, [Wait(clock, 1, clock + 1) for clock in range(length)]),
    }
    applicable_order(sections)


def test_many_who_wait_for_one_are_woken_once() -> None:
    # Woken at each of its steps they would take 10^8 of them.
    length, crowd = 5_000, 5_000
    sections = {
        1: Section(0, length, [Wait(clock, 2, clock) for clock in range(1, length)]),
        2: Section(0, length, [Wait(clock, 1, clock + 1) for clock in range(length)]),
    }
    sections |= {3 + index: Section(0, 1, [Wait(0, 1, length)]) for index in range(crowd)}
    applicable_order(sections)


def test_a_long_circle() -> None:
    count = 1_000
    sections = {client: Section(0, 1, [Wait(0, (client + 1) % count, 1)]) for client in range(count)}
    with pytest.raises(UpdateError):
        applicable_order(sections)
    sections[Random(1).randrange(count)] = Section(0, 1, [])
    applicable_order(sections)

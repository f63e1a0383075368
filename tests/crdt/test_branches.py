"""Branches of one origin, in blocks."""

from random import Random

from crdt.branches import _Row


def test_a_row_of_branches_keeps_the_order_of_a_plain_list(rng: Random) -> None:
    """Branches are kept in blocks; what a list would say is what they say."""
    row, plain = _Row([(0, 0)]), [(0, 0)]
    for clock in range(1, 4_000):
        place = rng.randrange(len(plain) + 1) if rng.random() < 0.5 else 0
        row.insert(place, (1, clock))
        plain.insert(place, (1, clock))
        if rng.random() < 0.2:
            gone = rng.choice(plain)
            row.remove(gone)
            plain.remove(gone)
    assert list(row) == plain
    assert list(row.copy()) == plain
    for _ in range(300):
        first, second = rng.choice(plain), rng.choice(plain)
        assert row.is_before(first, second) == (plain.index(first) < plain.index(second))
    assert not row.is_before((9, 9), plain[0])

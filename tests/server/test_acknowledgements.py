"""A count is only told when every message up to it is committed."""

from random import Random

from server.acknowledgements import Acknowledgements


def test_counts_from_the_first_without_a_gap() -> None:
    acknowledgements = Acknowledgements()
    acknowledgements.committed(2, closes_gaps=False)
    assert acknowledgements.take_news() is None
    acknowledgements.committed(1, closes_gaps=False)
    assert acknowledgements.take_news() == 2
    assert acknowledgements.take_news() is None


def test_a_step_2_closes_every_gap_before_it() -> None:
    acknowledgements = Acknowledgements()
    acknowledgements.committed(2, closes_gaps=False)
    acknowledgements.committed(6, closes_gaps=False)
    acknowledgements.committed(5, closes_gaps=True)
    assert acknowledgements.take_news() == 6


def test_any_order_of_commits_ends_at_the_last(rng: Random) -> None:
    for _ in range(50):
        ordinals = list(range(1, 40))
        rng.shuffle(ordinals)
        acknowledgements, done = Acknowledgements(), set[int]()
        for ordinal in ordinals:
            acknowledgements.committed(ordinal, closes_gaps=False)
            done.add(ordinal)
            assert set(range(1, acknowledgements.count + 1)) <= done
        assert acknowledgements.count == 39


def test_messages_that_were_joined_count_each() -> None:
    acknowledgements = Acknowledgements()
    acknowledgements.committed(8, 3, closes_gaps=False)
    assert acknowledgements.take_news() is None
    acknowledgements.committed(5, 5, closes_gaps=False)
    assert acknowledgements.take_news() == 8

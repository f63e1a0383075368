"""Deeds are done when they are due."""

from random import Random
from time import perf_counter

from load.pacing import Deed, play, regularly


async def test_everything_is_done_in_order_and_nothing_too_early() -> None:
    done: list[tuple[float, float]] = []

    def deed(due: float) -> None:
        done.append((due, perf_counter()))

    schedule = regularly([deed, deed, deed], rate=100, start=perf_counter(), seconds=0.1, random=Random(1))
    await play(schedule)
    assert [due for due, _ in done] == [due for due, _ in schedule]
    assert all(due <= at for due, at in done)


async def test_what_is_late_is_done_at_once() -> None:
    done: list[float] = []
    past = perf_counter() - 60
    await play([(past, done.append), (past + 1, done.append)])
    assert done == [past, past + 1]


def test_each_deed_is_done_as_often_as_the_rate_says() -> None:
    counts = [0, 0]

    def deed_of(number: int) -> Deed:
        def deed(_: float) -> None:
            counts[number] += 1

        return deed

    schedule = regularly([deed_of(0), deed_of(1)], rate=20, start=5.0, seconds=2.0, random=Random(1))
    for due, deed in schedule:
        assert 5.0 <= due < 7.0
        deed(due)
    assert counts == [40, 40]
    assert [due for due, _ in schedule] == sorted(due for due, _ in schedule)


def test_what_is_rarer_than_the_while_is_long_is_not_done_by_all() -> None:
    schedule = regularly([lambda _: None] * 100, rate=0.1, start=0.0, seconds=2.0, random=Random(1))
    assert 5 < len(schedule) < 40
    assert all(due < 2.0 for due, _ in schedule)

"""Whether a comparison says that a target is reached."""

from itertools import chain

import pytest

from load.cases import CASES
from load.figures import FIGURES, LOST
from load.results import Spread
from load.summary import sum_up
from load.targets import BEST_PEER, EVERY_CASE, TARGETS, Verdict, judge
from tests.load.comparisons import comparison, costs, run

OURS = "promptroom-sqlite"


def verdict(verdicts: list[Verdict], figure: str) -> Verdict:
    return next(each for each in verdicts if each.target.figure == figure)


def test_every_target_names_a_case_and_a_figure_that_there_are() -> None:
    for target in TARGETS:
        assert target.case in {*CASES, EVERY_CASE}
        assert target.figure in FIGURES
        assert target.against in {"", BEST_PEER, "hocuspocus", "y-websocket"}


def test_every_case_compares_figures_that_there_are() -> None:
    assert {*chain.from_iterable(case.compared for case in CASES.values())} <= {*FIGURES}


@pytest.mark.parametrize(("ours", "reached", "words"), [(6.0, True, "11 % to spare"), (7.5, False, "missed by 11 %")])
def test_a_multiple_of_the_best_peer(ours: float, reached: bool, words: str) -> None:  # noqa: FBT001 - a table
    runs = [*costs(OURS, ours), *costs("hocuspocus", 9.0), *costs("y-websocket", 10.0)]
    found = verdict(judge(sum_up(comparison(runs)), OURS), "cpu_us_per_delivery")
    assert (found.peer, found.bound, found.reached) == ("hocuspocus", 6.75, reached)
    assert words in found.in_words()


def test_more_is_better_of_some() -> None:
    runs = [
        run(server, case="burst", figures={"updates_per_second": updates})
        for server, updates in ((OURS, 60_000.0), ("hocuspocus", 25_000.0), ("y-websocket", 7_500.0))
    ]
    twice, tenfold = judge(sum_up(comparison(runs)), OURS)[:2]
    assert (twice.reached, twice.in_words()) == (True, "reached, 20 % to spare")
    assert (tenfold.reached, tenfold.in_words()) == (False, "missed by 20 %")


def test_a_bound_for_one_server_concerns_no_other() -> None:
    runs = [
        run(server, case="between-nodes", latency=Spread(1.0, 2.0, p99, 30.0))
        for server, p99 in ((OURS, 20.0), ("promptroom-1-node", 20.0), ("promptroom-2-nodes", 12.0))
    ]
    cases = sum_up(comparison(runs))
    assert [judge(cases, each)[:-1] for each in (OURS, "promptroom-1-node")] == [[], []]
    assert verdict(judge(cases, "promptroom-2-nodes"), "p99_ms").in_words() == "reached, 20 % to spare"


def test_an_absolute_bound_needs_no_peer() -> None:
    runs = [run(OURS, latency=Spread(1.0, 2.0, 8.5, 9.0))]
    found = verdict(judge(sum_up(comparison(runs)), OURS), "p99_ms")
    assert (found.peer, found.bound, found.reached) == ("", 8, False)


def test_one_lost_edit_anywhere_is_too_many() -> None:
    runs = [run(OURS, lost=0), run(OURS, case="rooms", lost=1)]
    found = verdict(judge(sum_up(comparison(runs)), OURS), LOST)
    assert (found.reached, found.in_words()) == (False, "missed: 1.00")


def test_what_was_not_measured_is_not_judged() -> None:
    assert judge(sum_up(comparison(costs("hocuspocus", 9.0))), OURS) == []

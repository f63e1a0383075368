"""What rounds are summed up to, and what is compared with what."""

import pytest

from load.comparison import Comparison, Failure
from load.summary import noises, sum_up
from tests.load.comparisons import comparison, costs, run


def test_a_comparison_survives_being_written_and_read() -> None:
    whole = comparison(costs("hocuspocus", 9.0, 9.5), [Failure("idle", "y-websocket", 2, "it did not start")])
    assert Comparison.from_json(whole.as_json()) == whole


def test_what_is_no_comparison_is_not_read() -> None:
    with pytest.raises(ValueError, match="format"):
        Comparison.from_json('{"format": 0}')


def test_of_rounds_the_median_counts_and_the_reach_is_kept() -> None:
    case = sum_up(comparison(costs("promptroom-sqlite", 6.0, 5.0, 5.2)))["fanout-busy"]
    standing = case.standing("promptroom-sqlite")
    assert standing is not None
    values = standing.figures["cpu_us_per_delivery"]
    assert (values.middle, values.least, values.most) == (5.2, 5.0, 6.0)
    assert noises([case], "cpu_us_per_delivery") == [pytest.approx(1.0 / 5.2)]


def test_ours_stand_first() -> None:
    case = sum_up(comparison([*costs("hocuspocus", 9.0), *costs("promptroom-sqlite", 5.0)]))["fanout-busy"]
    assert [standing.server for standing in case.standings] == ["promptroom-sqlite", "hocuspocus"]


def test_the_best_peer_is_best_in_the_figure_that_is_asked_for() -> None:
    runs = [
        run("promptroom-sqlite", figures={"cpu_us_per_delivery": 5.0, "updates_per_second": 60.0}),
        run("hocuspocus", figures={"cpu_us_per_delivery": 9.0, "updates_per_second": 30.0}),
        run("y-websocket", figures={"cpu_us_per_delivery": 8.0, "updates_per_second": 10.0}),
    ]
    case = sum_up(comparison(runs))["fanout-busy"]
    cost, speed = (
        case.ratio("promptroom-sqlite", "cpu_us_per_delivery"),
        case.ratio("promptroom-sqlite", "updates_per_second"),
    )
    assert cost is not None
    assert speed is not None
    assert (cost.peer, cost.value, cost.in_words) == ("y-websocket", 0.625, "better")
    assert (speed.peer, speed.value, speed.in_words) == ("hocuspocus", 2.0, "better")
    assert cost.advantage(5.0) == 1.6
    assert speed.advantage(60.0) == 2.0


def test_several_nodes_are_multiples_of_one_and_nobodys_peer() -> None:
    runs = [*costs("promptroom-1-node", 5.0), *costs("promptroom-3-nodes", 6.0), *costs("promptroom-sqlite", 4.0)]
    case = sum_up(comparison(runs))["fanout-busy"]
    ratio = case.ratio_to("promptroom-1-node", "promptroom-3-nodes", "cpu_us_per_delivery")
    assert ratio is not None
    assert ratio.value == 1.2
    assert case.ratio_to("promptroom-1-node", "promptroom-3-nodes", "updates_per_second") is None
    assert case.ratio_to("promptroom-1-node", "promptroom-2-nodes", "cpu_us_per_delivery") is None
    assert case.best_peer("cpu_us_per_delivery") is None


def test_a_peer_that_did_not_deliver_everything_is_not_the_best() -> None:
    runs = [
        *costs("promptroom-sqlite", 5.0),
        *costs("hocuspocus", 9.0),
        run("y-websocket", figures={"cpu_us_per_delivery": 1.0}, problems=("4 keys arrived nowhere",)),
        run("pycrdt-websocket", figures={"cpu_us_per_delivery": 2.0}, converged=False),
    ]
    best = sum_up(comparison(runs))["fanout-busy"].best_peer("cpu_us_per_delivery")
    assert best is not None
    assert best.server == "hocuspocus"


def test_rounds_that_reach_into_each_other_prove_nothing() -> None:
    runs = [*costs("promptroom-sqlite", 5.0, 6.0, 7.0), *costs("hocuspocus", 6.5, 6.5, 6.5)]
    ratio = sum_up(comparison(runs))["fanout-busy"].ratio("promptroom-sqlite", "cpu_us_per_delivery")
    assert ratio is not None
    assert ratio.in_words == "even"


def test_single_rounds_that_lie_close_prove_nothing_either() -> None:
    runs = [*costs("promptroom-sqlite", 6.0), *costs("hocuspocus", 6.5), *costs("promptroom-postgres", 5.5)]
    case = sum_up(comparison(runs))["fanout-busy"]
    ratios = [case.ratio(server, "cpu_us_per_delivery") for server in ("promptroom-sqlite", "promptroom-postgres")]
    assert [ratio.in_words for ratio in ratios if ratio is not None] == ["even", "better"]


def test_losses_of_all_rounds_are_added_up() -> None:
    runs = [run("hocuspocus", turn=turn, lost=lost) for turn, lost in enumerate((3, 0, 40), start=1)]
    standing = sum_up(comparison(runs))["fanout-busy"].standing("hocuspocus")
    assert standing is not None
    assert standing.figures["lost_acknowledged"].middle == 43


def test_a_case_that_always_failed_is_there() -> None:
    failure = Failure("idle", "y-websocket", 1, "it did not start")
    assert sum_up(comparison([], [failure]))["idle"].failures == (failure,)

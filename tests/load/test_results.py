"""What a measurement says of itself, and how it travels."""

import json

import pytest

from load.results import Measurement, Spread

MEASUREMENT = Measurement(
    scenario="burst",
    server="promptroom-sqlite",
    load={"editors": 50, "writers": 10},
    seed=7,
    latency_ms=Spread(1.0, 2.0, 3.0, 4.0),
    figures={"updates_per_second": 52_000.5},
    converged=True,
    lost_acknowledged=0,
    problems=("something",),
)


def test_a_spread_is_of_values_in_seconds() -> None:
    assert Spread.of([number / 1000 for number in range(1, 101)]) == Spread(51.0, 96.0, 100.0, 100.0)


def test_of_nothing_there_is_no_spread() -> None:
    assert Spread.of([]) is None


def test_the_order_of_the_values_does_not_matter() -> None:
    assert Spread.of([0.003, 0.001, 0.002]) == Spread.of([0.001, 0.002, 0.003])


@pytest.mark.parametrize("measurement", [MEASUREMENT, Measurement("idle", "y-websocket", {}, 1)])
def test_a_measurement_survives_json(measurement: Measurement) -> None:
    assert Measurement.from_dict(json.loads(measurement.as_json())) == measurement


def test_a_measurement_of_unknown_fields_is_refused() -> None:
    with pytest.raises(TypeError):
        Measurement.from_dict(MEASUREMENT.as_dict() | {"colour": "green"})


def test_a_measurement_with_a_problem_is_not_sound() -> None:
    assert not MEASUREMENT.is_sound
    assert not Measurement("idle", "hocuspocus", {}, 1, converged=False).is_sound
    assert Measurement("idle", "hocuspocus", {}, 1).is_sound


def test_people_are_told_what_machines_are() -> None:
    text = MEASUREMENT.as_text()
    for said in ("burst on promptroom-sqlite", "52,000.50", "problem: something", "lost by kill -9"):
        assert said in text

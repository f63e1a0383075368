"""Comparisons made up for tests."""

from collections.abc import Iterable, Mapping

from load.comparison import Comparison, Failure, Run
from load.machine import Calm, Machine
from load.results import Measurement, Spread


def run(
    server: str,
    *,
    case: str = "fanout-busy",
    turn: int = 1,
    figures: Mapping[str, float] | None = None,
    latency: Spread | None = None,
    lost: int | None = 0,
    problems: tuple[str, ...] = (),
    converged: bool = True,
) -> Run:
    measurement = Measurement(
        scenario=case.partition("-")[0],
        server=server,
        load={"editors": 50},
        seed=1,
        latency_ms=latency,
        figures=figures or {},
        converged=converged,
        lost_acknowledged=lost,
        problems=problems,
    )
    return Run(case, turn, 1.5, f"promptroom-load run fanout --server {server}", measurement)


def costs(server: str, *per_round: float, case: str = "fanout-busy") -> list[Run]:
    """One run a round, with this CPU per delivery."""
    return [
        run(server, case=case, turn=turn, figures={"cpu_us_per_delivery": cost}, latency=Spread(1.0, 2.0, 3.0, 9.0))
        for turn, cost in enumerate(per_round, start=1)
    ]


def comparison(runs: Iterable[Run], failures: Iterable[Failure] = ()) -> Comparison:
    return Comparison(
        started="2031-05-06T07:08:09+00:00",
        seconds=600.0,
        quick=False,
        machine=Machine("A Processor", 2, 24.0, "Linux 6", "3.11.9", "20.19.0"),
        versions={"Hocuspocus": "4.7.0"},
        before=Calm(0.1, 1.0),
        after=Calm(1.2, 13.0),
        runs=tuple(runs),
        failures=tuple(failures),
    )

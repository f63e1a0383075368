"""All runs, whatever becomes of each."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from load.__main__ import main
from load.compare import RunFailed, compare, execute, write
from load.comparison import Comparison
from load.plan import jobs
from load.results import Measurement, Spread
from tests.load.comparisons import comparison, costs

JOBS = jobs(cases=["burst"], servers=["promptroom-sqlite", "hocuspocus", "y-websocket"], rounds=2, quick=True)


def measured(arguments: Sequence[str]) -> Measurement:
    server = arguments[arguments.index("--server") + 1]
    return Measurement(arguments[1], server, {"editors": 50}, 1, Spread(1.0, 2.0, 3.0, 4.0), lost_acknowledged=2)


def test_every_run_is_made_and_said() -> None:
    said: list[str] = []
    whole = compare(JOBS, quick=True, run=measured, say=said.append)
    assert [run.measurement.server for run in whole.runs] == [job.server for job in JOBS]
    assert [run.turn for run in whole.runs] == [job.turn for job in JOBS]
    assert len(said) == len(JOBS)
    assert "[  1/6] burst" in said[0]
    assert "p99 3.00 ms, 2 LOST" in said[0]
    assert "0 min left" in said[-1]


def test_what_made_a_run_is_kept() -> None:
    whole = compare(JOBS[:1], quick=True, run=measured, say=lambda _: None)
    assert whole.runs[0].command.startswith("promptroom-load run burst --server ")


def test_one_server_that_fails_stops_nobody() -> None:
    def failing(arguments: Sequence[str]) -> Measurement:
        if "hocuspocus" in arguments:
            raise RunFailed("it did not start")
        return measured(arguments)

    said: list[str] = []
    whole = compare(JOBS, quick=True, run=failing, say=said.append)
    assert len(whole.runs) == 4
    assert [(failure.server, failure.what) for failure in whole.failures] == [("hocuspocus", "it did not start")] * 2
    assert not whole.is_sound
    assert sum("FAILED: it did not start" in line for line in said) == 2


def test_an_interruption_keeps_what_is_done() -> None:
    left = [*JOBS[:2]]

    def interrupted(arguments: Sequence[str]) -> Measurement:
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return measured(arguments)

    assert len(compare(JOBS, quick=True, run=interrupted, say=lambda _: None).runs) == 2


def test_a_comparison_is_kept_under_its_date_and_as_the_latest(tmp_path: Path) -> None:
    whole = comparison(costs("hocuspocus", 9.0))
    written = write(whole, tmp_path / "results")
    assert {path.name for path in written.parent.iterdir()} == {
        "2031-05-06-070809.html",
        "2031-05-06-070809.json",
        "latest.html",
        "latest.json",
    }
    assert Comparison.from_json((written.parent / "latest.json").read_text()) == whole
    assert written.read_text().startswith("<!doctype html>")


def test_the_page_of_a_kept_comparison_can_be_written_again(tmp_path: Path) -> None:
    written = write(comparison(costs("hocuspocus", 9.0)), tmp_path)
    before = written.read_text()
    written.unlink()
    assert main(["page", str(written.with_suffix(".json"))]) == 0
    assert written.read_text() == before


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import sys; print('all well'); sys.exit('the server did not start')", "the server did not start"),
        ("import sys; sys.exit(7)", "exit code 7"),
    ],
)
def test_a_run_that_prints_no_measurement_has_failed(
    program: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{program}"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(RunFailed, match=said):
        execute(["run", "burst"])

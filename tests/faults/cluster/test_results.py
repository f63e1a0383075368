"""Results add up over any number of runs, and the table says what came out."""

from datetime import date
from pathlib import Path

import pytest

from tests.faults.cluster.catalogue import CATALOGUE
from tests.faults.cluster.results import Entry, Results
from tests.faults.cluster.suite import make_plan
from tests.faults.cluster.timing import NEVER
from tests.faults.cluster.verdict import Figures
from tests.support.source import ROOT

QUICK = Figures(tokens=1000, lost=0, doubled=0, stored_twice=1, typing_again=0.5, pause=0.6, behind=0.1, caught_up=0.2)
SLOW = Figures(tokens=500, lost=2, doubled=1, stored_twice=0, typing_again=NEVER, pause=4.0, behind=0.2, caught_up=0.1)


@pytest.fixture
def results(tmp_path: Path) -> Results:
    made = Results(tmp_path / "results.json", seed=1, scale=1.0)
    made.add(Entry("kill", 0, QUICK, (), ""))
    made.add(Entry("kill", 2, SLOW, ("lost: <ann:1>: …", "lost: <ann:2>: …"), "somewhere"))
    made.add(Entry("deploy", 0, None, ("broken off: …",), "somewhere else"))
    return made


def test_what_was_run_is_not_run_again_unless_it_failed(results: Results) -> None:
    assert results.missing("kill", 5) == [1, 3, 4]
    assert results.missing("kill", 5, again=True) == [1, 2, 3, 4]
    assert results.missing("pause", 2) == [0, 1]


def test_results_are_read_back(results: Results, tmp_path: Path) -> None:
    results.write()
    again = Results(tmp_path / "results.json", seed=1, scale=1.0)
    again.read()
    assert again.of("kill") == results.of("kill")
    assert again.failed == results.failed
    assert again.table() == results.table()


def test_results_of_pieces_are_put_together(results: Results, tmp_path: Path) -> None:
    results.write()
    whole = Results(tmp_path / "whole.json", seed=1, scale=1.0)
    whole.add(Entry("pause", 0, QUICK, (), ""))
    whole.read(tmp_path / "results.json")
    assert whole.missing("kill", 3) == [1]
    assert whole.missing("pause", 2) == [1]


@pytest.mark.parametrize(("seed", "scale"), [(2, 1.0), (1, 0.5)])
def test_results_of_other_plans_are_not_mixed_in(results: Results, tmp_path: Path, seed: int, scale: float) -> None:
    results.write()
    other = Results(tmp_path / "results.json", seed=seed, scale=scale)
    other.read()
    assert not other.of("kill")


def test_a_round_that_is_run_again_counts_once(results: Results) -> None:
    results.add(Entry("kill", 2, QUICK, (), ""))
    assert len(results.of("kill")) == 2
    assert [entry.row for entry in results.failed] == ["deploy"]


def test_the_table_has_sums_and_the_worst(results: Results) -> None:
    kill, deploy = results.table().splitlines()[2:]
    assert [cell.strip() for cell in kill.split("|")[3:-1]] == [
        *("2", "1,500", "2", "1", "1"),
        *("never", "4.00 s", "0.20 s", "0.20 s", "0.00 s", "**1 failed**"),
    ]
    assert deploy.split("|")[3].strip() == "1"
    assert "**1 failed**" in deploy


def test_the_table_goes_between_its_marks(results: Results, tmp_path: Path) -> None:
    page = tmp_path / "faults.md"
    page.write_text((ROOT / "docs" / "faults.md").read_text(encoding="utf-8"), encoding="utf-8")
    results.write_page(page, command="make faults", today=date(2026, 1, 2))
    once = page.read_text(encoding="utf-8")
    assert once.count("`make faults`, seed 1, 2026-01-02.") == 1
    assert results.table() in once
    results.write_page(page, command="make faults", today=date(2026, 1, 2))
    assert page.read_text(encoding="utf-8") == once


def test_the_page_of_the_documentation_has_only_rows_that_there_are() -> None:
    page = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    titles = {row.title for row in CATALOGUE.values()}
    table = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")]
    assert set(table) - {"fault", "---"} <= titles


def test_the_plan_of_a_session_is_the_same_every_time() -> None:
    plan = make_plan("kill", [3, 4, 5], seed=7, scale=0.5)
    assert plan == make_plan("kill", [3, 4, 5], seed=7, scale=0.5)
    assert plan.rounds[1] == make_plan("kill", [4], seed=7, scale=0.5).rounds[0]

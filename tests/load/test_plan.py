"""What a comparison runs, and in which order."""

import inspect
from argparse import Namespace
from collections import Counter
from itertools import groupby

import pytest

from load.__main__ import main
from load.cases import CASES
from load.catalogue import SCENARIOS
from load.plan import ENTRIES, Job, jobs
from load.servers import SERVERS

# What a comparison may take before nobody makes one any more, in minutes.
LONGEST, LONGEST_QUICK = 34, 6


def minutes(chosen: list[Job]) -> float:
    return sum(job.expected_seconds for job in chosen) / 60


def test_every_case_is_run() -> None:
    assert [entry.case for entry in ENTRIES] == list(dict.fromkeys(entry.case for entry in ENTRIES))
    assert {entry.case for entry in ENTRIES} == {*CASES}


def test_every_number_is_one_that_the_scenario_takes() -> None:
    for entry in ENTRIES:
        assert {*entry.numbers, *entry.quick} <= {*inspect.signature(SCENARIOS[entry.scenario]).parameters}
        assert {*entry.servers} <= {*SERVERS}


def test_it_takes_no_longer_than_somebody_waits() -> None:
    assert minutes(jobs(quick=False)) <= LONGEST
    assert minutes(jobs(quick=True)) <= LONGEST_QUICK


def test_rounds_follow_each_other_and_each_begins_with_another_server() -> None:
    burst = [job for job in jobs(quick=False, rounds=3) if job.case == "burst"]
    by_round = [[job.server for job in group] for _, group in groupby(burst, key=lambda job: job.turn)]
    assert len(by_round) == 3
    assert len({servers[0] for servers in by_round}) == 3


def test_all_servers_of_a_round_get_the_same_keys() -> None:
    seeds: dict[int, set[int]] = {}
    for job in jobs(quick=False, seed=40):
        seeds.setdefault(job.turn, set()).add(job.seed)
    assert seeds == {1: {40}, 2: {41}, 3: {42}}


def test_only_what_is_asked_for_is_run() -> None:
    chosen = jobs(cases=["idle", "burst"], servers=["hocuspocus"], rounds=2, quick=False)
    assert Counter((job.case, job.server) for job in chosen) == {("burst", "hocuspocus"): 2, ("idle", "hocuspocus"): 2}
    assert jobs(cases=["cold-open"], servers=["y-websocket"], quick=False) == []


@pytest.mark.parametrize("quick", [False, True])
def test_the_command_line_understands_every_run(quick: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    asked: list[tuple[str, int]] = []

    def note(options: Namespace) -> int:
        asked.append((options.server, options.seed))
        return 0

    monkeypatch.setattr("load.__main__._run_one", note)
    chosen = jobs(quick=quick)
    for job in chosen:
        assert main(job.arguments) == 0
    assert asked == [(job.server, job.seed) for job in chosen]

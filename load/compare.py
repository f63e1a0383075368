"""`promptroom-load compare`: all runs, each in a process of its own, and what they come to as JSON and as a page.

Each run is the command `promptroom-load run …`, which the results hold: whoever doubts a figure makes it again. A run
that fails is written down as one that failed, and the next begins.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Final

from load.comparison import Comparison, Failure, Run
from load.figures import figure, values_of
from load.machine import Calm, this_machine
from load.page.render import page
from load.plan import Job
from load.results import Measurement
from load.servers.node_program import node
from load.servers.server import ServerFailed
from load.servers.versions import versions

RESULTS: Final = Path("load") / "results"
LONGEST_SECONDS: Final = 300.0
_SAID: Final = ("updates_per_second", "cpu_us_per_delivery", "memory_kb_per_connection", "all_synced_seconds", "p99_ms")
_KEPT_OF_AN_ERROR: Final = 300

Execute = Callable[[Sequence[str]], Measurement]
"""Makes one run of the arguments of `promptroom-load`; raises RunFailed."""


class RunFailed(Exception):
    """A run came to nothing; the message is the last that it said."""


def execute(arguments: Sequence[str]) -> Measurement:
    """Make a run in a process of its own.

    Raises:
        RunFailed: It came to nothing.
    """
    command = [sys.executable, "-m", "load", *arguments, "--json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise RunFailed(f"not over after {LONGEST_SECONDS:.0f} s") from error
    lines = done.stdout.splitlines()
    try:
        return Measurement.from_dict(json.loads(lines[-1]))
    except (IndexError, ValueError, TypeError) as error:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise RunFailed(said[-1][:_KEPT_OF_AN_ERROR]) from error


def compare(jobs: Sequence[Job], *, quick: bool, run: Execute = execute, say: Callable[[str], object]) -> Comparison:
    """Make all runs; when it is interrupted, those that are done count.

    Args:
        jobs: the runs, in order.
        quick: whether it is a short look.
        run: makes one.
        say: called with a line for people after each.
    """
    started, start, before = datetime.now(UTC), perf_counter(), Calm.now()
    runs: list[Run] = []
    failures: list[Failure] = []
    progress = _Progress(jobs)
    try:
        for job in jobs:
            began = perf_counter()
            try:
                measurement = run(job.arguments)
            except RunFailed as error:
                failures.append(Failure(job.case, job.server, job.turn, str(error)))
                outcome = f"FAILED: {error}"
            else:
                seconds = perf_counter() - began
                command = shlex.join(["promptroom-load", *job.arguments])
                runs.append(Run(job.case, job.turn, round(seconds, 1), command, measurement))
                outcome = _outcome(measurement)
            say(progress.line(job, perf_counter() - began, outcome))
    except KeyboardInterrupt:
        say(f"interrupted after {len(runs)} runs")
    return Comparison(
        started=started.isoformat(timespec="seconds"),
        seconds=round(perf_counter() - start, 1),
        quick=quick,
        machine=this_machine(_node()),
        versions=versions(),
        before=before,
        after=Calm.now(),
        runs=tuple(runs),
        failures=tuple(failures),
    )


def write(comparison: Comparison, directory: Path = RESULTS) -> Path:
    """Keep a comparison under its date, and as the latest; returns the page.

    Args:
        comparison: what is kept.
        directory: where.
    """
    directory.mkdir(parents=True, exist_ok=True)
    name = datetime.fromisoformat(comparison.started).strftime("%Y-%m-%d-%H%M%S")
    for each in (name, "latest"):
        (directory / f"{each}.json").write_text(comparison.as_json())
        (directory / f"{each}.html").write_text(page(comparison))
    return directory / f"{name}.html"


class _Progress:
    """How far it is, and how long it still takes.

    Args:
        jobs: the runs, in order.
    """

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._count = len(jobs)
        self._done = 0
        self._left = sum(job.expected_seconds for job in jobs)
        self._expected = self._took = 0.0

    def line(self, job: Job, seconds: float, outcome: str) -> str:
        """What is said after a run."""
        self._done += 1
        self._left -= job.expected_seconds
        self._expected += job.expected_seconds
        self._took += seconds
        left = self._left * self._took / self._expected / 60
        place = f"[{self._done:>3}/{self._count}]"
        what = f"{job.case:<15}{job.server:<20}round {job.turn}, seed {job.seed}"
        return f"{place} {what}  {seconds:>4.0f} s, {left:>3.0f} min left  {outcome}"


def _outcome(measurement: Measurement) -> str:
    values = values_of(measurement)
    said = [f"{figure(name).title} {figure(name).written(values[name])}" for name in _SAID if name in values]
    if measurement.lost_acknowledged:
        said.append(f"{measurement.lost_acknowledged:,} LOST")
    return ", ".join([*said, *(f"PROBLEM: {problem}" for problem in measurement.problems)])


def _node() -> str:
    try:
        return node()
    except ServerFailed:
        return ""

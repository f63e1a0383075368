"""Runs the catalogue of faults on a real cluster: `python -m tests.faults.cluster.suite`.

What came out is added to one file, so that the whole can be run in pieces: what was run already is not run again. A run
that fails keeps its directory and says how to repeat it.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from random import Random

from tests.faults.cluster.catalogue import CATALOGUE
from tests.faults.cluster.full_disk import PostgresOnSmallDisk, is_possible
from tests.faults.cluster.plan import Plan, make_round
from tests.faults.cluster.results import Entry, Results
from tests.faults.cluster.session import Result, run_session
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.source import ROOT

_PAGE = ROOT / "docs" / "faults.md"
_KEPT = ROOT / ".cache" / "faults"
_RESULTS = "results.json"
# Of what was found; the rest stands in the directory.
_SAID = 20
# So many rounds share a cluster; what a fault leaves behind has that long to show.
_ROUNDS_PER_SESSION = 10


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.cluster.suite", description=__doc__)
    add = parser.add_argument
    add("--only", "--fault", action="append", choices=list(CATALOGUE), metavar="NAME", help="a row; may be repeated")
    add("--runs", type=int, help="of each row at most so many rounds")
    add("--round", type=int, help="of each row this round alone")
    add("--seed", type=int, default=1, help="of every plan")
    add("--scale", type=float, default=1.0, help="by what every duration is multiplied")
    add("--again", action="store_true", help="run the rounds again that have failed")
    add("--fresh", action="store_true", help="forget what was run before")
    add("--write-page", action="store_true", help="put the table into docs/faults.md")
    add("--directory", type=Path, default=_KEPT, help="where results and failed runs are kept")
    add("--add", type=Path, action="append", default=[], help="take in what was run with another --directory")
    add("--replay", type=Path, metavar="DIRECTORY", help="run the plan of a failed run again, and nothing else")
    return parser.parse_args(given)


def make_plan(row: str, numbers: Sequence[int], *, seed: int, scale: float) -> Plan:
    """Return the plan of a session with some rounds of a row."""
    recipe = CATALOGUE[row].recipe
    rounds = tuple(make_round(row, number, recipe, seed=seed, scale=scale) for number in numbers)
    return Plan(Random(f"{seed} {row} {list(numbers)}").getrandbits(32), rounds)


class Servers:
    """The PostgreSQL and the Redis that all clusters stand on, one after another; each is made when it is wanted."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._redis = RedisServer()
        self._stack.callback(self._redis.close)
        self._postgres: dict[bool, PostgresServer] = {}

    def run(self, plan: Plan, directory: Path) -> Result:
        """Run a session; the directory is kept where something is wrong."""
        postgres = self._postgres_for(small_disk=any(CATALOGUE[one.row].small_disk for one in plan.rounds))
        postgres.start()
        self._redis.start()
        self._redis.resume()
        self._redis.flush()
        result = asyncio.run(run_session(plan, postgres=postgres, redis=self._redis, directory=directory))
        if not result.findings:
            shutil.rmtree(directory)
        return result

    def _postgres_for(self, *, small_disk: bool) -> PostgresServer:
        if small_disk not in self._postgres:
            self._postgres[small_disk] = PostgresOnSmallDisk() if small_disk else PostgresServer()
            self._stack.callback(self._postgres[small_disk].close)
        return self._postgres[small_disk]


class Suite:
    """Runs sessions one after another on the same servers, and adds up what comes out.

    Args:
        directory: Where results and failed runs are kept.
        results: Takes what comes out.
        servers: What the clusters stand on.
    """

    def __init__(self, directory: Path, results: Results, servers: Servers) -> None:
        self._directory = directory
        self._results = results
        self._servers = servers

    def run_row(self, row: str, numbers: Sequence[int]) -> None:
        """Run rounds of a row, some to a session."""
        left = list(numbers)
        while left:
            plan = make_plan(row, left[:_ROUNDS_PER_SESSION], seed=self._results.seed, scale=self._results.scale)
            done = self._session(row, plan)
            left = left[max(1, done) :]

    def _session(self, row: str, plan: Plan) -> int:
        first = plan.rounds[0].number
        directory = self._directory / f"{row}-{first}-seed-{self._results.seed}"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        started = time.monotonic()
        result = self._servers.run(plan, directory)
        for outcome in result.outcomes:
            findings = tuple(map(str, outcome.findings))
            where = str(directory) if findings else ""
            self._results.add(Entry(row, outcome.round.number, outcome.figures, findings, where))
        self._results.write()
        say(f"{row} {first}-{result.outcomes[-1].round.number}: ", result, directory, time.monotonic() - started)
        return len(result.outcomes)


def say(what: str, result: Result, directory: Path, seconds: float) -> None:
    """Say what came out of a session, and how to repeat it."""
    lines = [f"{what}{'FAILED' if result.findings else 'held'}, {seconds:.0f} s"]
    if result.findings:
        lines += [f"    {finding}" for finding in result.findings[:_SAID]]
        lines.append(f"    again: python -m tests.faults.cluster.suite --replay {directory}")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def replay(directory: Path) -> int:
    """Run a plan that was kept; return the exit code."""
    plan = Plan.from_json((directory / "plan.json").read_text(encoding="utf-8"))
    again = Path(tempfile.mkdtemp(prefix="promptroom-faults-"))
    with ExitStack() as stack:
        result = Servers(stack).run(plan, again)
    say("the same plan again: ", result, again, 0.0)
    return 1 if result.findings else 0


def main(given: Sequence[str] | None = None) -> int:
    """Run what is asked for; return the exit code."""
    arguments = _arguments(given)
    if arguments.replay:
        return replay(arguments.replay)
    arguments.directory.mkdir(parents=True, exist_ok=True)
    results = Results(arguments.directory / _RESULTS, seed=arguments.seed, scale=arguments.scale)
    if not arguments.fresh:
        results.read()
    for other in arguments.add:
        results.read(other / _RESULTS)
    results.write()
    with ExitStack() as stack:
        suite = Suite(arguments.directory, results, Servers(stack))
        for row in arguments.only or CATALOGUE:
            if CATALOGUE[row].small_disk and not is_possible():
                sys.stdout.write(f"{row} is left out: this system lets nobody make a small disk\n")
                continue
            runs = CATALOGUE[row].runs if arguments.runs is None else min(arguments.runs, CATALOGUE[row].runs)
            numbers = results.missing(row, runs, again=arguments.again)
            suite.run_row(row, numbers if arguments.round is None else [arguments.round])
    sys.stdout.write(f"\n{results.table()}")
    if arguments.write_page:
        results.write_page(_PAGE, command="make faults", today=date.today())  # noqa: DTZ011 - the reader's own day
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m load.scaling`: constants, what they come to on paper, and whether that is so.

measure PART    measures one part of the constants; with --keep it is written to measured.json
paper           what some people need
check           predicts a run, makes it, and sets the two beside each other
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any, Final

import uvloop

from load.figures import digits
from load.scaling import database_commits, memory, processing, redis_messages, storage
from load.scaling.assumptions import Assumptions
from load.scaling.check import check
from load.scaling.costs import MEASURED, Costs, measured
from load.scaling.paper import plan
from load.servers.process import leave_the_servers_core

PARTS: Final[Mapping[str, Callable[[float, int], Awaitable[Mapping[str, float]]]]] = {
    "processing": processing.measure,
    "storage": storage.measure,
    "memory": memory.measure,
    "redis": redis_messages.measure,
    "postgres": database_commits.measure,
}
"""Each with what measures it, in so many seconds and with a seed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what was asked for; answers the exit code, which is 1 where a run went wrong."""
    options = _parser().parse_args(arguments)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    match options.command:
        case "measure":
            return _measure(options)
        case "paper":
            return _paper(options)
        case _:
            return _check(options)


def _measure(options: argparse.Namespace) -> int:
    leave_the_servers_core()
    before = os.getloadavg()[0]
    figures = _run(_figures(options.part, options.seconds, options.seed))
    _say("".join(f"{name:<44}{digits(value):>14}\n" for name, value in figures.items()))
    if options.keep:
        kept = json.loads(MEASURED.read_text()) if MEASURED.exists() else {}
        kept[options.part] = {
            "command": f"python -m load.scaling measure {options.part} --seconds {options.seconds:g}",
            "taken": datetime.now(UTC).isoformat(timespec="minutes"),
            "load_average_before": round(before, 2),
            "figures": {name: float(f"{value:.5g}") for name, value in figures.items()},
        }
        MEASURED.write_text(json.dumps(kept, indent=1) + "\n")
    return 0


def _paper(options: argparse.Namespace) -> int:
    assumed = replace(Assumptions(), **{each.name: getattr(options, each.name) for each in fields(Assumptions)})
    spread, by_prompt = (plan(assumed, measured(), by_prompt=each, seed=options.seed) for each in (False, True))
    _say(f"{'':<44}{'spread':>14}{'by prompt':>14}\n")
    for name, value in spread.figures.items():
        _say(f"{name.replace('_', ' '):<44}{digits(value):>14}{digits(by_prompt.figures[name]):>14}\n")
    return 0


def _check(options: argparse.Namespace) -> int:
    leave_the_servers_core(options.nodes)
    run, compared = _run(
        check(options.nodes, options.prompts, options.rate, Costs.of(measured()), options.seconds, options.seed)
    )
    _say(f"{'':<32}{'predicted':>12}{'measured':>12}{'ratio':>8}\n")
    for each in compared:
        ratio = each.predicted / each.measured if each.measured else float("nan")
        _say(f"{each.title:<32}{digits(each.predicted):>12}{digits(each.measured):>12}{ratio:>8.2f}\n")
    _say("".join(f"problem: {problem}\n" for problem in run.problems))
    return 0 if run.is_sound else 1


async def _figures(part: str, seconds: float, seed: int) -> Mapping[str, float]:
    return await PARTS[part](seconds, seed)


def _run(work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - what comes in comes out
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def _say(text: str) -> None:
    sys.stdout.write(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m load.scaling", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure", help="one part of the constants")
    measuring.add_argument("part", choices=PARTS)
    measuring.add_argument("--seconds", type=float, default=8.0, help="of each of its loads (8)")
    measuring.add_argument("--keep", action="store_true", help=f"write it to {MEASURED.name}")
    paper = commands.add_parser("paper", help="what some people need")
    for each in fields(Assumptions):
        name = f"--{each.name.replace('_', '-')}"
        paper.add_argument(name, type=type(each.default), default=each.default, help=f"({each.default:g})")
    checking = commands.add_parser("check", help="predict a run, make it, and compare")
    checking.add_argument("--nodes", type=int, default=2, help="(2)")
    checking.add_argument("--prompts", type=int, default=100, help="with three people in each (100)")
    checking.add_argument("--rate", type=float, default=350.0, help="keys a second in all (350)")
    checking.add_argument("--seconds", type=float, default=8.0, help="(8)")
    for command in (measuring, paper, checking):
        command.add_argument("--seed", type=int, default=1, help="of every random choice (1)")
    return parser


if __name__ == "__main__":
    sys.exit(main())

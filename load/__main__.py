"""`python -m load`: every scenario; `python -m load editors|join|idle …`: one of them.

Without `--url` a server is started for the run, on an embedded database of its own; it gets one core and the load
the others.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import uvloop

from load.first_scenarios import Editors, Idle, Join
from load.target import Target, TargetFailed, on_separate_cores, own_server

Scenario = Editors | Join | Idle

EDITORS, JOIN, IDLE = Editors(), Join(), Idle()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the scenarios that were asked for, and say what they came to; answers the exit code."""
    options = _parser().parse_args(arguments)
    _allow_many_connections()
    try:
        with _target(options) as target:
            on_separate_cores(target.pid)
            sound = [_run(scenario, target, as_json=options.json) for scenario in _scenarios(options)]
    except TargetFailed as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0 if all(sound) else 1


def _run(scenario: Scenario, target: Target, *, as_json: bool) -> bool:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        result = runner.run(scenario.run(target))
    sys.stdout.write((result.as_json() if as_json else result.as_text()) + "\n")
    sys.stdout.flush()
    return result.lost == 0 and result.converged


def _target(options: argparse.Namespace) -> AbstractContextManager[Target]:
    if options.url is None:
        return own_server()
    return nullcontext(Target(options.url.rstrip("/"), options.token, options.pid))


def _scenarios(options: argparse.Namespace) -> list[Scenario]:
    match options.scenario:
        case "editors":
            writers = options.editors if options.writers is None else options.writers
            return [Editors(options.editors, writers, options.rate, options.seconds, options.seed)]
        case "join":
            return [Join(options.joiners, options.size)]
        case "idle":
            return [Idle(options.connections, options.prompts)]
        case _:
            return [EDITORS, JOIN, IDLE]


def _allow_many_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--url", help="a server that runs already, such as http://127.0.0.1:8000")
    shared.add_argument("--token", help="an access token for it")
    shared.add_argument("--pid", type=int, help="its process")
    shared.add_argument("--json", action="store_true", help="one line of JSON for each scenario")
    parser = argparse.ArgumentParser(prog="python -m load", description=__doc__, parents=[shared])
    scenarios = parser.add_subparsers(dest="scenario")
    editors = scenarios.add_parser("editors", parents=[shared], help="many in one prompt, each typing")
    editors.add_argument("--editors", type=int, default=EDITORS.editors)
    editors.add_argument("--writers", type=int, help="how many of them type; all, unless given")
    editors.add_argument("--rate", type=float, default=EDITORS.rate, help="keys a second of each")
    editors.add_argument("--seconds", type=float, default=EDITORS.seconds)
    editors.add_argument("--seed", type=int, default=EDITORS.seed)
    join = scenarios.add_parser("join", parents=[shared], help="many open one large prompt at once")
    join.add_argument("--joiners", type=int, default=JOIN.joiners)
    join.add_argument("--size", type=int, default=JOIN.size, help="UTF-16 code units of its text")
    idle = scenarios.add_parser("idle", parents=[shared], help="many connections on which nothing happens")
    idle.add_argument("--connections", type=int, default=IDLE.connections)
    idle.add_argument("--prompts", type=int, default=IDLE.prompts, help="over how many prompts they are spread")
    return parser


if __name__ == "__main__":
    sys.exit(main())

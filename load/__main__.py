"""`promptroom-load`, also `python -m load`: what servers of Yjs documents can do, and what it costs.

compare         every case against every server, in several rounds: a page and a JSON file in load/results/
page FILE       the page of a comparison that was kept, written anew beside it
run SCENARIO    one scenario against one server, with numbers of its own
list            the cases, the scenarios with their numbers, and the servers
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import resource
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import uvloop

from load.cases import CASES
from load.catalogue import SCENARIOS
from load.compare import RESULTS, compare, write
from load.comparison import Comparison
from load.page.render import page
from load.plan import jobs
from load.results import Measurement
from load.scenarios import Scenario
from load.servers import SERVERS
from load.servers.process import leave_the_servers_core
from load.servers.promptroom_nodes import DEPLOYMENTS
from load.servers.server import ServerFailed


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what was asked for; answers the exit code.

    It is 1 where something was measured and went wrong, and 2 where nothing could be.
    """
    options = _parser().parse_args(arguments)
    match options.command:
        case "compare":
            return _compare(options)
        case "page":
            return _write_page(options.file)
        case "run":
            return _run_one(options)
        case _:
            sys.stdout.write(_listed())
            return 0


def _compare(options: argparse.Namespace) -> int:
    chosen = jobs(
        cases=options.case, servers=options.server, rounds=options.rounds, seed=options.seed, quick=options.quick
    )
    minutes = sum(job.expected_seconds for job in chosen) / 60
    _say(f"{len(chosen)} runs in about {max(minutes, 1):.0f} minutes; seeds from {options.seed}")
    comparison = compare(chosen, quick=options.quick, say=_say)
    _say(f"written: {write(comparison, options.into)}")
    return 0 if comparison.is_sound and len(comparison.runs) == len(chosen) else 1


def _write_page(file: Path) -> int:
    kept = file.with_suffix(".html")
    kept.write_text(page(Comparison.from_json(file.read_text())))
    _say(f"written: {kept}")
    return 0


def _run_one(options: argparse.Namespace) -> int:
    _allow_many_connections()
    deployment = DEPLOYMENTS.get(options.server)
    leave_the_servers_core(deployment.nodes if deployment else 1)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            measurement = runner.run(_run(_scenario(options), options.server, options.seed))
    except ServerFailed as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write((measurement.as_json() if options.json else measurement.as_text()) + "\n")
    return 0 if measurement.is_sound else 1


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def _run(scenario: Scenario, name: str, seed: int) -> Measurement:
    async with SERVERS[name]() as server:
        return await scenario.run(server, seed)


def _scenario(options: argparse.Namespace) -> Scenario:
    make = SCENARIOS[options.scenario]
    return make(**{name: getattr(options, name) for name in _numbers(make)})


def _numbers(make: Callable[..., Scenario]) -> dict[str, int | float]:
    """What a scenario can be told, with its defaults."""
    defaults = {name: parameter.default for name, parameter in inspect.signature(make).parameters.items()}
    return {name: default for name, default in defaults.items() if isinstance(default, int | float)}


def _listed() -> str:
    cases = "".join(f"  {case.key:<16}{case.title}\n" for case in CASES.values())
    scenarios = "".join(f"  {name:<16}{make().label}\n" for name, make in SCENARIOS.items())
    servers = "".join(f"  {name}\n" for name in SERVERS)
    return f"Cases\n{cases}\nScenarios\n{scenarios}\nServers\n{servers}"


def _allow_many_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="promptroom-load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the cases, the scenarios with their numbers, and the servers")
    comparing = commands.add_parser("compare", help="every case against every server, in several rounds")
    comparing.add_argument("--quick", action="store_true", help="one short round of ours and two others: some minutes")
    comparing.add_argument("--case", action="append", default=[], choices=CASES, help="only this one; may be repeated")
    comparing.add_argument("--server", action="append", default=[], choices=SERVERS, help="as --case")
    comparing.add_argument("--rounds", type=int, help="how often each, instead of once to three times")
    comparing.add_argument("--seed", type=int, default=1, help="of the first round; the others count on (1)")
    comparing.add_argument("--into", type=Path, default=RESULTS, help=f"where the results are written ({RESULTS})")
    written = commands.add_parser("page", help="the page of a comparison that was kept")
    written.add_argument("file", type=Path, help="its JSON file")
    scenarios = commands.add_parser("run", help="one scenario against one server").add_subparsers(
        dest="scenario", required=True
    )
    for name, make in SCENARIOS.items():
        scenario = scenarios.add_parser(name, help=make().label)
        scenario.add_argument("--server", choices=SERVERS, default="promptroom-sqlite")
        scenario.add_argument("--seed", type=int, default=1)
        scenario.add_argument("--json", action="store_true", help="one line of JSON")
        for number, default in _numbers(make).items():
            option = f"--{number.replace('_', '-')}"
            scenario.add_argument(option, type=type(default), default=default, help=f"({default:g})")
    return parser


if __name__ == "__main__":
    sys.exit(main())

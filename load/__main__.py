"""`promptroom-load`, also `python -m load`: what servers of Yjs documents can do, and what it costs.

run SCENARIO    one scenario against one server, with numbers of its own
list            the scenarios with their numbers, and the servers
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import resource
import sys
from collections.abc import Callable, Sequence

import uvloop

from load.catalogue import SCENARIOS
from load.results import Measurement
from load.scenarios import Scenario
from load.servers import SERVERS
from load.servers.process import leave_the_servers_core
from load.servers.server import ServerFailed


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what was asked for; answers the exit code.

    It is 1 where something was measured and went wrong, and 2 where nothing could be.
    """
    options = _parser().parse_args(arguments)
    if options.command == "list":
        sys.stdout.write(_listed())
        return 0
    _allow_many_connections()
    leave_the_servers_core()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            measurement = runner.run(_run(_scenario(options), options.server, options.seed))
    except ServerFailed as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    sys.stdout.write((measurement.as_json() if options.json else measurement.as_text()) + "\n")
    return 0 if measurement.is_sound else 1


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
    scenarios = "".join(f"  {name:<14}{make().label}\n" for name, make in SCENARIOS.items())
    servers = "".join(f"  {name}\n" for name in SERVERS)
    return f"Scenarios\n{scenarios}\nServers\n{servers}"


def _allow_many_connections() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="promptroom-load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="the scenarios with their numbers, and the servers")
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

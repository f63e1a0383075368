"""Runs sessions outside pytest: `python -m tests.convergence --seed 7 --sessions 1000`, or plans that were saved."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.convergence.campaign import campaign
from tests.convergence.plan import Plan, make_plan
from tests.support.postgres import PostgresServer


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.convergence", description=__doc__)
    parser.add_argument("plans", nargs="*", type=Path, help="saved plans; without any, plans are made from seeds")
    parser.add_argument("--seed", type=int, default=1, help="the first session's seed")
    parser.add_argument("--sessions", type=int, default=50, help="how many, with the seeds that follow")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL instead of SQLite")
    parser.add_argument("--failures", type=Path, default=Path(tempfile.gettempdir()), help="where failing plans go")
    return parser.parse_args()


def main() -> None:
    """Run them."""
    arguments = _arguments()
    plans = [Plan.from_json(path.read_text(encoding="utf-8")) for path in arguments.plans]
    plans = plans or [make_plan(arguments.seed + place) for place in range(arguments.sessions)]
    postgres = PostgresServer() if arguments.postgres else None
    with tempfile.TemporaryDirectory(prefix="promptroom-convergence-") as directory:
        database_url = f"sqlite+aiosqlite:///{directory}/promptroom.db"
        try:
            if postgres is not None:
                postgres.start()
                database_url = postgres.new_database()
            started = time.perf_counter()
            figures = asyncio.run(
                campaign(plans, directory=Path(directory), database_url=database_url, failures=arguments.failures)
            )
        finally:
            if postgres is not None:
                postgres.close()
    sys.stdout.write(f"{figures} in {time.perf_counter() - started:.0f} s\n")


if __name__ == "__main__":
    main()

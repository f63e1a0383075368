"""What every test can ask for: the run's options and the real servers, started once and stopped at the end."""

import os
import random
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import hypothesis
import pytest

from tests.support import chromium, node
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.server import ServerProcess

DEFAULT_SEED = 1


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the long runs too (thousands of seeded sessions)")
    parser.addoption("--screenshots", type=Path, help="write the pictures of the documentation into this directory")
    parser.addoption("--seed", type=int, default=DEFAULT_SEED, help="the seed of every random choice in the tests")


def pytest_configure(config: pytest.Config) -> None:
    # Playwright's own Node needs a library that bare systems lack.
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(node.NODE))
    hypothesis.settings.register_profile("promptroom", derandomize=True, deadline=None, database=None)
    hypothesis.settings.load_profile("promptroom")
    if not config.getoption("--long"):
        return
    hypothesis.settings.register_profile("promptroom-long", max_examples=2_000, deadline=None, print_blob=True)
    hypothesis.settings.load_profile("promptroom-long")


def pytest_report_header(config: pytest.Config) -> list[str]:
    long = "included" if config.getoption("--long") else "left out (included with --long)"
    return [f"seed: {config.getoption('--seed')} (another with --seed N)", f"long runs: {long}"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the long runs unless they were asked for; pytest's last line counts them as deselected."""
    if config.getoption("--long"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.fixture(scope="session")
def long_run(pytestconfig: pytest.Config) -> bool:
    """Whether --long was given, for tests that have a short and a long form."""
    return bool(pytestconfig.getoption("--long"))


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    """The run's seed, for tests that name their own cases (`seed + n`)."""
    return int(pytestconfig.getoption("--seed"))


@pytest.fixture
def rng(seed: int, request: pytest.FixtureRequest) -> random.Random:
    """A random generator that depends only on the run's seed and on the test, so that any test replays alone."""
    return random.Random(f"{seed} {request.node.nodeid}")


@pytest.fixture(scope="session")
def _postgres_for_all() -> Iterator[PostgresServer]:
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture
def postgres(_postgres_for_all: PostgresServer) -> PostgresServer:
    """A running PostgreSQL, for tests that stop and start it; the next test finds it running again."""
    _postgres_for_all.start()
    return _postgres_for_all


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The DATABASE_URL of an empty PostgreSQL database of this test's own."""
    url = postgres.new_database()
    yield url
    postgres.start()
    postgres.drop_database(url)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The DATABASE_URL of an SQLite file of this test's own, which does not exist yet."""
    return f"sqlite+aiosqlite:///{tmp_path / 'promptroom.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Every kind of database in turn: the DATABASE_URL of an empty one of this test's own."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(scope="session")
def _redis_for_all() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture
def redis(_redis_for_all: RedisServer) -> RedisServer:
    """A running, empty Redis, for tests that kill, pause and start it; the next test finds it running again."""
    _redis_for_all.start()
    _redis_for_all.resume()
    _redis_for_all.flush()
    return _redis_for_all


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """The executable of a real Chromium; pass `chromium.ARGUMENTS` when launching it."""
    return chromium.ensure()


class StartServer(Protocol):
    """Starts the real server, with a state directory of this test's own unless one is given."""

    def __call__(
        self,
        *,
        state_directory: Path | None = None,
        database_url: str | None = None,
        redis_url: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Awaitable[ServerProcess]: ...


@pytest.fixture
async def start_server(tmp_path: Path) -> AsyncIterator[StartServer]:
    """Start real servers; each is killed at the end, and what it said stands in the report of a failed test."""
    started: list[ServerProcess] = []

    async def start(
        *,
        state_directory: Path | None = None,
        database_url: str | None = None,
        redis_url: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> ServerProcess:
        server = ServerProcess(
            state_directory or tmp_path / f"server-{len(started) + 1}",
            database_url=database_url,
            redis_url=redis_url,
            environment=environment,
        )
        started.append(server)
        return await server.start()

    yield start
    for server in started:
        server.kill()
        print(f"--- {server.base_url} said:\n{server.log}")  # noqa: T201 - pytest shows it where a test fails


@pytest.fixture
async def server(start_server: StartServer) -> ServerProcess:
    """One real server on an SQLite file of this test's own."""
    return await start_server()

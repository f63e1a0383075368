"""What every test can ask for: the run's options and the real servers, started once and stopped at the end."""

import random

import hypothesis
import pytest

DEFAULT_SEED = 1


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the long runs too (thousands of seeded sessions)")
    parser.addoption("--seed", type=int, default=DEFAULT_SEED, help="the seed of every random choice in the tests")


def pytest_configure(config: pytest.Config) -> None:
    hypothesis.settings.register_profile("promptroom", derandomize=True, deadline=None, database=None)
    hypothesis.settings.load_profile("promptroom")
    if not config.getoption("--long"):
        return
    hypothesis.settings.register_profile("promptroom-long", max_examples=2_000, deadline=None, print_blob=True)
    hypothesis.settings.load_profile("promptroom-long")


def pytest_report_header(config: pytest.Config) -> str:
    return f"seed: {config.getoption('--seed')} (another with --seed N)"


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

"""What tests in real browsers ask for."""

from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from server.api.editor import built_editor
from tests.browser.house import House
from tests.conftest import StartServer
from tests.support import chromium
from tests.support.people import ENVIRONMENT
from tests.support.server import ServerProcess
from tests.support.waiting import DEADLINE_SECONDS

FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember what failed, for the pictures that are taken then."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium_path: Path) -> AsyncIterator[Browser]:
    """One real headless Chromium; people get separate contexts in it."""
    assert (built_editor() / "index.html").is_file(), "the editor is not built: run make test"
    expect.set_options(timeout=DEADLINE_SECONDS * 1000)
    async with async_playwright() as playwright:
        program = await playwright.chromium.launch(executable_path=chromium_path, args=list(chromium.ARGUMENTS))
        yield program
        await program.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _house_for_all(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    server = ServerProcess(tmp_path_factory.mktemp("server"), environment=ENVIRONMENT)
    async with server, httpx2.AsyncClient(trust_env=False) as http:
        yield await House.opened(server, browser, http)


@pytest_asyncio.fixture(loop_scope="session")
async def house(_house_for_all: House, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """A running server with the built editor, for tests that neither stop it nor mind other prompts on it."""
    said_before = len(_house_for_all.server.log)
    async with _visited(_house_for_all.for_new_people(), tmp_path, request) as house:
        yield house
    print(f"--- the server said:\n{house.server.log[said_before:]}")  # noqa: T201 - pytest shows it where a test fails


@pytest_asyncio.fixture(loop_scope="session")
async def own_house(
    browser: Browser, start_server: StartServer, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[House]:
    """A server of the test's own, on an SQLite file, with the built editor."""
    async with httpx2.AsyncClient(trust_env=False) as http:
        house = await House.opened(await start_server(environment=ENVIRONMENT), browser, http)
        async with _visited(house, tmp_path, request):
            yield house


@asynccontextmanager
async def _visited(house: House, pictures: Path, request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """Lend a house to a test; in the end everybody leaves, and nobody's browser may have complained."""
    yield house
    complaints = [f"{person.name}: {text}" for person in house.people for text in person.complaints]
    if complaints or request.node.stash[FAILED]:
        print("--- screenshots:", *await house.take_pictures(pictures), sep="\n")  # noqa: T201 - as above
    await house.close()
    assert not complaints

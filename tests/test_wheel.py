"""What is installed: the packages and the built editor, and a server that needs nothing else of the checkout."""

import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.support.source import ROOT, modules

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(directory)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(directory.glob("*.whl"))


def test_it_holds_every_module_and_the_built_editor(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {str(module.path) for module in modules()} <= names
    assert "client/web/dist/index.html" in names, "the editor is not built: run make test"
    assert any(name.startswith("client/web/dist/assets/") and name.endswith(".js") for name in names)


def test_it_holds_nothing_that_only_the_checkout_needs(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert not [name for name in names if "node_modules" in name or name.startswith(("tests/", "docs/"))]
    assert not [name for name in names if name.startswith("client/web/") and not name.startswith("client/web/dist/")]
    assert not [name for name in names if Path(name).name.startswith(".")]


async def test_a_server_from_it_serves_the_editor(wheel: Path, start_server: StartServer, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    server = await start_server(environment={"PYTHONPATH": str(installed)})
    page = urllib.request.Request(f"{server.base_url}/signin", headers={"Accept": "text/html"})  # noqa: S310 - our own
    with urllib.request.urlopen(page, timeout=10) as answer:  # noqa: ASYNC210, S310 - our own server
        assert answer.read() == (installed / "client/web/dist/index.html").read_bytes()

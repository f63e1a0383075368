"""The structure that the source has to keep, read from the source itself."""

import re
from collections import Counter
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support.source import PACKAGES, ROOT, Module, files, modules, texts

MODULES = modules()

MAY_IMPORT: Mapping[str, set[str]] = {
    "crdt": set(),
    "persistence": set(),
    "server": {"crdt", "persistence"},
    "client": {"crdt"},
    "load": {"crdt"},
}

# From the ground up: a module imports from its own line and from those above it.
ORDER_IN_SERVER = (
    {"errors", "settings", "signing_key", "telemetry"},
    {"access", "auth", "envelope", "limits"},
    {"bus", "database_watch", "outbox", "redis_bus", "redis_link", "redis_server", "tasks", "workers"},
    {"nodes", "pulse"},
    {"acknowledgements", "attendance", "audience", "framing", "life", "opening", "pace", "questions", "upkeep"},
    {"announcer", "appearance", "holders", "presence", "presence_elsewhere", "presence_report"},
    {"rebuild"},
    {"membership"},
    {"inbox", "renewal"},
    {"arrivals"},
    {"admission", "appender"},
    {"room", "session"},
    {"checkpointing", "compactor", "editing", "follower", "history", "live_state", "look_ahead", "rebuilding"},
    {"hub", "rooms"},
    {"services"},
    {"api", "http_protocol", "websocket", "wire"},
    {"app"},
    {
        "credentials",
        "export",
        "export_repository",
        "first_prompt",
        "fsck",
        "import_files",
        "import_repository",
        "serving",
    },
    {"__main__", "cli"},
)

ONLY_IMPORTER = {
    "jwt": {"server.auth"},
    # The other is a program of its own: the server of pycrdt-websocket, to be measured.
    "pycrdt": {"crdt.document", "load.servers.pycrdt_program"},
    "redis": {"server.redis_link", "server.redis_server"},
}
READS_THE_ENVIRONMENT = "server.settings"

LONGEST_FILE = 320
LONGEST_TEST = 450
LONGER: Mapping[str, str] = {}
"""Files that may be longer, each with the reason."""

TOP_LEVEL = {
    *PACKAGES,
    *(".ci", ".gitattributes", ".gitignore", "CHANGELOG.md", "Makefile", "Procfile", "README.md", "docs"),
    *("pyproject.toml", "tests"),
    *("requirements.lock", "requirements-build.lock", "requirements-dev.lock", "requirements-node.lock"),
}

NAMES_THAT_SAY_NOTHING = {"base", "common", "helper", "helpers", "misc", "util", "utils"}
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
SOMEBODYS_MACHINE = re.compile(r"(?<![\w.])/(?:home|root|Users|work|workspace)/\w")
DOWNLOAD_ADDRESS = re.compile(r"npmjs\.org|npmjs\.com|pythonhosted\.org|pypi\.org|deb\.debian\.org")


def place_in_server(module: str) -> int:
    """Return the number of the module's line in ORDER_IN_SERVER."""
    name = module.split(".")[1]
    places = [number for number, line in enumerate(ORDER_IN_SERVER) if name in line]
    assert places, f"{module} has no place in ORDER_IN_SERVER: give it one"
    return places[0]


def imports_within(module: Module, package: str) -> set[str]:
    return {name for name in module.imports if name.startswith(f"{package}.") and name != module.name}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_a_package_imports_only_the_packages_it_may(module: Module) -> None:
    used = {name.partition(".")[0] for name in module.imports} & {*PACKAGES, "tests"}
    assert used - {module.package} <= MAY_IMPORT[module.package]


@pytest.mark.parametrize(
    "module", [one for one in MODULES if one.name.startswith("server.")], ids=lambda module: module.name
)
def test_inside_server_imports_point_to_the_ground(module: Module) -> None:
    place = place_in_server(module.name)
    assert not {name for name in imports_within(module, "server") if place_in_server(name) > place}


def test_session_and_room_do_not_know_each_other() -> None:
    imports = {module.name: module.imports for module in MODULES}
    assert "server.room" not in imports["server.session"]
    assert "server.session" not in imports["server.room"]


def test_no_module_imports_itself_by_a_detour() -> None:
    graph = {module.name: {name for name in module.imports if name != module.name} for module in MODULES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"an import cycle: {' → '.join(error.args[1])}")


@pytest.mark.parametrize(("library", "allowed"), ONLY_IMPORTER.items())
def test_a_library_behind_one_door_has_no_other_importer(library: str, allowed: set[str]) -> None:
    importers = {one.name for one in MODULES if any(name.partition(".")[0] == library for name in one.imports)}
    assert importers <= allowed


def test_only_the_settings_read_the_environment() -> None:
    readers = {one.name for one in MODULES if one.attributes & {"os.environ", "os.environb", "os.getenv"}}
    assert readers <= {READS_THE_ENVIRONMENT}


def test_no_file_is_longer_than_one_reason_to_exist() -> None:
    code = [(path, text) for path, text in texts() if path.suffix in {".py", ".ts", ".tsx", ".css"}]
    limits = {path: LONGEST_TEST if {"test", "tests"} & {*path.parts} else LONGEST_FILE for path, _ in code}
    long = {str(path): lines for path, text in code if (lines := text.count("\n")) > limits[path]}
    assert long.keys() == LONGER.keys(), f"too long, or listed and not too long: {long}"


def test_no_module_is_named_after_nothing() -> None:
    named = [path for path in files() if path.suffix in {".py", ".ts", ".tsx"}]
    assert not [path for path in named if NAMES_THAT_SAY_NOTHING & {path.stem, *path.parts[:-1]}]


def test_the_top_level_holds_what_it_always_held() -> None:
    assert {path.parts[0] for path in files()} <= TOP_LEVEL


@pytest.mark.parametrize(
    ("pattern", "what"),
    [
        (UNFINISHED, "something unfinished"),
        (SOMEBODYS_MACHINE, "a path of somebody's machine"),
        (DOWNLOAD_ADDRESS, "a download address"),
    ],
)
def test_no_file_holds(pattern: re.Pattern[str], what: str) -> None:
    found = {str(path): match[0] for path, text in texts() if (match := pattern.search(text))}
    assert not found, f"{what} stands in {found}"


def test_no_file_names_this_checkout() -> None:
    assert not [path for path, text in texts() if f"{ROOT}/" in text]


def test_every_lock_file_pins_by_hash_and_names_no_index() -> None:
    for path in ROOT.glob("requirements*.lock"):
        lines = path.read_text().splitlines()
        pinned = [line for line in lines if "==" in line]
        hashed = Counter(line.strip().startswith("--hash=sha256:") for line in lines)[True]
        assert pinned, path.name
        assert hashed >= len(pinned), path.name
        assert not [line for line in lines if line.startswith("-")], path.name


def test_the_development_lock_agrees_with_the_one_that_ships() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^([\w.-]+==\S+)", (ROOT / name).read_text(), re.MULTILINE))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")
    assert pins("requirements-build.lock") <= pins("requirements-dev.lock")


def test_every_package_is_one() -> None:
    there = {module.package for module in MODULES}
    assert {"client", "crdt", "persistence", "server"} <= there
    assert not [name for name in there if not Path(ROOT, name, "__init__.py").is_file()]

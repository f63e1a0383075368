"""What the documentation lists is what there is: settings, commands, endpoints, codes, events, metrics, roles."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from prometheus_client import Metric

from server import cli
from server.access import Role
from server.app import create_app
from server.errors import every_error
from server.services import Services
from server.settings import Settings
from server.telemetry import REGISTRY
from tests.support.source import ROOT

OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text()
README = (ROOT / "README.md").read_text()

# Codes of the readers of frames and updates stand in the protocol; all others in the operations manual.
OF_A_READER = re.compile(r"(?:awareness|frame|state_vector|update|varint)_(?!rejected$)")
# What `crdt` says to `server`, which says it in its own words.
BETWEEN_OURSELVES = {"crdt_error", "engine_failed", "hold_back_full", "offset_invalid", "text_embedded", "text_invalid"}
# The command line's: printed as its message, without the code.
PRINTED = {"setting_invalid"}
# Caught inside the server: readiness, the log or another read of the journal follow, and nobody is answered with them.
NEVER_ANSWERED = {"bus_unavailable", "envelope_invalid", "journal_overlaps"}
REASONS_WITHOUT_AN_ERROR = {"1012", "1013"}


def section(document: str, title: str) -> str:
    """Answer what stands below a heading."""
    found = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", document, re.MULTILINE | re.DOTALL)
    assert found, f"there is no section {title!r}"
    return found[1]


def first_column(text: str) -> list[str]:
    """Answer what stands in backticks, or as a number, at the beginning of each row of a table."""
    return re.findall(r"^\| `?([^`|]+?)`? \|", text, re.MULTILINE)


def rows(document: str, title: str) -> list[str]:
    """Answer the first column of a section's table without its head."""
    names = first_column(section(document, title))
    return [name for name in names[1:] if set(name) != {"-"}]


def trees(*packages: str) -> Iterator[ast.AST]:
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield ast.parse(path.read_text())


def texts_of(node: ast.AST | None) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from texts_of(node.body)
        yield from texts_of(node.orelse)


def codes_in(*packages: str) -> set[str]:
    """Answer every code that a class has (`code = "…"`) or that is given to an error (`code="…"`)."""
    found: set[str] = set()
    for node in (node for tree in trees(*packages) for node in ast.walk(tree)):
        match node:
            case ast.keyword(arg="code", value=value):
                found |= set(texts_of(value))
            case ast.AnnAssign(target=ast.Name(id="code"), value=value):
                found |= set(texts_of(value))
            case ast.Assign(targets=[ast.Name(id="code")], value=value):
                found |= set(texts_of(value))
    return found


def settings_read(path: Path) -> set[str]:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call) and node.args]
    names = [text for call in calls if ast.unparse(call.func) == "values.get" for text in texts_of(call.args[0])]
    return set(names)


def test_every_setting_is_documented() -> None:
    documented = rows(OPERATIONS, "Settings")
    assert len(documented) == len(set(documented))
    assert set(documented) == settings_read(ROOT / "server" / "settings.py")


def test_the_readme_names_no_other_settings() -> None:
    lines = re.findall(r"^\|.*", section(README, "Settings"), re.MULTILINE)
    named = {name for line in lines for name in re.findall(r"`([A-Z][A-Z_]+)`", line)}
    assert named <= set(rows(OPERATIONS, "Settings"))


def test_every_command_is_documented() -> None:
    documented = {name.split()[1] for name in rows(OPERATIONS, "Commands")}
    registered = {
        command.name or command.callback.__name__ for command in cli.app.registered_commands if command.callback
    }
    assert documented == registered


def test_every_role_is_documented() -> None:
    head = section(OPERATIONS, "Roles").strip().splitlines()[0]
    assert {cell.strip() for cell in head.strip("|").split("|")} - {""} == set(Role)


def test_every_endpoint_is_documented(tmp_path: Path) -> None:
    settings = Settings.from_environment({"STATE_DIRECTORY": str(tmp_path)})
    nothing: Any = None
    app = create_app(Services(settings, nothing, nothing, nothing, nothing, lambda: 0.0))
    paths = app.openapi()["paths"]
    served = {f"{method.upper()} {path}" for path, operations in paths.items() for method in operations}
    documented = rows(OPERATIONS, "Endpoints")
    assert sorted(documented) == sorted(served)


def test_every_error_code_is_documented_with_its_status() -> None:
    documented = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", section(OPERATIONS, "Errors"), re.MULTILINE))
    codes = {code for code in codes_in("server") if not OF_A_READER.match(code)} - PRINTED - NEVER_ANSWERED
    assert documented.keys() == codes
    for error in every_error():
        assert documented[error.code] == str(error.status)


def test_every_rule_of_the_reader_is_documented() -> None:
    codes = {code for code in codes_in("crdt", "server") - BETWEEN_OURSELVES if OF_A_READER.match(code)}
    assert sorted(rows(PROTOCOL, "What the reader refuses")) == sorted(codes)


def test_every_close_code_is_documented() -> None:
    documented = rows(PROTOCOL, "Close codes")
    assert set(documented) == {str(error.close_code) for error in every_error()} | REASONS_WITHOUT_AN_ERROR


def test_every_room_event_is_documented() -> None:
    published = {
        text
        for tree in trees("server")
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if "type" in set(texts_of(key))
        for text in texts_of(value)
        if "." in text
    }
    assert set(rows(PROTOCOL, "Room events")) == published


def test_every_metric_is_documented_with_its_type() -> None:
    documented = dict(re.findall(r"^\| `(promptroom_\w+)` \| (\w+) \|", section(OPERATIONS, "Metrics"), re.MULTILINE))
    assert documented == {metric.name: metric.type for metric in ours(REGISTRY.collect())}


def ours(metrics: Iterable[Metric]) -> Iterator[Metric]:
    return (metric for metric in metrics if metric.name.startswith("promptroom_"))


def test_every_link_leads_somewhere() -> None:
    for path in (ROOT / "docs").rglob("*.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"

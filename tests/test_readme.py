"""What the README says about commands, settings and dependencies is so."""

import re
import tomllib

from tests.support.source import ROOT

README = (ROOT / "README.md").read_text()


def test_every_runtime_dependency_is_named() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split(r"[\[<>=]", requirement)[0] for requirement in listed}
    table = README.partition("## Dependencies")[2]
    assert not [name for name in names if not re.search(rf"\b{re.escape(name)}\b", table)]


def test_every_command_is_a_target_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    commands = set(re.findall(r"\bmake ([a-z-]+)", README))
    assert {"serve", "test", "check"} <= commands
    assert not [command for command in commands if not re.search(rf"^{command}:", makefile, re.MULTILINE)]


def test_every_file_it_points_to_is_there() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    named = re.findall(r"`(tests/[\w/.]+)`", README)
    assert not [path for path in [*links, *named] if not (ROOT / path).exists()]


def test_every_setting_is_documented_and_every_documented_setting_read() -> None:
    read = set(re.findall(r'\.get\("([A-Z_]+)"', (ROOT / "server" / "settings.py").read_text()))
    table = README.partition("## Settings")[2].partition("## ")[0]
    documented = {
        name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    assert documented == read

"""The changelog, the package and the project file tell of one version."""

import re
import tomllib
from importlib.metadata import version

import server
from tests.support.source import ROOT

VERSION_HEADING = re.compile(r"^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2}|Unreleased)$", re.MULTILINE)
CHANGES = {"Added", "Changed", "Deprecated", "Fixed", "Removed", "Security"}


def changelog() -> str:
    return (ROOT / "CHANGELOG.md").read_text()


def test_the_newest_entry_is_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    newest = VERSION_HEADING.search(changelog())
    assert newest is not None
    assert newest[1] == project["version"] == version("promptroom") == server.__version__


def test_every_heading_is_a_version_or_a_kind_of_change() -> None:
    headings = re.findall(r"^## .*$", changelog(), re.MULTILINE)
    assert [heading for heading in headings if VERSION_HEADING.match(heading)] == headings
    assert set(re.findall(r"^### (.*)$", changelog(), re.MULTILINE)) <= CHANGES


def test_versions_fall_and_only_the_newest_may_be_unreleased() -> None:
    entries = VERSION_HEADING.findall(changelog())
    numbers = [tuple(map(int, number.split("."))) for number, _ in entries]
    assert numbers == sorted(set(numbers), reverse=True)
    assert not [number for number, date in entries[1:] if date == "Unreleased"]

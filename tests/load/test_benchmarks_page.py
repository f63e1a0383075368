"""What docs/benchmarks.md explains is what is measured."""

import re
from itertools import chain

from load.cases import CASES
from load.figures import FIGURES
from load.targets import EVERY_CASE, TARGETS
from tests.support.source import ROOT

DOCUMENT = (ROOT / "docs" / "benchmarks.md").read_text()


def named(title: str) -> set[str]:
    """Every name in backticks that stands in the first column of a section's table."""
    section = DOCUMENT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE)
    return {*chain.from_iterable(re.findall(r"`([^`]+)`", cell) for cell in cells)}


def test_every_case_is_explained() -> None:
    assert named("The cases") == {*CASES}


def test_every_figure_is_explained() -> None:
    assert {*FIGURES} - named("The figures") <= {"edit_p95_ms", "edit_p99_ms"}


def test_every_case_with_a_bound_has_it_named() -> None:
    assert named("What has to be reached") == {target.case for target in TARGETS} - {EVERY_CASE}

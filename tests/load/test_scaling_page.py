"""docs/scaling.md says what was measured, and what the model makes of it."""

import re

import pytest

from load.figures import digits
from load.scaling.__main__ import PARTS
from load.scaling.assumptions import Assumptions
from load.scaling.costs import measured
from load.scaling.paper import plan
from tests.support.source import ROOT

DOCUMENT = (ROOT / "docs" / "scaling.md").read_text()
MEASURED = measured()


def written(columns: int) -> dict[str, list[str]]:
    """The values of every row whose first cell is a name in backticks, of tables that have so many values."""
    rows = re.findall(rf"^\| `(\w+)` \|((?: [\d.,]+ \|){{{columns}}})", DOCUMENT, re.MULTILINE)
    return {name: [value.strip() for value in values.split("|")[:-1]] for name, values in rows}


def test_every_constant_is_the_one_that_was_measured() -> None:
    shown = written(1)
    assert {*MEASURED} <= {*shown}
    assert {name: shown[name][0] for name in MEASURED} == {name: digits(value) for name, value in MEASURED.items()}


def test_every_part_is_there_with_its_command() -> None:
    for part in PARTS:
        assert f"`python -m load.scaling measure {part} --seconds" in DOCUMENT


@pytest.mark.slow
def test_what_stands_on_paper_is_what_the_model_says() -> None:
    shown = written(2)
    plans = [plan(Assumptions(), MEASURED, by_prompt=each) for each in (False, True)]
    assert shown == {name: [digits(each.figures[name]) for each in plans] for name in plans[0].figures}

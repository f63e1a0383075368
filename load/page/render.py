"""The page as a whole."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from load.comparison import Comparison
from load.page.cards import card_section
from load.page.facts import fact_section, machine_section
from load.page.markup import Markup, element
from load.page.nodes import nodes_section
from load.page.ratios import ratio_section
from load.page.verdicts import problem_section, target_section
from load.summary import sum_up

_STYLE: Final = Path(__file__).with_name("style.css")
_TITLE: Final = "Promptroom beside other servers"


def page(comparison: Comparison) -> str:
    """One file of HTML that needs nothing else.

    Args:
        comparison: what it shows.
    """
    cases = sum_up(comparison)
    head = element(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", _TITLE),
        element("style", Markup(_STYLE.read_text())),
    )
    body = element(
        "main",
        element("h1", _TITLE),
        element("p", _when(comparison), class_="muted"),
        fact_section(cases),
        problem_section(comparison, cases),
        ratio_section(cases),
        nodes_section(cases),
        target_section(cases),
        card_section(cases),
        machine_section(comparison),
    )
    return f"<!doctype html>\n{element('html', head, element('body', body), lang='en')}\n"


def _when(comparison: Comparison) -> str:
    rounds = max((run.turn for run in comparison.runs), default=0)
    day = datetime.fromisoformat(comparison.started).strftime("%d %B %Y, %H:%M %Z")
    minutes = f"{comparison.seconds / 60:.0f} minutes"
    made = f"{len(comparison.runs)} runs in {rounds} round{'s' * (rounds != 1)}, {minutes}, {day}"
    if not comparison.quick:
        return made
    return (
        f"A quick look: {made}. Some loads are smaller, and all times shorter, than the titles say; what was asked for "
        "stands below each."
    )

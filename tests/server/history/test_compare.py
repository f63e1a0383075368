"""Two texts side by side."""

from random import Random

import pytest

from crdt.diff import apply_edits
from server.history.compare import ConfigChange, ConfigChangeKind, ConfigProblem, Side, compare, estimated_tokens
from tests.crdt.sessions import random_edit

BEFORE = """---
model: one
config:
  temperature: 1
  stop: [a, b]
---
Hello {{name}}, {{greeting}}.
"""
AFTER = """---
model: one
config:
  temperature: 1.0
  stop: [a]
  topK: 3
---
Hello {{name}}, {{farewell}}.
"""


def test_configuration_and_variables_are_compared() -> None:
    result = compare(BEFORE, AFTER, file_name="greeting.prompt")
    assert result.config == (
        ConfigChange("config.temperature", ConfigChangeKind.CHANGED, 1, 1.0),
        ConfigChange("config.stop.1", ConfigChangeKind.REMOVED, "b", None),
        ConfigChange("config.topK", ConfigChangeKind.ADDED, None, 3),
    )
    assert result.config_problems == ()
    assert (result.variables.added, result.variables.removed) == (("farewell",), ("greeting",))
    assert (result.additions, result.deletions) == (4, 3)
    assert result.unified.startswith("diff --git a/greeting.prompt b/greeting.prompt\n--- a/greeting.prompt\n")


def test_a_text_and_itself_differ_in_nothing() -> None:
    result = compare(BEFORE, BEFORE, file_name="x.prompt")
    assert (result.hunks, result.unified, result.config, result.variables.added) == ((), "", (), ())


def test_front_matter_that_cannot_be_read_is_reported_beside_the_rest() -> None:
    result = compare(BEFORE, "---\nmodel: [\n---\n{{name}}\n", file_name="x.prompt")
    assert result.config == ()
    assert result.config_problems == (ConfigProblem(Side.B, 3, 1, "not YAML"),)
    assert result.variables.removed == ("greeting",)
    assert result.hunks


def test_both_sides_can_have_a_problem() -> None:
    result = compare("---\n- a\n---\n", "---\n", file_name="x.prompt")
    assert [(problem.side, problem.line) for problem in result.config_problems] == [(Side.A, 2), (Side.B, 1)]


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("abcd", 1), ("abcde", 2), ("😀", 1), ("漢字かな", 3)])
def test_tokens_are_estimated_from_bytes(text: str, tokens: int) -> None:
    assert estimated_tokens(text) == tokens


def test_whatever_two_texts_are_they_are_compared(rng: Random) -> None:
    text = BEFORE
    for _ in range(300):
        other = apply_edits(text, [random_edit(rng, text)])
        compare(text, other, file_name="x.prompt")
        text = other if len(other) < 2_000 else AFTER

"""Two texts side by side as an answer, made where it disturbs nobody: the worker process makes the bytes too."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, JsonValue

from server.api.fields import Answer
from server.history.compare import Comparison, ConfigChangeKind, Side, compare
from server.history.hunks import LineKind


class ComparedAnswer(Answer):
    """One of the two: `version_id` is null for the live text."""

    ref: str
    version_id: str | None
    seq: int = Field(description="The journal entry whose text it is.")


class WordSpanAnswer(Answer):
    """Part of a line; UTF-16 offsets within the line."""

    start: int
    end: int


class LineAnswer(Answer):
    """One line of a hunk."""

    kind: LineKind
    text: str = Field(description="Without its newline.")
    has_newline: bool = Field(description="False where a text's last line has none.")
    spans: Annotated[
        list[WordSpanAnswer], Field(description="The words that differ; empty in a line without counterpart.")
    ]


class HunkAnswer(Answer):
    """Lines around one or more changes; where it begins on either side, from 1, and how many lines it takes there."""

    a_start: int
    a_lines: int
    b_start: int
    b_lines: int
    lines: list[LineAnswer]


class LineCounts(Answer):
    """How many lines were added and removed."""

    additions: int
    deletions: int


class VariablesAnswer(Answer):
    """Names that only one of the bodies asks for."""

    added: list[str]
    removed: list[str]


class ConfigChangeAnswer(Answer):
    """A value of the front matter that differs; null also stands for one that is not there, which `kind` tells."""

    path: str = Field(examples=["config.temperature"])
    kind: ConfigChangeKind
    before: JsonValue
    after: JsonValue


class ConfigProblemAnswer(Answer):
    """Front matter that cannot be read; line and column from 1, in the whole text."""

    side: Side
    line: int
    column: int
    reason: str


class TokensAnswer(Answer):
    """Estimates: a quarter of the bytes. No tokenizer is asked."""

    a: int
    b: int


class ComparisonAnswer(Answer):
    """What leads from `a` to `b`."""

    a: ComparedAnswer
    b: ComparedAnswer
    unified: str = Field(description="As `git apply` and `patch` take it; empty where nothing differs.")
    stats: LineCounts
    hunks: list[HunkAnswer]
    variables: VariablesAnswer
    config: list[ConfigChangeAnswer] = Field(description="Empty while either front matter has a problem.")
    config_problems: list[ConfigProblemAnswer]
    tokens: TokensAnswer


def comparison_json(before: str, after: str, file_name: str, a: ComparedAnswer, b: ComparedAnswer) -> bytes:
    """Answers the comparison of two texts as JSON."""
    return _answer(compare(before, after, file_name=file_name), a, b).model_dump_json().encode()


def _answer(found: Comparison, a: ComparedAnswer, b: ComparedAnswer) -> ComparisonAnswer:
    return ComparisonAnswer(
        a=a,
        b=b,
        unified=found.unified,
        stats=LineCounts(additions=found.additions, deletions=found.deletions),
        hunks=[HunkAnswer.model_validate(hunk) for hunk in found.hunks],
        variables=VariablesAnswer.model_validate(found.variables),
        config=[ConfigChangeAnswer.model_validate(change) for change in found.config],
        config_problems=[ConfigProblemAnswer.model_validate(problem) for problem in found.config_problems],
        tokens=TokensAnswer(a=found.a_tokens, b=found.b_tokens),
    )

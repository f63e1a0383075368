"""Two texts of a prompt side by side: lines, words, variables, configuration and a rough size in tokens."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from server.history import front_matter
from server.history.front_matter import FrontMatterInvalid, Table, Value
from server.history.hunks import Hunk, changed_lines, hunks_of, unified
from server.history.variables import variables_of

# What providers state for English prose. Of UTF-8 bytes, since scripts with longer characters take more tokens each.
_BYTES_PER_TOKEN: Final = 4


class Side(StrEnum):
    """Which of the two texts."""

    A = "a"
    B = "b"


class ConfigChangeKind(StrEnum):
    """What became of a value."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """A value of the front matter that differs; None also stands for one that is not there, which `kind` tells."""

    path: str
    kind: ConfigChangeKind
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """Front matter that cannot be read, so that nothing is said about its values; from 1, in the whole text."""

    side: Side
    line: int
    column: int
    reason: str


@dataclass(frozen=True, slots=True)
class Variables:
    """The names that only one of the two bodies asks for, in order."""

    added: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What leads from one text to the other; `config` is empty while either front matter has a problem."""

    hunks: tuple[Hunk, ...]
    unified: str
    additions: int
    deletions: int
    variables: Variables
    config: tuple[ConfigChange, ...]
    config_problems: tuple[ConfigProblem, ...]
    a_tokens: int
    b_tokens: int


def compare(before: str, after: str, *, file_name: str) -> Comparison:
    """Compares two texts.

    Arguments: `file_name` is what the unified diff calls the file. Raises OffsetError where a text holds half a
    surrogate pair.
    """
    hunks = hunks_of(before, after)
    additions, deletions = changed_lines(hunks)
    old, new = front_matter.split(before), front_matter.split(after)
    asked_before, asked_after = variables_of(old.body), variables_of(new.body)
    config, problems = _config(old, new)
    return Comparison(
        hunks=tuple(hunks),
        unified=unified(hunks, file_name),
        additions=additions,
        deletions=deletions,
        variables=Variables(
            added=tuple(sorted(asked_after - asked_before)), removed=tuple(sorted(asked_before - asked_after))
        ),
        config=config,
        config_problems=problems,
        a_tokens=estimated_tokens(before),
        b_tokens=estimated_tokens(after),
    )


def estimated_tokens(text: str) -> int:
    """Answers roughly how many tokens a text takes: a quarter of its UTF-8 bytes, since no tokenizer is asked."""
    return -(-len(text.encode()) // _BYTES_PER_TOKEN)


def _config(
    old: front_matter.Parts, new: front_matter.Parts
) -> tuple[tuple[ConfigChange, ...], tuple[ConfigProblem, ...]]:
    tables: list[Table] = []
    problems: list[ConfigProblem] = []
    for side, parts in ((Side.A, old), (Side.B, new)):
        try:
            tables.append(front_matter.table_of(parts))
        except FrontMatterInvalid as error:
            problems.append(ConfigProblem(side, error.line, error.column, error.reason))
    return () if problems else _changes(*tables), tuple(problems)


def _changes(before: Table, after: Table) -> tuple[ConfigChange, ...]:
    changes = []
    for path in [*before, *(path for path in after if path not in before)]:
        if path not in after:
            changes.append(ConfigChange(path, ConfigChangeKind.REMOVED, before[path], None))
        elif path not in before:
            changes.append(ConfigChange(path, ConfigChangeKind.ADDED, None, after[path]))
        elif _differ(before[path], after[path]):
            changes.append(ConfigChange(path, ConfigChangeKind.CHANGED, before[path], after[path]))
    return tuple(changes)


def _differ(before: Value, after: Value) -> bool:
    # 1, 1.0 and true are equal to Python.
    return type(before) is not type(after) or before != after

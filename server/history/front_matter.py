"""The configuration of a prompt: the front matter of its Dotprompt file, as a flat table of values.

Front matter is YAML that somebody else has written, so it is read from the parser's events and never built into
objects: no tag runs code, no alias is followed, nothing recurses, and every size has a bound. As in Dotprompt, anchors,
aliases, tags and keys that stand twice are refused.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)
from yaml.nodes import ScalarNode
from yaml.resolver import Resolver

# What a scalar says, as JSON says it; an empty mapping or list stands for itself.
Value: TypeAlias = "str | int | float | bool | dict[str, str] | list[str] | None"
Table: TypeAlias = dict[str, Value]

MAX_FRONT_MATTER_LENGTH: Final = 64 * 1024
MAX_NESTING: Final = 32
# A path repeats the keys above it, so a small file could have a very long table.
MAX_PATHS_LENGTH: Final = 1024 * 1024

_FENCE: Final = re.compile(r"---[ \t]*")
_PLAIN_KEY: Final = re.compile(r"[\w-]+")
_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,14})")
# The parser in C, where PyYAML was built with it, is ten times as fast.
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_resolve: Final[Callable[[type[ScalarNode], str, tuple[bool, bool]], str]] = Resolver().resolve
_TRUE: Final = frozenset({"on", "true", "yes"})


class FrontMatterInvalid(Exception):
    """Front matter that cannot be read.

    Arguments: `reason` is one phrase for a person; `line` and `column` say where, from 1, in the whole text.
    """

    def __init__(self, reason: str, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {reason}")
        self.reason = reason
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Parts:
    """A prompt's text in its two parts.

    Arguments: `first_line` is the line, from 1, on which the front matter begins; `is_closed` is false where it begins
    and never ends, which makes all of the text the body.
    """

    front_matter: str
    body: str
    first_line: int = 1
    is_closed: bool = True


def split(text: str) -> Parts:
    """Answers front matter and body."""
    lines = text.split("\n")
    opening = next((at for at, line in enumerate(lines) if line.strip() and not line.startswith("#")), None)
    if opening is None or not _FENCE.fullmatch(lines[opening]):
        return Parts("", text)
    closing = next((at for at in range(opening + 1, len(lines)) if _FENCE.fullmatch(lines[at])), None)
    if closing is None:
        return Parts("", text, opening + 1, is_closed=False)
    return Parts("\n".join(lines[opening + 1 : closing]), "\n".join(lines[closing + 1 :]), opening + 2)


def table_of(parts: Parts) -> Table:
    """Answers every value of the front matter under its dotted path (`config.stop.0`). Raises FrontMatterInvalid."""
    if not parts.is_closed:
        raise FrontMatterInvalid("it never ends: a line `---` is missing", parts.first_line, 1)
    if len(parts.front_matter) > MAX_FRONT_MATTER_LENGTH:
        raise FrontMatterInvalid(f"longer than {MAX_FRONT_MATTER_LENGTH} characters", parts.first_line, 1)
    reader = _Reader(parts.first_line)
    try:
        for event in yaml.parse(parts.front_matter, Loader=_LOADER):
            reader.read(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        raise FrontMatterInvalid("not YAML", parts.first_line + line, column + 1) from None
    except yaml.YAMLError:
        # A character that YAML does not allow: the parser counts characters, not lines.
        raise FrontMatterInvalid("a character that YAML does not allow", parts.first_line, 1) from None
    return reader.table


@dataclass(slots=True)
class _Level:
    """One open mapping or list: its own path, and the key or the number of what comes next in it."""

    path: str
    is_mapping: bool
    key: str | None = None
    seen: set[str] = field(default_factory=set)
    count: int = 0


class _Reader:
    """Makes the table, event by event."""

    def __init__(self, first_line: int) -> None:
        self.table: Table = {}
        self._first_line = first_line
        self._levels: list[_Level] = []
        self._documents = 0
        self._paths_length = 0

    def read(self, event: Event) -> None:
        """Takes one event."""
        if isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self._invalid("more than one document", event)
        elif isinstance(event, CollectionEndEvent):
            self._close()
        elif isinstance(event, NodeEvent):
            self._check(event)
            level = self._levels[-1] if self._levels else None
            if level is not None and level.is_mapping and level.key is None:
                level.key = self._key(event, level)
            elif isinstance(event, CollectionStartEvent):
                self._open(event)
            elif isinstance(event, ScalarEvent):
                self._scalar(event)

    def _check(self, event: NodeEvent) -> None:
        if isinstance(event, AliasEvent):
            raise self._invalid("aliases are not allowed", event)
        if event.anchor is not None:
            raise self._invalid("anchors are not allowed", event)
        if getattr(event, "tag", None) is not None:
            raise self._invalid("tags are not allowed", event)

    def _key(self, event: NodeEvent, level: _Level) -> str:
        if not isinstance(event, ScalarEvent):
            raise self._invalid("a key has to be a plain value", event)
        if event.value in level.seen:
            raise self._invalid("a key stands twice", event)
        level.seen.add(event.value)
        return str(event.value)

    def _open(self, event: CollectionStartEvent) -> None:
        is_mapping = isinstance(event, MappingStartEvent)
        if not self._levels and not is_mapping:
            raise self._invalid("front matter has to be a mapping", event)
        if len(self._levels) >= MAX_NESTING:
            raise self._invalid(f"nested more than {MAX_NESTING} deep", event)
        self._levels.append(_Level(self._next_path(event) if self._levels else "", is_mapping))

    def _close(self) -> None:
        level = self._levels.pop()
        if not level.count and self._levels:
            self.table[level.path] = {} if level.is_mapping else []

    def _scalar(self, event: ScalarEvent) -> None:
        if self._levels:
            self.table[self._next_path(event)] = _value(event)
        elif _value(event) is not None:
            raise self._invalid("front matter has to be a mapping", event)

    def _next_path(self, event: Event) -> str:
        level = self._levels[-1]
        own = str(level.count) if level.key is None else _as_segment(level.key)
        level.count += 1
        level.key = None
        path = f"{level.path}.{own}" if level.path else own
        self._paths_length += len(path)
        if self._paths_length > MAX_PATHS_LENGTH:
            raise self._invalid("too large", event)
        return path

    def _invalid(self, reason: str, event: Event) -> FrontMatterInvalid:
        mark = event.start_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        return FrontMatterInvalid(reason, self._first_line + line, column + 1)


def _as_segment(key: str) -> str:
    """A key as it stands in a path; one with a dot, say, stands in quotes."""
    return key if _PLAIN_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=False)


def _value(event: ScalarEvent) -> Value:
    """What a scalar says; what JSON cannot say exactly stays as it was written."""
    written = str(event.value)
    if not event.implicit[0]:
        return written
    tag = _resolve(ScalarNode, written, (True, False)).rpartition(":")[2]
    if tag == "null":
        return None
    if tag == "bool":
        return written.lower() in _TRUE
    if tag == "int" and _INTEGER.fullmatch(written):
        return int(written)
    if tag == "float":
        return _number(written)
    return written


def _number(written: str) -> float | str:
    try:
        number = float(written)
    except ValueError:
        return written
    return number if math.isfinite(number) else written

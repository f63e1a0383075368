"""The part of YAML that our own files use, read strictly: what is not in it is an error, never a guess.

Mappings and sequences in blocks, sequences of strings in brackets (as JSON), plain and quoted scalars, block scalars
(`|` and `>-`), comments, anchors, aliases and merges (`<<`). Every scalar is a string: the programs that read these
files have types of their own in mind.
"""

import json
import re
from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = "str | list[Value] | dict[str, Value] | None"

_KEY = re.compile(r"""(?P<key>"[^"]*"|'[^']*'|[^\s"'#&*!|>%@`\[\]{},-][^#]*?|-[^\s#][^#]*?):(?:\s+(?P<rest>.*))?""")
_ANCHOR = re.compile(r"&(\w+)(?:\s+(.*))?")
_PLAIN = re.compile(r"[^\s\"'&*!|>%@`\[\]{}#,?:-][^#]*|[-:?][^\s#][^#]*")


class NotOurYaml(ValueError):
    """A line is not YAML, or none of the kind that is read here."""


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    indent: int
    text: str


def read_yaml(text: str) -> Value:
    """Return what the document holds.

    Raises:
        NotOurYaml: It cannot be read; the message names the line.
    """
    reader = _Reader(text)
    value = reader.block(0)
    reader.expect_end()
    return value


class _Reader:
    def __init__(self, text: str) -> None:
        self._raw = text.splitlines()
        self._lines = [
            _Line(number, len(line) - len(line.lstrip(" ")), line.strip())
            for number, line in enumerate(self._raw, 1)
            if line.strip() and not line.lstrip().startswith("#")
        ]
        self._next = 0
        self._anchors: dict[str, Value] = {}

    def expect_end(self) -> None:
        if (line := self._peek()) is not None:
            raise _wrong(line, "stands at no place of its own")

    def block(self, at_least: int) -> Value:
        """Read the mapping or sequence whose lines are indented by `at_least` or more; None where there is none."""
        line = self._peek()
        if line is None or line.indent < at_least:
            return None
        if line.text == "-" or line.text.startswith("- "):
            return self._sequence(line.indent)
        return self._mapping(line.indent)

    def _peek(self) -> _Line | None:
        return self._lines[self._next] if self._next < len(self._lines) else None

    def _sequence(self, indent: int) -> list[Value]:
        items: list[Value] = []
        while (line := self._peek()) is not None and line.indent == indent and line.text.startswith("-"):
            rest = line.text[1:].strip()
            if rest and _KEY.fullmatch(_without_comment(rest)):
                # A mapping that begins behind the dash: the dash counts as indentation.
                inner = indent + line.text.index(rest)
                self._lines[self._next] = _Line(line.number, inner, rest)
                items.append(self._mapping(inner))
            else:
                self._next += 1
                items.append(self._value(rest, line, indent + 1))
        return items

    def _mapping(self, indent: int) -> dict[str, Value]:
        found: dict[str, Value] = {}
        merged: dict[str, Value] = {}
        while (line := self._peek()) is not None and line.indent == indent and not line.text.startswith("- "):
            match = _KEY.fullmatch(_without_comment(line.text))
            if match is None:
                raise _wrong(line, "is no key with a value")
            self._next += 1
            key = match["key"].strip("\"'")
            value = self._value(match["rest"] or "", line, indent + 1)
            if key == "<<":
                if not isinstance(value, dict):
                    raise _wrong(line, "merges what is no mapping")
                merged |= value
            elif key in found:
                raise _wrong(line, f"repeats {key}")
            else:
                found[key] = value
        if line is not None and line.indent > indent:
            raise _wrong(line, "is indented too far")
        return merged | found

    def _value(self, text: str, line: _Line, inner: int) -> Value:
        if (anchor := _ANCHOR.fullmatch(text)) is not None:
            value = self._value(anchor[2] or "", line, inner)
            self._anchors[anchor[1]] = value
            return value
        if text in {"|", ">-"}:
            return self._block_scalar(line, joined=text == ">-")
        if text:
            return self._scalar(text, line)
        # A sequence may stand as far to the left as its key.
        following = self._peek()
        beside = following is not None and following.indent == inner - 1 and following.text.startswith("- ")
        return self.block(inner - 1 if beside and line.text[0] != "-" else inner)

    def _scalar(self, text: str, line: _Line) -> Value:
        if text.startswith("*"):
            if text[1:] not in self._anchors:
                raise _wrong(line, f"names {text}, which is nothing")
            return self._anchors[text[1:]]
        if text.startswith("["):
            return self._in_brackets(text, line)
        if text[0] in "\"'":
            if text[-1] != text[0] or text[0] in text[1:-1] or "\\" in text:
                raise _wrong(line, "is quoted in a way that is not read here")
            return text[1:-1]
        if _PLAIN.fullmatch(text) is None or ": " in text:
            raise _wrong(line, f"holds {text!r}, which has to be quoted")
        return text

    def _in_brackets(self, text: str, line: _Line) -> list[Value]:
        try:
            items = json.loads(text)
        except ValueError as error:
            raise _wrong(line, "holds brackets that are no JSON") from error
        if not all(isinstance(item, str) for item in items):
            raise _wrong(line, "holds something in brackets that is no string")
        return list(items)

    def _block_scalar(self, line: _Line, *, joined: bool) -> str:
        taken: list[str] = []
        for raw in self._raw[line.number :]:
            if raw.strip() and len(raw) - len(raw.lstrip(" ")) <= line.indent:
                break
            taken.append(raw)
        self._lines = [
            each
            for index, each in enumerate(self._lines)
            if index < self._next or each.number > line.number + len(taken)
        ]
        margin = min((len(raw) - len(raw.lstrip(" ")) for raw in taken if raw.strip()), default=0)
        text = "\n".join(raw[margin:].rstrip() for raw in taken).strip("\n")
        return " ".join(text.split("\n")) if joined else f"{text}\n"


def _without_comment(text: str) -> str:
    """A line without the comment behind it; a `#` inside quotes is none."""
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", lambda quoted: "x" * len(quoted[0]), text)
    comment = re.search(r"\s+#", bare)
    return text[: comment.start()] if comment else text


def _wrong(line: _Line, what: str) -> NotOurYaml:
    return NotOurYaml(f"line {line.number} {what}: {line.text}")

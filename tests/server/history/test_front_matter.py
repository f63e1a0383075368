"""Configuration as a table, and hostile YAML as one line that says what is wrong."""

from contextlib import suppress
from random import Random

import pytest

from server.history.front_matter import (
    MAX_FRONT_MATTER_LENGTH,
    MAX_NESTING,
    FrontMatterInvalid,
    Parts,
    Value,
    split,
    table_of,
)


def table(text: str) -> dict[str, Value]:
    return table_of(split(f"---\n{text}\n---\n"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Parts("", "")),
        ("Hello\n---\na: 1\n---\n", Parts("", "Hello\n---\na: 1\n---\n")),
        ("---\na: 1\n---\nHello\n", Parts("a: 1", "Hello\n", 2)),
        ("---  \na: 1\n---\t\n", Parts("a: 1", "", 2)),
        ("---\n---\nHello", Parts("", "Hello", 2)),
        ("---\na: 1\n---", Parts("a: 1", "", 2)),
        ("# a licence\n\n---\na: 1\n---\nHello", Parts("a: 1", "Hello", 4)),
        ("---\na: 1\n", Parts("", "---\na: 1\n", 1, is_closed=False)),
        ("# A title\n\nand text\n---\n", Parts("", "# A title\n\nand text\n---\n")),
    ],
)
def test_a_text_is_split_as_dotprompt_does(text: str, expected: Parts) -> None:
    assert split(text) == expected


def test_values_stand_under_their_paths() -> None:
    text = """
model: googleai/gemini-2.5-flash
config:
  temperature: 0.7
  maxOutputTokens: 2048
  stop: ["\\n", 'x']
  empty: {}
  none: []
input:
  schema: {name: string, "odd.key": yes, '': null}
notes: |
  two
  lines
"""
    assert table(text) == {
        "model": "googleai/gemini-2.5-flash",
        "config.temperature": 0.7,
        "config.maxOutputTokens": 2048,
        "config.stop.0": "\n",
        "config.stop.1": "x",
        "config.empty": {},
        "config.none": [],
        "input.schema.name": "string",
        'input.schema."odd.key"': True,
        'input.schema.""': None,
        "notes": "two\nlines\n",
    }


@pytest.mark.parametrize("text", ["", "~", "# only a comment", "{}", "\n\n"])
def test_front_matter_may_say_nothing(text: str) -> None:
    assert table(text) in ({}, {"": {}})


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("7", 7),
        ("-7", -7),
        ("'7'", "7"),
        ("1e3", "1e3"),
        ("1.5", 1.5),
        ("true", True),
        ("No", False),
        ("~", None),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1" * 400 + ".5", "1" * 400 + ".5"),
        ("9" * 50_000, "9" * 50_000),
        ("1:2:3", "1:2:3"),
        ("0x1f", "0x1f"),
        ("2026-01-02", "2026-01-02"),
        ("2026-13-45", "2026-13-45"),
    ],
)
def test_what_json_cannot_say_exactly_stays_as_it_was_written(written: str, value: Value) -> None:
    read = table(f"x: {written}")["x"]
    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize(
    ("text", "reason", "place"),
    [
        ("a: [1", "not YAML", (3, 1)),
        ("a: 1\n b: 2", "not YAML", (3, 3)),
        ("\ta: 1", "not YAML", (2, 1)),
        ("a: 1\na: 2", "a key stands twice", (3, 1)),
        ("a: &x 1", "anchors are not allowed", (2, 4)),
        ("a: *x", "aliases are not allowed", (2, 4)),
        ("a: !!python/object/apply:os.system [ls]", "tags are not allowed", (2, 4)),
        ("? [a, b]\n: c", "a key has to be a plain value", (2, 3)),
        ("- a", "front matter has to be a mapping", (2, 1)),
        ("just text", "front matter has to be a mapping", (2, 1)),
        ("a: 1\n...\n---  x\nb: 2", "more than one document", (4, 1)),
        ("a: \x00", "a character that YAML does not allow", (2, 1)),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, reason: str, place: tuple[int, int]) -> None:
    with pytest.raises(FrontMatterInvalid) as caught:
        table(text)
    assert (caught.value.reason, (caught.value.line, caught.value.column)) == (reason, place)


def test_front_matter_that_never_ends_is_said() -> None:
    with pytest.raises(FrontMatterInvalid, match="line 1, column 1: it never ends"):
        table_of(split("---\na: 1\n"))


LAUGHS = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS,
        "a: " + "[" * 60_000,
        "a: " + "{" * 60_000,
        "".join(f"{' ' * depth}k:\n" for depth in range(200)),
        "- " * 30_000 + "x",
        "a: &a [*a]",
        "? " * 30_000,
        "a: " + "x" * MAX_FRONT_MATTER_LENGTH,
        "long" * 1_000 + ":\n" + "".join(f"  k{n}: 1\n" for n in range(5_000)),
    ],
    ids=["laughs", "brackets", "braces", "indents", "dashes", "itself", "keys", "length", "paths"],
)
def test_hostile_yaml_is_refused_soon(text: str) -> None:
    with pytest.raises(FrontMatterInvalid):
        table(text)


def test_nesting_up_to_the_bound_is_read() -> None:
    assert table("a: " + "[" * (MAX_NESTING - 1) + "]" * (MAX_NESTING - 1)) == {"a" + ".0" * (MAX_NESTING - 2): []}


def test_whatever_stands_in_front_matter_is_read_or_refused(rng: Random) -> None:
    marks = ["a", ": ", "\n", "  ", "- ", "[", "]", "{", "}", ",", '"', "'", "|", ">", "&a ", "*a", "!t ", "#", "?"]
    for _ in range(2_000):
        with suppress(FrontMatterInvalid):
            table("".join(rng.choices([*marks, "%", "@", "😀", "\x07", "1"], k=rng.randint(1, 25))))

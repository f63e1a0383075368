"""The variables that a prompt's body asks for, read from its Handlebars expressions.

What counts is what a caller has to hand in, so:

- a path counts by its first name: `{{user.name}}` asks for `user`;
- names of helpers do not count, their arguments do: `{{#if paid}}` asks for `paid`, `{{role "system"}}` for nothing;
- inside `{{#each items}}` and `{{#with user}}` a plain name belongs to the item; `../name` and `@root.name` reach out;
- comments, partials, literals, block parameters and `@` data do not count.

The text is read once from its beginning to its end, whatever stands in it; what is no Handlebars is skipped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

# Helpers of Handlebars and of Dotprompt that stand alone and are no variables.
_WITHOUT_ARGUMENTS: Final = frozenset({"else", "history", "this"})
_LITERALS: Final = frozenset({"false", "null", "true", "undefined"})
# Blocks of these look at the same things as what stands around them; of every other block the inside is an item's.
_SAME_CONTEXT: Final = frozenset({"if", "ifEquals", "unless", "unlessEquals"})
_TOKEN: Final = re.compile(r"""(?P<text>"[^"]*"|'[^']*')|(?P<mark>[()=|])|(?P<word>[^\s"'()=|]+)|(?P<stray>["'])""")
_NAME: Final = re.compile(r"[^\W\d][\w-]*")
_NUMBER: Final = re.compile(r"-?\d")
_OUTWARDS: Final = re.compile(r"(?:\.\./)+")


@dataclass(frozen=True, slots=True)
class _Block:
    """One open block: whether a plain name inside belongs to an item, and the names that it gives itself."""

    is_item: bool
    parameters: frozenset[str]


class _Scope:
    """The blocks that are open at one place of the text."""

    def __init__(self) -> None:
        self._blocks: list[_Block] = []
        self._items = 0
        self._given: Counter[str] = Counter()

    def open(self, block: _Block) -> None:
        self._blocks.append(block)
        self._items += block.is_item
        self._given.update(block.parameters)

    def close(self) -> None:
        if self._blocks:
            block = self._blocks.pop()
            self._items -= block.is_item
            self._given.subtract(block.parameters)

    def asked_for(self, path: str) -> str | None:
        """The variable that a path asks for here, if any."""
        if path in _LITERALS or path in _WITHOUT_ARGUMENTS or _NUMBER.match(path):
            return None
        if path.startswith("@root."):
            return _first_name(path.removeprefix("@root."))
        outwards = _OUTWARDS.match(path)
        levels = len(outwards[0]) // 3 if outwards else 0
        name = _first_name(path[3 * levels :])
        is_items = self._items > levels
        return None if name is None or is_items or self._given[name] else name


def variables_of(body: str) -> frozenset[str]:
    """Answers the names that a Handlebars body asks for."""
    found: set[str] = set()
    scope = _Scope()
    for expression in _expressions(body):
        sign, tokens = expression[:1], _tokens(expression.lstrip("#^/&>").strip())
        if sign == "/":
            scope.close()
        # `{{^}}` is an else, `{{>card}}` another prompt.
        if sign in {"/", ">"} or not tokens:
            continue
        opens = sign in {"#", "^"}
        if not opens and tokens[0] == "else":
            tokens = tokens[1:]
        tokens, parameters = _without_parameters(tokens)
        found.update(name for path in _paths(tokens, is_block=opens) if (name := scope.asked_for(path)))
        if opens:
            scope.open(_Block(sign == "#" and tokens[:1] != [] and tokens[0] not in _SAME_CONTEXT, parameters))
    return frozenset(found)


def _expressions(body: str) -> Iterator[str]:
    """What stands between `{{` and `}}`, without the marks around it; comments and escaped ones are left out."""
    place = 0
    while (start := body.find("{{", place)) >= 0:
        is_comment = body.startswith(("{{!--", "{{~!--"), start)
        close = "--" if is_comment else "}}"
        inside = start + 2
        end = body.find(close, inside + (3 if is_comment else 0))
        if end < 0:
            return
        place = end + 2
        if not is_comment:
            # Of an expression that is opened twice, the inner one counts.
            inside = body.rfind("{{", start, end) + 2
        escaped = start > 0 and body[start - 1] == "\\" and not body.startswith("\\\\", start - 2)
        expression = body[inside:end].strip("{}~ \t\n")
        if not escaped and not is_comment and not expression.startswith("!"):
            yield expression


def _tokens(expression: str) -> list[str]:
    return [found[0] for found in _TOKEN.finditer(expression)]


def _without_parameters(tokens: list[str]) -> tuple[list[str], frozenset[str]]:
    """The tokens without `as |item index|`, and the names in it."""
    if "|" not in tokens:
        return tokens, frozenset()
    bar = tokens.index("|")
    rest = tokens[: bar - 1] if bar and tokens[bar - 1] == "as" else tokens[:bar]
    return rest, frozenset(tokens[bar + 1 :])


def _paths(tokens: list[str], *, is_block: bool) -> Iterator[str]:
    """The tokens that name something, without the names of helpers and of named arguments."""
    if len(tokens) == 1:
        if not (is_block and tokens[0] in _SAME_CONTEXT):
            yield from tokens
        return
    for place, token in enumerate(tokens):
        is_helper = place == 0 or tokens[place - 1] == "("
        is_name = place + 1 < len(tokens) and tokens[place + 1] == "="
        if not is_helper and not is_name:
            yield token


def _first_name(path: str) -> str | None:
    for prefix in ("this.", "this/", "./"):
        path = path.removeprefix(prefix)
    found = _NAME.match(path)
    return found[0] if found and found[0] not in _WITHOUT_ARGUMENTS else None

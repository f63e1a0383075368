"""What writers type, and what may become of it.

Every author has a line that begins with their name, and types numbered tokens one behind the other in it. So a text
tells by itself, for each author, which tokens are there, how often, and in which order.
"""

import re
from collections.abc import Mapping, Sequence

_TOKEN = re.compile(r"<([^:<>]+):(\d+)(?: \.*)?>")


def token(author: str, number: int, *, filler: int = 0) -> str:
    """Return an author's token with a number, from 1; with so many characters more, if they are to weigh something."""
    return f"<{author}:{number} {'.' * filler}>" if filler else f"<{author}:{number}>"


def beginning(author: str) -> str:
    """Return what an author's line begins with, behind which the first token goes."""
    return f"{author}="


def first_text(authors: Sequence[str]) -> str:
    """Return the text in which nobody has typed anything."""
    return "".join(f"{beginning(author)}\n" for author in authors)


def read(text: str, authors: Sequence[str]) -> dict[str, int]:
    """Return how many tokens of each author stand in a text.

    Raises:
        AssertionError: A token is missing before another, is there twice, in the wrong order, or damaged; or something
            else is there.
    """
    found, rest = take_apart(text)
    assert rest == first_text(authors), f"something is damaged: {rest!r}"
    there = {author: found.get(author, []) for author in authors}
    for author, numbers in there.items():
        expected = list(range(1, len(numbers) + 1))
        assert numbers == expected, f"{author} typed 1, 2, 3 …, and it says {_first_difference(numbers, expected)}"
    return {author: len(numbers) for author, numbers in there.items()}


def take_apart(text: str) -> tuple[dict[str, list[int]], str]:
    """Return the numbers of each author's tokens as they stand in a text, whatever became of it, and all the rest."""
    found: dict[str, list[int]] = {}
    for author, number in _TOKEN.findall(text):
        found.setdefault(author, []).append(int(number))
    return found, _TOKEN.sub("", text)


def assert_covers(what: str, there: Mapping[str, int], wanted: Mapping[str, int]) -> None:
    """Check that of each author at least the wanted number of tokens is there.

    Raises:
        AssertionError: Some are lost.
    """
    lost = {author: (there[author], count) for author, count in wanted.items() if there[author] < count}
    assert not lost, f"{what}: lost, as author: (there, wanted): {lost}"


def _first_difference(numbers: Sequence[int], expected: Sequence[int]) -> str:
    place = next(place for place, (one, other) in enumerate(zip(numbers, expected, strict=True)) if one != other)
    return f"{numbers[max(0, place - 2) : place + 3]} around place {place}"

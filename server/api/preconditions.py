"""ETag and If-Match (RFC 9110 §8.8.3, §13.1.1): whoever changes a thing can say which state of it they saw."""

from __future__ import annotations

import re
from typing import Annotated, Final

from fastapi import Depends, Header

from server.api.problems import field_problem
from server.errors import PreconditionFailed

_TAG: Final = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')


def etag(version: int) -> str:
    """Answers the entity tag of a version."""
    return f'"{version}"'


class IfMatch:
    """What the caller expects. Its absence and `*` expect nothing in particular."""

    def __init__(self, header: str | None) -> None:
        self._expected: frozenset[str] | None = None
        if header is None or header.strip() == "*":
            return
        tags = [tag.strip() for tag in header.split(",")]
        if not all(_TAG.fullmatch(tag) for tag in tags):
            raise field_problem("header.if-match", 'is neither * nor a list of entity tags such as "3"')
        self._expected = frozenset(tags)

    def expected(self, current: int) -> int | None:
        """Answers the version to insist on while changing, None where the caller does not mind.

        Arguments: `current` version. Raises PreconditionFailed where the caller expects another. A weak tag never
        matches (RFC 9110 §8.8.3.2).
        """
        if self._expected is None:
            return None
        if etag(current) not in self._expected:
            raise PreconditionFailed("If-Match names another state: read it again.", details={"current": etag(current)})
        return current


def _if_match(
    if_match: Annotated[str | None, Header(description="Entity tag of the state to change.", max_length=1_000)] = None,
) -> IfMatch:
    return IfMatch(if_match)


Precondition = Annotated[IfMatch, Depends(_if_match)]

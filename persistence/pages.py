"""Lists that are read page by page.

A cursor names the last row of the page before, not a count of rows, so that rows that come and go meanwhile make
nothing appear twice or be left out.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_

from persistence.columns import from_microseconds, to_microseconds
from persistence.errors import StoreError

Item = TypeVar("Item")

# A page is read into memory and sent in one answer.
MAX_LIMIT = 100

_CURSOR_BYTES = 24
# What every database takes for an integer.
_LARGEST_NUMBER = 2**31 - 1
_NUMBER = re.compile(r"[0-9]{1,10}")


class CursorInvalid(StoreError):
    """The cursor is not one that a list gave out."""

    code = "cursor_invalid"


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list.

    Args:
        items: the rows, in the list's order.
        next_cursor: asks for the page after this one; None at the end.
    """

    items: tuple[Item, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Position:
    """A row's place in a list that is ordered by creation and then by id."""

    created_at: datetime
    id: UUID

    def cursor(self) -> str:
        """Return the opaque text that stands for this place."""
        raw = to_microseconds(self.created_at).to_bytes(8, "big") + self.id.bytes
        return base64.urlsafe_b64encode(raw).decode()

    @classmethod
    def read(cls, cursor: str) -> Position:
        """Return the place that ``cursor`` stands for.

        Raises:
            CursorInvalid: no list gave it out.
        """
        try:
            raw = base64.b64decode(cursor, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != _CURSOR_BYTES:
            raise CursorInvalid("the cursor is not one that this list gave out")
        try:
            return cls(from_microseconds(int.from_bytes(raw[:8], "big")), UUID(bytes=raw[8:]))
        except OverflowError as error:
            raise CursorInvalid("the cursor is not one that this list gave out") from error


def one_page(
    statement: Select[Any],
    *,
    created_at: ColumnElement[Any],
    identifier: ColumnElement[Any],
    cursor: str | None,
    limit: int,
    newest_first: bool,
) -> Select[Any]:
    """Restrict and order a query so that it answers one page and one row more.

    Args:
        statement: the query of the whole list.
        created_at: the column it is ordered by.
        identifier: the column that decides between equal times.
        cursor: where the page before ended; None for the first page.
        limit: rows a page, 1 to 100.
        newest_first: the order.

    Raises:
        CursorInvalid: no list gave out the cursor.
        ValueError: the limit is out of range.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise ValueError(f"a page has 1 to {MAX_LIMIT} items, not {limit}")
    if cursor is not None:
        after = Position.read(cursor)
        if newest_first:
            beyond = (created_at < after.created_at, identifier < after.id)
        else:
            beyond = (created_at > after.created_at, identifier > after.id)
        statement = statement.where(or_(beyond[0], and_(created_at == after.created_at, beyond[1])))
    columns = (created_at, identifier)
    order = [column.desc() for column in columns] if newest_first else [column.asc() for column in columns]
    return statement.order_by(*order).limit(limit + 1)


def as_page(items: Sequence[Item], positions: Sequence[Position], limit: int) -> Page[Item]:
    """Turn the rows of ``one_page`` into a page: the one row more only says that there is another page."""
    if len(items) <= limit:
        return Page(tuple(items), None)
    return Page(tuple(items[:limit]), positions[limit - 1].cursor())


def numbered_page(statement: Select[Any], *, number: ColumnElement[Any], cursor: str | None, limit: int) -> Select[Any]:
    """Restrict and order a query of numbered rows, the highest first, so that it answers one page and one row more.

    Args:
        statement: the query of the whole list.
        number: the column with the numbers, each of which stands there once.
        cursor: where the page before ended; None for the first page.
        limit: rows a page, 1 to 100.

    Raises:
        CursorInvalid: no list gave out the cursor.
        ValueError: the limit is out of range.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise ValueError(f"a page has 1 to {MAX_LIMIT} items, not {limit}")
    if cursor is not None:
        if not (_NUMBER.fullmatch(cursor) and int(cursor) <= _LARGEST_NUMBER):
            raise CursorInvalid("the cursor is not one that this list gave out")
        statement = statement.where(number < int(cursor))
    return statement.order_by(number.desc()).limit(limit + 1)


def as_numbered_page(items: Sequence[Item], numbers: Sequence[int], limit: int) -> Page[Item]:
    """Turn the rows of ``numbered_page`` into a page."""
    if len(items) <= limit:
        return Page(tuple(items), None)
    return Page(tuple(items[:limit]), str(numbers[limit - 1]))

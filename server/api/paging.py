"""Lists by cursor: `?limit=1..100&cursor=`, answered as `{"items": [...], "next_cursor": ...}`."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from fastapi import Query

from server.api.fields import Answer
from server.limits import DEFAULT_PAGE_ITEMS, MAX_PAGE_ITEMS

Item = TypeVar("Item")

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE_ITEMS, description="Items a page.")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")]
DEFAULT_LIMIT = DEFAULT_PAGE_ITEMS


class PageOf(Answer, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next_cursor: str | None

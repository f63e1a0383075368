"""Versions of prompts: Git commits, whose bytes are kept as the server made them.

The versions of a prompt are one chain. A new one is made after the latest, which is looked up under the prompt's row
lock, so that of two who make one at once the second hears of the first.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Select, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.engine import Database
from persistence.errors import HeadMoved, NotFound, StoreDamaged
from persistence.pages import Page, as_numbered_page, numbered_page
from persistence.records import AnyRow
from persistence.tables import blobs, prompts, versions


class VersionKind(StrEnum):
    """How a version came about."""

    MANUAL = "manual"
    AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True)
class Author:
    """Somebody who wrote a version.

    Args:
        id: the user.
        name: as it stands in the commit.
    """

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Version:
    """A version without its text.

    Args:
        id: of the commit.
        seq: the journal entry whose text it holds.
        blob_id: of its text.
        parent_id: of the version before it; None for the first.
        path: the name of the file in its tree.
        kind: how it came about.
        message: what its maker said of it, without the trailers of the commit.
        author: who made it.
        co_authors: everybody else who wrote since the version before it.
        created_at: when, in whole seconds.
        number: its place in the chain, from 1.
    """

    id: str
    seq: int
    blob_id: str
    parent_id: str | None
    path: str
    kind: VersionKind
    message: str
    author: Author
    co_authors: tuple[Author, ...]
    created_at: datetime
    number: int


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version to be stored; the fields mean what those of ``Version`` do.

    Args:
        data: the bytes of the commit.
        content: the bytes of the text.
    """

    id: str
    seq: int
    blob_id: str
    parent_id: str | None
    path: str
    kind: VersionKind
    message: str
    author: Author
    co_authors: tuple[Author, ...]
    created_at: datetime
    data: bytes
    content: bytes


_PLAIN = ("id", "seq", "blob_id", "parent_id", "path", "message", "created_at")
_COLUMNS = [
    *(versions.c[name] for name in _PLAIN),
    *(versions.c.number, versions.c.kind, versions.c.author_id, versions.c.author_name, versions.c.co_authors),
]
# Sorts behind every digit of an id.
_BEHIND_ALL_DIGITS = "g"


class Versions:
    """Stores and finds versions.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, prompt_id: UUID, new: NewVersion) -> tuple[Version, bool]:
        """Store a version after the latest one; answer it, and whether it is new.

        Where the latest version holds the same text already, that one is answered and nothing is stored.

        Raises:
            NotFound: there is no such prompt.
            HeadMoved: the latest version is not the parent of this one.
            Conflict: there is no such user.
        """
        data = await asyncio.to_thread(zlib.compress, new.content)
        async with self._database.write() as connection:
            locked = select(prompts.c.id).where(prompts.c.id == prompt_id, prompts.c.deleted_at.is_(None))
            if await connection.scalar(locked.with_for_update()) is None:
                raise NotFound(f"no prompt {prompt_id}")
            head = await _latest(connection, prompt_id)
            if head is not None and head.blob_id == new.blob_id:
                return head, False
            if (head.id if head is not None else None) != new.parent_id:
                raise HeadMoved(head.id if head is not None else None)
            same = select(blobs.c.id).where(blobs.c.prompt_id == prompt_id, blobs.c.id == new.blob_id)
            if await connection.scalar(same) is None:
                await connection.execute(insert(blobs).values(prompt_id=prompt_id, id=new.blob_id, data=data))
            number = 1 if head is None else head.number + 1
            await connection.execute(insert(versions).values(version_row(prompt_id, number, new)))
        kept = {field.name: getattr(new, field.name) for field in fields(Version) if field.name != "number"}
        return Version(**kept, number=number), True

    async def latest(self, prompt_id: UUID) -> Version | None:
        """Return the newest version of a prompt, or None if it has none."""
        async with self._database.read() as connection:
            return await _latest(connection, prompt_id)

    async def get(self, prompt_id: UUID, version_id: str) -> Version:
        """Return one version.

        Raises:
            NotFound: the prompt has no such version.
        """
        async with self._database.read() as connection:
            row = (await connection.execute(_of(prompt_id).where(versions.c.id == version_id))).first()
        if row is None:
            raise NotFound(f"prompt {prompt_id} has no version {version_id}")
        return _version(row)

    async def beginning_with(self, prompt_id: UUID, prefix: str) -> list[Version]:
        """Return the versions whose ids begin with some digits: two at most, which says that there are several."""
        between = (versions.c.id >= prefix, versions.c.id < prefix + _BEHIND_ALL_DIGITS)
        async with self._database.read() as connection:
            rows = await connection.execute(_of(prompt_id).where(*between).order_by(versions.c.id).limit(2))
            return [_version(row) for row in rows]

    async def list(self, prompt_id: UUID, *, limit: int = 50, cursor: str | None = None) -> Page[Version]:
        """Return a page of a prompt's versions, the newest first.

        Args:
            prompt_id: the prompt.
            limit: 1 to 100.
            cursor: from the page before.

        Raises:
            CursorInvalid: the cursor was not given out by a list.
        """
        statement = numbered_page(_of(prompt_id), number=versions.c.number, cursor=cursor, limit=limit)
        async with self._database.read() as connection:
            found = [_version(row) for row in await connection.execute(statement)]
        return as_numbered_page(found, [version.number for version in found], limit)

    async def with_commits(self, prompt_id: UUID, *, after: int, limit: int) -> Sequence[tuple[Version, bytes]]:
        """Return versions with a number above ``after``, the oldest first, each with the bytes of its commit."""
        statement = select(*_COLUMNS, versions.c.data).where(versions.c.prompt_id == prompt_id)
        part = statement.where(versions.c.number > after).order_by(versions.c.number).limit(limit)
        async with self._database.read() as connection:
            return [(_version(row), row.data) for row in await connection.execute(part)]

    async def blob_ids(self, prompt_id: UUID) -> Sequence[str]:
        """Return the ids of all texts of a prompt that are stored, in order."""
        statement = select(blobs.c.id).where(blobs.c.prompt_id == prompt_id).order_by(blobs.c.id)
        async with self._database.read() as connection:
            return (await connection.scalars(statement)).all()

    async def content(self, prompt_id: UUID, blob_id: str) -> bytes:
        """Return the bytes of a text that a version holds.

        Raises:
            NotFound: no version of the prompt holds it.
            StoreDamaged: its bytes cannot be read any more.
        """
        async with self._database.read() as connection:
            data = await connection.scalar(
                select(blobs.c.data).where(blobs.c.prompt_id == prompt_id, blobs.c.id == blob_id)
            )
        if data is None:
            raise NotFound(f"prompt {prompt_id} has no blob {blob_id}")
        try:
            return await asyncio.to_thread(zlib.decompress, data)
        except zlib.error as error:
            raise StoreDamaged(f"blob {blob_id} of prompt {prompt_id} cannot be read: {error}") from error


def _of(prompt_id: UUID) -> Select[*tuple[Any, ...]]:
    return select(*_COLUMNS).where(versions.c.prompt_id == prompt_id)


async def _latest(connection: AsyncConnection, prompt_id: UUID) -> Version | None:
    row = (await connection.execute(_of(prompt_id).order_by(versions.c.number.desc()).limit(1))).first()
    return _version(row) if row is not None else None


def _version(row: AnyRow) -> Version:
    plain = {name: getattr(row, name) for name in _PLAIN}
    return Version(
        **plain,
        number=row.number,
        kind=VersionKind(row.kind),
        author=Author(row.author_id, row.author_name),
        co_authors=tuple(Author(UUID(each["id"]), each["name"]) for each in row.co_authors),
    )


def version_row(prompt_id: UUID, number: int, new: NewVersion) -> dict[str, object]:
    """Return the row of a version to be stored."""
    return {name: getattr(new, name) for name in _PLAIN} | {
        "prompt_id": prompt_id,
        "number": number,
        "kind": new.kind.value,
        "author_id": new.author.id,
        "author_name": new.author.name,
        "co_authors": [{"id": str(each.id), "name": each.name} for each in new.co_authors],
        "data": new.data,
    }

"""The objects of versions, in bulk and in the order of their chain: what a Git client is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from persistence.engine import Database
from persistence.tables import blobs, versions

# SQLite and PostgreSQL take some 32,000 parameters a statement.
_IDS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class VersionOutline:
    """Which objects a version has.

    Args:
        number: its place in the chain, from 1.
        id: of the commit.
        path: the name of the file in its tree.
        blob_id: of its text.
        blob_bytes: how many bytes the text takes, compressed.
    """

    number: int
    id: str
    path: str
    blob_id: str
    blob_bytes: int


class VersionObjects:
    """Reads the objects of versions.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def numbers(self, prompt_id: UUID, ids: Collection[str]) -> dict[str, int]:
        """Return the places in the chain of those ids that are versions of the prompt."""
        statement = select(versions.c.id, versions.c.number).where(versions.c.prompt_id == prompt_id)
        found: dict[str, int] = {}
        async with self._database.read() as connection:
            for some in _some_at_once(ids):
                rows = await connection.execute(statement.where(versions.c.id.in_(some)))
                found.update((row.id, row.number) for row in rows)
        return found

    async def outlines(self, prompt_id: UUID, *, after: int, upto: int) -> list[VersionOutline]:
        """Return the versions of one stretch of the chain, the oldest first.

        Args:
            prompt_id: the prompt.
            after: the number before the first.
            upto: the last number.
        """
        own_blob = (blobs.c.prompt_id == versions.c.prompt_id) & (blobs.c.id == versions.c.blob_id)
        columns = (versions.c.number, versions.c.id, versions.c.path, versions.c.blob_id, func.length(blobs.c.data))
        statement = (
            select(*columns)
            .join(blobs, own_blob)
            .where(versions.c.prompt_id == prompt_id, versions.c.number > after, versions.c.number <= upto)
            .order_by(versions.c.number)
        )
        async with self._database.read() as connection:
            return [VersionOutline(*row) for row in await connection.execute(statement)]

    async def commits(self, prompt_id: UUID, *, first: int, last: int) -> list[bytes]:
        """Return the bytes of the commits of one stretch of the chain, both ends included, the oldest first."""
        statement = (
            select(versions.c.data)
            .where(versions.c.prompt_id == prompt_id, versions.c.number.between(first, last))
            .order_by(versions.c.number)
        )
        async with self._database.read() as connection:
            return list(await connection.scalars(statement))

    async def compressed(self, prompt_id: UUID, blob_ids: Collection[str]) -> dict[str, bytes]:
        """Return texts as they are stored: their bytes in UTF-8, compressed with zlib."""
        statement = select(blobs.c.id, blobs.c.data).where(blobs.c.prompt_id == prompt_id)
        found: dict[str, bytes] = {}
        async with self._database.read() as connection:
            for some in _some_at_once(blob_ids):
                rows = await connection.execute(statement.where(blobs.c.id.in_(some)))
                found.update((row.id, row.data) for row in rows)
        return found


def _some_at_once(ids: Collection[str]) -> Iterator[Sequence[str]]:
    in_order = sorted(ids)
    return (in_order[start : start + _IDS_AT_ONCE] for start in range(0, len(in_order), _IDS_AT_ONCE))

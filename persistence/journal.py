"""The journal: every edit of every prompt, in the order in which it was committed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ColumnElement, any_, func, literal, select, type_coerce
from sqlalchemy.types import NullType

from persistence.columns import as_instant, as_uuid
from persistence.edits import Append, Byline, Edit, EditKind, Head, JournalEntry
from persistence.engine import Database
from persistence.errors import NotFound, StoreInUse
from persistence.group_commit import GroupCommit
from persistence.keys import MOST_AT_ONCE, padded
from persistence.tables import client_ids, journal, prompts

__all__ = ["Edit", "EditKind", "Head", "Journal", "JournalEntry"]

# The loop does other things between so many rows: a few milliseconds.
_ROWS_PER_TURN = 500

# Users and times as the driver gives them, because the same few come again and again.
_ENTRIES = select(
    journal.c.seq,
    journal.c.payload,
    type_coerce(journal.c.user_id, NullType()),
    journal.c.kind,
    type_coerce(journal.c.created_at, NullType()),
).order_by(journal.c.seq)

_BYLINES = select(
    journal.c.seq,
    type_coerce(journal.c.user_id, NullType()),
    journal.c.kind,
    type_coerce(journal.c.created_at, NullType()),
)

_KINDS = {kind.value: kind for kind in EditKind}

_NO_BINDINGS: Mapping[int, UUID] = MappingProxyType({})


class Journal:
    """Appends through the group commit, reads through the engine.

    Args:
        database: for reading.
        group_commit: for appending; None where this process does not own the database.
    """

    def __init__(self, database: Database, group_commit: GroupCommit | None) -> None:
        self._database = database
        self.group_commit = group_commit

    def append(
        self, prompt_id: UUID, edits: Sequence[Edit], bindings: Mapping[int, UUID] = _NO_BINDINGS
    ) -> asyncio.Future[int]:
        """Queue edits of one prompt and return a future of the last one's seq, resolved once they are on disk.

        The first edit has seq ``last - len(edits) + 1``. Either all of them are committed or none, with the
        bindings. If the future fails with StoreUnavailable, they may have been committed without our
        hearing of it: read the journal before appending again.

        Args:
            prompt_id: the prompt.
            edits: at least one, in causal order.
            bindings: client ids that these edits use for the first time -> their user.

        Raises:
            ValueError: there are no edits.
            StoreInUse: this process was opened beside a server and may not append.

        The future fails with ClientIdConflict, NotFound (no such prompt, or deleted), Conflict (no such user),
        StoreOverloaded or StoreUnavailable.
        """
        if not edits:
            raise ValueError("an append takes at least one edit")
        return self._submit(Append(prompt_id, tuple(edits), bindings))

    def probe(self, prompt_id: UUID) -> asyncio.Future[int]:
        """Commit nothing, for real, and return a future of the prompt's last seq.

        It resolves when the database takes commits again, and every earlier append of the prompt whose outcome was
        not heard of is decided by then: it waits for their locks. It fails as an append does.

        Raises:
            StoreInUse: this process was opened beside a server and may not append.
        """
        return self._submit(Append(prompt_id, (), _NO_BINDINGS))

    def _submit(self, append: Append) -> asyncio.Future[int]:
        if self.group_commit is None:
            raise StoreInUse("the store was opened for a command; only the server appends to the journal")
        return self.group_commit.submit(append)

    async def read(self, prompt_id: UUID, *, after: int = 0, limit: int | None = None) -> list[JournalEntry]:
        """Return the entries with a seq above ``after``, in order.

        Args:
            prompt_id: the prompt; one that does not exist has no entries.
            after: the last seq that the caller already has.
            limit: at most so many.
        """
        statement = (
            _ENTRIES.where(journal.c.prompt_id == prompt_id, journal.c.seq > after)
            .limit(limit)
            .execution_options(yield_per=_ROWS_PER_TURN)
        )
        entries: list[JournalEntry] = []
        read = _Reader()
        async with self._database.read() as connection, connection.stream(statement) as rows:
            async for part in rows.partitions():
                entries += [read.entry(*row) for row in part]
        return entries

    async def bylines(self, prompt_id: UUID, seqs: Iterable[int]) -> dict[int, Byline]:
        """Return who brought these entries, by seq; those that do not exist are left out."""
        statement = _BYLINES.where(journal.c.prompt_id == prompt_id, self._is_one_of(sorted(set(seqs))))
        read = _Reader()
        found: dict[int, Byline] = {}
        async with (
            self._database.read() as connection,
            connection.stream(statement.execution_options(yield_per=_ROWS_PER_TURN)) as rows,
        ):
            async for part in rows.partitions():
                found.update({row[0]: read.byline(*row) for row in part})
        return found

    def _is_one_of(self, seqs: list[int]) -> ColumnElement[bool]:
        # Thousands in one parameter: a statement with a parameter for each takes longer to prepare than to run.
        if self._database.is_sqlite:
            listed = func.json_each(json.dumps(seqs)).table_valued("value")
            return journal.c.seq.in_(select(listed.c.value))
        return journal.c.seq == any_(literal(seqs, ARRAY(BigInteger)))

    async def head(self, prompt_id: UUID) -> int:
        """Return the seq of the prompt's last entry, deleted or not.

        Raises:
            NotFound: there is no such prompt.
        """
        async with self._database.read() as connection:
            head = await connection.scalar(select(prompts.c.head_seq).where(prompts.c.id == prompt_id))
        if head is None:
            raise NotFound(f"no prompt {prompt_id}")
        return int(head)

    async def heads(self, prompt_ids: Sequence[UUID]) -> dict[UUID, Head]:
        """Return where the journals of many prompts end; prompts that are deleted, or never were, are left out."""
        found: dict[UUID, Head] = {}
        for start in range(0, len(prompt_ids), MOST_AT_ONCE):
            wanted = padded(list(prompt_ids[start : start + MOST_AT_ONCE]))
            statement = select(prompts.c.id, prompts.c.head_seq, prompts.c.epoch).where(
                prompts.c.id.in_(wanted), prompts.c.deleted_at.is_(None)
            )
            async with self._database.read() as connection:
                rows = await connection.execute(statement)
                found.update({row.id: Head(row.head_seq, row.epoch) for row in rows})
        return found

    async def writers(self, prompt_id: UUID, *, after: int, until: int) -> list[UUID]:
        """Return everybody who wrote an entry with a seq above ``after`` and up to ``until``, the last one first."""
        last = func.max(journal.c.seq)
        statement = (
            select(journal.c.user_id)
            .where(journal.c.prompt_id == prompt_id, journal.c.seq > after, journal.c.seq <= until)
            .group_by(journal.c.user_id)
            .order_by(last.desc())
        )
        async with self._database.read() as connection:
            return list(await connection.scalars(statement))

    async def bindings(self, prompt_id: UUID) -> dict[int, UUID]:
        """Return every client id that was ever used in the prompt, with its user."""
        statement = select(client_ids.c.client_id, client_ids.c.user_id).where(client_ids.c.prompt_id == prompt_id)
        async with self._database.read() as connection:
            return {row.client_id: row.user_id for row in await connection.execute(statement)}


class _Reader:
    """Turns rows into entries, and each user and time into an object once."""

    def __init__(self) -> None:
        self._users: dict[UUID | bytes, UUID] = {}
        self._instants: dict[datetime | int, datetime] = {}

    def entry(self, seq: int, payload: bytes, user: UUID | bytes, kind: str, at: datetime | int) -> JournalEntry:
        """Turn a row of the journal into an entry."""
        return JournalEntry(seq, payload, self._user(user), _KINDS[kind], self._instant(at))

    def byline(self, seq: int, user: UUID | bytes, kind: str, at: datetime | int) -> Byline:
        """Turn a row without its bytes into a byline."""
        return Byline(seq, self._user(user), _KINDS[kind], self._instant(at))

    def _user(self, user: UUID | bytes) -> UUID:
        user_id = self._users.get(user)
        if user_id is None:
            user_id = self._users[user] = as_uuid(user)
        return user_id

    def _instant(self, at: datetime | int) -> datetime:
        created_at = self._instants.get(at)
        if created_at is None:
            created_at = self._instants[at] = as_instant(at)
        return created_at

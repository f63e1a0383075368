"""Checks what is stored, without understanding it; the server adds what takes a CRDT to check.

Each check names the first bad row of each prompt: what follows it is usually its consequence.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Table, and_, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.checkpoints import checkpoint_digest
from persistence.engine import Database
from persistence.errors import StoreDamaged
from persistence.keyframes import activity_digest, keyframe_digest
from persistence.tables import (
    blobs,
    checkpoints,
    client_ids,
    journal,
    keyframes,
    label_moves,
    labels,
    prompts,
    users,
    versions,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something stored that cannot be right.

    Args:
        code: ``database_damaged``, ``reference_broken``, ``journal_gap``, ``journal_head``, ``author_unknown``,
            ``client_id_unknown_user``, ``checkpoint_beyond_head``, ``checkpoint_digest``, ``keyframe_beyond_head``,
            ``keyframe_gap``, ``keyframe_digest``, ``version_chain``, ``version_text_missing``, ``label_lost`` or
            ``label_history``.
        message: what is wrong, with the row, for people.
        prompt_id: whose row it is, if it is a prompt's.
        seq: the journal position of the row, if it has one.
    """

    code: str
    message: str
    prompt_id: UUID | None = None
    seq: int | None = None


_Check = Callable[[AsyncConnection], AsyncIterator[Finding]]


async def verify(database: Database) -> AsyncIterator[Finding]:
    """Yield what is wrong in the database; nothing when all is well. Reads all of it.

    Args:
        database: ``store.database``; a server may be running beside.

    Raises:
        StoreUnavailable: it cannot be read now.
    """
    checks: list[_Check] = [_journals, _authors, _bindings, _checkpoints, _keyframes]
    checks += [_version_chains, _version_texts, _labels, _label_histories]
    if database.is_sqlite:
        checks = [_file, _references, *checks]
    for check in checks:
        try:
            async with database.read() as connection:
                async for finding in check(connection):
                    yield finding
        except StoreDamaged as error:
            yield Finding("database_damaged", str(error))
            return


async def _file(connection: AsyncConnection) -> AsyncIterator[Finding]:
    said = await connection.scalar(text("PRAGMA integrity_check(1)"))
    if said != "ok":
        yield Finding("database_damaged", f"SQLite finds the file damaged: {said}")


async def _references(connection: AsyncConnection) -> AsyncIterator[Finding]:
    broken: dict[tuple[str, str], int] = {}
    for row in await connection.execute(text("PRAGMA foreign_key_check")):
        broken[row[0], row[2]] = broken.get((row[0], row[2]), 0) + 1
    for (table, target), count in broken.items():
        yield Finding("reference_broken", f"{count} rows of {table} name rows of {target} that do not exist")


async def _journals(connection: AsyncConnection) -> AsyncIterator[Finding]:
    first, last, count = func.min(journal.c.seq), func.max(journal.c.seq), func.count(journal.c.seq)
    head = prompts.c.head_seq
    doubtful = (
        select(prompts.c.id, head, func.coalesce(last, 0).label("last"))
        .select_from(prompts.outerjoin(journal, journal.c.prompt_id == prompts.c.id))
        .group_by(prompts.c.id, head)
        .having(or_(count != head, func.coalesce(first, 0) != 1, func.coalesce(last, 0) != head))
        .order_by(prompts.c.id)
    )
    for prompt_id, head_seq, last_seq in (await connection.execute(doubtful)).all():
        missing = await _first_missing(connection, prompt_id)
        if missing is not None:
            message = f"prompt {prompt_id}: the journal has no entry {missing}, but later ones"
            yield Finding("journal_gap", message, prompt_id, missing)
        else:
            message = f"prompt {prompt_id}: the journal ends at {last_seq}, and its head says {head_seq}"
            yield Finding("journal_head", message, prompt_id, min(last_seq, head_seq) + 1)


async def _first_missing(connection: AsyncConnection, prompt_id: UUID) -> int | None:
    place = func.row_number().over(order_by=journal.c.seq).label("place")
    numbered = select(journal.c.seq, place).where(journal.c.prompt_id == prompt_id).subquery()
    first: int | None = await connection.scalar(
        select(func.min(numbered.c.place)).where(numbered.c.seq != numbered.c.place)
    )
    return first


async def _authors(connection: AsyncConnection) -> AsyncIterator[Finding]:
    async for prompt_id, seq in _of_unknown_users(connection, journal, journal.c.seq):
        yield Finding(
            "author_unknown", f"prompt {prompt_id}: entry {seq} has an author who does not exist", prompt_id, seq
        )


async def _bindings(connection: AsyncConnection) -> AsyncIterator[Finding]:
    async for prompt_id, client_id in _of_unknown_users(connection, client_ids, client_ids.c.client_id):
        message = f"prompt {prompt_id}: client id {client_id} belongs to a user who does not exist"
        yield Finding("client_id_unknown_user", message, prompt_id)


async def _of_unknown_users(
    connection: AsyncConnection, table: Table, key: Column[Any]
) -> AsyncIterator[tuple[UUID, int]]:
    statement = (
        select(table.c.prompt_id, func.min(key))
        .select_from(table.outerjoin(users, users.c.id == table.c.user_id))
        .where(users.c.id.is_(None))
        .group_by(table.c.prompt_id)
        .order_by(table.c.prompt_id)
    )
    for prompt_id, first in await connection.execute(statement):
        yield prompt_id, first


async def _checkpoints(connection: AsyncConnection) -> AsyncIterator[Finding]:
    keys = (
        select(checkpoints.c.prompt_id, checkpoints.c.seq, prompts.c.head_seq)
        .join_from(checkpoints, prompts, prompts.c.id == checkpoints.c.prompt_id)
        .order_by(checkpoints.c.prompt_id, checkpoints.c.seq)
    )
    bad: set[UUID] = set()
    for prompt_id, seq, head_seq in (await connection.execute(keys)).all():
        if prompt_id in bad:
            continue
        finding = await _checkpoint(connection, prompt_id, seq, head_seq)
        if finding is not None:
            bad.add(prompt_id)
            yield finding


async def _checkpoint(connection: AsyncConnection, prompt_id: UUID, seq: int, head_seq: int) -> Finding | None:
    if seq > head_seq:
        message = f"prompt {prompt_id}: a checkpoint at {seq} lies behind the journal's head {head_seq}"
        return Finding("checkpoint_beyond_head", message, prompt_id, seq)
    # One state at a time: each may be megabytes.
    statement = select(checkpoints.c.state, checkpoints.c.digest, checkpoints.c.knowledge).where(
        checkpoints.c.prompt_id == prompt_id, checkpoints.c.seq == seq
    )
    row = (await connection.execute(statement)).first()
    if row is not None and checkpoint_digest(prompt_id, seq, row.state, row.knowledge) != row.digest:
        message = f"prompt {prompt_id}: the checkpoint at {seq} does not match its digest"
        return Finding("checkpoint_digest", message, prompt_id, seq)
    return None


async def _keyframes(connection: AsyncConnection) -> AsyncIterator[Finding]:
    keys = (
        select(keyframes.c.prompt_id, keyframes.c.since, keyframes.c.seq, prompts.c.head_seq)
        .join_from(keyframes, prompts, prompts.c.id == keyframes.c.prompt_id)
        .order_by(keyframes.c.prompt_id, keyframes.c.seq)
    )
    bad: set[UUID] = set()
    last: tuple[UUID | None, int] = (None, 0)
    for prompt_id, since, seq, head_seq in (await connection.execute(keys)).all():
        before = last[1] if last[0] == prompt_id else 0
        last = prompt_id, seq
        if prompt_id in bad:
            continue
        finding = await _keyframe(connection, prompt_id, seq)
        if seq > head_seq:
            message = f"prompt {prompt_id}: a keyframe at {seq} lies behind the journal's head {head_seq}"
            finding = Finding("keyframe_beyond_head", message, prompt_id, seq)
        elif since != before:
            message = (
                f"prompt {prompt_id}: the keyframe at {seq} goes on from {since}, and the one before is at {before}"
            )
            finding = Finding("keyframe_gap", message, prompt_id, seq)
        if finding is not None:
            bad.add(prompt_id)
            yield finding


async def _keyframe(connection: AsyncConnection, prompt_id: UUID, seq: int) -> Finding | None:
    statement = select(keyframes).where(keyframes.c.prompt_id == prompt_id, keyframes.c.seq == seq)
    row = (await connection.execute(statement)).first()
    if row is None or (
        keyframe_digest(prompt_id, seq, row.state, row.spans) == row.digest
        and activity_digest(prompt_id, row.since, seq, row.activity) == row.activity_digest
    ):
        return None
    message = f"prompt {prompt_id}: the keyframe at {seq} does not match its digest"
    return Finding("keyframe_digest", message, prompt_id, seq)


async def _version_chains(connection: AsyncConnection) -> AsyncIterator[Finding]:
    columns = (versions.c.prompt_id, versions.c.number, versions.c.id, versions.c.parent_id, versions.c.seq)
    rows = await connection.stream(
        select(*columns, prompts.c.head_seq)
        .join(prompts, prompts.c.id == versions.c.prompt_id)
        .order_by(versions.c.prompt_id, versions.c.number)
    )
    before: Any = None
    bad: set[UUID] = set()
    async for row in rows:
        of_same = before is not None and before.prompt_id == row.prompt_id
        number, parent_id, seq = (before.number, before.id, before.seq) if of_same else (0, None, 0)
        before = row
        is_next = row.number == number + 1 and row.parent_id == parent_id
        if row.prompt_id not in bad and not (is_next and seq <= row.seq <= row.head_seq):
            bad.add(row.prompt_id)
            message = f"prompt {row.prompt_id}: version {row.number} ({row.id}) does not follow version {number}"
            yield Finding("version_chain", message, row.prompt_id, row.seq)


async def _version_texts(connection: AsyncConnection) -> AsyncIterator[Finding]:
    own = and_(blobs.c.prompt_id == versions.c.prompt_id, blobs.c.id == versions.c.blob_id)
    statement = (
        select(versions.c.prompt_id, versions.c.number, versions.c.seq)
        .select_from(versions.outerjoin(blobs, own))
        .where(blobs.c.id.is_(None))
        .order_by(versions.c.prompt_id, versions.c.number)
    )
    for prompt_id, number, seq in await connection.execute(statement):
        yield Finding("version_text_missing", f"prompt {prompt_id}: version {number} has no text", prompt_id, seq)


async def _labels(connection: AsyncConnection) -> AsyncIterator[Finding]:
    own = and_(versions.c.prompt_id == labels.c.prompt_id, versions.c.id == labels.c.version_id)
    statement = (
        select(labels.c.prompt_id, labels.c.name, labels.c.version_id)
        .select_from(labels.outerjoin(versions, own))
        .where(versions.c.id.is_(None))
        .order_by(labels.c.prompt_id, labels.c.name)
    )
    for prompt_id, name, version_id in await connection.execute(statement):
        message = f"prompt {prompt_id}: the label {name} names version {version_id}, which does not exist"
        yield Finding("label_lost", message, prompt_id)


async def _label_histories(connection: AsyncConnection) -> AsyncIterator[Finding]:
    """Hold every label against the last change of it, and every change against the one before."""
    columns = (labels.c.version_id, labels.c.is_protected, labels.c.updated_at, labels.c.updated_by)
    keys = (labels.c.prompt_id, labels.c.name)
    now = {(row[0], row[1]): tuple(row[2:]) for row in await connection.execute(select(*keys, *columns))}
    moves = select(label_moves).order_by(label_moves.c.prompt_id, label_moves.c.name, label_moves.c.number)
    then: dict[tuple[UUID, str], Any] = {}
    bad: set[tuple[UUID, str]] = set()
    async for move in await connection.stream(moves):
        key = (move.prompt_id, move.name)
        number, at = (then[key].number, then[key].to_id) if key in then else (0, None)
        if (move.number, move.from_id) != (number + 1, at):
            bad.add(key)
        then[key] = move
    for key, move in then.items():
        said = (move.to_id, move.is_protected, move.created_at, move.user_id) if move.to_id is not None else None
        if now.get(key) != said:
            bad.add(key)
    for prompt_id, name in sorted(bad | (now.keys() - then.keys())):
        message = f"prompt {prompt_id}: the label {name} is not where its history leads"
        yield Finding("label_history", message, prompt_id)

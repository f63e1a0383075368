"""Labels: names for versions of a prompt, moved by compare-and-set, with the history of every change.

Who may change a label is not decided here. The decision is asked for under the prompt's row lock, so that what it was
made from still holds when the change is stored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.engine import Clock, Database
from persistence.errors import LabelLimit, LabelMoved, NotFound
from persistence.pages import Page, as_numbered_page, numbered_page
from persistence.records import columns_of
from persistence.tables import label_moves, labels, prompts, versions

# They are read all at once, with every list of versions.
MAX_LABELS = 100


@dataclass(frozen=True, slots=True)
class Label:
    """A name for a version.

    Args:
        name: unique in the prompt.
        version_id: the version it names.
        is_protected: whether only some may change it.
        updated_at: when it was changed last.
        updated_by: by whom.
    """

    name: str
    version_id: str
    is_protected: bool
    updated_at: datetime
    updated_by: UUID


@dataclass(frozen=True, slots=True)
class LabelMove:
    """One change of a label.

    Args:
        number: its place in the label's history, from 1.
        from_id: the version it named before; None where it was new.
        to_id: the version it names since; None where it was deleted.
        is_protected: whether it is protected since.
        user_id: who changed it.
        reason: why, in their words; may be empty.
        created_at: when.
    """

    number: int
    from_id: str | None
    to_id: str | None
    is_protected: bool
    user_id: UUID
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Expected:
    """What a caller believes of a label.

    Args:
        version_id: the version it names; None where there should be no such label.
    """

    version_id: str | None


@dataclass(frozen=True, slots=True)
class LabelChange:
    """What somebody wants of a label.

    Args:
        user_id: who.
        version_id: the version it should name; None to leave it where it is.
        is_protected: whether it should be protected; None to leave that as it is.
        reason: why, in their words.
        expected: what they believe it to be; None where they do not mind.
    """

    user_id: UUID
    version_id: str | None = None
    is_protected: bool | None = None
    reason: str = ""
    expected: Expected | None = None


@dataclass(frozen=True, slots=True)
class LabelOutcome:
    """What became of a label.

    Args:
        label: as it is now.
        previous: as it was before; None where it is new.
    """

    label: Label
    previous: Label | None


Permit = Callable[[Label | None], None]
"""Raises unless the label, as it is now, may be changed."""

_COLUMNS = columns_of(labels, Label)
_MOVE_COLUMNS = columns_of(label_moves, LabelMove)


class Labels:
    """Changes and finds labels.

    Args:
        database: where they are.
        clock: the time written to them.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def change(self, prompt_id: UUID, name: str, change: LabelChange, *, permit: Permit) -> LabelOutcome:
        """Create, move or protect a label. What changes nothing leaves no trace.

        Args:
            prompt_id: the prompt.
            name: of the label.
            change: what is wanted of it.
            permit: asked about the label as it is now; what it raises is raised.

        Raises:
            NotFound: no such prompt or version, or no such label and no version for it.
            LabelMoved: the label is not where it was expected.
            LabelLimit: the prompt has as many labels as it may.
        """
        async with self._database.write() as connection:
            await _lock(connection, prompt_id)
            before = await _get(connection, prompt_id, name)
            permit(before)
            _check(before, change.expected)
            version_id = change.version_id or (before.version_id if before is not None else None)
            if version_id is None:
                raise NotFound(f"prompt {prompt_id} has no label {name}")
            is_protected = before is not None and before.is_protected
            if change.is_protected is not None:
                is_protected = change.is_protected
            if before is not None and (before.version_id, before.is_protected) == (version_id, is_protected):
                return LabelOutcome(before, before)
            await _check_version(connection, prompt_id, version_id)
            label = Label(name, version_id, is_protected, self._clock(), change.user_id)
            await _write(connection, prompt_id, label, is_new=before is None)
            await self._record(connection, prompt_id, name, change, before=before, after=label)
            return LabelOutcome(label, before)

    async def delete(
        self,
        prompt_id: UUID,
        name: str,
        *,
        user_id: UUID,
        reason: str = "",
        expected: Expected | None = None,
        permit: Permit,
    ) -> Label:
        """Delete a label and answer what it was; its history stays.

        Raises:
            NotFound: no such prompt or label.
            LabelMoved: the label is not where it was expected.
        """
        async with self._database.write() as connection:
            await _lock(connection, prompt_id)
            label = await _get(connection, prompt_id, name)
            permit(label)
            if label is None:
                raise NotFound(f"prompt {prompt_id} has no label {name}")
            _check(label, expected)
            await connection.execute(delete(labels).where(labels.c.prompt_id == prompt_id, labels.c.name == name))
            change = LabelChange(user_id, reason=reason)
            await self._record(connection, prompt_id, name, change, before=label, after=None)
            return label

    async def get(self, prompt_id: UUID, name: str) -> Label | None:
        """Return one label, or None where there is none of this name."""
        async with self._database.read() as connection:
            return await _get(connection, prompt_id, name)

    async def list(self, prompt_id: UUID) -> list[Label]:
        """Return all labels of a prompt, by name."""
        statement = select(*_COLUMNS).where(labels.c.prompt_id == prompt_id).order_by(labels.c.name)
        async with self._database.read() as connection:
            return [Label(*row) for row in await connection.execute(statement)]

    async def history(
        self, prompt_id: UUID, name: str, *, limit: int = 50, cursor: str | None = None
    ) -> Page[LabelMove]:
        """Return a page of a label's changes, the newest first; of one that was deleted, too.

        Raises:
            CursorInvalid: the cursor was not given out by a list.
        """
        of_label = (label_moves.c.prompt_id == prompt_id, label_moves.c.name == name)
        whole = select(*_MOVE_COLUMNS).where(*of_label)
        statement = numbered_page(whole, number=label_moves.c.number, cursor=cursor, limit=limit)
        async with self._database.read() as connection:
            found = [LabelMove(*row) for row in await connection.execute(statement)]
        return as_numbered_page(found, [move.number for move in found], limit)

    async def _record(
        self,
        connection: AsyncConnection,
        prompt_id: UUID,
        name: str,
        change: LabelChange,
        *,
        before: Label | None,
        after: Label | None,
    ) -> None:
        of_label = (label_moves.c.prompt_id == prompt_id, label_moves.c.name == name)
        last = await connection.scalar(select(func.max(label_moves.c.number)).where(*of_label))
        await connection.execute(
            insert(label_moves).values(
                prompt_id=prompt_id,
                name=name,
                number=(last or 0) + 1,
                from_id=before.version_id if before is not None else None,
                to_id=after.version_id if after is not None else None,
                is_protected=after is not None and after.is_protected,
                user_id=change.user_id,
                reason=change.reason,
                created_at=after.updated_at if after is not None else self._clock(),
            )
        )


async def _lock(connection: AsyncConnection, prompt_id: UUID) -> None:
    statement = select(prompts.c.id).where(prompts.c.id == prompt_id, prompts.c.deleted_at.is_(None))
    if await connection.scalar(statement.with_for_update()) is None:
        raise NotFound(f"no prompt {prompt_id}")


async def _get(connection: AsyncConnection, prompt_id: UUID, name: str) -> Label | None:
    statement = select(*_COLUMNS).where(labels.c.prompt_id == prompt_id, labels.c.name == name)
    row = (await connection.execute(statement)).first()
    return Label(*row) if row is not None else None


async def _check_version(connection: AsyncConnection, prompt_id: UUID, version_id: str) -> None:
    statement = select(versions.c.id).where(versions.c.prompt_id == prompt_id, versions.c.id == version_id)
    if await connection.scalar(statement) is None:
        raise NotFound(f"prompt {prompt_id} has no version {version_id}")


async def _write(connection: AsyncConnection, prompt_id: UUID, label: Label, *, is_new: bool) -> None:
    of_prompt = labels.c.prompt_id == prompt_id
    values = {
        "version_id": label.version_id,
        "is_protected": label.is_protected,
        "updated_at": label.updated_at,
        "updated_by": label.updated_by,
    }
    if not is_new:
        await connection.execute(update(labels).where(of_prompt, labels.c.name == label.name).values(values))
        return
    if (await connection.scalar(select(func.count()).select_from(labels).where(of_prompt)) or 0) >= MAX_LABELS:
        raise LabelLimit(f"prompt {prompt_id} has {MAX_LABELS} labels, as many as it may")
    await connection.execute(insert(labels).values(prompt_id=prompt_id, name=label.name, **values))


def _check(label: Label | None, expected: Expected | None) -> None:
    version_id = label.version_id if label is not None else None
    if expected is not None and expected.version_id != version_id:
        raise LabelMoved(version_id)

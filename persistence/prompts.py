"""Prompts: the rows. Their text is in the journal.

A prompt is created together with the first entry of its journal, which holds its initial CRDT state. That state
is never made again: two states made from the same text would not merge.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.edits import EditKind
from persistence.engine import Clock, Database
from persistence.errors import Conflict, NotFound, VersionConflict
from persistence.pages import Page, Position, as_page, one_page
from persistence.records import AnyRow, columns_of
from persistence.slugs import free_slug, slugify
from persistence.tables import client_ids, journal, organizations, projects, prompts


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt without its text.

    Args:
        id: its key.
        organization_id: the tenant it belongs to.
        project_id: the project it stands in.
        name: what people call it.
        slug: what files call it; unique in the project and kept when the prompt is renamed.
        epoch: changes when the document was made anew; a client with another epoch reloads.
        head_seq: the seq of its last journal entry.
        version: changes with every change to this row but edits of the text; for ETag and If-Match.
        created_by: the user who created it.
        created_at: when.
        updated_at: when its text or its row last changed.
        deleted_at: when it was deleted, or None.
    """

    id: UUID
    organization_id: UUID
    project_id: UUID
    name: str
    slug: str
    epoch: int
    head_seq: int
    version: int
    created_by: UUID
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


_COLUMNS = columns_of(prompts, Prompt)


class Prompts:
    """Creates, finds and changes prompts.

    Args:
        database: where they are.
        clock: the time written to them.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(
        self,
        *,
        organization_id: UUID,
        project_id: UUID,
        name: str,
        state: bytes,
        client_id: int,
        user_id: UUID,
        only_first: bool = False,
    ) -> Prompt:
        """Create a prompt with its initial document as journal entry 1.

        Args:
            organization_id: the tenant.
            project_id: a project of that tenant.
            name: what people call it.
            state: the initial document, an update.
            client_id: the CRDT client id that wrote it; bound to the user.
            user_id: who creates it.
            only_first: create it only where the organization never had a prompt; a deleted one counts.

        Raises:
            NotFound: the organization has no such project.
            Conflict: there is no such user, or the prompt is not the first.
        """
        now = self._clock()
        prompt_id = uuid.uuid4()
        async with self._database.write() as connection:
            await check_project(connection, organization_id, project_id)
            if only_first:
                await _check_first(connection, organization_id)
            slug = await choose_slug(connection, project_id, slugify(name))
            created = {"created_at": now, "updated_at": now, "created_by": user_id}
            named = {"name": name, "folded_name": name.casefold(), "slug": slug}
            owned = {"id": prompt_id, "organization_id": organization_id, "project_id": project_id}
            await connection.execute(
                prompts.insert().values(**owned, **named, **created, epoch=1, head_seq=1, version=1)
            )
            first = {"prompt_id": prompt_id, "user_id": user_id, "created_at": now}
            await connection.execute(journal.insert().values(**first, seq=1, kind=EditKind.CREATED, payload=state))
            await connection.execute(client_ids.insert().values(**first, client_id=client_id))
            return await _get(connection, prompt_id)

    async def get(
        self, prompt_id: UUID, *, organization_id: UUID | None = None, include_deleted: bool = False
    ) -> Prompt:
        """Return a prompt.

        Args:
            prompt_id: its key.
            organization_id: the caller's tenant; another tenant's prompt is not found.
            include_deleted: find deleted ones too.

        Raises:
            NotFound: no such prompt for this caller.
        """
        async with self._database.read() as connection:
            return await _get(connection, prompt_id, organization_id, include_deleted=include_deleted)

    async def list(
        self,
        organization_id: UUID,
        *,
        q: str | None = None,
        project_id: UUID | None = None,
        limit: int = 50,
        cursor: str | None = None,
        deleted: bool = False,
    ) -> Page[Prompt]:
        """Return a page of an organization's prompts, the newest first.

        Args:
            organization_id: the tenant.
            q: part of the name, in any case.
            project_id: only this project's.
            limit: 1 to 100.
            cursor: from the page before.
            deleted: the deleted ones instead of the others.

        Raises:
            CursorInvalid: the cursor was not given out by a list.
        """
        conditions: list[ColumnElement[bool]] = [prompts.c.organization_id == organization_id]
        conditions.append(prompts.c.deleted_at.is_not(None) if deleted else prompts.c.deleted_at.is_(None))
        if project_id is not None:
            conditions.append(prompts.c.project_id == project_id)
        if q:
            conditions.append(prompts.c.folded_name.contains(q.casefold(), autoescape=True))
        statement = one_page(
            select(*_COLUMNS).where(*conditions),
            created_at=prompts.c.created_at,
            identifier=prompts.c.id,
            cursor=cursor,
            limit=limit,
            newest_first=True,
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        return as_page([_prompt(row) for row in rows], [Position(row.created_at, row.id) for row in rows], limit)

    async def ids(self) -> Sequence[UUID]:
        """Return the ids of all prompts of all organizations, deleted ones too."""
        async with self._database.read() as connection:
            return (await connection.scalars(select(prompts.c.id).order_by(prompts.c.id))).all()

    async def update(
        self,
        prompt_id: UUID,
        *,
        name: str | None = None,
        project_id: UUID | None = None,
        expected_version: int | None = None,
    ) -> Prompt:
        """Rename a prompt, or move it to another project of its organization.

        Raises:
            NotFound: no such prompt, or the organization has no such project.
            VersionConflict: the prompt does not have the expected version any more.
        """
        values: dict[str, Any] = {}
        if name is not None:
            values |= {"name": name, "folded_name": name.casefold()}
        async with self._database.write() as connection:
            prompt = await _get(connection, prompt_id, for_update=True)
            _check_version(prompt, expected_version)
            if project_id is not None and project_id != prompt.project_id:
                await check_project(connection, prompt.organization_id, project_id)
                values |= {"project_id": project_id, "slug": await choose_slug(connection, project_id, prompt.slug)}
            return await self._change(connection, prompt_id, **values)

    async def delete(self, prompt_id: UUID, *, expected_version: int | None = None) -> Prompt:
        """Delete a prompt; everything of it stays stored, and ``restore`` brings it back.

        Raises:
            NotFound: no such prompt, or deleted already.
            VersionConflict: the prompt does not have the expected version any more.
        """
        async with self._database.write() as connection:
            _check_version(await _get(connection, prompt_id, for_update=True), expected_version)
            return await self._change(connection, prompt_id, deleted_at=self._clock())

    async def restore(self, prompt_id: UUID) -> Prompt:
        """Bring a deleted prompt back; one that is not deleted stays as it is.

        Raises:
            NotFound: no such prompt.
        """
        async with self._database.write() as connection:
            prompt = await _get(connection, prompt_id, include_deleted=True, for_update=True)
            if prompt.deleted_at is None:
                return prompt
            return await self._change(connection, prompt_id, deleted_at=None)

    async def _change(self, connection: AsyncConnection, prompt_id: UUID, **values: object) -> Prompt:
        statement = (
            update(prompts)
            .where(prompts.c.id == prompt_id)
            .values(**values, version=prompts.c.version + 1, updated_at=self._clock())
            .returning(*_COLUMNS)
        )
        return _prompt((await connection.execute(statement)).one())


async def _get(
    connection: AsyncConnection,
    prompt_id: UUID,
    organization_id: UUID | None = None,
    *,
    include_deleted: bool = False,
    for_update: bool = False,
) -> Prompt:
    keys = {"prompt_id": prompt_id}
    if organization_id is not None:
        keys["organization_id"] = organization_id
    statement = _one(of_tenant=organization_id is not None, include_deleted=include_deleted, for_update=for_update)
    row = (await connection.execute(statement, keys)).first()
    if row is None:
        raise NotFound(f"no prompt {prompt_id}")
    return _prompt(row)


# Each is made once: making a statement takes longer than running it.
@cache
def _one(*, of_tenant: bool, include_deleted: bool, for_update: bool) -> Select[*tuple[Any, ...]]:
    statement = select(*_COLUMNS).where(prompts.c.id == bindparam("prompt_id"))
    if for_update:
        statement = statement.with_for_update()
    if of_tenant:
        statement = statement.where(prompts.c.organization_id == bindparam("organization_id"))
    if not include_deleted:
        statement = statement.where(prompts.c.deleted_at.is_(None))
    return statement


def _prompt(row: AnyRow) -> Prompt:
    return Prompt(*row)


def _check_version(prompt: Prompt, expected: int | None) -> None:
    if expected is not None and prompt.version != expected:
        raise VersionConflict(f"prompt {prompt.id} has version {prompt.version}, not {expected}")


async def _check_first(connection: AsyncConnection, organization_id: UUID) -> None:
    # Nodes that start at once ask one after another.
    organization = select(organizations.c.id).where(organizations.c.id == organization_id)
    await connection.execute(organization.with_for_update(key_share=True))
    found = select(prompts.c.id).where(prompts.c.organization_id == organization_id).limit(1)
    if await connection.scalar(found) is not None:
        raise Conflict(f"organization {organization_id} has a prompt already, or had one")


async def check_project(connection: AsyncConnection, organization_id: UUID, project_id: UUID) -> None:
    """Raise NotFound unless the organization has this project; nobody else chooses a slug in it meanwhile."""
    of_organization = (projects.c.id == project_id, projects.c.organization_id == organization_id)
    statement = select(projects.c.id).where(*of_organization, projects.c.deleted_at.is_(None))
    # Locked, so that two servers do not choose the same free slug at the same moment.
    found = await connection.scalar(statement.with_for_update())
    if found is None:
        raise NotFound(f"no project {project_id}")


async def choose_slug(connection: AsyncConnection, project_id: UUID, base: str) -> str:
    """Return the slug of a new prompt, after ``check_project``."""
    # Deleted prompts keep theirs, so that restoring one never collides.
    alike = select(prompts.c.slug).where(prompts.c.project_id == project_id, prompts.c.slug.startswith(base))
    return free_slug(base, set(await connection.scalars(alike)))

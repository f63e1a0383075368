"""Projects: named sets of an organization's prompts."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from persistence.engine import Clock, Database
from persistence.errors import NotFound
from persistence.pages import Page, Position, as_page, one_page
from persistence.records import columns_of
from persistence.tables import projects


@dataclass(frozen=True, slots=True)
class Project:
    """A named set of an organization's prompts."""

    id: UUID
    organization_id: UUID
    name: str
    created_at: datetime
    updated_at: datetime


_PROJECT = columns_of(projects, Project)


class Projects:
    """Creates and finds projects.

    Args:
        database: where they are.
        clock: the time written to them.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, organization_id: UUID, name: str) -> Project:
        """Create a project.

        Raises:
            Conflict: there is no such organization.
        """
        now = self._clock()
        project = Project(uuid.uuid4(), organization_id, name, now, now)
        values = {"id": project.id, "organization_id": organization_id, "name": name}
        async with self._database.write() as connection:
            await connection.execute(projects.insert().values(**values, created_at=now, updated_at=now))
        return project

    async def get(self, project_id: UUID, *, organization_id: UUID | None = None) -> Project:
        """Return a project; another organization's is not found.

        Raises:
            NotFound: no such project for this caller.
        """
        statement = select(*_PROJECT).where(projects.c.id == project_id, projects.c.deleted_at.is_(None))
        if organization_id is not None:
            statement = statement.where(projects.c.organization_id == organization_id)
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).first()
        if row is None:
            raise NotFound(f"no project {project_id}")
        return Project(*row)

    async def list(self, organization_id: UUID, *, limit: int = 50, cursor: str | None = None) -> Page[Project]:
        """Return a page of an organization's projects, the oldest first.

        Raises:
            CursorInvalid: the cursor was not given out by this list.
        """
        statement = one_page(
            select(*_PROJECT).where(projects.c.organization_id == organization_id, projects.c.deleted_at.is_(None)),
            created_at=projects.c.created_at,
            identifier=projects.c.id,
            cursor=cursor,
            limit=limit,
            newest_first=False,
        )
        async with self._database.read() as connection:
            items = [Project(*row) for row in await connection.execute(statement)]
        return as_page(items, [Position(item.created_at, item.id) for item in items], limit)

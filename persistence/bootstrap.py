"""What a new database starts with: one organization, one project, one owner."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.accounts import OWNER, Organization, User
from persistence.engine import Clock, Database
from persistence.errors import NotFound
from persistence.projects import Project
from persistence.records import AnyRow, columns_of
from persistence.tables import memberships, organizations, projects, users

# Puts the first starts of several servers in a row. Advisory locks are per database.
_LOCK_KEY = int.from_bytes(b"bootstrp", "big", signed=True)


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """What there is after the first start.

    Args:
        organization: the first organization.
        project: its first project.
        owner: its first owner.
        is_new: whether they were created just now.
    """

    organization: Organization
    project: Project
    owner: User
    is_new: bool


async def bootstrap(
    database: Database, clock: Clock, *, organization: str = "Home", project: str = "Prompts", owner: str = "Owner"
) -> Bootstrap:
    """Create the first organization, project and owner in an empty database; return them in any other.

    Args:
        database: where they are.
        clock: the time written to them.
        organization: the organization's name.
        project: the project's name.
        owner: the owner's name.

    Raises:
        NotFound: there is an organization, but it has lost its project or its owner.
    """
    async with database.write() as connection:
        if not database.is_sqlite:
            await connection.execute(select(func.pg_advisory_xact_lock(_LOCK_KEY)))
        is_new = await connection.scalar(select(organizations.c.id).limit(1)) is None
        if is_new:
            now = clock()
            created = {"created_at": now, "updated_at": now}
            organization_id, user_id = uuid.uuid4(), uuid.uuid4()
            belongs = {"organization_id": organization_id, **created}
            await connection.execute(organizations.insert().values(id=organization_id, name=organization, **created))
            await connection.execute(users.insert().values(id=user_id, name=owner, **created))
            await connection.execute(memberships.insert().values(user_id=user_id, role=OWNER, **belongs))
            await connection.execute(projects.insert().values(id=uuid.uuid4(), name=project, **belongs))
        return await _existing(connection, is_new=is_new)


async def _existing(connection: AsyncConnection, *, is_new: bool) -> Bootstrap:
    organization = Organization(
        *await _first(
            connection,
            select(*columns_of(organizations, Organization))
            .where(organizations.c.deleted_at.is_(None))
            .order_by(organizations.c.created_at, organizations.c.id),
        )
    )
    project = await _first(
        connection,
        select(*columns_of(projects, Project))
        .where(projects.c.organization_id == organization.id, projects.c.deleted_at.is_(None))
        .order_by(projects.c.created_at, projects.c.id),
    )
    owner = await _first(
        connection,
        select(*columns_of(users, User))
        .join_from(users, memberships)
        .where(
            memberships.c.organization_id == organization.id,
            memberships.c.role == OWNER,
            memberships.c.deleted_at.is_(None),
        )
        .order_by(memberships.c.created_at, users.c.id),
    )
    return Bootstrap(organization, Project(*project), User(*owner), is_new=is_new)


async def _first(connection: AsyncConnection, statement: Select[Any]) -> AnyRow:
    row: AnyRow | None = (await connection.execute(statement.limit(1))).first()
    if row is None:
        raise NotFound("the database has lost its first organization, its project or its owner")
    return row

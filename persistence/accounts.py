"""Who there is: organizations, users, and which user has which role in which organization."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from persistence.engine import Clock, Database
from persistence.errors import Conflict, LastOwner, NotFound
from persistence.pages import Page, Position, as_page, one_page
from persistence.records import AnyRow, columns_of
from persistence.standings import Standing, Standings
from persistence.tables import memberships, organizations, users

OWNER = "owner"
ROLES = frozenset({OWNER, "editor", "viewer"})


@dataclass(frozen=True, slots=True)
class Organization:
    """A tenant: what it owns, no other organization sees."""

    id: UUID
    name: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class User:
    """A person.

    Args:
        id: the key.
        email: lower case, unique; None for somebody who only ever used an invitation.
        name: what others see.
        password_hash: made by the server; None without a password.
        created_at: when the user was created.
        updated_at: when the row last changed.
    """

    id: UUID
    email: str | None
    name: str
    password_hash: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Membership:
    """The role of a user in an organization, ``owner``, ``editor`` or ``viewer``."""

    organization_id: UUID
    user_id: UUID
    role: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """A membership with what there is to show of the user."""

    user_id: UUID
    name: str
    email: str | None
    role: str
    created_at: datetime


_ORGANIZATION = columns_of(organizations, Organization)
_USER = columns_of(users, User)
_MEMBERSHIP = columns_of(memberships, Membership)

# Made once: making a statement takes longer than running it.
_ORGANIZATION_BY_ID = select(*_ORGANIZATION).where(organizations.c.id == bindparam("id"))
_USER_BY_ID = select(*_USER).where(users.c.id == bindparam("id"), users.c.deleted_at.is_(None))
_USER_BY_EMAIL = select(*_USER).where(users.c.email == bindparam("email"), users.c.deleted_at.is_(None))
_MEMBERSHIP_OF = select(*_MEMBERSHIP).where(
    memberships.c.organization_id == bindparam("organization_id"),
    memberships.c.user_id == bindparam("user_id"),
    memberships.c.deleted_at.is_(None),
)


class Accounts:
    """Creates, finds and changes organizations, users and memberships.

    Args:
        database: where they are.
        clock: the time written to them.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._standings = Standings(database)

    async def create_organization(self, name: str) -> Organization:
        """Create an organization; it has no members yet."""
        now = self._clock()
        organization = Organization(uuid.uuid4(), name, now, now)
        async with self._database.write() as connection:
            await connection.execute(
                organizations.insert().values(id=organization.id, name=name, created_at=now, updated_at=now)
            )
        return organization

    async def get_organization(self, organization_id: UUID) -> Organization:
        """Return an organization.

        Raises:
            NotFound: there is none.
        """
        row = await self._first(_ORGANIZATION_BY_ID, id=organization_id)
        if row is None:
            raise NotFound(f"no organization {organization_id}")
        return Organization(*row)

    async def create_user(self, name: str, *, email: str | None = None, password_hash: str | None = None) -> User:
        """Create a user.

        Raises:
            Conflict: somebody else has this address.
        """
        now = self._clock()
        user = User(uuid.uuid4(), normalize_email(email), name, password_hash, now, now)
        async with self._database.write() as connection:
            values = {"id": user.id, "name": name, "email": user.email, "password_hash": password_hash}
            await connection.execute(users.insert().values(**values, created_at=now, updated_at=now))
        return user

    async def get_user(self, user_id: UUID) -> User:
        """Return a user.

        Raises:
            NotFound: there is none.
        """
        row = await self._first(_USER_BY_ID, id=user_id)
        if row is None:
            raise NotFound(f"no user {user_id}")
        return User(*row)

    async def user_by_email(self, email: str) -> User | None:
        """Return the user with this address, in any case, or None."""
        row = await self._first(_USER_BY_EMAIL, email=normalize_email(email))
        return None if row is None else User(*row)

    async def update_user(
        self, user_id: UUID, *, name: str | None = None, email: str | None = None, password_hash: str | None = None
    ) -> User:
        """Change what is given and leave the rest.

        Raises:
            NotFound: there is no such user.
            Conflict: somebody else has this address.
        """
        wanted = {"name": name, "email": normalize_email(email), "password_hash": password_hash}
        values = {column: value for column, value in wanted.items() if value is not None}
        statement = (
            update(users)
            .where(users.c.id == user_id, users.c.deleted_at.is_(None))
            .values(**values, updated_at=self._clock())
            .returning(*_USER)
        )
        async with self._database.write() as connection:
            row = (await connection.execute(statement)).first()
        if row is None:
            raise NotFound(f"no user {user_id}")
        return User(*row)

    async def add_membership(self, organization_id: UUID, user_id: UUID, role: str) -> Membership:
        """Make a user a member; one who was removed before becomes a member again.

        Raises:
            Conflict: the user is a member already, or the user or the organization does not exist.
            ValueError: there is no such role.
        """
        _check_role(role)
        now = self._clock()
        of_user = _of_user(organization_id, user_id)
        async with self._database.write() as connection:
            former = (await connection.execute(select(memberships.c.deleted_at).where(*of_user))).first()
            if former is None:
                values = {"organization_id": organization_id, "user_id": user_id, "role": role}
                await connection.execute(memberships.insert().values(**values, created_at=now, updated_at=now))
            elif former.deleted_at is None:
                raise Conflict("the user is a member already")
            else:
                again = {"role": role, "created_at": now, "updated_at": now, "deleted_at": None}
                await connection.execute(update(memberships).where(*of_user).values(**again))
        return Membership(organization_id, user_id, role, now, now)

    async def membership(self, organization_id: UUID, user_id: UUID) -> Membership | None:
        """Return a user's membership, or None if the user is not a member now."""
        row = await self._first(_MEMBERSHIP_OF, organization_id=organization_id, user_id=user_id)
        return None if row is None else Membership(*row)

    async def standing(self, organization_id: UUID, user_id: UUID, prompt_id: UUID | None = None) -> Standing | None:
        """Return who a user is in an organization, and the prompt of it; None if the user is not a member now.

        Raises:
            StoreUnavailable: the database cannot be used now.
        """
        return await self._standings.of(organization_id, user_id, prompt_id)

    async def memberships_of(self, user_id: UUID) -> list[Membership]:
        """Return a user's memberships, the oldest first."""
        statement = (
            select(*_MEMBERSHIP)
            .where(memberships.c.user_id == user_id, memberships.c.deleted_at.is_(None))
            .order_by(memberships.c.created_at, memberships.c.organization_id)
        )
        async with self._database.read() as connection:
            return [Membership(*row) for row in await connection.execute(statement)]

    async def set_role(self, organization_id: UUID, user_id: UUID, role: str) -> Membership:
        """Give a member another role.

        Raises:
            NotFound: the user is not a member.
            LastOwner: nobody else is an owner.
            ValueError: there is no such role.
        """
        _check_role(role)
        async with self._database.write() as connection:
            if role != OWNER:
                await _keep_an_owner(connection, organization_id, user_id)
            return await self._change(connection, organization_id, user_id, role=role)

    async def remove_member(self, organization_id: UUID, user_id: UUID) -> None:
        """End a membership; what the user wrote stays theirs.

        Raises:
            NotFound: the user is not a member.
            LastOwner: nobody else is an owner.
        """
        async with self._database.write() as connection:
            await _keep_an_owner(connection, organization_id, user_id)
            await self._change(connection, organization_id, user_id, deleted_at=self._clock())

    async def members(self, organization_id: UUID, *, limit: int = 50, cursor: str | None = None) -> Page[Member]:
        """Return a page of an organization's members, the longest-standing first.

        Raises:
            CursorInvalid: the cursor was not given out by this list.
        """
        columns = (users.c.id, users.c.name, users.c.email, memberships.c.role, memberships.c.created_at)
        statement = one_page(
            select(*columns)
            .join_from(memberships, users)
            .where(memberships.c.organization_id == organization_id, memberships.c.deleted_at.is_(None)),
            created_at=memberships.c.created_at,
            identifier=users.c.id,
            cursor=cursor,
            limit=limit,
            newest_first=False,
        )
        async with self._database.read() as connection:
            items = [Member(*row) for row in await connection.execute(statement)]
        return as_page(items, [Position(item.created_at, item.user_id) for item in items], limit)

    async def _first(self, statement: Select[*tuple[Any, ...]], **keys: object) -> AnyRow | None:
        async with self._database.read() as connection:
            return (await connection.execute(statement, keys)).first()

    async def _change(
        self, connection: AsyncConnection, organization_id: UUID, user_id: UUID, **values: object
    ) -> Membership:
        statement = (
            update(memberships)
            .where(*_of_user(organization_id, user_id), memberships.c.deleted_at.is_(None))
            .values(**values, updated_at=self._clock())
            .returning(*_MEMBERSHIP)
        )
        row = (await connection.execute(statement)).first()
        if row is None:
            raise NotFound("the user is not a member")
        return Membership(*row)


def normalize_email(email: str | None) -> str | None:
    """Return the form in which an address is stored and compared; an empty one is none."""
    return email.strip().lower() or None if email is not None else None


def _of_user(organization_id: UUID, user_id: UUID) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return memberships.c.organization_id == organization_id, memberships.c.user_id == user_id


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise ValueError(f"no such role: {role!r}")


async def _keep_an_owner(connection: AsyncConnection, organization_id: UUID, user_id: UUID) -> None:
    # Two owners who demote each other at once are put in a row by this lock.
    await connection.execute(select(organizations.c.id).where(organizations.c.id == organization_id).with_for_update())
    owners = (
        memberships.c.organization_id == organization_id,
        memberships.c.role == OWNER,
        memberships.c.deleted_at.is_(None),
    )
    is_owner = await connection.scalar(select(memberships.c.role).where(*owners, memberships.c.user_id == user_id))
    others = select(func.count()).select_from(memberships).where(*owners, memberships.c.user_id != user_id)
    if is_owner and not await connection.scalar(others):
        raise LastOwner("an organization keeps at least one owner")

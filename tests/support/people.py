"""People who may use a real server: created beside it, with tokens signed by its key."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from persistence.store import OpenMode, Store
from server.access import Role
from server.auth import Authenticator

SECRET = "the signing key of the servers that tests start"
ENVIRONMENT = {"JWT_SECRET_KEY": SECRET}
"""What a server needs to be started with to believe the tokens made here."""

# Longer than the longest run.
_TOKEN_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a role, and a token that says so."""

    user_id: UUID
    role: Role
    token: str


@asynccontextmanager
async def beside(database_url: str) -> AsyncIterator[Store]:
    """Open a database as a command does, whether a server has it open or not."""
    store = await Store.open(database_url, mode=OpenMode.COMMAND)
    try:
        yield store
    finally:
        await store.close()


async def invite(database_url: str, *roles: Role) -> list[Person]:
    """Create one person for each role in the first organization of a server that was started with `ENVIRONMENT`."""
    async with beside(database_url) as store:
        organization = (await store.bootstrap()).organization
        authenticator = Authenticator(SECRET.encode(), store, time.time)
        people = []
        for number, role in enumerate(roles, 1):
            user = await store.accounts.create_user(f"{role.value.title()} {number}")
            await store.accounts.add_membership(organization.id, user.id, role.value)
            token = authenticator.issue(user.id, organization.id, ttl=_TOKEN_SECONDS)
            people.append(Person(user.id, role, token))
    return people

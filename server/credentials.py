"""What the command line hands out: access tokens and sign-in links."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from uuid import UUID

from server.access import Role, lower_role
from server.auth import Authenticator
from server.limits import SIGN_IN_LINK_SECONDS

if TYPE_CHECKING:
    from persistence.accounts import User
    from persistence.store import Store
    from server.settings import Settings

_DEFAULT_ROLE: Final = Role.EDITOR


class Refused(Exception):
    """A command cannot do what it was asked for. Its text is one line."""


async def access_token(
    settings: Settings, store: Store, *, email: str, role: Role | None, ttl: float, create: bool
) -> str:
    """Answers an access token for the user with this address.

    Arguments: `role` is the most that the token may do, and the membership's role where the user is created with
    `create`; `ttl` in seconds. Raises Refused where there is no such user, or the role is above theirs.
    """
    user = await store.accounts.user_by_email(email)
    if user is None:
        user = await _created(store, email, create=create)
    organization_id, own = await _membership(store, user, role or _DEFAULT_ROLE, create=create)
    wanted = role or own
    if lower_role(own, wanted) is not wanted:
        raise Refused(f"{email} is {own}; a token cannot say {wanted}")
    authenticator = Authenticator(settings.jwt_secret, store, time.time)
    # A token for the whole role carries no cap, so that it follows a promotion.
    return authenticator.issue(user.id, organization_id, ttl=ttl, role_cap=None if wanted is own else wanted)


async def sign_in_link(settings: Settings, store: Store, *, email: str | None) -> str:
    """Answers a one-use sign-in link for the user with this address, for the first owner where it is None.

    Raises Refused.
    """
    if email is None:
        home = await store.bootstrap()
        user_id, organization_id = home.owner.id, home.organization.id
    else:
        user = await store.accounts.user_by_email(email)
        memberships = await store.accounts.memberships_of(user.id) if user is not None else []
        if user is None or not memberships:
            raise Refused(f"nobody has the address {email}")
        user_id, organization_id = user.id, memberships[0].organization_id
    ticket = await store.tickets.issue("sign_in", user_id, organization_id, SIGN_IN_LINK_SECONDS)
    return settings.sign_in_url(ticket)


async def _created(store: Store, email: str, *, create: bool) -> User:
    name, separator, domain = email.strip().rpartition("@")
    if not (separator and name and domain):
        raise Refused(f"{email} is not an e-mail address")
    if not create:
        raise Refused(f"nobody has the address {email} (--create makes the user)")
    return await store.accounts.create_user(name, email=email)


async def _membership(store: Store, user: User, role: Role, *, create: bool) -> tuple[UUID, Role]:
    memberships = await store.accounts.memberships_of(user.id)
    if memberships:
        return memberships[0].organization_id, Role(memberships[0].role)
    if not create:
        raise Refused(f"{user.email} is a member of no organization (--create makes them one)")
    home = await store.bootstrap()
    await store.accounts.add_membership(home.organization.id, user.id, role)
    return home.organization.id, role

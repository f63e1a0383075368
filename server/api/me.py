"""The caller's own account."""

from __future__ import annotations

from fastapi import APIRouter

from server.api import PREFIX
from server.api.context import Caller, UsesServices
from server.api.fields import Body, Name, NewPassword
from server.api.identity import Identity, OrganizationIdentity, UserIdentity
from server.api.problems import field_problem

router = APIRouter(prefix=PREFIX, tags=["account"])


class AccountChange(Body):
    """What to change; the rest stays."""

    name: Name | None = None
    password: NewPassword | None = None


@router.get("/me")
async def get_me(caller: Caller, services: UsesServices) -> Identity:
    """Answers who the token's bearer is, in which organization, and with which role."""
    organization = await services.store.accounts.get_organization(caller.organization_id)
    return Identity(
        user=UserIdentity(id=caller.user_id, name=caller.name, email=caller.email),
        organization=OrganizationIdentity(id=organization.id, name=organization.name),
        role=caller.role,
    )


@router.patch("/me")
async def change_me(change: AccountChange, caller: Caller, services: UsesServices) -> Identity:
    """Changes the caller's name or password; a new password ends every session of the account when its token expires.

    A password needs an e-mail address to sign in with.
    """
    if change.password is not None and caller.email is None:
        raise field_problem("body.password", "needs an e-mail address to sign in with, and your account has none")
    hashed = await services.passwords.hash(change.password) if change.password is not None else None
    user = await services.store.accounts.update_user(caller.user_id, name=change.name, password_hash=hashed)
    if hashed is not None:
        # Whoever changes a password may do so because somebody else knows the old one, or has the cookie.
        await services.store.refresh_tokens.revoke_user(caller.user_id)
    organization = await services.store.accounts.get_organization(caller.organization_id)
    return Identity(
        user=UserIdentity(id=user.id, name=user.name, email=user.email),
        organization=OrganizationIdentity(id=organization.id, name=organization.name),
        role=caller.role,
    )

"""Members of the organization and their invitations.

An invitation is a one-use sign-in link, shown once to the owner who asked for it. Who holds it is that member: hand it
over as you would a key.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Response

from persistence.accounts import Membership, User
from server.access import Principal, Role
from server.api import PREFIX
from server.api.context import MembersManager, MembersReader, UsesServices
from server.api.fields import Answer, Body, Email, Name
from server.api.idempotency import Idempotency
from server.api.paging import DEFAULT_LIMIT, Cursor, Limit, PageOf
from server.api.preconditions import Precondition
from server.api.responses import answer
from server.errors import Conflict, NotFound
from server.limits import INVITATION_SECONDS
from server.services import Services

router = APIRouter(prefix=f"{PREFIX}/members", tags=["members"])


class NewMember(Body):
    """Somebody to invite."""

    name: Name
    role: Role
    email: Email | None = None


class RoleChange(Body):
    """The role to give."""

    role: Role


class MemberAnswer(Answer):
    """A member."""

    id: UUID
    user_id: UUID
    name: str
    email: str | None
    role: Role
    created_at: datetime


class Invitation(Answer):
    """A one-use sign-in link."""

    url: str
    expires_at: datetime


class InvitedMember(MemberAnswer):
    """A new member. The link is shown once: a repetition under the same Idempotency-Key gets null."""

    invitation: Invitation | None


@router.get("")
async def list_members(
    caller: MembersReader, services: UsesServices, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> PageOf[MemberAnswer]:
    """Lists the members, the longest-standing first."""
    page = await services.store.accounts.members(caller.organization_id, limit=limit, cursor=cursor)
    items = [
        MemberAnswer(
            id=member.user_id,
            user_id=member.user_id,
            name=member.name,
            email=member.email,
            role=Role(member.role),
            created_at=member.created_at,
        )
        for member in page.items
    ]
    return PageOf(items=items, next_cursor=page.next_cursor)


@router.post("", status_code=201, response_model=InvitedMember)
async def invite_member(
    body: NewMember, caller: MembersManager, services: UsesServices, idempotency: Idempotency
) -> Response:
    """Makes somebody a member and answers the link they sign in with."""
    invited: InvitedMember | None = None

    async def invite() -> Response:
        nonlocal invited
        member = await _add(services, caller, body)
        invitation = await _invitation(services, caller, member.user_id)
        invited = InvitedMember(**member.model_dump(), invitation=invitation)
        # What is kept for the key holds no credential.
        return answer(invited.model_copy(update={"invitation": None}), status=201)

    kept = await idempotency.once(caller, invite)
    return kept if invited is None else answer(invited, status=201)


@router.get("/{user_id}", response_model=MemberAnswer)
async def get_member(user_id: UUID, caller: MembersReader, services: UsesServices) -> Response:
    """Answers a member, with its ETag."""
    membership, user = await _find(services, caller, user_id)
    return _answer(membership, user)


@router.patch("/{user_id}", response_model=MemberAnswer)
async def change_role(
    user_id: UUID, body: RoleChange, caller: MembersManager, services: UsesServices, precondition: Precondition
) -> Response:
    """Gives a member another role, which their open sessions follow at once."""
    membership, user = await _find(services, caller, user_id)
    precondition.expected(_version(membership))
    changed = await services.store.accounts.set_role(caller.organization_id, user_id, body.role)
    await services.hub.role_changed(caller.organization_id, user_id, body.role)
    return _answer(changed, user)


@router.delete("/{user_id}", status_code=204)
async def remove_member(
    user_id: UUID, caller: MembersManager, services: UsesServices, precondition: Precondition
) -> None:
    """Ends a membership: open sessions close, tokens stop working. What the member wrote stays theirs."""
    membership, _ = await _find(services, caller, user_id)
    precondition.expected(_version(membership))
    await services.store.accounts.remove_member(caller.organization_id, user_id)
    await services.hub.role_changed(caller.organization_id, user_id, None)
    await services.store.refresh_tokens.revoke_user(user_id, organization_id=caller.organization_id)


@router.post("/{user_id}/invitation", status_code=201)
async def invite_again(user_id: UUID, caller: MembersManager, services: UsesServices) -> Invitation:
    """Answers a fresh sign-in link for a member. Links given out before keep working until they are used."""
    await _find(services, caller, user_id)
    await _refuse_shared_account(services, caller, user_id)
    return await _invitation(services, caller, user_id)


async def _add(services: Services, caller: Principal, body: NewMember) -> MemberAnswer:
    accounts = services.store.accounts
    user = await accounts.user_by_email(body.email) if body.email is not None else None
    if user is None:
        user = await accounts.create_user(body.name, email=body.email)
    await _refuse_shared_account(services, caller, user.id)
    membership = await accounts.add_membership(caller.organization_id, user.id, body.role)
    return _shown(membership, user)


async def _refuse_shared_account(services: Services, caller: Principal, user_id: UUID) -> None:
    """Whoever signs in by a link can set the account's password, so an owner gets none into other organizations."""
    memberships = await services.store.accounts.memberships_of(user_id)
    if any(membership.organization_id != caller.organization_id for membership in memberships):
        raise Conflict("This account belongs to another organization too; its holder signs in with their password.")


async def _find(services: Services, caller: Principal, user_id: UUID) -> tuple[Membership, User]:
    membership = await services.store.accounts.membership(caller.organization_id, user_id)
    if membership is None:
        raise NotFound
    return membership, await services.store.accounts.get_user(user_id)


async def _invitation(services: Services, caller: Principal, user_id: UUID) -> Invitation:
    ticket = await services.store.tickets.issue(
        "sign_in", user_id, caller.organization_id, ttl_seconds=INVITATION_SECONDS
    )
    expires_at = datetime.fromtimestamp(services.clock() + INVITATION_SECONDS, UTC)
    return Invitation(url=services.settings.sign_in_url(ticket), expires_at=expires_at)


def _version(membership: Membership) -> int:
    """The moment of the last change tells the states of a membership apart."""
    return int(membership.updated_at.timestamp() * 1_000_000)


def _answer(membership: Membership, user: User) -> Response:
    return answer(_shown(membership, user), version=_version(membership))


def _shown(membership: Membership, user: User) -> MemberAnswer:
    return MemberAnswer(
        id=user.id,
        user_id=user.id,
        name=user.name,
        email=user.email,
        role=Role(membership.role),
        created_at=membership.created_at,
    )

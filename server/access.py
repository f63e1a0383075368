"""Who may do what: the one table of roles and actions, and which origins a browser may come from.

Roles are ordered: viewer < editor < owner. A token may cap its bearer below the role of the membership.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from server.errors import Forbidden

if TYPE_CHECKING:
    from uuid import UUID


class Role(StrEnum):
    """The role of a membership."""

    OWNER = "owner"
    EDITOR = "editor"
    VIEWER = "viewer"


class Action(StrEnum):
    """What a principal can ask for."""

    READ = "read"
    EDIT = "edit"
    CREATE = "create"
    DELETE = "delete"
    SEE_MEMBERS = "see_members"
    MANAGE_MEMBERS = "manage_members"
    MANAGE_PROTECTED_LABELS = "manage_protected_labels"


_RANK = {Role.VIEWER: 0, Role.EDITOR: 1, Role.OWNER: 2}
_NEEDS = {
    Action.READ: Role.VIEWER,
    Action.SEE_MEMBERS: Role.VIEWER,
    Action.EDIT: Role.EDITOR,
    Action.CREATE: Role.EDITOR,
    Action.DELETE: Role.EDITOR,
    Action.MANAGE_MEMBERS: Role.OWNER,
    Action.MANAGE_PROTECTED_LABELS: Role.OWNER,
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is acting: one user in one organization, as their token and membership say together.

    `expires_at` is the token's end in seconds since the epoch; `role` is what holds now: the membership's role, at
    most `role_cap`.
    """

    user_id: UUID
    organization_id: UUID
    name: str
    email: str | None
    role: Role
    expires_at: float
    role_cap: Role = Role.OWNER


def lower_role(one: Role, other: Role) -> Role:
    """Answers the role of the two that allows less."""
    return min(one, other, key=_RANK.__getitem__)


def role_may(role: Role, action: Action) -> bool:
    """Answers whether a role allows an action."""
    return _RANK[role] >= _RANK[_NEEDS[action]]


def may(principal: Principal, action: Action) -> bool:
    """Answers whether a principal may do something inside their own organization."""
    return role_may(principal.role, action)


def require(principal: Principal, action: Action) -> None:
    """Raises Forbidden unless the principal may."""
    if not may(principal, action):
        message = f"This needs the role {_NEEDS[action]}; yours is {principal.role}."
        raise Forbidden(message)


def origin_is_allowed(origin: str | None, *, host: str | None, allowed: AbstractSet[str]) -> bool:
    """Answers whether a request with this Origin header may open a socket or use the cookie.

    Arguments: `origin` and `host` are the header values as they came; `allowed` is the exact list of settings. Where
    the list is empty (a public host without ALLOWED_ORIGINS) the origin has to be the host that was asked for.
    A request without an Origin does not come from a browser's page, so there is nobody's session to ride on.
    """
    if origin is None:
        return True
    if allowed:
        return origin.lower() in allowed
    if host is None:
        return False
    parts = urlsplit(origin)
    return parts.scheme in {"http", "https"} and parts.netloc.lower() == host.lower()

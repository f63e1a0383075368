"""How the API shows who somebody is."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import computed_field

from server.access import Role
from server.api.fields import Answer
from server.appearance import color_of


class UserIdentity(Answer):
    """A user, as themselves see it."""

    id: UUID
    name: str
    email: str | None


class OrganizationIdentity(Answer):
    """The organization that a token is for."""

    id: UUID
    name: str


class Identity(Answer):
    """Who is calling, where, and as what."""

    user: UserIdentity
    organization: OrganizationIdentity
    role: Role


class SignedIn(Identity):
    """An access token, and whose it is."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - a word of RFC 6750
    expires_in: int


class Person(Answer):
    """Somebody, as others see them."""

    id: UUID
    name: str

    @computed_field(description="The colour they have in every room, as `#rrggbb`.")  # type: ignore[prop-decorator]
    @property
    def color(self) -> str:
        """The colour that follows from the id."""
        return color_of(self.id)

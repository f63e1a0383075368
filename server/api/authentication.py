"""Signing in and out: `/auth/login`, `/auth/refresh`, `/auth/logout`, `/auth/tickets`.

The access token is short-lived and lives in the page's memory; the refresh token lives in a cookie that scripts cannot
read and that is sent to these paths only. Each refresh replaces it. One that comes a second time is either a tab that
was slow (within the grace of the store) or stolen: then every token of its family ends.
"""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Cookie, Request, Response
from pydantic import Discriminator, Field, StringConstraints, Tag

from persistence.errors import TokenInvalid
from server.access import Principal
from server.api import PREFIX
from server.api.context import Caller, OwnOrigin, UsesServices
from server.api.fields import Answer, Body, Email, Password
from server.api.identity import OrganizationIdentity, SignedIn, UserIdentity
from server.api.throttle import SignInThrottle
from server.errors import NotAuthenticated
from server.limits import ACCESS_TOKEN_SECONDS, REFRESH_TOKEN_SECONDS, WEBSOCKET_TICKET_SECONDS
from server.services import Services

router = APIRouter(prefix=f"{PREFIX}/auth", tags=["authentication"])

COOKIE: Final = "promptroom_refresh"
COOKIE_PATH: Final = f"{PREFIX}/auth"

Secret = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]


class TicketLogin(Body):
    """The ticket of a one-use sign-in link: what stands behind `#ticket=`."""

    ticket: Secret


class PasswordLogin(Body):
    """An account with a password."""

    email: Email
    password: Password
    organization_id: UUID | None = Field(default=None, description="Default: the first that the user is a member of.")


def _form(value: Any) -> str:  # noqa: ANN401 - whatever JSON the request held
    by_ticket = "ticket" in value if isinstance(value, dict) else isinstance(value, TicketLogin)
    return "by_ticket" if by_ticket else "by_password"


Login = Annotated[
    Annotated[TicketLogin, Tag("by_ticket")] | Annotated[PasswordLogin, Tag("by_password")], Discriminator(_form)
]
RefreshCookie = Annotated[str | None, Cookie(alias=COOKIE, max_length=200)]


class WebSocketTicket(Answer):
    """A ticket for one WebSocket upgrade: `/ws/{prompt_id}?ticket=…`."""

    ticket: str
    expires_in: int


@router.post("/login", dependencies=[OwnOrigin])
async def login(body: Login, request: Request, response: Response, services: UsesServices) -> SignedIn:
    """Signs in with the ticket of a link, or with an e-mail address and a password."""
    if isinstance(body, TicketLogin):
        user_id, organization_id = await _by_ticket(services, body.ticket)
    else:
        user_id, organization_id = await _by_password(services, body, request)
    answer = await _signed_in(services, user_id, organization_id)
    first = await services.store.refresh_tokens.issue(user_id, organization_id, ttl_seconds=REFRESH_TOKEN_SECONDS)
    _set_cookie(request, response, services, first.token)
    return answer


@router.post("/refresh", dependencies=[OwnOrigin])
async def refresh(
    request: Request, response: Response, services: UsesServices, token: RefreshCookie = None
) -> SignedIn:
    """Answers a fresh access token for the cookie, and replaces the cookie."""
    if token is None:
        raise NotAuthenticated("There is no refresh cookie.", code="refresh_invalid")
    try:
        rotated = await services.store.refresh_tokens.rotate(token, ttl_seconds=REFRESH_TOKEN_SECONDS)
    except TokenInvalid as error:
        raise NotAuthenticated("The refresh cookie does not hold any more.", code="refresh_invalid") from error
    answer = await _signed_in(services, rotated.user_id, rotated.organization_id)
    _set_cookie(request, response, services, rotated.token)
    return answer


@router.post("/logout", status_code=204, dependencies=[OwnOrigin])
async def logout(response: Response, services: UsesServices, token: RefreshCookie = None) -> None:
    """Ends the session of the cookie, in every tab that shares it. Access tokens run out within minutes."""
    if token is not None:
        await services.store.refresh_tokens.revoke(token)
    response.delete_cookie(COOKIE, path=COOKIE_PATH, httponly=True, samesite="strict")


@router.post("/tickets", status_code=201)
async def create_ticket(caller: Caller, services: UsesServices) -> WebSocketTicket:
    """Answers a one-use ticket for a WebSocket, for clients that can send neither header nor subprotocol."""
    ticket = await services.authenticator.websocket_ticket(caller, ttl=WEBSOCKET_TICKET_SECONDS)
    return WebSocketTicket(ticket=ticket, expires_in=int(WEBSOCKET_TICKET_SECONDS))


async def _by_ticket(services: Services, ticket: str) -> tuple[UUID, UUID]:
    try:
        grant = await services.store.tickets.redeem("sign_in", ticket)
    except TokenInvalid as error:
        message = "This sign-in link was used already, or is too old. Ask for a new one."
        raise NotAuthenticated(message, code="ticket_invalid") from error
    return grant.user_id, grant.organization_id


async def _by_password(services: Services, body: PasswordLogin, request: Request) -> tuple[UUID, UUID]:
    throttle: SignInThrottle = request.app.state.sign_in_throttle
    address = request.client.host if request.client is not None else ""
    throttle.check(body.email, address)
    user = await services.store.accounts.user_by_email(body.email)
    stored = user.password_hash if user is not None else None
    if not await services.passwords.matches(body.password, stored) or user is None:
        throttle.failed(body.email, address)
        raise NotAuthenticated("The e-mail address or the password is wrong.", code="credentials_invalid")
    throttle.succeeded(body.email, address)
    for membership in await services.store.accounts.memberships_of(user.id):
        if body.organization_id in {None, membership.organization_id}:
            return user.id, membership.organization_id
    raise NotAuthenticated("You are not a member of this organization.", code="credentials_invalid")


async def _signed_in(services: Services, user_id: UUID, organization_id: UUID) -> SignedIn:
    expires_at = services.clock() + ACCESS_TOKEN_SECONDS
    principal = await services.authenticator.member(user_id, organization_id, expires_at=expires_at)
    organization = await services.store.accounts.get_organization(organization_id)
    return SignedIn(
        access_token=services.authenticator.issue(user_id, organization_id, ttl=ACCESS_TOKEN_SECONDS),
        expires_in=int(ACCESS_TOKEN_SECONDS),
        user=_identity(principal),
        organization=OrganizationIdentity(id=organization.id, name=organization.name),
        role=principal.role,
    )


def _identity(principal: Principal) -> UserIdentity:
    return UserIdentity(id=principal.user_id, name=principal.name, email=principal.email)


def _set_cookie(request: Request, response: Response, services: Services, token: str) -> None:
    over_tls = request.url.scheme == "https" or services.settings.public_url.startswith("https:")
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(REFRESH_TOKEN_SECONDS),
        path=COOKIE_PATH,
        httponly=True,
        samesite="strict",
        secure=over_tls,
    )

"""What an endpoint asks for: the services, who is calling, and the right to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from server.access import Action, Principal, origin_is_allowed, require
from server.errors import NotAuthenticated, OriginRejected
from server.services import Services

_bearer = HTTPBearer(
    auto_error=False, scheme_name="accessToken", bearerFormat="JWT", description="From `POST /api/v1/auth/login`."
)


def services_of(request: Request) -> Services:
    """Answers the services of the application that got the request."""
    return cast("Services", request.app.state.services)


UsesServices = Annotated[Services, Depends(services_of)]


async def principal_of(
    services: UsesServices, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """Answers who is calling. Raises NotAuthenticated."""
    if credentials is None:
        raise NotAuthenticated("Send an access token: `Authorization: Bearer …`.")
    return await services.authenticator.principal(credentials.credentials)


Caller = Annotated[Principal, Depends(principal_of)]


def _allowed_to(action: Action) -> Callable[[Principal], Awaitable[Principal]]:
    async def check(principal: Caller) -> Principal:
        require(principal, action)
        return principal

    return check


Reader = Annotated[Principal, Depends(_allowed_to(Action.READ))]
Editor = Annotated[Principal, Depends(_allowed_to(Action.EDIT))]
Creator = Annotated[Principal, Depends(_allowed_to(Action.CREATE))]
Deleter = Annotated[Principal, Depends(_allowed_to(Action.DELETE))]
MembersReader = Annotated[Principal, Depends(_allowed_to(Action.SEE_MEMBERS))]
MembersManager = Annotated[Principal, Depends(_allowed_to(Action.MANAGE_MEMBERS))]


async def check_origin(request: Request, services: UsesServices) -> None:
    """Guards what works with the cookie: a page of another origin gets nothing. Raises OriginRejected."""
    origin, host = request.headers.get("origin"), request.headers.get("host")
    if not origin_is_allowed(origin, host=host, allowed=services.settings.allowed_origins):
        raise OriginRejected("A page of this origin may not sign in here: see ALLOWED_ORIGINS.")


OwnOrigin = Depends(check_origin)

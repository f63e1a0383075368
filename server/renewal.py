"""New tokens for a connection that stays open, one at a time.

Rules
    1. While one token is looked at, only the last of those that come waits: however many are sent, one lookup runs, and
       no older answer replaces a newer one.
    2. A role that changes during the lookup is newer than its answer: the token is looked at again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from server.errors import Forbidden, ServerError

if TYPE_CHECKING:
    from server.access import Principal
    from server.membership import Surroundings


class Bearer(Protocol):
    """The connection that a token is for."""

    @property
    def principal(self) -> Principal:
        """Who is on the other end."""

    @property
    def is_closed(self) -> bool:
        """Whether the connection has ended."""

    def renewed(self, principal: Principal) -> None:
        """The token holds; `principal` is what it says now."""

    def fail(self, error: ServerError) -> None:
        """Closes the connection for an error."""


class Renewal:
    """The tokens that one connection is renewed with."""

    __slots__ = ("_bearer", "_running", "_surroundings", "_waiting")

    def __init__(self, bearer: Bearer, surroundings: Surroundings) -> None:
        self._bearer = bearer
        self._surroundings = surroundings
        self._waiting: str | None = None
        self._running = False

    def take(self, token: str) -> None:
        """Takes a token; the bearer hears `renewed`, or `fail` where it does not hold."""
        self._waiting = token
        if not self._running:
            self._running = True
            self._surroundings.spawn(self._look_at_waiting(), name="renew_token")

    async def _look_at_waiting(self) -> None:
        try:
            while self._waiting is not None and not self._bearer.is_closed:
                token, self._waiting = self._waiting, None
                self._bearer.renewed(await self._principal_of(token))
        except ServerError as error:
            self._bearer.fail(error)
        finally:
            self._running = False

    async def _principal_of(self, token: str) -> Principal:
        while True:
            before = self._bearer.principal
            principal = await self._surroundings.authenticate(token)
            if (principal.user_id, principal.organization_id) != (before.user_id, before.organization_id):
                message = "A socket can only be renewed for the same user."
                raise Forbidden(message)
            if self._bearer.principal is before:
                return principal

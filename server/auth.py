"""Tokens and passwords: the only place that knows JWT and argon2.

An access token is a JWT (RFC 7519), HS256 and nothing else (RFC 8725 §3.1), with issuer, audience, subject,
organization, id and lifetime. It says who its bearer is, not what they may do: the role is looked up in the membership
each time, and capped by the token's own `cap`, so that taking a role away takes effect at once.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import UUID

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from persistence.errors import TokenInvalid
from server.access import Principal, Role, lower_role
from server.errors import NotAuthenticated, Overloaded
from server.limits import MAX_TOKEN_BYTES, PASSWORD_CHECKS_AT_ONCE, PASSWORD_CHECKS_WAITING

if TYPE_CHECKING:
    from collections.abc import Callable

    from persistence.store import Store

T = TypeVar("T")

ALGORITHM: Final = "HS256"
ISSUER: Final = "promptroom"
AUDIENCE: Final = "promptroom"
_CLAIMS: Final = ("iss", "aud", "sub", "org", "exp", "iat", "jti")
# Clocks of two servers of ours may differ this much, in seconds, before a token counts as made in the future.
_CLOCK_SKEW: Final = 60.0


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says, once its signature and lifetime hold. `expires_at` in seconds since the epoch."""

    user_id: UUID
    organization_id: UUID
    expires_at: float
    role_cap: Role


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is asking for a prompt, and how it stands: its epoch is None where their organization has no such prompt.

    `prompt_head` is the seq of its last edit: the visitor may have seen everything up to there, on some node.
    """

    principal: Principal
    prompt_epoch: int | None
    prompt_head: int


class Authenticator:
    """Issues access tokens and answers who bears one.

    Arguments: `secret` of at least 32 bytes; `store` for users and memberships; `clock` answers seconds since the
    epoch.
    """

    def __init__(self, secret: bytes, store: Store, clock: Callable[[], float]) -> None:
        self._secret = secret
        self._store = store
        self._clock = clock

    def issue(self, user_id: UUID, organization_id: UUID, *, ttl: float, role_cap: Role | None = None) -> str:
        """Answers a token for the user in the organization, good for `ttl` seconds and for no more than `role_cap`."""
        now = self._clock()
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "org": str(organization_id),
            "iat": int(now),
            "exp": int(now + ttl),
            "jti": secrets.token_urlsafe(12),
        }
        if role_cap is not None:
            claims["cap"] = role_cap.value
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

    def read(self, token: str) -> Claims:
        """Answers what the token says. Raises NotAuthenticated where its form, signature or lifetime does not hold."""
        if len(token) > MAX_TOKEN_BYTES:
            message = "The token is too long."
            raise NotAuthenticated(message)
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                # The lifetime is held against the clock that was handed in, below.
                options={"require": list(_CLAIMS), "verify_exp": False, "verify_iat": False},
            )
            read = Claims(
                user_id=UUID(claims["sub"]),
                organization_id=UUID(claims["org"]),
                expires_at=float(claims["exp"]),
                role_cap=Role(claims.get("cap", Role.OWNER)),
            )
            issued_at = float(claims["iat"])
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError) as error:
            message = "The token is not valid."
            raise NotAuthenticated(message) from error
        self._check_lifetime(issued_at, read.expires_at)
        return read

    async def principal(self, token: str) -> Principal:
        """Answers who bears the token, with the role their membership gives them now.

        Raises NotAuthenticated, also where the membership ended, and persistence.errors.StoreUnavailable.
        """
        return (await self.visitor(self.read(token))).principal

    async def member(self, user_id: UUID, organization_id: UUID, *, expires_at: float) -> Principal:
        """Answers the principal of a membership, for callers that authenticated the user in another way (a password).

        Raises NotAuthenticated where there is no such member.
        """
        return (await self.visitor(Claims(user_id, organization_id, expires_at, Role.OWNER))).principal

    async def visitor(self, claims: Claims, prompt_id: UUID | None = None) -> Visitor:
        """Answers whose claims these are, and whether there is such a prompt for them, both as the store has it now.

        Raises NotAuthenticated where there is no such member, and persistence.errors.StoreUnavailable.
        """
        standing = await self._store.accounts.standing(claims.organization_id, claims.user_id, prompt_id)
        if standing is None:
            message = "The token's bearer is not a member any more."
            raise NotAuthenticated(message)
        principal = Principal(
            user_id=claims.user_id,
            organization_id=claims.organization_id,
            name=standing.name,
            email=standing.email,
            role=lower_role(Role(standing.role), claims.role_cap),
            expires_at=claims.expires_at,
            role_cap=claims.role_cap,
        )
        return Visitor(principal, standing.prompt_epoch, standing.prompt_head)

    async def websocket_ticket(self, principal: Principal, *, ttl: float) -> str:
        """Answers a one-use ticket for a WebSocket. What it opens lasts no longer, and may no more, than the token."""
        return await self._store.tickets.issue(
            "websocket",
            principal.user_id,
            principal.organization_id,
            ttl_seconds=ttl,
            scope={"expires_at": principal.expires_at, "role_cap": principal.role_cap.value},
        )

    async def redeem(self, ticket: str) -> Claims:
        """Answers what a WebSocket ticket was issued for; it is used up.

        Raises NotAuthenticated, and persistence.errors.StoreUnavailable.
        """
        try:
            grant = await self._store.tickets.redeem("websocket", ticket)
        except TokenInvalid as error:
            message = "The ticket is used, expired or unknown: ask for a new one."
            raise NotAuthenticated(message, code="ticket_invalid") from error
        scope = grant.scope or {}
        return Claims(
            grant.user_id,
            grant.organization_id,
            expires_at=float(scope.get("expires_at", 0)),
            role_cap=Role(scope.get("role_cap", Role.VIEWER)),
        )

    def _check_lifetime(self, issued_at: float, expires_at: float) -> None:
        now = self._clock()
        if expires_at <= now:
            message = "The token has expired."
            raise NotAuthenticated(message, code="token_expired")
        if issued_at > now + _CLOCK_SKEW:
            message = "The token is not valid yet."
            raise NotAuthenticated(message)


class Passwords:
    """Hashes and checks passwords with argon2id (RFC 9106), away from the event loop and a few at a time.

    Arguments: `hasher` with its costs; the default is the library's (RFC 9106's second choice, 64 MiB).
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._places = asyncio.Semaphore(PASSWORD_CHECKS_AT_ONCE)
        self._waiting = 0
        # Checked against where there is no account, so that the answer takes as long as for one that exists.
        self._decoy = self._hasher.hash(secrets.token_urlsafe(16))

    async def hash(self, password: str) -> str:
        """Answers what is stored for the password. Raises Overloaded."""
        return await self._run(lambda: self._hasher.hash(password))

    async def matches(self, password: str, stored: str | None) -> bool:
        """Answers whether the password is the stored one; `stored` is None where there is none. Raises Overloaded."""
        return await self._run(lambda: self._verify(stored or self._decoy, password)) and stored is not None

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= PASSWORD_CHECKS_WAITING:
            raise Overloaded(retry_after=2)
        self._waiting += 1
        try:
            async with self._places:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1

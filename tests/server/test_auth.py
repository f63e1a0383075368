"""Access tokens that hold, and all the ways in which they do not."""

import asyncio
import base64
import hashlib
import hmac
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from persistence.errors import TokenInvalid
from server.access import Role
from server.auth import Authenticator, Passwords
from server.errors import NotAuthenticated, Overloaded
from server.limits import PASSWORD_CHECKS_AT_ONCE, PASSWORD_CHECKS_WAITING
from tests.server.living import SECRET, Clock, House

USER, ORGANIZATION = uuid4(), uuid4()
NOW = 1_800_000_000.0


class NoStore:
    """Reading a token asks nothing of the store."""


def authenticator(clock: Clock | None = None, secret: bytes = SECRET) -> Authenticator:
    return Authenticator(secret, NoStore(), clock or Clock(NOW))  # type: ignore[arg-type]


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def signed(header: dict[str, Any], claims: dict[str, Any], *, secret: bytes = SECRET, digest: str = "sha256") -> str:
    body = f"{encoded(header)}.{encoded(claims)}"
    signature = hmac.new(secret, body.encode(), getattr(hashlib, digest)).digest()
    return f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


HEADER = {"alg": "HS256", "typ": "JWT"}
CLAIMS = {
    "iss": "promptroom",
    "aud": "promptroom",
    "sub": str(USER),
    "org": str(ORGANIZATION),
    "iat": NOW,
    "exp": NOW + 60,
    "jti": "1",
}


def test_a_token_says_who_where_how_long_and_at_most_what() -> None:
    token = authenticator().issue(USER, ORGANIZATION, ttl=60, role_cap=Role.VIEWER)
    claims = authenticator().read(token)
    assert (claims.user_id, claims.organization_id) == (USER, ORGANIZATION)
    assert (claims.expires_at, claims.role_cap) == (NOW + 60, Role.VIEWER)
    assert authenticator().read(authenticator().issue(USER, ORGANIZATION, ttl=60)).role_cap is Role.OWNER


def test_two_tokens_are_never_the_same() -> None:
    one, other = (authenticator().issue(USER, ORGANIZATION, ttl=60) for _ in range(2))
    assert one != other


def test_a_token_signed_by_hand_is_read_as_ours() -> None:
    assert authenticator().read(signed(HEADER, CLAIMS)).user_id == USER


@pytest.mark.parametrize(
    ("header", "how"),
    [
        ({"alg": "none"}, {}),
        ({"alg": "None"}, {}),
        ({"alg": "HS512"}, {"digest": "sha512"}),
        ({"alg": "HS384"}, {"digest": "sha384"}),
        ({"alg": "RS256"}, {}),
        ({}, {}),
        (HEADER, {"secret": b"another secret of more than 32 bytes"}),
        (HEADER, {"secret": b""}),
        (HEADER | {"crit": ["exp"]}, {}),
    ],
)
def test_only_our_algorithm_and_our_key_sign(header: dict[str, Any], how: dict[str, Any]) -> None:
    with pytest.raises(NotAuthenticated):
        authenticator().read(signed(header, CLAIMS, **how))


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_is_needed(claim: str) -> None:
    with pytest.raises(NotAuthenticated):
        authenticator().read(signed(HEADER, {name: value for name, value in CLAIMS.items() if name != claim}))


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "somebody"},
        {"aud": "somebody"},
        {"aud": ["somebody"]},
        {"sub": "7"},
        {"sub": 7},
        {"org": None},
        {"exp": "soon"},
        {"exp": NOW},
        {"exp": NOW - 1},
        {"exp": None},
        {"iat": NOW + 3600},
        {"iat": {}},
        {"nbf": 9e9},
        {"cap": "king"},
    ],
)
def test_a_claim_that_does_not_hold_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(NotAuthenticated):
        authenticator().read(signed(HEADER, CLAIMS | changed))


def test_a_token_ends_to_the_second() -> None:
    clock = Clock(NOW)
    token = authenticator(clock).issue(USER, ORGANIZATION, ttl=60)
    clock.advance(59.9)
    authenticator(clock).read(token)
    clock.advance(0.1)
    with pytest.raises(NotAuthenticated) as refused:
        authenticator(clock).read(token)
    assert refused.value.code == "token_expired"


@given(st.text(max_size=50) | st.binary(max_size=50).map(lambda raw: raw.decode("latin-1")))
def test_nothing_else_is_a_token(text: str) -> None:
    for token in (text, f"{encoded(HEADER)}.{text}.{text}", f"{text}.{encoded(CLAIMS)}.x"):
        with pytest.raises(NotAuthenticated):
            authenticator().read(token)


def test_a_token_that_is_too_long_is_not_even_decoded() -> None:
    with pytest.raises(NotAuthenticated, match="too long"):
        authenticator().read("x" * 10_000)


async def test_the_role_is_the_memberships_capped_by_the_token(house: House) -> None:
    anna = house.people["anna"]
    read = house.authenticator
    whole = read.issue(anna.user_id, anna.organization_id, ttl=60)
    capped = read.issue(anna.user_id, anna.organization_id, ttl=60, role_cap=Role.VIEWER)
    assert (await read.principal(whole)).role is Role.EDITOR
    assert (await read.principal(capped)).role is Role.VIEWER
    await house.store.accounts.set_role(anna.organization_id, anna.user_id, "owner")
    assert (await read.principal(whole)).role is Role.OWNER
    assert (await read.principal(capped)).role is Role.VIEWER
    await house.store.accounts.remove_member(anna.organization_id, anna.user_id)
    with pytest.raises(NotAuthenticated):
        await read.principal(whole)


async def test_a_token_for_another_organization_opens_nothing(house: House) -> None:
    for user_id, organization_id in ((house.people["anna"].user_id, UUID(int=1)), (UUID(int=1), UUID(int=2))):
        token = house.authenticator.issue(user_id, organization_id, ttl=60)
        with pytest.raises(NotAuthenticated):
            await house.authenticator.principal(token)


async def test_a_websocket_ticket_is_used_once(house: House) -> None:
    ticket = await house.authenticator.websocket_ticket(house.people["vera"], ttl=60)
    claims = await house.authenticator.redeem(ticket)
    assert (claims.user_id, claims.role_cap) == (house.people["vera"].user_id, Role.OWNER)
    assert (await house.authenticator.visitor(claims)).principal.role is Role.VIEWER
    with pytest.raises(NotAuthenticated) as refused:
        await house.authenticator.redeem(ticket)
    assert isinstance(refused.value.__cause__, TokenInvalid)


CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


async def test_a_password_is_kept_as_argon2id() -> None:
    passwords = Passwords(CHEAP)
    stored = await passwords.hash("correct horse")
    assert stored.startswith("$argon2id$")
    assert await passwords.matches("correct horse", stored)
    assert not await passwords.matches("wrong horse", stored)
    assert not await passwords.matches("correct horse", "not a hash")
    assert not await passwords.matches("correct horse", None)


def test_the_costs_are_those_of_rfc_9106() -> None:
    hasher = PasswordHasher()
    assert (hasher.memory_cost, hasher.time_cost) >= (65_536, 3)


async def test_many_password_checks_at_once_are_refused_instead_of_queued_for_ever() -> None:
    passwords = Passwords(CHEAP)
    everything = PASSWORD_CHECKS_WAITING + PASSWORD_CHECKS_AT_ONCE
    answers = await asyncio.gather(*(passwords.matches("x", None) for _ in range(everything)), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, Overloaded)]
    assert len(refused) == everything - PASSWORD_CHECKS_WAITING
    assert not await passwords.matches("x", None)

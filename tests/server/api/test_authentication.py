"""Signing in, staying signed in, and signing out."""

import asyncio
from http.cookies import SimpleCookie

import httpx2
import pytest

from server.access import Role
from server.limits import ACCESS_TOKEN_SECONDS, REFRESH_TOKEN_SECONDS, SIGN_IN_ATTEMPTS, SIGN_IN_WINDOW_SECONDS
from tests.server.api.edge import ORIGIN, Edge

COOKIE = "promptroom_refresh"


async def sign_in(edge: Edge, name: str = "editor") -> httpx2.Response:
    return await edge.call(None, "POST", "/auth/login", json={"ticket": await edge.sign_in_ticket(name)})


async def give_password(edge: Edge, name: str, password: str) -> None:
    answer = await edge.call(name, "PATCH", "/me", json={"password": password})
    assert answer.status_code == 200, answer.text


async def refresh(edge: Edge, token: str) -> httpx2.Response:
    edge.client.cookies.clear()
    return await edge.call(None, "POST", "/auth/refresh", headers={"Cookie": f"{COOKIE}={token}"})


def cookie_of(answer: httpx2.Response) -> str:
    return SimpleCookie(answer.headers["set-cookie"])[COOKIE].value


async def test_a_ticket_signs_in_once(edge: Edge) -> None:
    ticket = await edge.sign_in_ticket("editor")
    answer = await edge.call(None, "POST", "/auth/login", json={"ticket": ticket})
    assert answer.status_code == 200
    body = answer.json()
    assert body["user"]["name"] == "Editor"
    assert body["organization"]["name"] == "Home"
    assert (body["role"], body["token_type"], body["expires_in"]) == ("editor", "Bearer", int(ACCESS_TOKEN_SECONDS))
    me = await edge.call(None, "GET", "/me", headers={"Authorization": f"Bearer {body['access_token']}"})
    assert me.json() == {key: body[key] for key in ("user", "organization", "role")}

    again = await edge.call(None, "POST", "/auth/login", json={"ticket": ticket})
    assert (again.status_code, again.json()["code"]) == (401, "ticket_invalid")


async def test_of_many_that_use_one_ticket_at_once_one_signs_in(edge: Edge) -> None:
    ticket = await edge.sign_in_ticket("editor")
    calls = [edge.call(None, "POST", "/auth/login", json={"ticket": ticket}) for _ in range(5)]
    assert sorted(answer.status_code for answer in await asyncio.gather(*calls)) == [200, 401, 401, 401, 401]


async def test_a_ticket_expires(edge: Edge) -> None:
    ticket = await edge.sign_in_ticket("editor", ttl=60)
    edge.clock.advance(61)
    assert (await edge.call(None, "POST", "/auth/login", json={"ticket": ticket})).status_code == 401


async def test_a_websocket_ticket_does_not_sign_in(edge: Edge) -> None:
    ticket = (await edge.call("editor", "POST", "/auth/tickets")).json()["ticket"]
    assert (await edge.call(None, "POST", "/auth/login", json={"ticket": ticket})).status_code == 401


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(edge: Edge) -> None:
    cookie = SimpleCookie((await sign_in(edge)).headers["set-cookie"])[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"].lower() == "strict"
    assert cookie["path"] == "/api/v1/auth"
    assert int(cookie["max-age"]) == REFRESH_TOKEN_SECONDS
    assert not cookie["secure"]


async def test_over_tls_the_cookie_is_secure(edge: Edge) -> None:
    ticket = await edge.sign_in_ticket("editor")
    answer = await edge.client.post("https://127.0.0.1:8000/api/v1/auth/login", json={"ticket": ticket})
    assert SimpleCookie(answer.headers["set-cookie"])[COOKIE]["secure"]


async def test_a_refresh_replaces_the_cookie_and_a_late_repetition_ends_the_family(edge: Edge) -> None:
    first = cookie_of(await sign_in(edge))
    second_answer = await refresh(edge, first)
    assert second_answer.status_code == 200
    second = cookie_of(second_answer)
    assert second != first

    edge.clock.advance(29)
    sibling = await refresh(edge, first)
    assert sibling.status_code == 200, "two tabs that refresh at once are no theft"

    edge.clock.advance(31)
    stolen = await refresh(edge, first)
    assert (stolen.status_code, stolen.json()["code"]) == (401, "refresh_invalid")
    for token in (second, cookie_of(sibling)):
        assert (await refresh(edge, token)).status_code == 401


async def test_a_refresh_without_a_cookie_is_refused(edge: Edge) -> None:
    for headers in ({}, {"Cookie": f"{COOKIE}=nonsense"}):
        answer = await edge.call(None, "POST", "/auth/refresh", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "refresh_invalid")


async def test_a_removed_member_cannot_refresh(edge: Edge) -> None:
    token = cookie_of(await sign_in(edge))
    await edge.call("owner", "DELETE", f"/members/{edge.people['editor'].user_id}")
    assert (await refresh(edge, token)).status_code == 401


async def test_signing_out_ends_the_family_and_the_cookie(edge: Edge) -> None:
    token = cookie_of(await sign_in(edge))
    edge.client.cookies.clear()
    answer = await edge.call(None, "POST", "/auth/logout", headers={"Cookie": f"{COOKIE}={token}"})
    assert answer.status_code == 204
    assert SimpleCookie(answer.headers["set-cookie"])[COOKIE]["max-age"] == "0"
    assert (await refresh(edge, token)).status_code == 401
    assert (await edge.call(None, "POST", "/auth/logout")).status_code == 204


@pytest.mark.parametrize("path", ["/auth/login", "/auth/refresh", "/auth/logout"])
async def test_a_page_of_another_origin_gets_nothing_from_the_cookie(edge: Edge, path: str) -> None:
    body = {"ticket": await edge.sign_in_ticket("editor")} if path == "/auth/login" else None
    for origin in ("https://evil.example", "null", "http://127.0.0.1:8001"):
        answer = await edge.call(None, "POST", path, json=body, headers={"Origin": origin})
        assert (answer.status_code, answer.json()["code"]) == (403, "origin_rejected")
    allowed = await edge.call(None, "POST", path, json=body, headers={"Origin": ORIGIN})
    assert allowed.status_code in {200, 204, 401}


async def test_a_password_signs_in_and_a_wrong_one_does_not(edge: Edge) -> None:
    await give_password(edge, "editor", "correct horse")
    right = {"email": "EDITOR@example.org ", "password": "correct horse"}
    assert (await edge.call(None, "POST", "/auth/login", json=right)).json()["user"]["name"] == "Editor"
    answers = [
        await edge.call(None, "POST", "/auth/login", json={"email": email, "password": "wrong horse"})
        for email in ("editor@example.org", "viewer@example.org", "nobody@example.org")
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert len({answer.text for answer in answers}) == 1, "no answer says which accounts there are"


async def test_guessing_is_slowed_down_and_time_forgives(edge: Edge) -> None:
    await give_password(edge, "editor", "correct horse")
    guess = {"email": "editor@example.org", "password": "wrong"}
    right = guess | {"password": "correct horse"}
    for _ in range(SIGN_IN_ATTEMPTS):
        assert (await edge.call(None, "POST", "/auth/login", json=guess)).status_code == 401
    blocked = await edge.call(None, "POST", "/auth/login", json=right)
    assert (blocked.status_code, blocked.json()["code"]) == (429, "too_many_attempts")
    assert 0 < int(blocked.headers["retry-after"]) <= SIGN_IN_WINDOW_SECONDS
    edge.clock.advance(SIGN_IN_WINDOW_SECONDS + 1)
    assert (await edge.call(None, "POST", "/auth/login", json=right)).status_code == 200


async def test_a_password_needs_an_address_to_go_with(edge: Edge) -> None:
    answer = await edge.call("owner", "PATCH", "/me", json={"password": "correct horse"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.password")


async def test_one_account_in_two_organizations_chooses_where_to_sign_in(edge: Edge) -> None:
    await give_password(edge, "editor", "correct horse")
    other = edge.people["stranger"].organization_id
    edge.clock.advance(1)
    await edge.store.accounts.add_membership(other, edge.people["editor"].user_id, "viewer")
    body = {"email": "editor@example.org", "password": "correct horse"}
    first = await edge.call(None, "POST", "/auth/login", json=body)
    second = await edge.call(None, "POST", "/auth/login", json=body | {"organization_id": str(other)})
    assert (first.json()["organization"]["name"], first.json()["role"]) == ("Home", "editor")
    assert (second.json()["organization"]["name"], second.json()["role"]) == ("Other", "viewer")
    neither = body | {"organization_id": "00000000-0000-0000-0000-000000000000"}
    assert (await edge.call(None, "POST", "/auth/login", json=neither)).status_code == 401


async def test_an_access_token_expires(edge: Edge) -> None:
    token = (await sign_in(edge)).json()["access_token"]
    edge.clock.advance(ACCESS_TOKEN_SECONDS)
    answer = await edge.call(None, "GET", "/me", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")


async def test_a_websocket_ticket_lasts_and_may_no_more_than_its_token(edge: Edge) -> None:
    headers = {"Authorization": f"Bearer {edge.token('owner', ttl=100, cap=Role.VIEWER)}"}
    answer = await edge.call(None, "POST", "/auth/tickets", headers=headers)
    assert answer.json()["expires_in"] == 30
    claims = await edge.services.authenticator.redeem(answer.json()["ticket"])
    assert (claims.role_cap, claims.expires_at) == (Role.VIEWER, edge.clock.now + 100)
    assert (await edge.services.authenticator.visitor(claims)).principal.role is Role.VIEWER


async def test_a_name_is_changed_for_everybody(edge: Edge) -> None:
    answer = await edge.call("editor", "PATCH", "/me", json={"name": "  Ada Lovelace "})
    assert answer.json()["user"]["name"] == "Ada Lovelace"
    members = (await edge.call("viewer", "GET", "/members")).json()["items"]
    assert "Ada Lovelace" in {member["name"] for member in members}

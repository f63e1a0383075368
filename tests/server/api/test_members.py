"""Members, roles and invitations."""

import pytest

from server.limits import INVITATION_SECONDS
from tests.server.api.edge import ORIGIN, Edge

ADA = {"name": "Ada", "role": "editor", "email": "Ada@Example.org"}


async def sign_in_with(edge: Edge, url: str) -> dict[str, object]:
    link, _, ticket = url.partition("#ticket=")
    assert link == f"{ORIGIN}/signin"
    answer = await edge.call(None, "POST", "/auth/login", json={"ticket": ticket})
    signed_in: dict[str, object] = answer.json() | {"status": answer.status_code}
    return signed_in


async def test_an_invited_member_signs_in_by_the_link(edge: Edge) -> None:
    answer = await edge.call("owner", "POST", "/members", json=ADA)
    assert answer.status_code == 201
    member = answer.json()
    assert (member["name"], member["email"], member["role"]) == ("Ada", "ada@example.org", "editor")
    assert member["id"] == member["user_id"]
    signed_in = await sign_in_with(edge, member["invitation"]["url"])
    assert (signed_in["role"], signed_in["user"]) == (
        "editor",
        {"id": member["user_id"], "name": "Ada", "email": "ada@example.org"},
    )
    listed = (await edge.call("viewer", "GET", "/members")).json()["items"]
    assert member["user_id"] in {each["user_id"] for each in listed}
    assert all("invitation" not in each for each in listed)


async def test_an_invitation_holds_for_a_week(edge: Edge) -> None:
    url = (await edge.call("owner", "POST", "/members", json=ADA)).json()["invitation"]["url"]
    edge.clock.advance(INVITATION_SECONDS + 1)
    assert (await sign_in_with(edge, url))["status"] == 401


async def test_a_fresh_invitation_is_another_link(edge: Edge) -> None:
    member = (await edge.call("owner", "POST", "/members", json=ADA)).json()
    again = await edge.call("owner", "POST", f"/members/{member['user_id']}/invitation")
    assert again.status_code == 201
    for url in (again.json()["url"], member["invitation"]["url"]):
        assert (await sign_in_with(edge, url))["status"] == 200


async def test_an_address_is_one_members(edge: Edge) -> None:
    assert (await edge.call("owner", "POST", "/members", json=ADA)).status_code == 201
    again = await edge.call("owner", "POST", "/members", json=ADA)
    assert (again.status_code, again.json()["code"]) == (409, "conflict")


async def test_no_owner_gets_a_link_into_an_account_of_another_organization(edge: Edge) -> None:
    taken = await edge.call("owner", "POST", "/members", json=ADA | {"email": "stranger@example.org"})
    assert taken.status_code == 409
    stranger = edge.people["stranger"].user_id
    await edge.store.accounts.add_membership(edge.people["owner"].organization_id, stranger, "viewer")
    link = await edge.call("owner", "POST", f"/members/{stranger}/invitation")
    assert (link.status_code, link.json()["code"]) == (409, "conflict")


async def test_a_former_member_can_be_invited_again(edge: Edge) -> None:
    member = (await edge.call("owner", "POST", "/members", json=ADA)).json()
    await edge.call("owner", "DELETE", f"/members/{member['user_id']}")
    assert (await sign_in_with(edge, member["invitation"]["url"]))["status"] == 401
    again = (await edge.call("owner", "POST", "/members", json=ADA | {"role": "viewer"})).json()
    assert again["user_id"] == member["user_id"]
    assert (await sign_in_with(edge, again["invitation"]["url"]))["role"] == "viewer"


async def test_the_last_owner_can_neither_leave_nor_step_down(edge: Edge) -> None:
    path = f"/members/{edge.people['owner'].user_id}"
    for method, body in (("PATCH", {"role": "editor"}), ("DELETE", None)):
        answer = await edge.call("owner", method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
    await edge.call("owner", "PATCH", f"/members/{edge.people['editor'].user_id}", json={"role": "owner"})
    assert (await edge.call("owner", "DELETE", path)).status_code == 204


async def test_a_role_is_changed_only_from_the_state_that_was_seen(edge: Edge) -> None:
    path = f"/members/{edge.people['editor'].user_id}"
    seen = (await edge.call("owner", "GET", path)).headers["etag"]
    edge.clock.advance(1)
    changed = await edge.call("owner", "PATCH", path, json={"role": "viewer"}, headers={"If-Match": seen})
    assert (changed.status_code, changed.json()["role"]) == (200, "viewer")
    late = await edge.call("owner", "PATCH", path, json={"role": "owner"}, headers={"If-Match": seen})
    assert late.status_code == 412
    assert (await edge.call("owner", "DELETE", path, headers={"If-Match": seen})).status_code == 412


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "A", "role": "king"}, "body.role"),
        ({"role": "viewer"}, "body.name"),
        ({"name": "A", "role": "viewer", "email": "nobody"}, "body.email"),
        ({"name": "A", "role": "viewer", "email": "a b@c"}, "body.email"),
    ],
)
async def test_a_field_that_is_not_valid_is_named(edge: Edge, body: object, field: str) -> None:
    answer = await edge.call("owner", "POST", "/members", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)

"""Every endpoint with every role: one table, complete against openapi.json."""

from dataclasses import dataclass
from uuid import uuid4

import pytest

from server.access import Action, Role, role_may
from tests.server.api.edge import Edge

pytestmark = pytest.mark.slow

READER, EDITOR, OWNER = {"viewer", "editor", "owner"}, {"editor", "owner"}, {"owner"}


@dataclass(frozen=True)
class Row:
    """An endpoint, who may call it, and a body that it takes."""

    method: str
    path: str
    allowed: frozenset[str]
    body: object = None
    status: int = 200


def row(method: str, path: str, allowed: set[str], body: object = None, status: int = 200) -> Row:
    return Row(method, path, frozenset(allowed), body, status)


TABLE = [
    row("GET", "/me", READER),
    row("PATCH", "/me", READER, {"name": "Changed"}),
    row("POST", "/auth/tickets", READER, status=201),
    row("GET", "/projects", READER),
    row("POST", "/projects", EDITOR, {"name": "New"}, 201),
    row("GET", "/prompts", READER),
    row("POST", "/prompts", EDITOR, {"name": "New"}, 201),
    row("GET", "/prompts/{prompt_id}", READER),
    row("PATCH", "/prompts/{prompt_id}", EDITOR, {"name": "Renamed"}),
    row("DELETE", "/prompts/{prompt_id}", EDITOR, status=204),
    row("POST", "/prompts/{prompt_id}/restore", EDITOR),
    row("GET", "/prompts/{prompt_id}/live", READER),
    row("POST", "/prompts/{prompt_id}/edits", EDITOR, {"edits": [{"start": 0, "end": 0, "text": "X"}]}),
    row("GET", "/prompts/{prompt_id}/versions", READER),
    row("POST", "/prompts/{prompt_id}/versions", EDITOR, {"message": "Nothing new"}),
    row("GET", "/prompts/{prompt_id}/versions/{ref}", READER),
    row("POST", "/prompts/{prompt_id}/versions/{ref}/revert", EDITOR, {}),
    row("GET", "/prompts/{prompt_id}/at/{seq}", READER),
    row("GET", "/prompts/{prompt_id}/blame", READER),
    row("GET", "/prompts/{prompt_id}/timeline", READER),
    row("GET", "/prompts/{prompt_id}/compare/{a}...{b}", READER),
    row("GET", "/prompts/{prompt_id}/labels", READER),
    row("PUT", "/prompts/{prompt_id}/labels/{name}", EDITOR, {"version": "latest"}),
    row("DELETE", "/prompts/{prompt_id}/labels/{name}", EDITOR, status=204),
    row("GET", "/prompts/{prompt_id}/labels/{name}/history", READER),
    row("GET", "/members", READER),
    row("POST", "/members", OWNER, {"name": "Grace", "role": "viewer"}, 201),
    row("GET", "/members/{user_id}", READER),
    row("PATCH", "/members/{user_id}", OWNER, {"role": "viewer"}),
    row("DELETE", "/members/{user_id}", OWNER, status=204),
    row("POST", "/members/{user_id}/invitation", OWNER, status=201),
]
# What needs no token: a ticket, a password or a cookie takes its place.
WITHOUT_TOKEN = {("POST", "/auth/login"), ("POST", "/auth/refresh"), ("POST", "/auth/logout")}


# What stands in paths besides ids: a version and a label that `make_history` makes.
NAMED = {"ref": "latest", "name": "production", "seq": "1", "a": "latest", "b": "live"}


@pytest.fixture(autouse=True)
async def _history(edge: Edge) -> None:
    await edge.make_history()


def path_of(edge: Edge, row: Row) -> str:
    return row.path.format(prompt_id=edge.prompt_id, user_id=edge.people["editor"].user_id, **NAMED)


@pytest.mark.parametrize("role", ["owner", "editor", "viewer"])
@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.method} {row.path}")
async def test_a_role_may_what_the_table_says_and_nothing_else(edge: Edge, row: Row, role: str) -> None:
    before = await edge.text()
    answer = await edge.call(role, row.method, path_of(edge, row), json=row.body)
    if role in row.allowed:
        assert answer.status_code == row.status, answer.text
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert await edge.text() == before


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.method} {row.path}")
async def test_without_a_token_nothing_is_done(edge: Edge, row: Row) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic b3duZXI6cHc="}):
        answer = await edge.call(None, row.method, path_of(edge, row), json=row.body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("row", [row for row in TABLE if "{" in row.path], ids=lambda row: f"{row.method} {row.path}")
async def test_what_another_organization_has_does_not_exist(edge: Edge, row: Row) -> None:
    foreign = row.path.format(prompt_id=edge.foreign_prompt_id, user_id=edge.people["stranger"].user_id, **NAMED)
    absent = row.path.format(prompt_id=uuid4(), user_id=uuid4(), **NAMED)
    answers = [await edge.call("owner", row.method, path, json=row.body) for path in (foreign, absent)]
    assert answers[0].status_code == answers[1].status_code == 404
    assert answers[0].json() == answers[1].json()


async def test_the_table_is_complete(edge: Edge) -> None:
    paths = edge.app.openapi()["paths"]
    served = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, operations in paths.items()
        if path.startswith("/api/")
        for method in operations
    }
    assert served == {(row.method, row.path) for row in TABLE} | WITHOUT_TOKEN


@pytest.mark.parametrize("action", Action)
def test_a_higher_role_may_all_that_a_lower_one_may(action: Action) -> None:
    allowed = [role_may(role, action) for role in (Role.VIEWER, Role.EDITOR, Role.OWNER)]
    assert allowed == sorted(allowed)
    assert allowed[-1]


async def test_a_token_can_be_capped_below_the_role(edge: Edge) -> None:
    headers = {"Authorization": f"Bearer {edge.token('owner', cap=Role.VIEWER)}"}
    assert (await edge.call(None, "GET", "/me", headers=headers)).json()["role"] == "viewer"
    answer = await edge.call(None, "POST", "/projects", json={"name": "New"}, headers=headers)
    assert answer.status_code == 403


async def test_a_role_that_is_taken_away_is_gone_at_once(edge: Edge) -> None:
    headers = {"Authorization": f"Bearer {edge.token('editor')}"}
    member = f"/members/{edge.people['editor'].user_id}"
    await edge.call("owner", "PATCH", member, json={"role": "viewer"})
    assert (await edge.call(None, "POST", "/projects", json={"name": "N"}, headers=headers)).status_code == 403
    await edge.call("owner", "DELETE", member)
    assert (await edge.call(None, "GET", "/me", headers=headers)).status_code == 401

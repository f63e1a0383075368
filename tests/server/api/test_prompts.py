"""Prompts and projects over REST."""

import asyncio
from uuid import UUID, uuid4

import pytest

from crdt.document import Document
from persistence.edits import EditKind
from server.appearance import color_of
from server.limits import MAX_CONTENT_LENGTH
from tests.server.api.edge import TEXT, Edge


async def test_a_prompt_is_created_with_its_first_text(edge: Edge) -> None:
    answer = await edge.call("editor", "POST", "/prompts", json={"name": " Triage ", "content": "a\r\nb\rc 😀\n"})
    assert answer.status_code == 201
    prompt = answer.json()
    assert (prompt["name"], prompt["slug"], prompt["epoch"], prompt["head_seq"]) == ("Triage", "triage", 1, 1)
    creator = edge.people["editor"].user_id
    assert prompt["created_by"] == {"id": str(creator), "name": "Editor", "color": color_of(creator)}
    assert prompt["project_id"] == str(edge.project_id)
    assert (prompt["role"], prompt["deleted_at"]) == ("editor", None)
    assert answer.headers["location"] == f"/api/v1/prompts/{prompt['id']}"
    fetched = await edge.client.get(
        answer.headers["location"], headers={"Authorization": f"Bearer {edge.token('viewer')}"}
    )
    assert fetched.json() == prompt | {"role": "viewer"}
    assert fetched.headers["etag"] == answer.headers["etag"]
    live = (await edge.call("viewer", "GET", f"/prompts/{prompt['id']}/live")).json()
    assert live == {"content": "a\nb\nc 😀\n", "head_seq": 1, "epoch": 1, "participants": []}


async def test_the_creation_is_attributed_in_the_journal(edge: Edge) -> None:
    created = (await edge.call("editor", "POST", "/prompts", json={"name": "A", "content": "text"})).json()
    (entry,) = await edge.store.journal.read(UUID(created["id"]))
    assert (entry.user_id, entry.kind) == (edge.people["editor"].user_id, EditKind.CREATED)
    assert Document(entry.update).text == "text"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.name"),
        ({"name": ""}, "body.name"),
        ({"name": " \t "}, "body.name"),
        ({"name": "a\nb"}, "body.name"),
        ({"name": "a\0"}, "body.name"),
        ({"name": "x" * 201}, "body.name"),
        ({"name": 7}, "body.name"),
        ({"name": "A", "content": None}, "body.content"),
        ({"name": "A", "content": "x" * (MAX_CONTENT_LENGTH + 1)}, "body.content"),
        ({"name": "A", "project_id": "7"}, "body.project_id"),
        ({"name": "A", "project_id": str(uuid4())}, "body.project_id"),
        ({"name": "A", "colour": "red"}, "body.colour"),
        ([], "body"),
    ],
)
async def test_a_field_that_is_not_valid_is_named(edge: Edge, body: object, field: str) -> None:
    answer = await edge.call("editor", "POST", "/prompts", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == field


async def test_half_a_surrogate_pair_is_no_text(edge: Edge) -> None:
    for body in (b'{"name": "A", "content": "\\ud83d"}', b'{"name": "\\udc00"}'):
        answer = await edge.call(
            "editor", "POST", "/prompts", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 422


async def test_another_organizations_project_is_no_project(edge: Edge) -> None:
    body = {"name": "A", "project_id": str(edge.foreign_project_id)}
    absent = body | {"project_id": str(uuid4())}
    answers = [await edge.call("editor", "POST", "/prompts", json=each) for each in (body, absent)]
    assert answers[0].json() == answers[1].json()
    path = f"/prompts/{edge.prompt_id}"
    moved = await edge.call("editor", "PATCH", path, json={"project_id": str(edge.foreign_project_id)})
    assert moved.status_code == 422


async def test_prompts_are_listed_by_cursor_newest_first(edge: Edge) -> None:
    for number in range(5):
        edge.clock.advance(1)
        await edge.call("editor", "POST", "/prompts", json={"name": f"Number {number}"})
    names = []
    query: str | None = "limit=2"
    while query:
        page = (await edge.call("viewer", "GET", f"/prompts?{query}")).json()
        assert len(page["items"]) <= 2
        names += [item["name"] for item in page["items"]]
        query = page["next_cursor"] and f"limit=2&cursor={page['next_cursor']}"
    assert names == ["Number 4", "Number 3", "Number 2", "Number 1", "Number 0", "Greeting"]


async def test_prompts_are_found_by_name_and_project(edge: Edge) -> None:
    project = (await edge.call("editor", "POST", "/projects", json={"name": "Second"})).json()
    await edge.call("editor", "POST", "/prompts", json={"name": "100% Sure", "project_id": project["id"]})
    queries = {"q=GREET": ["Greeting"], "q=0%25": ["100% Sure"], "q=_": [], f"project={project['id']}": ["100% Sure"]}
    for query, names in queries.items():
        page = (await edge.call("viewer", "GET", f"/prompts?{query}")).json()
        assert [item["name"] for item in page["items"]] == names, query


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=x", "project=7", "q=%00"])
async def test_a_query_that_is_not_valid_is_named(edge: Edge, query: str) -> None:
    answer = await edge.call("viewer", "GET", f"/prompts?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == f"query.{query.partition('=')[0]}"


async def test_a_prompt_is_renamed_and_moved_only_from_the_state_that_was_seen(edge: Edge) -> None:
    path = f"/prompts/{edge.prompt_id}"
    seen = (await edge.call("editor", "GET", path)).headers["etag"]
    renamed = await edge.call("editor", "PATCH", path, json={"name": "Second"}, headers={"If-Match": seen})
    assert renamed.status_code == 200
    assert renamed.headers["etag"] != seen

    late = await edge.call("editor", "PATCH", path, json={"name": "Third"}, headers={"If-Match": seen})
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    assert late.json()["current"] == renamed.headers["etag"]
    deleted = await edge.call("editor", "DELETE", path, headers={"If-Match": seen})
    assert deleted.status_code == 412

    for matching in (f'"other", {renamed.headers["etag"]}', "*"):
        again = await edge.call("editor", "PATCH", path, json={"name": "Third"}, headers={"If-Match": matching})
        assert again.status_code == 200, again.text
    weak = await edge.call("editor", "PATCH", path, json={"name": "X"}, headers={"If-Match": 'W/"1"'})
    assert weak.status_code == 412
    malformed = await edge.call("editor", "PATCH", path, json={"name": "X"}, headers={"If-Match": "1"})
    assert (malformed.status_code, malformed.json()["errors"][0]["field"]) == (422, "header.if-match")


async def test_an_edit_of_the_text_is_no_other_state_of_the_prompt(edge: Edge) -> None:
    path = f"/prompts/{edge.prompt_id}"
    seen = (await edge.call("editor", "GET", path)).headers["etag"]
    await edge.call("editor", "POST", f"{path}/edits", json={"edits": [{"start": 0, "end": 0, "text": "X"}]})
    assert (await edge.call("editor", "GET", path)).headers["etag"] == seen


async def test_of_many_that_rename_from_one_state_one_succeeds(edge: Edge) -> None:
    path = f"/prompts/{edge.prompt_id}"
    seen = (await edge.call("editor", "GET", path)).headers["etag"]
    calls = [
        edge.call("editor", "PATCH", path, json={"name": f"Name {number}"}, headers={"If-Match": seen})
        for number in range(5)
    ]
    assert sorted(answer.status_code for answer in await asyncio.gather(*calls)) == [200, 412, 412, 412, 412]


async def test_a_deleted_prompt_is_gone_until_it_is_restored(edge: Edge) -> None:
    path = f"/prompts/{edge.prompt_id}"
    before = (await edge.call("editor", "GET", path)).json()
    assert (await edge.call("editor", "DELETE", path)).status_code == 204
    for method, suffix in (("GET", ""), ("GET", "/live"), ("DELETE", ""), ("POST", "/edits")):
        body = {"edits": [{"start": 0, "end": 0, "text": "X"}]} if suffix == "/edits" else None
        answer = await edge.call("editor", method, path + suffix, json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "prompt_not_found")
    listed = (await edge.call("viewer", "GET", "/prompts?deleted=true")).json()["items"]
    assert [item["id"] for item in listed] == [str(edge.prompt_id)]
    assert listed[0]["deleted_at"] is not None

    restored = await edge.call("editor", "POST", f"{path}/restore")
    assert restored.status_code == 200
    assert {key: restored.json()[key] for key in ("name", "slug", "epoch", "head_seq")} == {
        key: before[key] for key in ("name", "slug", "epoch", "head_seq")
    }
    assert await edge.text() == TEXT
    assert (await edge.call("editor", "POST", f"{path}/restore")).status_code == 200


async def test_projects_are_created_and_listed(edge: Edge) -> None:
    edge.clock.advance(1)
    created = await edge.call("editor", "POST", "/projects", json={"name": "Second"})
    assert created.status_code == 201
    page = (await edge.call("viewer", "GET", "/projects")).json()
    assert [item["name"] for item in page["items"]] == ["Prompts", "Second"]
    assert page["items"][1] == created.json()
    assert page["next_cursor"] is None

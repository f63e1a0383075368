"""`/openapi.json` is complete, and nothing that it describes can be called into a 500."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server.api.edge import Edge
from tests.server.api.schema_cases import values

EXAMPLES = 40
EXAMPLES_OF_A_LONG_RUN = 400


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    described: dict[str, Any]
    components: dict[str, Any]

    @property
    def name(self) -> str:
        """What the schema calls it."""
        return str(self.described["operationId"])


@dataclass(frozen=True)
class Fuzzed:
    """An application that survives many requests, and its loop."""

    edge: Edge
    runner: asyncio.Runner
    operations: dict[str, Operation]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.long)])
def fuzzed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, migrated_database: Path
) -> Iterator[Fuzzed]:
    directory = tmp_path_factory.mktemp("fuzzed")
    url = ""
    if request.param == "postgres":
        postgres = request.getfixturevalue("_postgres_for_all")
        postgres.start()
        url = postgres.new_database()
    with asyncio.Runner() as runner:
        edge = runner.run(Edge.build(directory, migrated_database, postgres_url=url))
        schema = runner.run(edge.client.get("/openapi.json")).json()
        components = schema["components"]["schemas"]
        operations = [
            Operation(method, path, described, components)
            for path, methods in schema["paths"].items()
            for method, described in methods.items()
        ]
        yield Fuzzed(edge, runner, {operation.name: operation for operation in operations})
        runner.run(edge.close())
    shutil.rmtree(directory)


NAMES = [
    *("login", "refresh", "logout", "create_ticket", "get_me", "change_me"),
    *("list_members", "invite_member", "get_member", "change_role", "remove_member", "invite_again"),
    *("list_projects", "create_project"),
    *("list_prompts", "create_prompt", "get_prompt", "change_prompt", "delete_prompt", "restore_prompt"),
    *("list_versions", "create_version", "get_version", "revert_to_version"),
    *("list_labels", "put_label", "remove_label", "list_label_moves"),
    "compare_refs",
    *("get_point", "get_blame", "get_timeline"),
    *("get_live", "edit_prompt", "healthz", "readyz", "metrics"),
]


def test_every_operation_is_fuzzed(fuzzed: Fuzzed) -> None:
    assert sorted(fuzzed.operations) == sorted(NAMES)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_no_request_makes_the_server_fail(fuzzed: Fuzzed, name: str, long_run: bool) -> None:  # noqa: FBT001
    operation = fuzzed.operations[name]
    examples = EXAMPLES_OF_A_LONG_RUN if long_run else EXAMPLES

    @settings(max_examples=examples, suppress_health_check=[HealthCheck.too_slow])
    @given(data=st.data())
    def send(data: st.DataObject) -> None:
        request = data.draw(requests(fuzzed.edge, operation))
        fuzzed.runner.run(_bring_back(fuzzed.edge))
        headers = {"Authorization": f"Bearer {fuzzed.edge.token('owner')}"} | request["headers"]
        answer = fuzzed.runner.run(
            fuzzed.edge.client.request(
                operation.method.upper(), request["path"], headers=headers, content=request["content"]
            )
        )
        assert answer.status_code < 500, answer.text
        assert str(answer.status_code) in operation.described["responses"], (request, answer.text)
        documented = operation.described["responses"][str(answer.status_code)].get("content", {})
        if answer.content:
            assert answer.headers["content-type"].partition(";")[0] in documented
        if answer.status_code >= 400:
            assert answer.json()["code"]

    send()


@st.composite
def requests(draw: st.DrawFn, edge: Edge, operation: Operation) -> dict[str, Any]:
    """A request that is mostly as the schema says."""
    path, query, headers = operation.path, [], {}
    for parameter in operation.described.get("parameters", []):
        where, name = parameter["in"], parameter["name"]
        if where != "path" and not draw(st.booleans()):
            continue
        any_value = values(parameter["schema"], operation.components)
        value = str(draw(any_value if draw(st.integers(0, 4)) == 4 else _known(edge, name, any_value)))
        encoded = quote(value.encode("utf-8", "surrogatepass"), safe="") or "%20"
        if where == "path":
            path = path.replace(f"{{{name}}}", encoded)
        elif where == "query":
            query.append(f"{name}={encoded}")
        else:
            headers["Cookie" if where == "cookie" else name] = encoded
    content = b""
    if "requestBody" in operation.described:
        schema = operation.described["requestBody"]["content"]["application/json"]["schema"]
        content = json.dumps(draw(values(schema, operation.components))).encode()
        content = draw(st.sampled_from([content] * 9 + [content[:-1]]))
        headers["Content-Type"] = "application/json"
    return {"path": path + ("?" + "&".join(query) if query else ""), "headers": headers, "content": content}


async def _bring_back(edge: Edge) -> None:
    """Undo what an earlier request deleted, so that the next one meets something."""
    await edge.store.prompts.restore(edge.prompt_id)
    await edge.make_history()
    organization_id = edge.people["owner"].organization_id
    for name in ("editor", "viewer"):
        if await edge.store.accounts.membership(organization_id, edge.people[name].user_id) is None:
            await edge.store.accounts.add_membership(organization_id, edge.people[name].user_id, name)


def _known(edge: Edge, name: str, otherwise: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What exists, so that requests get beyond the first look-up."""
    known: dict[str, list[Any]] = {
        "prompt_id": [edge.prompt_id],
        "user_id": [edge.people["editor"].user_id, edge.people["viewer"].user_id],
        "project": [edge.project_id],
        "if-match": ["*", '"1"'],
        "if-none-match": ["*", '"1"'],
        "ref": ["latest", "production", "live"],
        "a": ["latest", "production", "live"],
        "b": ["latest", "production", "live"],
        "name": ["production", "staging"],
    }
    return st.sampled_from(known[name.lower()]) if name.lower() in known else otherwise


async def test_the_schema_describes_every_error_as_a_problem(edge: Edge) -> None:
    schema = (await edge.client.get("/openapi.json")).json()
    assert schema["openapi"].startswith("3.1")
    assert {"Problem", "FieldProblem"} <= schema["components"]["schemas"].keys()
    text = json.dumps(schema)
    assert "HTTPValidationError" not in text
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            assert operation["description"], (method, path)
            for status, response in operation["responses"].items():
                if path.startswith("/api/") and int(status) >= 400:
                    assert list(response["content"]) == ["application/problem+json"]


async def test_every_reference_in_the_schema_leads_somewhere(edge: Edge) -> None:
    schema = (await edge.client.get("/openapi.json")).json()
    names = schema["components"]["schemas"].keys()
    text = json.dumps(schema)
    for part in text.split('"#/components/schemas/')[1:]:
        assert part.partition('"')[0] in names

"""Every error is a problem document, and what nobody foresaw says nothing of its cause."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from persistence import errors as store_errors
from server.api.problems import from_store
from server.errors import ServerError, every_error
from server.limits import MAX_BODY_BYTES
from tests.server.api.edge import ORIGIN, Edge


def check_problem(answer: httpx2.Response, status: int, code: str) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:promptroom:problem:{code}")
    assert body["title"]
    assert body["detail"]


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api", "/nothing.js", "/ws/x", "/git/x", "/assets/x.js"])
async def test_an_unknown_path_is_not_found(edge: Edge, path: str) -> None:
    check_problem(await edge.client.get(path), 404, "not_found")
    check_problem(await edge.client.post(path), 404, "not_found")


async def test_a_wrong_method_is_said_to_be_one(edge: Edge) -> None:
    check_problem(await edge.call("owner", "PUT", "/me"), 405, "method_not_allowed")
    check_problem(await edge.client.get("/api/v1/auth/login"), 405, "method_not_allowed")
    for path, allowed in (("/auth/login", "POST"), ("/prompts", "GET, POST"), ("/me", "GET, PATCH")):
        assert (await edge.call("owner", "PUT", path)).headers["allow"] == allowed


async def test_an_identifier_that_is_none_is_named(edge: Edge) -> None:
    answer = await edge.call("owner", "GET", "/prompts/7")
    check_problem(answer, 422, "request_invalid")
    assert answer.json()["errors"][0]["field"] == "path.prompt_id"


@pytest.mark.parametrize("content", [b"{", b"", b"\xff", b"[" * 5_000, b'{"name": 1e999}', b"null"])
async def test_a_body_that_is_no_json_is_not_valid(edge: Edge, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await edge.call("owner", "POST", "/prompts", content=content, headers=headers)
    check_problem(answer, 422, "request_invalid")


async def test_a_body_without_a_type_is_not_read_as_json(edge: Edge) -> None:
    headers = {"Content-Type": "text/plain"}
    answer = await edge.call("owner", "POST", "/prompts", content=b'{"name": "A"}', headers=headers)
    check_problem(answer, 422, "request_invalid")


async def test_a_body_above_the_limit_is_refused_before_it_is_read(edge: Edge) -> None:
    answer = await edge.call("owner", "POST", "/prompts", content=b"x" * (MAX_BODY_BYTES + 1))
    check_problem(answer, 413, "too_large")
    assert answer.json()["max_bytes"] == MAX_BODY_BYTES


async def test_a_body_of_unknown_length_is_refused_where_it_passes_the_limit(edge: Edge) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 65_536 + 2):
            yield b"x" * 65_536

    headers = {"Authorization": f"Bearer {edge.token('owner')}", "Content-Type": "application/json"}
    answer = await edge.client.post("/api/v1/prompts", content=body(), headers=headers)
    check_problem(answer, 413, "too_large")


async def test_what_nobody_foresaw_says_nothing_of_its_cause(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(edge.store.projects, "list", fail)
    answer = await edge.call("owner", "GET", "/projects")
    check_problem(answer, 500, "internal_error")
    assert "hunter2" not in answer.text


async def test_a_store_that_is_away_is_said_to_be(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise store_errors.StoreUnavailable("connection to secret-host refused")

    monkeypatch.setattr(edge.store.accounts, "standing", fail)
    answer = await edge.call("owner", "GET", "/me")
    check_problem(answer, 503, "store_unavailable")
    assert answer.headers["retry-after"] == "2"
    assert "secret-host" not in answer.text


async def test_every_answer_carries_the_security_headers(edge: Edge) -> None:
    for answer in (await edge.call("owner", "GET", "/me"), await edge.client.get("/nothing.js")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-request-id"]


async def test_other_origins_may_read_only_where_they_are_allowed(edge: Edge) -> None:
    for origin, allowed in ((ORIGIN, ORIGIN), ("https://evil.example", None)):
        answer = await edge.call("owner", "GET", "/me", headers={"Origin": origin})
        assert answer.headers.get("access-control-allow-origin") == allowed
        preflight = await edge.call(
            None,
            "OPTIONS",
            "/me",
            headers={
                "Origin": origin,
                "Access-Control-Request-Method": "PATCH",
                "Access-Control-Request-Headers": "authorization, if-match, idempotency-key",
            },
        )
        assert (preflight.status_code == 200) is (allowed is not None)


def test_every_code_is_one_classes() -> None:
    codes = [error.code for error in every_error()]
    assert len(codes) == len(set(codes))
    assert every_error()[0] is ServerError
    for error in every_error():
        assert 400 <= error.status < 600
        assert error.close_code in {1011, 1012, 1013} or 4400 <= error.close_code < 4500
        assert error().message == error.title


def every_store_error() -> list[type[store_errors.StoreError]]:
    found: list[type[store_errors.StoreError]] = [store_errors.StoreError]
    for error in found:
        found.extend(error.__subclasses__())
    return found


@pytest.mark.parametrize("kind", every_store_error())
def test_every_error_of_the_store_has_an_answer(kind: type[store_errors.StoreError]) -> None:
    # Made without its constructor: some ask for the row that they speak of.
    answer = from_store(kind.__new__(kind))
    if issubclass(kind, store_errors.StoreUnavailable):
        assert answer.status == 503
    if issubclass(kind, store_errors.NotFound | store_errors.Conflict):
        assert 400 <= answer.status < 500

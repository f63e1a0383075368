"""Health, readiness and metrics."""

import asyncio

import pytest

from persistence.errors import StoreUnavailable
from server import __version__
from tests.server.api.edge import Edge


async def test_the_process_is_alive_whatever_the_database_does(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge.store.database, "ping", None)
    answer = await edge.client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "version": __version__})


async def test_readiness_says_what_answers_and_how_fast(edge: Edge) -> None:
    answer = await edge.client.get("/readyz")
    body = answer.json()
    assert (answer.status_code, body["status"]) == (200, "ready")
    assert body["database"]["state"] == body["bus"]["state"] == "up"
    assert body["database"]["latency_ms"] > 0
    assert (body["rooms"], body["connections"]) == (0, 0)


async def test_without_the_database_the_server_is_not_ready(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away() -> float:
        raise StoreUnavailable("away")

    async def hangs() -> float:
        await asyncio.Event().wait()
        return 0.0

    monkeypatch.setattr("server.api.operations.READINESS_SECONDS", 0.01)
    for ping in (away, hangs):
        monkeypatch.setattr(edge.store.database, "ping", ping)
        answer = await edge.client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
        assert answer.json()["database"] == {"state": "down", "latency_ms": None}


async def test_metrics_count_requests_by_route_and_not_by_path(edge: Edge) -> None:
    await edge.call("owner", "GET", f"/prompts/{edge.prompt_id}")
    await edge.client.get("/some/unknown/path.js")
    await edge.client.request("BREW", "/some/unknown/path.js")
    answer = await edge.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    sample = 'promptroom_http_requests_total{method="GET",route="/api/v1/prompts/{prompt_id}",status="200"}'
    assert sample in answer.text
    assert 'method="OTHER",route="unmatched",status="404"' in answer.text
    assert str(edge.prompt_id) not in answer.text
    assert "unknown" not in answer.text

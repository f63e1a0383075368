"""What whoever runs the server asks: is it alive, is it ready, how much does it do."""

from __future__ import annotations

import asyncio
from typing import Literal

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import Field
from starlette.responses import JSONResponse, Response

from persistence.errors import StoreError
from server import __version__
from server.api.context import UsesServices
from server.api.fields import Answer
from server.bus import BusUnavailable
from server.limits import READINESS_SECONDS
from server.services import Services
from server.telemetry import REGISTRY

router = APIRouter(tags=["operations"])


class Alive(Answer):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str


class Part(Answer):
    """One thing that the server needs."""

    state: Literal["up", "down"]
    latency_ms: float | None = Field(description="Time of one round trip; null where it did not answer.")


class Bus(Part):
    """What carries edits between servers."""

    kind: Literal["in_process", "redis"]


class Readiness(Answer):
    """Whether requests should be sent here, and what speaks against it."""

    status: Literal["ready", "degraded", "unavailable"]
    database: Part
    bus: Bus
    rooms: int
    connections: int


@router.get("/healthz")
async def healthz() -> Alive:
    """Answers as long as the process does. It asks nobody else, so that a database's outage restarts no server."""
    return Alive(version=__version__)


@router.get("/readyz", responses={503: {"model": Readiness, "description": "Not ready."}})
async def readyz(services: UsesServices) -> Readiness:
    """Answers 200 while the database answers, 503 otherwise, and how it is with the bus.

    Without the bus everything works and is a little late on other nodes: that is degraded, and no reason to send
    requests elsewhere, for it is the same there.
    """
    database, bus = await asyncio.gather(_database(services), _bus(services))
    answer = Readiness(
        status="unavailable" if database.state == "down" else "ready" if bus.state == "up" else "degraded",
        database=database,
        bus=bus,
        rooms=services.hub.rooms,
        connections=services.hub.connections,
    )
    if database.state == "up":
        return answer
    return JSONResponse(answer.model_dump(mode="json"), status_code=503)  # type: ignore[return-value]


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics() -> Response:
    """Answers the metrics in Prometheus's text format."""
    return Response(generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _database(services: Services) -> Part:
    if services.hub.awaits_store:
        # A full disk and a locked file answer every question and take no edit.
        return Part(state="down", latency_ms=None)
    try:
        async with asyncio.timeout(READINESS_SECONDS):
            seconds = await services.store.ping()
    except (StoreError, TimeoutError):
        return Part(state="down", latency_ms=None)
    return Part(state="up", latency_ms=round(seconds * 1000, 3))


async def _bus(services: Services) -> Bus:
    bus = services.hub.bus
    kind: Literal["in_process", "redis"] = "redis" if bus.is_shared else "in_process"
    try:
        async with asyncio.timeout(READINESS_SECONDS):
            seconds = await bus.ping()
    except (BusUnavailable, TimeoutError):
        return Bus(kind=kind, state="down", latency_ms=None)
    return Bus(kind=kind, state="up" if bus.is_up else "down", latency_ms=round(seconds * 1000, 3))

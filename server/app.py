"""The ASGI application: `/api/v1`, the WebSocket, health and metrics, and the editor behind everything else."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import WebSocketRoute

from server import __version__
from server.api import (
    authentication,
    compare,
    git,
    labels,
    live,
    me,
    members,
    operations,
    past,
    problems,
    projects,
    prompts,
    versions,
)
from server.api.editor import EditorFallback
from server.api.middleware import BodyLimit, RequestLog, SecurityHeaders
from server.api.openapi import describe_errors
from server.api.throttle import SignInThrottle
from server.database_watch import DatabaseWatch
from server.services import Services
from server.tasks import Tasks
from server.websocket import websocket_endpoint


def create_app(services: Services, *, editor: Path | None = None) -> FastAPI:
    """Answers the application of a server.

    Arguments: `services` it works with; the application starts and drains their hub. `editor` is the directory of the
    built editor, the installed one where it is None.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        watching = Tasks()
        watching.spawn_forever(DatabaseWatch(services.store, time.monotonic).step, name="database watch")
        await services.hub.start()
        try:
            yield
        finally:
            await watching.close()
            await services.hub.drain(services.settings.drain_deadline)
            services.history_workers.close()

    app = FastAPI(
        title="Promptroom",
        version=__version__,
        description="Edit prompts together. Offsets are UTF-16 code units; errors are RFC 9457 problem documents.",
        lifespan=lifespan,
        middleware=_middleware(services),
        # Pages that load scripts from elsewhere have no place here; openapi.json is what tools want.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    app.state.services = services
    app.state.sign_in_throttle = SignInThrottle(services.clock)
    problems.install(app)
    for module in (
        authentication,
        me,
        members,
        projects,
        prompts,
        live,
        versions,
        labels,
        compare,
        git,
        past,
        operations,
    ):
        app.include_router(module.router)
    app.router.routes.append(WebSocketRoute("/ws/{prompt_id}", websocket_endpoint))
    app.router.default = EditorFallback(editor)
    describe_errors(app)
    return app


def _middleware(services: Services) -> list[Middleware]:
    """The outermost first."""
    return [
        Middleware(SecurityHeaders),
        Middleware(RequestLog),
        Middleware(
            CORSMiddleware,
            allow_origins=sorted(services.settings.allowed_origins),
            allow_credentials=True,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"],
            expose_headers=["ETag", "Location", "Retry-After", "X-Request-Id"],
        ),
        Middleware(BodyLimit),
    ]


def _operation_id(route: APIRoute) -> str:
    return route.name

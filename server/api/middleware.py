"""What stands around every request: the size of its body, its line in the log, its metrics, its security headers.

Plain ASGI: a WebSocket passes untouched, since it has bounds, lines and metrics of its own.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

from starlette.datastructures import Headers, MutableHeaders

from server.api.problems import problem_response
from server.errors import ServerError, TooLarge
from server.limits import MAX_BODY_BYTES
from server.telemetry import HTTP_REQUESTS, HTTP_SECONDS, get_logger

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = get_logger("server.request")
# Probes and scrapes come every few seconds, the editor's files by the dozen, and say nothing.
_QUIET: Final = frozenset({"/healthz", "/readyz", "/metrics", "editor"})
_SERVER_FAULT: Final = 500
# Labels of a metric have to stay few, whatever callers invent.
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class BodyLimit:
    """Refuses a body above the limit: at once where its length is announced, else where it is passed."""

    def __init__(self, app: ASGIApp, *, max_bytes: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _announced_bytes(scope) > self._max_bytes:
            await self._refuse(scope, receive, send)
            return
        await self._count(scope, receive, send)

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        received = 0
        started = False

        async def counting_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise TooLarge
            return message

        async def watching_send(message: Message) -> None:
            nonlocal started
            # Whatever the application makes of the exception above, the caller hears the reason.
            if received > self._max_bytes and not started:
                return
            started = True
            await send(message)

        try:
            await self._app(scope, counting_receive, watching_send)
        except TooLarge:
            if started:
                raise
        if received > self._max_bytes and not started:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = TooLarge(f"The body is above {self._max_bytes} bytes.", details={"max_bytes": self._max_bytes})
        # The rest of the body is not read, so the connection cannot be used again.
        await problem_response(error, headers={"Connection": "close"})(scope, receive, send)


class SecurityHeaders:
    """Adds what every response carries, unless it says otherwise itself."""

    _HEADERS: Final = {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        # Answers of the API are of one person and one moment, and never a page.
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    }

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)


class RequestLog:
    """Writes one line a request and counts it.

    The line and the metrics name the route (`/api/v1/prompts/{prompt_id}`), not the path, and identifiers only where
    they are UUIDs: whatever a caller puts into a path, a query or a header cannot get into the log.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request_id = uuid4().hex
        status: int | None = None

        async def watching_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, watching_send)
        except Exception:
            _log.exception("request failed", request_id=request_id, method=scope["method"], route=_route(scope))
            if status is not None:
                raise
            await problem_response(ServerError("The cause stands in the log."))(scope, receive, watching_send)
        finally:
            _record(scope, status or _SERVER_FAULT, time.perf_counter() - started, request_id)


def _record(scope: Scope, status: int, seconds: float, request_id: str) -> None:
    route, method = _route(scope), scope["method"]
    HTTP_REQUESTS.labels(method if method in _METHODS else "OTHER", route, str(status)).inc()
    HTTP_SECONDS.labels(route).observe(seconds)
    write = _log.debug if route in _QUIET else _log.info
    write(
        "request",
        method=method,
        route=route,
        status=status,
        ms=round(seconds * 1000, 1),
        request_id=request_id,
        **_identifiers(scope),
    )


def _route(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", "unmatched"))


def _identifiers(scope: Scope) -> dict[str, str]:
    found = {}
    for name, value in scope.get("path_params", {}).items():
        try:
            found[name] = str(UUID(str(value)))
        except ValueError:
            continue
    return found


def _announced_bytes(scope: Scope) -> int:
    try:
        return int(Headers(scope=scope).get("content-length", "0"))
    except ValueError:
        return 0

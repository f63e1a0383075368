"""Every error leaves as a problem document (RFC 9457) with a stable `code`.

Whatever an endpoint raises ends here: the server's own errors, the store's, the framework's validation, unknown routes
and methods. What nobody foresaw becomes a 500 in the request log's middleware, which writes the cause down.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from crdt.errors import OffsetError
from persistence import errors as store_errors
from persistence.pages import CursorInvalid
from server.errors import (
    ClientIdConflict,
    Conflict,
    EditConflict,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    LastOwner,
    MethodNotAllowed,
    NotAuthenticated,
    NotFound,
    Overloaded,
    PreconditionFailed,
    RequestInvalid,
    ServerError,
    StoreUnavailable,
    TooLarge,
)
from server.telemetry import get_logger

if TYPE_CHECKING:
    from starlette.types import ExceptionHandler

MEDIA_TYPE: Final = "application/problem+json"
_log = get_logger("server.api")

# The nearest class of the store's tree decides; the message is ours, so that nothing of the database gets out.
_FROM_STORE: Final[Mapping[type[store_errors.StoreError], type[ServerError]]] = {
    store_errors.StoreOverloaded: Overloaded,
    store_errors.StoreUnavailable: StoreUnavailable,
    store_errors.TokenInvalid: NotAuthenticated,
    store_errors.NotFound: NotFound,
    store_errors.ClientIdConflict: ClientIdConflict,
    store_errors.VersionConflict: PreconditionFailed,
    store_errors.LastOwner: LastOwner,
    store_errors.KeyInProgress: IdempotencyInProgress,
    store_errors.KeyReused: IdempotencyKeyReused,
    store_errors.Conflict: Conflict,
    store_errors.StoreError: ServerError,
}
_FROM_STATUS: Final[Mapping[int, type[ServerError]]] = {
    HTTPStatus.UNAUTHORIZED: NotAuthenticated,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: TooLarge,
}
# Names that Pydantic puts into a place for the branch of a union that it took.
_BRANCHES: Final = frozenset({"by_ticket", "by_password", "by_find", "by_offsets"})


class FieldProblem(BaseModel):
    """One field of the request, and what is wrong with it."""

    field: str = Field(description="Where: `body.name`, `query.limit`, …")
    message: str


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:promptroom:problem:prompt_not_found"])
    title: str = Field(examples=["No such prompt"])
    status: int = Field(examples=[404])
    detail: str
    code: str = Field(description="Stable: see the operations manual.", examples=["prompt_not_found"])
    errors: list[FieldProblem] | None = None


def problem_response(error: ServerError, *, headers: Mapping[str, str] | None = None) -> Response:
    """Answers an error as a response."""
    document: dict[str, object] = {
        "type": f"urn:promptroom:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.message,
        "code": error.code,
        **error.details,
    }
    all_headers = dict(headers or {})
    if error.retry_after is not None:
        all_headers["Retry-After"] = str(max(1, round(error.retry_after)))
    elif error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        all_headers["Retry-After"] = "2"
    if error.status == HTTPStatus.UNAUTHORIZED:
        # RFC 9110 §11.6.1 asks for the scheme with every 401.
        all_headers.setdefault("WWW-Authenticate", "Bearer")
    return JSONResponse(document, status_code=error.status, headers=all_headers, media_type=MEDIA_TYPE)


def field_problem(field: str, message: str) -> RequestInvalid:
    """Answers the error that one field of a request is wrong, in the form in which validation says it."""
    return RequestInvalid(f"{field}: {message}", details={"errors": [{"field": field, "message": message}]})


def from_store(error: store_errors.StoreError) -> ServerError:
    """Answers the server's error for one of the store's."""
    for kind in type(error).__mro__:
        if kind in _FROM_STORE:
            return _FROM_STORE[kind]()
    return ServerError()


def install(app: FastAPI) -> None:
    """Makes every error of the application a problem document."""
    handlers: dict[type[Exception], object] = {
        ServerError: _on_server_error,
        OffsetError: _on_offset_error,
        CursorInvalid: _on_cursor_invalid,
        store_errors.StoreError: _on_store_error,
        RequestValidationError: _on_validation_error,
        HTTPException: _on_http_exception,
    }
    for kind, handler in handlers.items():
        # The framework's type says Exception where it hands over exactly the kind that was asked for.
        app.add_exception_handler(kind, cast("ExceptionHandler", handler))


async def _on_server_error(_request: Request, error: ServerError) -> Response:
    return problem_response(error)


async def _on_store_error(_request: Request, error: store_errors.StoreError) -> Response:
    answer = from_store(error)
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.warning("store_refused", code=error.code, reason=str(error))
    return problem_response(answer)


async def _on_offset_error(_request: Request, error: OffsetError) -> Response:
    return problem_response(EditConflict(details={"reason": error.code}))


async def _on_cursor_invalid(_request: Request, _error: Exception) -> Response:
    return problem_response(field_problem("query.cursor", "is not one that this list gave out"))


async def _on_validation_error(_request: Request, error: RequestValidationError) -> Response:
    fields = [FieldProblem(field=_field(item), message=_message(item)) for item in error.errors()]
    first = fields[0]
    return problem_response(
        RequestInvalid(f"{first.field}: {first.message}", details={"errors": [field.model_dump() for field in fields]})
    )


async def _on_http_exception(request: Request, error: HTTPException) -> Response:
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return problem_response(MethodNotAllowed(), headers={"Allow": _methods_of(request)})
    kind = _FROM_STATUS.get(error.status_code)
    if kind is None:
        kind = RequestInvalid if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR else ServerError
    return problem_response(kind(), headers=error.headers)


def _methods_of(request: Request) -> str:
    """Every method of the path (RFC 9110 §10.2.1): the router knows only those of the first route that fits it."""
    described = request.app.openapi()["paths"]
    operations = described.get(getattr(request.scope.get("route"), "path", ""), {})
    return ", ".join(sorted(method.upper() for method in operations))


def _field(item: Mapping[str, Any]) -> str:
    if item["type"] == "json_invalid":
        return "body"
    return ".".join(str(part) for part in item["loc"] if part not in _BRANCHES)


def _message(item: Mapping[str, Any]) -> str:
    """What is wrong, without the value, which may be a password."""
    if item["type"] == "json_invalid":
        return f"is not JSON: {item['ctx']['error']} at character {item['loc'][1]}"
    return str(item["msg"]).removeprefix("Value error, ")

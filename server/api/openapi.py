"""Makes `/openapi.json` say which errors an operation answers, and in which form."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI

from server.api.problems import MEDIA_TYPE, FieldProblem, Problem

_DESCRIPTIONS: Final = {
    401: "Not signed in, or not any more.",
    403: "The role does not allow it, or the origin is not allowed.",
    404: "There is no such thing in your organization.",
    409: "It does not fit the present state.",
    412: "If-Match names another state.",
    413: "The body is too large.",
    422: "A field is not valid; `errors` names it.",
    429: "Too many attempts; see Retry-After.",
    503: "Not possible now; see Retry-After.",
}
# Conflicts that follow from what an operation does and not from its form.
_MAY_CONFLICT: Final = frozenset(
    {
        "change_role",
        "remove_member",
        "invite_again",
        "change_prompt",
        "compare_refs",
        "get_blame",
        "get_version",
        "put_label",
        "remove_label",
    }
)
_REF: Final = "#/components/schemas/"


def describe_errors(app: FastAPI) -> None:
    """Replaces the application's schema by one in which every error is a problem document."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _describe(generate())
        schema: dict[str, Any] = app.openapi_schema or {}
        return schema

    app.openapi = openapi  # type: ignore[method-assign]


def _describe(schema: dict[str, Any]) -> None:
    components = schema.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        components.pop(unused, None)
    for model in (FieldProblem, Problem):
        described = model.model_json_schema(ref_template=_REF + "{model}")
        described.pop("$defs", None)
        components[model.__name__] = described
    for path, operations in schema["paths"].items():
        if path.startswith("/api/"):
            for operation in operations.values():
                operation["responses"].pop("422", None)
                for status in sorted(set(_statuses(operation))):
                    operation["responses"][str(status)] = _problem(status)


def _problem(status: int) -> dict[str, Any]:
    return {
        "description": _DESCRIPTIONS[status],
        "content": {MEDIA_TYPE: {"schema": {"$ref": f"{_REF}Problem"}}},
    }


def _statuses(operation: dict[str, Any]) -> Iterator[int]:
    """Derives what an operation can answer from what it takes."""
    taken = {(parameter["in"], parameter["name"].lower()) for parameter in operation.get("parameters", [])}
    places = {place for place, _ in taken}
    yield HTTPStatus.SERVICE_UNAVAILABLE
    # A body can be sent to every operation.
    yield HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    yield HTTPStatus.UNAUTHORIZED
    yield HTTPStatus.FORBIDDEN
    if taken or "requestBody" in operation:
        yield HTTPStatus.UNPROCESSABLE_ENTITY
    if "path" in places:
        yield HTTPStatus.NOT_FOUND
    if ("header", "if-match") in taken:
        yield HTTPStatus.PRECONDITION_FAILED
    if ("header", "idempotency-key") in taken or operation["operationId"] in _MAY_CONFLICT:
        yield HTTPStatus.CONFLICT
    if operation["operationId"] == "login":
        yield HTTPStatus.TOO_MANY_REQUESTS

"""Answers that carry a status or headers of their own, ready to be kept for an Idempotency-Key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from server.api.preconditions import etag

if TYPE_CHECKING:
    from pydantic import BaseModel


def answer(body: BaseModel, *, status: int = 200, version: int | None = None, location: str | None = None) -> Response:
    """Answers a body as JSON.

    Arguments: `version` becomes the ETag; `location` the path of what was created.
    """
    headers = {}
    if version is not None:
        headers["ETag"] = etag(version)
    if location is not None:
        headers["Location"] = location
    return Response(body.model_dump_json(), status_code=status, headers=headers, media_type="application/json")

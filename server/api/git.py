"""`/git/{prompt_id}.git`: each prompt as a Git repository that can be cloned and fetched, and not pushed to.

Git's smart protocol over HTTP. A Git client knows names and passwords only, so the access token is the password.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import AsyncIterator
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from persistence.errors import StoreError
from persistence.prompts import Prompt
from server.access import Action, Principal, require
from server.api.context import UsesServices
from server.api.lookup import find_prompt
from server.api.problems import problem_response
from server.errors import Forbidden, NotAuthenticated, Overloaded, PromptNotFound, RequestInvalid, TooLarge
from server.history.packing import pack_of
from server.history.upload_pack import (
    FLUSH,
    Band,
    FetchAnswer,
    FetchRequest,
    advertisement,
    branches,
    in_bands,
    negotiate,
)
from server.limits import MAX_BODY_BYTES
from server.services import Services
from server.telemetry import get_logger

# A protocol of Git's own, which Git describes: nothing of it stands in openapi.json.
router = APIRouter(prefix="/git/{repository}.git", include_in_schema=False)
_log = get_logger("server.git")

_SERVICE: Final = "git-upload-pack"
_NOT_KEPT: Final = {"Cache-Control": "no-cache, max-age=0, must-revalidate"}
_ASK_FOR_PASSWORD: Final = {"WWW-Authenticate": 'Basic realm="Promptroom: the password is an access token"'}


@router.get("/info/refs")
async def list_refs(
    repository: str,
    request: Request,
    services: UsesServices,
    service: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """Answers the branches: `main`, which is the latest version, and every label."""
    try:
        prompt = await _prompt(services, request, repository)
    except NotAuthenticated as error:
        return problem_response(error, headers=_ASK_FOR_PASSWORD)
    if service != _SERVICE:
        raise Forbidden("This repository can be cloned and fetched with Git's smart protocol, and not pushed to.")
    latest = await services.store.versions.latest(prompt.id)
    labels = {label.name: label.version_id for label in await services.store.labels.list(prompt.id)}
    body = advertisement(branches(latest.id if latest is not None else None, labels))
    return Response(body, media_type=f"application/x-{_SERVICE}-advertisement", headers=_NOT_KEPT)


@router.post("/git-upload-pack")
async def upload_pack(repository: str, request: Request, services: UsesServices) -> Response:
    """Answers what a client lacks, as a pack."""
    try:
        prompt = await _prompt(services, request, repository)
    except NotAuthenticated as error:
        return problem_response(error, headers=_ASK_FOR_PASSWORD)
    asked = FetchRequest.read(await _body(request))
    found = negotiate(asked, await services.store.version_objects.numbers(prompt.id, asked.ids))
    in_packets = "side-band-64k" in asked.capabilities
    return StreamingResponse(
        _answer(services, prompt.id, found, in_packets=in_packets),
        media_type=f"application/x-{_SERVICE}-result",
        headers=_NOT_KEPT,
    )


async def _answer(services: Services, prompt_id: UUID, found: FetchAnswer, *, in_packets: bool) -> AsyncIterator[bytes]:
    yield found.lines
    if not found.has_pack:
        return
    pack = pack_of(
        services.store.version_objects, services.history_workers, prompt_id, after=found.after, upto=found.upto
    )
    if not in_packets:
        async for data in pack:
            yield data
        return
    try:
        async for data in pack:
            for packet in in_bands(data):
                yield packet
    except (StoreError, Overloaded) as error:
        # The status is sent long since; Git prints this and gives up.
        _log.warning("a pack could not be finished", prompt_id=str(prompt_id), code=error.code, reason=str(error))
        for packet in in_bands(b"the server could not read all versions: try again later\n", Band.FAILURE):
            yield packet
        return
    yield FLUSH


async def _prompt(services: Services, request: Request, repository: str) -> Prompt:
    """Answers the prompt of a repository. Raises NotAuthenticated, Forbidden and PromptNotFound."""
    caller = await _caller(services, request.headers.get("authorization", ""))
    try:
        prompt_id = UUID(repository)
    except ValueError as error:
        raise PromptNotFound from error
    return await find_prompt(services, caller, prompt_id)


async def _caller(services: Services, authorization: str) -> Principal:
    scheme, _, credentials = authorization.partition(" ")
    token = credentials.strip()
    if scheme.lower() == "basic":
        try:
            token = base64.b64decode(token, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            token = ""
    elif scheme.lower() != "bearer":
        token = ""
    if not token:
        raise NotAuthenticated("Give an access token as the password; any user name will do.")
    principal = await services.authenticator.principal(token)
    require(principal, Action.READ)
    return principal


async def _body(request: Request) -> bytes:
    """The body, which Git compresses where it is long. Raises RequestInvalid and TooLarge."""
    body = await request.body()
    if request.headers.get("content-encoding", "identity") not in {"gzip", "x-gzip"}:
        return body
    decompressor = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        plain = decompressor.decompress(body, MAX_BODY_BYTES)
    except zlib.error as error:
        raise RequestInvalid("The body is not compressed as its header says.") from error
    if decompressor.unconsumed_tail:
        raise TooLarge
    return plain

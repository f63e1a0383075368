"""Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07): a request sent twice is carried out once.

The key belongs to the caller. The second request with it gets the first one's answer; while the first is being
answered it gets 409, and a different request under the same key gets 422. What failed can be sent again.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from fastapi import Depends, Header, Request
from starlette.responses import Response

from persistence.errors import StoreError
from persistence.idempotency import StoredAnswer
from server.access import Principal
from server.api.context import UsesServices
from server.limits import MAX_IDEMPOTENCY_KEY_LENGTH
from server.services import Services
from server.telemetry import get_logger

_log = get_logger("server.api")
# Of the first answer's headers, those that belong to what was created and not to the moment.
_KEPT_HEADERS: Final = ("content-type", "etag", "location")


class IdempotencyKey:
    """The key of one request, if it has one."""

    def __init__(self, services: Services, key: str | None, request_line: bytes, body: bytes) -> None:
        self._store = services.store.idempotency
        self._key = key
        self._request_line = request_line
        self._body = body

    async def once(self, caller: Principal, work: Callable[[], Awaitable[Response]]) -> Response:
        """Answers what `work` answers, or what it answered to the first request with this key.

        Raises persistence.errors.KeyInProgress, KeyReused, and whatever `work` raises.
        """
        if self._key is None:
            return await work()
        known = await self._store.claim(caller.user_id, self._key, self._fingerprint(caller))
        if known is not None:
            return Response(known.body, status_code=known.status, headers=known.headers)
        try:
            response = await work()
        except BaseException:
            # A caller who hung up must not find the key taken.
            await asyncio.shield(self._release(caller, self._key))
            raise
        await self._keep(caller, self._key, response)
        return response

    def client_id(self, caller: Principal) -> int | None:
        """Answers the client id under which an edit is made, always the same for one request; None without a key.

        When nobody can say whether the first request was stored, the document can: it holds the client id, or not.
        """
        if self._key is None:
            return None
        named = self._fingerprint(caller) + caller.user_id.bytes + self._key.encode()
        return 1 + int.from_bytes(hashlib.sha256(named).digest()[:8], "big") % (2**32 - 1)

    def _fingerprint(self, caller: Principal) -> bytes:
        parts = (caller.organization_id.bytes, self._request_line, self._body)
        return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).digest()

    async def _keep(self, caller: Principal, key: str, response: Response) -> None:
        headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        try:
            await self._store.store(
                caller.user_id, key, StoredAnswer(response.status_code, headers, bytes(response.body))
            )
        except StoreError as error:
            # The work is done and stays done: the caller hears so. A repetition finds the claim for a minute.
            _log.warning("answer not kept for its idempotency key", code=error.code)

    async def _release(self, caller: Principal, key: str) -> None:
        try:
            await self._store.release(caller.user_id, key)
        except StoreError as error:
            _log.warning("idempotency key not released", code=error.code)


async def _key_of(
    request: Request,
    services: UsesServices,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=MAX_IDEMPOTENCY_KEY_LENGTH,
            pattern=r"^[\x20-\x7e]+$",
            description="Makes a repetition of this request harmless; a UUID, say. Kept for a day.",
        ),
    ] = None,
) -> IdempotencyKey:
    body = await request.body() if idempotency_key is not None else b""
    return IdempotencyKey(services, idempotency_key, f"{request.method} {request.url.path}".encode(), body)


Idempotency = Annotated[IdempotencyKey, Depends(_key_of)]

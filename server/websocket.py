"""`/ws/{prompt_id}`: from an upgrade request to a session in a room.

Everything that can be refused is refused with a close code after the handshake, because a browser's script sees no
status of a failed upgrade and could not tell "sign in again" from "the server is away".

Under our own uvicorn protocol the session talks to the socket directly (`server.wire`); under any other ASGI server it
does so through `AsgiSink`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from persistence.errors import StoreError
from server.access import origin_is_allowed
from server.errors import (
    EpochConflict,
    FrameRejected,
    NotAuthenticated,
    OriginRejected,
    PromptNotFound,
    ServerError,
    StoreUnavailable,
)
from server.limits import OUTBOX_BYTES
from server.session import Session
from server.wire import WIRE_EXTENSION, WireProtocol

if TYPE_CHECKING:
    from server.auth import Authenticator, Claims, Visitor
    from server.outbox import Frame
    from server.services import Services

SUBPROTOCOL = "promptroom.v1"
_BEARER_SUBPROTOCOL = "bearer."
_BEARER_HEADER = "bearer "


async def websocket_endpoint(websocket: WebSocket) -> None:
    """Serves one connection from its handshake to its end."""
    services: Services = websocket.app.state.services
    offered = websocket.scope.get("subprotocols", [])
    extensions = SUBPROTOCOL in offered
    try:
        prompt_id, visitor = await _admit(websocket, services)
    except ServerError as error:
        await _refuse(websocket, error, extensions=extensions)
        return
    await websocket.accept(SUBPROTOCOL if extensions else None)
    wire = websocket.scope.get("extensions", {}).get(WIRE_EXTENSION)
    if isinstance(wire, WireProtocol):
        await _serve_wire(wire, services, prompt_id, visitor, extensions=extensions)
    else:
        await _serve_asgi(websocket, services, prompt_id, visitor, extensions=extensions)


# --- the handshake ----------------------------------------------------------------------------------------------------


async def _admit(websocket: WebSocket, services: Services) -> tuple[UUID, Visitor]:
    """Answers the prompt and who is asking for it. Raises ServerError."""
    allowed = services.settings.allowed_origins
    if not origin_is_allowed(websocket.headers.get("origin"), host=websocket.headers.get("host"), allowed=allowed):
        raise OriginRejected
    prompt_id = _prompt_id(websocket)
    try:
        claims = await _claims(websocket, services.authenticator)
        visitor = await services.authenticator.visitor(claims, prompt_id)
    except StoreError as error:
        raise StoreUnavailable from error
    # Only whoever is somebody here is told that a prompt is not.
    if prompt_id is None or visitor.prompt_epoch is None:
        raise PromptNotFound
    epoch = websocket.query_params.get("epoch")
    if epoch is not None and epoch != str(visitor.prompt_epoch):
        message = f"The prompt is at epoch {visitor.prompt_epoch}: reload it."
        raise EpochConflict(message)
    return prompt_id, visitor


def _prompt_id(websocket: WebSocket) -> UUID | None:
    try:
        return UUID(websocket.path_params["prompt_id"])
    except ValueError:
        return None


async def _claims(websocket: WebSocket, authenticator: Authenticator) -> Claims:
    token = _bearer_token(websocket)
    if token is not None:
        return authenticator.read(token)
    ticket = websocket.query_params.get("ticket")
    if ticket is None:
        message = "Send a bearer token in the Authorization header or a subprotocol, or a ticket in the URL."
        raise NotAuthenticated(message)
    return await authenticator.redeem(ticket)


def _bearer_token(websocket: WebSocket) -> str | None:
    """Answers the access token: programs send the header, browsers, which cannot, a subprotocol."""
    authorization = websocket.headers.get("authorization", "")
    if authorization.lower().startswith(_BEARER_HEADER):
        return authorization[len(_BEARER_HEADER) :].strip()
    for offered in websocket.scope.get("subprotocols", []):
        if offered.startswith(_BEARER_SUBPROTOCOL):
            return str(offered[len(_BEARER_SUBPROTOCOL) :])
    return None


async def _refuse(websocket: WebSocket, error: ServerError, *, extensions: bool) -> None:
    await websocket.accept(SUBPROTOCOL if extensions else None)
    await websocket.close(error.close_code, f"{error.code}: {error.message}"[:100])


# --- under our own protocol -------------------------------------------------------------------------------------------


async def _serve_wire(
    wire: WireProtocol, services: Services, prompt_id: UUID, visitor: Visitor, *, extensions: bool
) -> None:
    session = Session(wire, visitor.principal, services.hub, extensions=extensions)
    wire.attach(session, on_end=partial(_leave, services, session))
    await _join(services, prompt_id, session, visitor)


async def _join(services: Services, prompt_id: UUID, session: Session, visitor: Visitor) -> None:
    try:
        await services.hub.join(prompt_id, session, at_least=visitor.prompt_head)
    except ServerError as error:
        session.fail(error)


def _leave(services: Services, session: Session) -> None:
    session.disconnected()
    services.hub.leave(session)


# --- under any other ASGI server --------------------------------------------------------------------------------------


class AsgiSink:
    """A sink over ASGI messages: a queue, and one task that empties it."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._frames: deque[bytes] = deque()
        self.buffered_bytes = 0
        self._closing: tuple[int, str] | None = None
        self._something = asyncio.Event()
        self._may_read = asyncio.Event()
        self._may_read.set()
        self.session: Session | None = None

    def write(self, frame: Frame) -> None:
        """Queues a frame."""
        self._frames.append(frame.payload)
        self.buffered_bytes += len(frame.payload)
        self._something.set()
        if self.buffered_bytes > OUTBOX_BYTES and self.session is not None:
            self.session.congested()

    def close(self, code: int, reason: str) -> None:
        """Queues the end."""
        self._closing = (code, reason)
        self._something.set()
        self._may_read.set()

    def ping(self) -> bool:
        """Leaves that to the server that speaks ASGI."""
        return True

    def pause_reading(self) -> None:
        """Takes no more messages."""
        self._may_read.clear()

    def resume_reading(self) -> None:
        """Takes messages again."""
        self._may_read.set()

    async def receive(self) -> bytes | None:
        """Answers the next message, None for one that is text. Raises WebSocketDisconnect."""
        await self._may_read.wait()
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect
        data: bytes | None = message.get("bytes")
        return data

    async def send_forever(self) -> None:
        """Sends what is queued until the connection ends."""
        while self._websocket.application_state is WebSocketState.CONNECTED:
            await self._something.wait()
            self._something.clear()
            while self._frames:
                payload = self._frames.popleft()
                self.buffered_bytes -= len(payload)
                await self._websocket.send_bytes(payload)
            if self._closing is not None:
                await self._websocket.close(*self._closing)
            elif self.session is not None:
                self.session.drained()


async def _serve_asgi(
    websocket: WebSocket, services: Services, prompt_id: UUID, visitor: Visitor, *, extensions: bool
) -> None:
    sink = AsgiSink(websocket)
    session = Session(sink, visitor.principal, services.hub, extensions=extensions)
    sink.session = session
    sender = asyncio.create_task(sink.send_forever())
    try:
        await _join(services, prompt_id, session, visitor)
        while True:
            data = await sink.receive()
            if data is None:
                session.fail(FrameRejected("This protocol has binary frames only.", code="frame_not_binary"))
            else:
                session.receive(data)
    except WebSocketDisconnect:
        pass
    finally:
        _leave(services, session)
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)

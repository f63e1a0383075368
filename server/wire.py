"""The socket under uvicorn: frames go from the socket to the session and back without a task or a queue between.

A subclass of uvicorn's sans-I/O protocol. Until a session is attached it behaves like its parent, so the handshake and
everything else that speaks ASGI is uvicorn's. From then on a received message is handed to the session in the same
call, and what a room sends is written as ready-made bytes. The ASGI application returns, and all that served the
handshake goes with it: that halves what an idle connection takes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Close, CloseCode, Opcode
from websockets.frames import Frame as WebSocketFrame

from server.errors import FrameRejected, TooLarge
from server.framing import frame_bytes, read_messages
from server.limits import MAX_FRAGMENTS, MAX_FRAME_BYTES, OUTBOX_BYTES

if TYPE_CHECKING:
    from asyncio.transports import BaseTransport
    from collections.abc import Callable

    from websockets.http11 import Request

    from server.outbox import Frame
    from server.session import Session

# Where the application finds the socket in its ASGI scope.
WIRE_EXTENSION = "promptroom.wire"


# Without a payload: any answer will do.
_PING = b"\x89\x00"


class _Nowhere(asyncio.Queue[Any]):
    """Takes the messages of an application that has returned."""

    def put_nowait(self, item: object) -> None:
        """Forgets it."""


class _Flag(asyncio.Event):
    """An event that nobody waits for, without the queue of those who do."""

    _waiters = ()  # type: ignore[assignment]  # the queue takes more than all else here

    def __init__(self) -> None:
        self._value = True


_NOWHERE = _Nowhere()


class WireProtocol(WebSocketsSansIOProtocol):
    """One connection; a sink for its session."""

    _session: Session | None = None
    _on_end: Callable[[], None] | None = None
    # The parser has given up on a frame that is too large; what still comes is the rest of it.
    _given_up = False
    # The parser may be in the middle of a frame, so it gets everything from here on.
    _parser_reads_all = False
    # Whether anything came since the last ping.
    _heard = True
    # The beginning of a frame, and how many bytes are needed before it is looked at again.
    _unread: bytearray | None = None
    _needed = 0

    # --- for the application ----------------------------------------------------------------------------------------

    def attach(self, session: Session, on_end: Callable[[], None]) -> None:
        """Hands the connection to a session, with whatever came before; the application may return.

        Arguments: `on_end` is called once, when the connection is gone.
        """
        self._session = session
        self._on_end = on_end
        early = self.queue
        self._let_go()
        if self.read_paused:
            self.resume_reading()
        while not early.empty():
            message = early.get_nowait()
            if message["type"] == "websocket.receive":
                self._hand_over(message.get("bytes"))
            elif message["type"] == "websocket.disconnect":
                self._end()

    def _let_go(self) -> None:
        """Drops what only the handshake and the application needed."""
        # The parser keeps the request, and the request its headers, as long as the connection lives.
        self.request.headers.clear()
        del self.request, self.response, self.scope
        self.queue = _NOWHERE
        self.writable = _Flag()

    # --- sink -------------------------------------------------------------------------------------------------------

    def write(self, frame: Frame) -> None:
        """Writes ready-made bytes; the kernel takes them at once where it can."""
        if not self.close_sent and not self.disconnected:
            self.transport.write(frame.wire)

    def close(self, code: int, reason: str) -> None:
        """Sends a close frame, and closes when the other end has answered or the time for it is over."""
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.transport.write(self._close_frame(code, reason))
        self.close_sent = True
        self.resume_reading()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.abort)

    def ping(self) -> bool:
        """Pings the other end, unless it takes nothing anyway; answers whether it has sent anything since last time."""
        heard, self._heard = self._heard, False
        if self.writable.is_set() and not self.close_sent and not self.disconnected:
            self.transport.write(_PING)
        return heard

    @property
    def buffered_bytes(self) -> int:
        """How much the reader has not taken yet."""
        return self.transport.get_write_buffer_size()

    def pause_reading(self) -> None:
        """Takes no more from the socket."""
        if not self.read_paused and not self.transport.is_closing():
            self.read_paused = True
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Takes from the socket again."""
        if self.read_paused:
            self.read_paused = False
            if not self.transport.is_closing():
                self.transport.resume_reading()

    # --- from uvicorn and the transport -----------------------------------------------------------------------------

    async def run_asgi(self) -> None:
        """Runs the application, as the parent does, but for the connection of a session, which stands without it."""
        try:
            await self.app(self.scope, self.receive, self.send)
        except ClientDisconnected:
            pass
        except BaseException:
            self.logger.exception("Exception in ASGI application\n")
            self.send_500_response()
        else:
            if self._session is not None:
                return
            if not self.handshake_complete:
                self.send_500_response()
        if self.close_timer is None:
            self.transport.close()

    def connection_made(self, transport: BaseTransport) -> None:
        """Bounds the socket's buffer: past it the session is congested, and when it is empty, drained."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=OUTBOX_BYTES, low=0)

    def handle_connect(self, event: Request) -> None:
        """Puts the socket into the scope of the application."""
        super().handle_connect(event)
        if not self.close_sent:
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[WIRE_EXTENSION] = self

    def send_receive_event_to_app(self) -> None:
        """Hands a whole message to the session, or to the application before there is one."""
        if self._session is None:
            super().send_receive_event_to_app()
            return
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = []
        self._hand_over(data if self.curr_msg_data_type == "bytes" else None)

    def data_received(self, data: bytes) -> None:
        """Takes bytes from the socket, but for the rest of a frame that is too large."""
        if self._given_up:
            return
        self._heard = True
        if self._session is None or self._parser_reads_all:
            # What a client sends before the handshake is over may end in the middle of a frame.
            self._parser_reads_all = self.handshake_initiated
            super().data_received(data)
        elif self._unread is None:
            self._read(data)
        else:
            self._unread += data
            if len(self._unread) >= self._needed:
                data, self._unread = bytes(self._unread), None
                self._read(data)

    def _read(self, data: bytes) -> None:
        """Hands whole messages to the session, and every other frame to the parser."""
        offset, size = 0, len(data)
        while offset < size:
            if self.conn.current_size is None:
                messages, offset = read_messages(data, offset)
                if messages and self._session is not None and not self.close_sent:
                    self._session.receive(*messages)
            needed = frame_bytes(data, offset)
            if needed is None or size - offset < needed <= MAX_FRAME_BYTES:
                self._keep(data[offset:], needed)
                return
            if needed > MAX_FRAME_BYTES:
                # The parser refuses it by its head, or goes on alone.
                self._parser_reads_all = True
                super().data_received(data[offset:])
                return
            super().data_received(data[offset : offset + needed])
            if self.conn.parser_exc is not None:
                return
            offset += needed

    def _keep(self, rest: bytes, needed: int | None) -> None:
        if rest:
            self._unread, self._needed = bytearray(rest), needed or len(rest) + 1

    def handle_parser_exception(self) -> None:
        """Refuses a frame that is too large by our own code, after which clients do not come back with it."""
        if self.conn.close_sent is None or self.conn.close_sent.code != CloseCode.MESSAGE_TOO_BIG:
            super().handle_parser_exception()
            return
        self._given_up = True
        self._refuse(TooLarge(f"A frame of more than {MAX_FRAME_BYTES:,} bytes.", code="frame_too_large"))
        # The socket stays open for reading: closed with bytes unread it would be reset, and the code lost on its way.
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()

    def handle_cont(self, event: WebSocketFrame) -> None:
        """Takes a part of a message; empty ones have no size, so they are counted."""
        if self.close_sent:
            return
        if len(self.frames) >= MAX_FRAGMENTS:
            self.frames = []
            self._refuse(TooLarge(f"A message in more than {MAX_FRAGMENTS:,} parts.", code="frame_too_large"))
            return
        super().handle_cont(event)

    def handle_ping(self) -> None:
        """Answers pings, but not those of a peer that reads no answers (RFC 6455 §5.5.3 allows to skip some)."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def handle_close(self, event: WebSocketFrame) -> None:
        """Ends the session when the other end closes."""
        super().handle_close(event)
        self._end()

    def pause_writing(self) -> None:
        """The buffer is above its bound."""
        super().pause_writing()
        if self._session is not None:
            self._session.congested()

    def resume_writing(self) -> None:
        """The buffer is empty."""
        super().resume_writing()
        if self._session is not None:
            self._session.drained()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the session when the connection breaks."""
        super().connection_lost(exc)
        self._end()

    def _hand_over(self, data: bytes | None) -> None:
        if self._session is None or self.close_sent:
            return
        if data is None:
            self._session.fail(FrameRejected("This protocol has binary frames only.", code="frame_not_binary"))
        else:
            self._session.receive(data)

    def _refuse(self, error: TooLarge) -> None:
        if self._session is not None:
            self._session.fail(error)
        else:
            self.close(error.close_code, error.message)

    def _close_frame(self, code: int, reason: str) -> bytes:
        if self._given_up:
            # The parser has prepared a close frame too, with a code of its own.
            self.conn.data_to_send()
            return WebSocketFrame(Opcode.CLOSE, Close(code, reason).serialize()).serialize(mask=False)
        self.conn.send_close(code, reason)
        return b"".join(self.conn.data_to_send())

    def _end(self) -> None:
        on_end, self._on_end = self._on_end, None
        if on_end is not None:
            on_end()

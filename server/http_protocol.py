"""HTTP under uvicorn, for peers that nobody knows yet: a request arrives in time, and its head in a bounded size.

The parser has no limits of its own: a header without an end would be kept for ever, and copied with every piece of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from server.limits import MAX_HEAD_BYTES, REQUEST_SECONDS

if TYPE_CHECKING:
    import asyncio


class HttpProtocol(HttpToolsProtocol):
    """One connection that has not become a WebSocket."""

    _patience: asyncio.TimerHandle | None = None
    _head_is_open = True
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Starts waiting for a request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Takes bytes, but not of a head that does not end."""
        super().data_received(data)
        if self._head_is_open:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits for nothing any more."""
        super().connection_lost(exc)
        self._stop_waiting()

    def handle_websocket_upgrade(self) -> None:
        """Hands the connection over, and lets go of everything."""
        super().handle_websocket_upgrade()
        self._stop_waiting()
        self._head_is_open = False
        # The parser and this object hold each other; nothing else would part them before the collector comes by.
        self.parser = None  # type: ignore[assignment]

    # --- from the parser --------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._head_is_open, self._head_bytes = True, 0
        self._wait()

    def on_headers_complete(self) -> None:
        """The head of a request is here."""
        self._head_is_open = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A request is here."""
        self._stop_waiting()
        super().on_message_complete()

    # --- patience ---------------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        if self._patience is None:
            self._patience = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

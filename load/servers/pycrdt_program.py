"""`python -m load.servers.pycrdt_program PORT`: pycrdt-websocket's server as an application of uvicorn."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import uvicorn
from pycrdt.websocket import ASGIServer, WebsocketServer


async def serve(port: int) -> None:
    """Serve until a signal comes."""
    rooms = WebsocketServer()
    # uvicorn's own choice of protocols, but for compression, which none of the other servers does either.
    application: Any = ASGIServer(rooms)
    config = uvicorn.Config(
        application, host="127.0.0.1", port=port, log_level="warning", lifespan="off", ws_per_message_deflate=False
    )
    async with rooms:
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1])))

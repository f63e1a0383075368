"""pycrdt-websocket under uvicorn with uvloop: everything is in memory."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from load.dialects import Y_WEBSOCKET
from load.servers.own_server import OwnServer


class PycrdtWebsocket(OwnServer):
    """Its `ASGIServer`, without a store."""

    def __init__(self) -> None:
        super().__init__("pycrdt-websocket", Y_WEBSOCKET)

    def command(self) -> Sequence[str]:
        """Its application, in a process of its own."""
        root = Path(__file__).parents[2]
        return ["env", f"PYTHONPATH={root}", sys.executable, "-m", "load.servers.pycrdt_program", str(self.port)]

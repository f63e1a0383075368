"""The server that y-websocket 2.1 carries, as its command starts it: everything is in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from load.dialects import Y_WEBSOCKET
from load.servers.node_program import PROGRAMS, node
from load.servers.own_server import OwnServer

_SCRIPT: Final = PROGRAMS / "node_modules" / "y-websocket" / "bin" / "server.cjs"
# Either would have it do more than it does by itself.
_NOT_INHERITED: Final = ("CALLBACK_URL", "YPERSISTENCE")


class YWebsocketServer(OwnServer):
    """`y-websocket-server`."""

    def __init__(self) -> None:
        super().__init__("y-websocket", Y_WEBSOCKET)

    def command(self) -> Sequence[str]:
        """Its own program."""
        unset = [part for name in _NOT_INHERITED for part in ("-u", name)]
        return ["env", *unset, "HOST=127.0.0.1", f"PORT={self.port}", node(), str(_SCRIPT)]

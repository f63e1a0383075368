"""The servers that are measured: ours, and those it is measured against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from load.servers.hocuspocus import Hocuspocus
from load.servers.promptroom import Promptroom
from load.servers.promptroom_nodes import DEPLOYMENTS, PromptroomNodes
from load.servers.promptroom_postgres import PromptroomPostgres
from load.servers.pycrdt_websocket import PycrdtWebsocket
from load.servers.server import Server
from load.servers.y_websocket import YWebsocketServer

SERVERS: Final[Mapping[str, Callable[[], Server]]] = {
    "promptroom-sqlite": Promptroom,
    "promptroom-postgres": PromptroomPostgres,
    **{name: partial(PromptroomNodes, name, each) for name, each in DEPLOYMENTS.items()},
    "hocuspocus": Hocuspocus,
    "hocuspocus-sqlite": partial(Hocuspocus, keeps=True),
    "y-websocket": YWebsocketServer,
    "pycrdt-websocket": PycrdtWebsocket,
}
"""By name; each call makes one that has not been started."""

"""Promptroom's server: sockets and HTTP at the edge, rooms and the hub behind them.

Modules import only leftwards in this order: settings errors telemetry < access auth limits < bus outbox
< session room < hub compactor < wire websocket services api < app < cli.
"""

from __future__ import annotations

__version__ = "0.1.0"

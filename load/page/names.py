"""What servers are called on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from load.page.markup import Markup, element, joined
from load.summary import Standing

_TITLES: Final[Mapping[str, tuple[str, str]]] = {
    "promptroom-sqlite": ("Promptroom", "SQLite, every edit on disk"),
    "promptroom-postgres": ("Promptroom", "PostgreSQL, every edit on disk"),
    "promptroom-1-node": ("Promptroom", "one node, PostgreSQL and Redis"),
    "promptroom-2-nodes": ("Promptroom", "two nodes"),
    "promptroom-3-nodes": ("Promptroom", "three nodes, people spread"),
    "promptroom-3-nodes-by-prompt": ("Promptroom", "three nodes, by prompt"),
    "hocuspocus": ("Hocuspocus", "in memory"),
    "hocuspocus-sqlite": ("Hocuspocus", "with its SQLite extension"),
    "y-websocket": ("y-websocket", "in memory"),
    "pycrdt-websocket": ("pycrdt-websocket", "in memory"),
}


def server_name(server: str) -> str:
    """The name alone."""
    return _TITLES.get(server, (server, ""))[0]


def storage_of(server: str) -> str:
    """What it does with edits, or what it consists of."""
    return _TITLES.get(server, ("", server))[1]


def full_name(server: str) -> Markup:
    """The name, and below it what it does with edits."""
    name, storage = _TITLES.get(server, (server, ""))
    return joined(name, element("small", storage))


def kind_of(standing: Standing) -> str:
    """The class that what belongs to a server is drawn in."""
    return "ours" if standing.is_ours else "peer"

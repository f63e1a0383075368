"""Hocuspocus 4.7.0, with its own defaults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from load.dialects import HOCUSPOCUS
from load.servers.node_program import PROGRAMS, node
from load.servers.own_server import OwnServer
from load.servers.server import Address

_SCRIPT: Final = PROGRAMS / "hocuspocus.mjs"


class Hocuspocus(OwnServer):
    """The server of the package, with no extension: everything is in memory.

    Args:
        keeps: whether it has its SQLite extension, which stores a document two seconds after its last change, and
            ten after its first at the latest.
    """

    def __init__(self, *, keeps: bool = False) -> None:
        super().__init__("hocuspocus-sqlite" if keeps else "hocuspocus", HOCUSPOCUS)
        self._keeps = keeps

    def command(self) -> Sequence[str]:
        """The script beside its packages."""
        storage = [str(self.directory / "hocuspocus.db")] if self._keeps else []
        return [node(), str(_SCRIPT), str(self.port), *storage]

    async def document(self, name: str, content: str = "") -> Address:
        """A document; its name stands in the messages, and the URL is the same for all."""
        address = await super().document(name, content)
        return Address(f"ws://127.0.0.1:{self.port}/", address.document)

"""Our own server on a PostgreSQL of its own, which waits for the disk at every commit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from load.servers.postgres import Postgres
from load.servers.promptroom import Promptroom
from load.usage import Usage


class PromptroomPostgres(Promptroom):
    """`promptroom serve` on PostgreSQL; only the server is killed, the database lives on."""

    def __init__(self) -> None:
        super().__init__("promptroom-postgres")
        self._database: Postgres | None = None
        self._database_url = ""

    def database_url(self) -> str:
        """Where its edits are kept."""
        return self._database_url

    async def start(self) -> None:
        """Start the database, bring it to the newest schema, and start the server."""
        self._database = await asyncio.to_thread(Postgres)
        self._database_url = await asyncio.to_thread(self._database.start)
        self.settle()
        await asyncio.to_thread(self.run, "migrate")
        await super().start()

    async def stop(self) -> None:
        """End both, and remove what they kept."""
        await super().stop()
        if self._database is not None:
            await asyncio.to_thread(self._database.close)

    def database_usage(self) -> Usage | None:
        """What PostgreSQL has used so far, all its processes together."""
        return None if self._database is None else self._database.usage()

    async def journal(self, documents: Sequence[str]) -> Sequence[bytes] | None:
        """What PostgreSQL has of prompts."""
        return None if self._database is None else await self._database.journal(documents)

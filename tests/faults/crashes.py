"""The server that kills itself at a named point, as a process."""

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.faults.crashing_server import VARIABLE
from tests.support.people import ENVIRONMENT
from tests.support.server import ServerFailed, ServerProcess


class CrashingServer(ServerProcess):
    """A server that is told before each start where to die.

    Args:
        state_directory: Where it keeps its state.
        database_url: Its database, migrated.
        redis_url: Its REDIS_URL, if any.
        environment: More variables for it.
    """

    program = "tests.faults.crashing_server"

    def __init__(
        self,
        state_directory: Path,
        *,
        database_url: str,
        redis_url: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        more = {**ENVIRONMENT, **(environment or {})}
        super().__init__(state_directory, database_url=database_url, redis_url=redis_url, environment=more)
        self.crash_at = ""

    @property
    def environment(self) -> dict[str, str]:
        """The variables it is started with."""
        return {**super().environment, VARIABLE: self.crash_at}

    @property
    def crashed(self) -> bool:
        """Whether its process was killed."""
        return self._process is not None and self._process.poll() == -signal.SIGKILL

    async def start(self) -> Self:
        """Start it, and return when it is ready, or has died already of what it was told."""
        try:
            return await super().start()
        except ServerFailed:
            if not self.crashed:
                raise
            return self

"""What stands in the journal when a run is over: that every edit was written once, whoever passed it on to whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from load.keystrokes import find_written
from load.room import Room
from load.servers.server import Server


@dataclass(frozen=True, slots=True)
class Journaled:
    """The rows of some documents.

    Args:
        rows: how many write something.
        edits: how many keys they write; each once, however often it stands there.
        repeated: how many keys stand there again.
    """

    rows: int
    edits: int
    repeated: int

    @classmethod
    def of(cls, payloads: Iterable[bytes]) -> Journaled:
        """Of rows, each document's in order."""
        rows = edits = repeated = 0
        # By client, up to where its keys are known; a client types in one document.
        known: dict[int, int] = {}
        for payload in payloads:
            written = find_written(payload)
            rows += bool(written)
            for client, start, end in written:
                again = max(min(known.get(client, 0), end) - start, 0)
                repeated += again
                edits += end - start - again
                known[client] = max(known.get(client, 0), end)
        return cls(rows, edits, repeated)

    def figures(self) -> Mapping[str, float]:
        """What it comes to; nothing, where there are no rows."""
        return {"rows_per_edit": self.rows / self.edits} if self.edits else {}

    def problems(self) -> Sequence[str]:
        """What is wrong, in words."""
        return [f"{self.repeated:,} keys stand in the journal more than once"] if self.repeated else []


async def journaled(server: Server, rooms: Sequence[Room]) -> Journaled:
    """Count what a server's database has of each room; nothing, where nobody can look.

    Args:
        server: one that is there.
        rooms: whose documents are looked at.
    """
    return Journaled.of(await server.journal([room.address.document for room in rooms]) or ())

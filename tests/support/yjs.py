"""Real Yjs clients: one Node process that holds many of them, and is told what to do line by line."""

import asyncio
import base64
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from load.servers.process import tied_to_us
from tests.support import node

# One line carries a whole text, or a whole journal.
_LONGEST_LINE = 256 * 1024 * 1024


class YjsFailed(Exception):
    """Something was thrown in the Node process; the message is its stack."""


@dataclass(frozen=True, slots=True)
class Report:
    """How things stand at one client, Yjs or not.

    Args:
        text: What it shows.
        clocks: The next clock of every client it has heard of.
        waiting: Whether it keeps updates that need others before them.
        connected: Whether its socket is open.
        synced: Whether it has had the server's first answer on this connection.
        saved: Whether all it has made is acknowledged; None for a client that hears of no acknowledgements.
        typed: How many edits it has made, if it counts.
        acknowledged: How many of them, from the first, are acknowledged.
        closes: The close codes of its connections so far.
        events: The room events it has heard.
    """

    text: str
    clocks: Mapping[int, int]
    waiting: bool
    connected: bool
    synced: bool
    saved: bool | None
    typed: int | None
    acknowledged: int | None
    closes: tuple[int, ...]
    events: tuple[dict[str, Any], ...]

    @classmethod
    def of(cls, said: dict[str, Any]) -> "Report":
        """Read what the Node process says."""
        clocks = {int(client): clock for client, clock in said.pop("clocks").items()}
        return cls(clocks=clocks, closes=tuple(said.pop("closes")), events=tuple(said.pop("events")), **said)


class YjsProcess:
    """A Node process full of Yjs clients; every call is answered in the order of the calls."""

    script = "yjs_clients.mjs"

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ids = itertools.count(1)
        self._names = itertools.count(1)
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._failure: YjsFailed | None = None

    def new_name(self) -> str:
        """Return a name that no client has yet."""
        return f"yjs-{next(self._names)}"

    def call(self, action: str, **options: object) -> asyncio.Future[Any]:
        """Tell the process to do something; the future is its answer, and need not be awaited.

        Raises:
            YjsFailed: An earlier call that nobody awaited has failed, or the process has ended.
        """
        if self._failure is not None:
            raise self._failure
        assert self._process is not None
        assert self._process.stdin is not None
        identifier = next(self._ids)
        call: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._calls[identifier] = call
        self._process.stdin.write(json.dumps({"id": identifier, "do": action, **options}).encode() + b"\n")
        return call

    async def reports(self, names: Sequence[str]) -> list[Report]:
        """Return how things stand at these clients, all at the same instant."""
        return [Report.of(said) for said in await self.call("report", clients=list(names))]

    async def replay(self, updates: Sequence[bytes]) -> str:
        """Return the text that Yjs comes to when it takes the updates one by one.

        Raises:
            YjsFailed: It threw, or something is left waiting for what never came.
        """
        said = await self.call("replay", updates=[base64.b64encode(update).decode() for update in updates])
        if said["waiting"]:
            raise YjsFailed("something is left waiting after the last update")
        return str(said["text"])

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *tied_to_us([node.NODE, node.PEERS / self.script]),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        assert self._reader is not None
        failure = self._failure
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reader
        if error is None and failure is not None:
            raise failure

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        # Of a process that is killed while it speaks the last line is only a part.
        while (line := await self._process.stdout.readline()).endswith(b"\n"):
            said = json.loads(line)
            call = self._calls.pop(said["id"], None) if said["id"] is not None else None
            if "error" not in said:
                if call is not None and not call.done():
                    call.set_result(said["result"])
                continue
            failure = YjsFailed(said["error"])
            self._failure = self._failure or failure
            if call is not None and not call.done():
                call.set_exception(failure)
                # A call that nobody awaits fails the next one instead of a warning at the end.
                call.exception()
        ended = YjsFailed("the Node process has ended")
        for call in self._calls.values():
            if not call.done():
                call.set_exception(ended)
                call.exception()
        self._failure = self._failure or ended

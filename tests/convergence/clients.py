"""One face for all kinds of clients, so that a session need not know which is which."""

from random import Random
from typing import Protocol

from tests.convergence.plan import Do, Kind, Seat, Step
from tests.convergence.pycrdt_client import PycrdtClient
from tests.convergence.way import Way
from tests.support.yjs import Report, YjsProcess


class Client(Protocol):
    """A client of a session, of any kind."""

    seat: Seat

    def connect(self) -> None:
        """Connect, and reconnect until told otherwise."""

    async def disconnect(self) -> None:
        """Cut the connection."""

    def edit(self, step: Step) -> None:
        """Change the text as the step says."""

    def hold(self, step: Step) -> None:
        """Hold up a direction."""

    def release(self, step: Step) -> None:
        """Release it."""

    async def report(self) -> Report:
        """Return how things stand."""

    async def close(self) -> None:
        """Leave for good."""


class OnYjs:
    """A client in the Node process."""

    def __init__(self, yjs: YjsProcess, seat: Seat, *, url: str, prompt: str, token: str, seed: int) -> None:
        self.seat = seat
        self._yjs = yjs
        self._name = yjs.new_name()
        kind = "stock" if seat.kind is Kind.YJS_STOCK else "extended"
        yjs.call("open", client=self._name, url=url, prompt=prompt, token=token, kind=kind, seed=seed)

    def connect(self) -> None:
        """Connect, and reconnect until told otherwise."""
        self._yjs.call("connect", client=self._name)

    async def disconnect(self) -> None:
        """Cut the connection."""
        await self._yjs.call("disconnect", client=self._name)

    def edit(self, step: Step) -> None:
        """Change the text as the step says."""
        text = step.text * step.repeat
        self._yjs.call("edit", client=self._name, how=step.do.value, at=step.at, length=step.length, text=text)

    def hold(self, step: Step) -> None:
        """Hold up a direction."""
        way = "incoming" if step.do is Do.HOLD_INCOMING else "outgoing"
        self._yjs.call("hold", client=self._name, way=way)

    def release(self, step: Step) -> None:
        """Release it: out of order where no acknowledgement counts on the order. Yjs takes anything in any order."""
        if step.do is Do.RELEASE_INCOMING:
            self._yjs.call("release", client=self._name, way="incoming", shuffled=self.seat.kind is Kind.YJS_STOCK)
        else:
            shuffled = not self.seat.kind.is_extended
            self._yjs.call("release", client=self._name, way="outgoing", shuffled=shuffled)

    async def report(self) -> Report:
        """Return how things stand."""
        return (await self._yjs.reports([self._name]))[0]

    async def authors(self) -> list[tuple[int, int]]:
        """Return whose each part of the text is, as Yjs keeps it: (UTF-16 units, client id)."""
        return [(length, client) for length, client in await self._yjs.call("authors", client=self._name)]

    async def close(self) -> None:
        """Leave for good."""
        await self._yjs.call("close", client=self._name)


class OnPycrdt:
    """A client in this process."""

    def __init__(self, seat: Seat, *, url: str, token: str, random: Random) -> None:
        self.seat = seat
        self._random = random
        self._client = PycrdtClient(url, token, extended=seat.kind.is_extended, random=random)

    def connect(self) -> None:
        """Connect, and reconnect until told otherwise."""
        self._client.connect()

    async def disconnect(self) -> None:
        """Cut the connection."""
        await self._client.disconnect()

    def edit(self, step: Step) -> None:
        """Change the text as the step says."""
        start, end = self._client.span(step.at, step.length)
        match step.do:
            case Do.INSERT:
                self._client.edit(start, start, step.text * step.repeat)
            case Do.DELETE:
                self._client.edit(start, end, "")
            case _:
                self._client.edit(start, end, step.text * step.repeat)

    def hold(self, step: Step) -> None:
        """Hold up a direction."""
        self._way(step).held = True

    def release(self, step: Step) -> None:
        """Release it; what is sent may go out of order where no acknowledgement counts on the order."""
        reorders = step.do is Do.RELEASE_OUTGOING and not self.seat.kind.is_extended
        self._way(step).release(self._random if reorders else None)

    async def report(self) -> Report:
        """Return how things stand."""
        return self._client.report()

    async def close(self) -> None:
        """Leave for good."""
        await self._client.disconnect()

    def _way(self, step: Step) -> Way:
        incoming = step.do in {Do.HOLD_INCOMING, Do.RELEASE_INCOMING}
        return self._client.incoming if incoming else self._client.outgoing

"""People at different nodes of one cluster who type tokens at their own pace, each in their own line, whatever happens.

They connect through the door and come back by themselves, as patiently as the clients are. Everything that they type,
hear and see goes into the history: what the Python client hears at the instant, what real Yjs hears when it is looked
at, some twenty times a second.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Protocol
from uuid import UUID

from client.peer import Prompt, connect
from crdt.client_peer import Acknowledged as AcknowledgedHere
from crdt.client_peer import Changed, ClientEvent, Synced
from tests.faults.cluster.history import (
    Acknowledged,
    Connected,
    Disconnected,
    History,
    Sent,
    Shown,
    Stalled,
)
from tests.faults.tokens import token
from tests.faults.writers import PythonWriter, Writer, YjsWriter, look
from tests.support.people import Person
from tests.support.waiting import wait_until
from tests.support.yjs import Report, YjsProcess

AUTHORS = ("python-1", "python-2", "python-3", "python-4", "yjs-1", "yjs-2", "stock-1")

TOKENS_PER_SECOND = 6.0
"""How fast one of them types, on average."""

_LOOK_SECONDS = 0.05
# A look that comes this much later than it should says that this process stood still.
_STALL_SECONDS = 0.1
# They stop typing when they are so far ahead of the acknowledgements: no person is, in a minute without a server.
_AHEAD = 1000


class Where(Protocol):
    """Where clients connect: the door in front of the nodes."""

    @property
    def base_url(self) -> str: ...
    @property
    def websocket_url(self) -> str: ...


class Typist(Writer, Protocol):
    """A writer whose doings are written down, and who can be kept from connecting."""

    def notice(self) -> None:
        """Write down what has changed since the last time."""

    def stay_away(self) -> None:
        """Connect no more from now on; a connection that there is may stay."""

    def come_back(self) -> None:
        """Connect again."""


class _Notes:
    """Writes down what one client hears and shows, each thing once."""

    def __init__(self, author: str, history: History) -> None:
        self.history = history
        self._author = author
        self._acknowledged = 0
        self._connected = False
        self._shown = {other: 0 for other in AUTHORS if other != author}

    def sent(self, number: int) -> None:
        self.history.add(Sent(self.history.now, self._author, number))

    def heard(self, acknowledged: int) -> None:
        if acknowledged > self._acknowledged:
            self._acknowledged = acknowledged
            self.history.add(Acknowledged(self.history.now, self._author, acknowledged))

    def showed(self, text: str) -> None:
        for other, before in self._shown.items():
            count = before
            while token(other, count + 1) in text:
                count += 1
            if count > before:
                self._shown[other] = count
                self.history.add(Shown(self.history.now, self._author, other, count))

    def connected(self, *, there: bool, anew: bool = False) -> None:
        if self._connected and (anew or not there):
            self.history.add(Disconnected(self.history.now, self._author))
        if there and (anew or not self._connected):
            self.history.add(Connected(self.history.now, self._author))
        self._connected = there


class PythonTypist(PythonWriter):
    """The Python client, with a gate before each of its connections."""

    def __init__(self, author: str, prompt: Prompt, history: History, gate: asyncio.Event) -> None:
        self._notes = _Notes(author, history)
        self._gate = gate
        super().__init__(author, prompt)
        self.notice()

    async def type_one(self, *, filler: int = 0) -> None:
        """Type the next token."""
        self._notes.sent(self.typed + 1)
        await super().type_one(filler=filler)

    def notice(self) -> None:
        """Write down what has changed since the last time."""
        self._notes.connected(there=self.connected)

    def stay_away(self) -> None:
        """Connect no more."""
        self._gate.clear()

    def come_back(self) -> None:
        """Connect again."""
        self._gate.set()

    def _heard(self, event: ClientEvent) -> None:
        super()._heard(event)
        match event:
            case Synced():
                self._notes.connected(there=True, anew=True)
            case Changed():
                self._notes.showed(self.text)
            case AcknowledgedHere():
                self._notes.heard(self.acknowledged)


class YjsTypist(YjsWriter):
    """Real Yjs, stock or extended."""

    def __init__(self, author: str, yjs: YjsProcess, history: History) -> None:
        self._notes = _Notes(author, history)
        super().__init__(author, yjs, hears=author.startswith("yjs"))

    async def type_one(self, *, filler: int = 0) -> None:
        """Type the next token."""
        self._notes.sent(self.typed + 1)
        await super().type_one(filler=filler)

    def see(self, report: Report) -> None:
        """Take in how things stand."""
        super().see(report)
        if self.hears:
            self._notes.heard(self.acknowledged)
        self._notes.showed(self.text)
        self._notes.connected(there=self.connected)

    def notice(self) -> None:
        """Nothing: it was written down at the last look."""

    def stay_away(self) -> None:
        """Connect no more, and leave."""
        self._yjs.call("disconnect", client=self.name)

    def come_back(self) -> None:
        """Connect again."""
        self._yjs.call("connect", client=self.name)


class Crowd:
    """All typists of a session.

    Args:
        yjs: The Node process.
        history: Takes what they do.
        random: Decides when each types.
        clock: Tells the time in seconds, and never goes back.
    """

    def __init__(self, yjs: YjsProcess, history: History, random: Random) -> None:
        self.typists: list[Typist] = []
        self.yjs = yjs
        self.history = history
        self._random = random
        self._may_type = asyncio.Event()
        self._typing: set[str] = set()
        self._pace = 1
        self._in_node: list[YjsWriter] = []

    @property
    def typed(self) -> int:
        """How many tokens were typed, by everybody."""
        return sum(typist.typed for typist in self.typists)

    @property
    def texts(self) -> dict[str, str]:
        """What each of them showed when they were last looked at."""
        return {typist.author: typist.text for typist in self.typists}

    def add(self, typist: Typist) -> None:
        """Take somebody in."""
        self.typists.append(typist)
        if isinstance(typist, YjsWriter):
            self._in_node.append(typist)

    def go_on(self, typing: int, *, pace: int = 1) -> None:
        """Have so many of them type, whoever that is this time, and so many times as fast as usual."""
        self._pace = pace
        self._typing = {typist.author for typist in self._random.sample(self.typists, k=typing)}
        self._may_type.set()

    def pause(self) -> None:
        """Have nobody type."""
        self._may_type.clear()

    async def type_more(self, tokens: int) -> None:
        """Return when so many more tokens were typed."""
        enough = self.typed + tokens
        await wait_until(lambda: self.typed >= enough, what="more to be typed")

    async def look(self) -> None:
        """See how things stand at everybody."""
        await look(self.yjs, self._in_node)
        for typist in self.typists:
            typist.notice()

    async def at_rest(self) -> bool:
        """See whether everybody is connected, has everything acknowledged, and shows the same text."""
        await self.look()
        return all(typist.at_rest for typist in self.typists) and len(set(self.texts.values())) == 1

    async def run(self) -> None:
        """Type and look until cancelled.

        Raises:
            PromptClosed: Somebody was sent away for good.
            YjsFailed: Something was thrown in the Node process.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_looking())
            for typist in self.typists:
                group.create_task(self._type(typist, Random(self._random.random())))

    async def _type(self, typist: Typist, random: Random) -> None:
        while True:
            await asyncio.sleep(random.uniform(0, 2) / TOKENS_PER_SECOND / self._pace)
            await self._may_type.wait()
            pace = typist.acknowledged if typist.hears else typist.typed
            if typist.author in self._typing and typist.typed < pace + _AHEAD:
                await typist.type_one()

    async def _keep_looking(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(_LOOK_SECONDS)
            late = time.monotonic() - before - _LOOK_SECONDS
            if late > _STALL_SECONDS:
                self.history.add(Stalled(self.history.now, late))
            await self.look()


@asynccontextmanager
async def crowd(
    where: Where, prompt_id: UUID, people: Sequence[Person], *, history: History, random: Random
) -> AsyncIterator[Crowd]:
    """Open a prompt at everybody's client; nobody types yet.

    Args:
        where: The door.
        prompt_id: The prompt; its text is `first_text(AUTHORS)`.
        people: One for each of `AUTHORS`.
        history: Takes what they do.
        random: Decides who waits how long.
    """
    async with AsyncExitStack() as stack:
        yjs = await stack.enter_async_context(YjsProcess())
        opened = Crowd(yjs, history, random)
        for author, person in zip(AUTHORS, people, strict=True):
            opened.add(await _typist(author, person, where, prompt_id, opened, stack, Random(random.random())))
        yield opened


async def _typist(
    author: str,
    person: Person,
    where: Where,
    prompt_id: UUID,
    opened: Crowd,
    stack: AsyncExitStack,
    random: Random,
) -> Typist:
    if not author.startswith("python"):
        in_node = YjsTypist(author, opened.yjs, opened.history)
        in_node.connect(where.websocket_url, str(prompt_id), person.token, random)
        return in_node
    gate = asyncio.Event()
    gate.set()

    async def token_at_the_gate() -> str:
        await gate.wait()
        return person.token

    joining = connect(where.base_url, prompt_id, token=token_at_the_gate, leave_seconds=0, jitter=random)
    return PythonTypist(author, await stack.enter_async_context(joining), opened.history, gate)

"""Writers of all kinds in one prompt of a real server, typing as fast as they are acknowledged; and an observer.

The rule that all faults are held against: what was acknowledged is stored, what anybody saw is stored, and nothing is
ever there twice, out of order or damaged.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from uuid import UUID

import httpx2

from client.peer import connect
from persistence.store import Store
from server.access import Role
from tests.faults.tokens import assert_covers, first_text, read
from tests.faults.writers import PythonWriter, Writer, YjsWriter, look
from tests.support.people import Person, beside, invite
from tests.support.rest import Rest
from tests.support.server import ServerProcess
from tests.support.stored import rebuilt_text, text_in_yjs
from tests.support.waiting import wait_until
from tests.support.yjs import YjsProcess

AUTHORS = ("python-1", "python-2", "yjs-1", "yjs-2", "stock-1", "stock-2")
OBSERVER = "observer"
# So many of a writer's tokens may be unacknowledged; then the writer waits, as people do.
_WINDOW = 12
_RECOVERY_SECONDS = 60.0


class Scene:
    """The writers, the observer, and what is known of them.

    Args:
        server: The server, running.
        prompt_id: The prompt.
        yjs: The Node process.
        rest: REST as one of them.
        random: Decides who types next.
    """

    def __init__(self, server: ServerProcess, prompt_id: UUID, yjs: YjsProcess, rest: Rest, random: Random) -> None:
        self.server = server
        self.prompt_id = prompt_id
        self.rest = rest
        self.writers: list[Writer] = []
        self._yjs = yjs
        self._random = random
        self._in_node: list[YjsWriter] = []

    @property
    def typed(self) -> int:
        """How many tokens were typed, by everybody."""
        return sum(writer.typed for writer in self.writers)

    @property
    def acknowledged(self) -> dict[str, int]:
        """How many tokens of each author were acknowledged."""
        return {writer.author: writer.acknowledged for writer in self.writers if writer.author != OBSERVER}

    @property
    def extended(self) -> list[Writer]:
        """The writers who hear acknowledgements and room events."""
        return [writer for writer in self.writers if writer.hears]

    @property
    def observer(self) -> Writer:
        """Somebody who only looks."""
        return self.writers[-1]

    def add(self, writer: Writer) -> None:
        """Take a writer, or the observer, in."""
        self.writers.append(writer)
        if isinstance(writer, YjsWriter):
            self._in_node.append(writer)

    def more(self, tokens: int) -> Callable[[], bool]:
        """Return a condition: that so many tokens more were typed."""
        enough = self.typed + tokens
        return lambda: self.typed >= enough

    async def look(self) -> None:
        """See how things stand at everybody."""
        await look(self._yjs, self._in_node)

    async def type_until(self, done: Callable[[], bool], *, ahead: int = _WINDOW, filler: int = 0) -> None:
        """Have everybody type until something is so.

        Args:
            done: What.
            ahead: How far somebody may be ahead of the acknowledgements before they wait.
            filler: How many characters more each token has.
        """

        async def type_some() -> bool:
            for writer in self._random.sample(self.writers, k=len(self.writers)):
                if done():
                    return True
                if self._may_type(writer, ahead):
                    await writer.type_one(filler=filler)
            await self.look()
            return done()

        await wait_until(type_some, what="everybody to have typed enough", seconds=_RECOVERY_SECONDS)

    def _may_type(self, writer: Writer, ahead: int) -> bool:
        if writer.author == OBSERVER:
            return False
        # A stock client hears no acknowledgements: it keeps the pace of the others.
        pace = writer.acknowledged if writer.hears else min(other.acknowledged for other in self.extended)
        return writer.typed < pace + ahead

    async def check_after_death(self, store: Store) -> dict[str, int]:
        """Hold what is stored against what was acknowledged and seen; the server is dead. Returns what is stored."""
        await wait_until(self._nobody_is_connected, what="everybody to notice", seconds=_RECOVERY_SECONDS)
        stored = read(await rebuilt_text(store, self.prompt_id), AUTHORS)
        assert_covers("stored, of what was acknowledged", stored, self.acknowledged)
        for writer in self.writers:
            seen = read(writer.text, AUTHORS)
            assert seen.get(writer.author, writer.typed) == writer.typed, f"{writer.author} lost something of their own"
            of_others = {author: count for author, count in seen.items() if author != writer.author}
            assert_covers(f"stored, of what {writer.author} saw", stored, of_others)
        return stored

    async def recover(self) -> None:
        """Wait until everybody is back by themselves, saved, and shows the same; then hold that to the rule."""
        await wait_until(self._all_agree, what=f"everybody to recover: {self}", seconds=_RECOVERY_SECONDS)
        there = read(self.writers[0].text, AUTHORS)
        assert there == {writer.author: writer.typed for writer in self.writers if writer.author != OBSERVER}

    async def end(self) -> None:
        """Stop the server, and hold the journal against what everybody shows."""
        await self.recover()
        text = self.writers[0].text
        assert await self.server.terminate() == 0
        assert not self.server.complaints
        async with beside(self.server.database_url) as store:
            assert await rebuilt_text(store, self.prompt_id) == text
            assert await text_in_yjs(store, self.prompt_id, self._yjs) == text

    async def _nobody_is_connected(self) -> bool:
        await self.look()
        return not any(writer.connected for writer in self.writers)

    async def _all_agree(self) -> bool:
        await self.look()
        if not all(writer.at_rest for writer in self.writers) or len({writer.text for writer in self.writers}) > 1:
            return False
        return await self.rest.live(self.prompt_id) == self.writers[0].text

    def __str__(self) -> str:
        return "; ".join(
            f"{writer.author} typed {writer.typed}, acknowledged {writer.acknowledged}, connected {writer.connected}"
            for writer in self.writers
        )


@asynccontextmanager
async def scene(server: ServerProcess, random: Random) -> AsyncIterator[Scene]:
    """Open a prompt on a running server with every writer in it, and nothing typed yet."""
    people = await invite(server.database_url, *[Role.EDITOR] * (len(AUTHORS) + 1))
    async with AsyncExitStack() as stack:
        yjs = await stack.enter_async_context(YjsProcess())
        http = await stack.enter_async_context(httpx2.AsyncClient(trust_env=False))
        rest = Rest(http, server.base_url, people[0].token)
        prompt_id = await rest.new_prompt("Typing", first_text(AUTHORS))
        opened = Scene(server, prompt_id, yjs, rest, random)
        for author, person in zip([*AUTHORS, OBSERVER], people, strict=True):
            opened.add(await _writer(author, person, opened, stack, yjs, random))
        await opened.recover()
        yield opened


async def _writer(
    author: str, person: Person, opened: Scene, stack: AsyncExitStack, yjs: YjsProcess, random: Random
) -> Writer:
    server, prompt_id = opened.server, opened.prompt_id
    if not author.startswith("python"):
        in_node = YjsWriter(author, yjs, hears=author.startswith("yjs"))
        in_node.connect(server.websocket_url, str(prompt_id), person.token, random)
        return in_node
    joining = connect(server.base_url, prompt_id, token=person.token, leave_seconds=0, jitter=random, sleep=_hurry)
    return PythonWriter(author, await stack.enter_async_context(joining))


async def _hurry(seconds: float) -> None:
    """Wait a tenth of what a client is willing to wait, since these servers are back in a second."""
    await asyncio.sleep(seconds / 10)

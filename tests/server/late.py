"""Stores that answer late: what was done is done, and nobody hears of it yet. Nodes that are behind."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from uuid import UUID

from crdt.codec import encode
from crdt.diff import TextEdit
from crdt.document import Document
from crdt.messages import Update
from persistence.edits import Edit, Head, JournalEntry
from persistence.standings import Standing
from persistence.store import Store
from server.room import Room
from tests.server.street import Node, Street


class LateAnswers:
    """The store's journal: commits are made and not answered before it is told to, and a reading can be held up."""

    def __init__(self, store: Store) -> None:
        self._journal = store.journal
        self.late = False
        self.unanswered: list[tuple[asyncio.Future[int], asyncio.Future[int]]] = []
        self.next_read_waits_for: Awaitable[object] | None = None
        self.readings = 0
        store.journal = self  # type: ignore[assignment]

    def __getattr__(self, name: str) -> object:
        """Answer everything else as the journal does."""
        return getattr(self._journal, name)

    def append(
        self, prompt_id: UUID, edits: Sequence[Edit], bindings: Mapping[int, UUID] | None = None
    ) -> asyncio.Future[int]:
        """Append, and answer later if it is to be late."""
        made = self._journal.append(prompt_id, edits, bindings or {})
        if not self.late:
            return made
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.unanswered.append((made, answer))
        return answer

    async def read(self, prompt_id: UUID, *, after: int = 0, limit: int | None = None) -> list[JournalEntry]:
        """Read, behind what the next reading waits for."""
        awaited, self.next_read_waits_for = self.next_read_waits_for, None
        if awaited is not None:
            await awaited
        entries = await self._journal.read(prompt_id, after=after, limit=limit)
        self.readings += 1
        return entries

    @property
    def has_committed(self) -> bool:
        """Whether something is committed and not answered."""
        return bool(self.unanswered) and all(made.done() for made, _ in self.unanswered)

    async def answer(self) -> None:
        """Answer everything."""
        self.late = False
        unanswered, self.unanswered = self.unanswered, []
        for made, answer in unanswered:
            answer.set_result(await made)


class LateStandings:
    """The store's standings: read when they are asked for, and answered when it is told to."""

    def __init__(self, store: Store) -> None:
        self.may_answer = asyncio.Event()
        self.read = 0
        self._standing = store.accounts.standing
        store.accounts.standing = self._late  # type: ignore[method-assign]

    async def _late(self, organization_id: UUID, user_id: UUID, prompt_id: UUID | None = None) -> Standing | None:
        standing = await self._standing(organization_id, user_id, prompt_id)
        self.read += 1
        await self.may_answer.wait()
        return standing


class LateHeads:
    """The store's heads: read when they are asked for; the first answer comes when it is told to."""

    def __init__(self, store: Store) -> None:
        self.may_answer = asyncio.Event()
        self.asked = 0
        self.read = 0
        self._heads = store.journal.heads
        store.journal.heads = self._late  # type: ignore[method-assign]

    async def _late(self, prompt_ids: Sequence[UUID]) -> dict[UUID, Head]:
        self.asked += 1
        found = await self._heads(prompt_ids)
        self.read += 1
        await self.may_answer.wait()
        return found


def room_of(node: Node) -> Room:
    room = node.hub._rooms.get(node.house.prompt_id)  # noqa: SLF001 - nobody else has it
    assert room is not None
    return room


async def fall_behind(built: Street, text: str = "!") -> int:
    """Have something stored that only the first node hears of; answer how far the journal reaches."""
    built.exchange.loses = lambda *_: True
    anna = await built.nodes[0].open("anna")
    anna.type(text)
    await anna.saved()
    return await built.house.store.journal.head(built.house.prompt_id)


async def deletion(built: Street) -> bytes:
    """A frame that deletes the first letter: shown twice it changes nothing, so that nobody notices."""
    author = Document((await built.house.journal())[0])
    return encode(Update(author.edit([TextEdit(0, 1, "")])))


def inside(text: str) -> TextEdit:
    return TextEdit(len(text) - 1, len(text) - 1, "x")


async def held_back(built: Street) -> bytes:
    """A frame that builds on what nobody has stored."""
    author = Document((await built.house.journal())[0])
    author.edit([inside(author.text)])
    return encode(Update(author.edit([inside(author.text)])))


async def turns(count: int = 50) -> None:
    """Let the loop turn, far less than a commit takes."""
    for _ in range(count):
        await asyncio.sleep(0)

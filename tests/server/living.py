"""A hub over a real store, with sockets that are lists: what the tests of rooms and sessions stand on."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

from crdt.client_peer import ClientEvent, ClientPeer
from crdt.codec import decode_frame
from crdt.diff import TextEdit
from crdt.document import initial_state
from crdt.messages import Message
from persistence.edits import Edit
from persistence.errors import StoreError
from persistence.store import Store, migrate
from server.access import Principal, Role
from server.auth import Authenticator
from server.hub import Hub
from server.outbox import Frame
from server.session import Session
from tests.support.waiting import wait_until

SECRET = b"a secret of at least thirty-two bytes"
NEVER = 4e9
FIRST_CLIENT_ID = 1


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Answer the present."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class Socket:
    """A sink that keeps what was written until somebody reads it."""

    def __init__(self) -> None:
        self.pings = 0
        self.answers = True
        self.unread: list[bytes] = []
        self.closed_with: tuple[int, str] | None = None
        self.reading = True
        self.stuck_bytes = 0

    def write(self, frame: Frame) -> None:
        """Keep a frame."""
        self.unread.append(frame.payload)

    def close(self, code: int, reason: str) -> None:
        """Remember how it ended."""
        self.closed_with = (code, reason)

    @property
    def buffered_bytes(self) -> int:
        """How much nobody has read; set by hand where a test needs it."""
        return self.stuck_bytes

    def ping(self) -> bool:
        """Count it; `answers` says whether the other end is there."""
        self.pings += 1
        return self.answers

    def pause_reading(self) -> None:
        """Take no more."""
        self.reading = False

    def resume_reading(self) -> None:
        """Take more."""
        self.reading = True

    @property
    def close_code(self) -> int | None:
        """The code it was closed with."""
        return self.closed_with[0] if self.closed_with else None

    def take(self) -> list[bytes]:
        """Read everything that was written."""
        frames, self.unread = self.unread, []
        return frames

    def take_messages(self) -> list[Message]:
        """Read everything, decoded."""
        return [message for frame in self.take() for message in decode_frame(frame, max_bytes=1 << 30)]


class Tab:
    """A client with its session: a real client peer on a socket that is a list."""

    def __init__(self, hub: Hub, principal: Principal, everybody: "list[Tab]", *, extensions: bool = True) -> None:
        self._everybody = everybody
        everybody.append(self)
        self.socket = Socket()
        self.session = Session(self.socket, principal, hub, extensions=extensions)
        self.peer = ClientPeer()
        self.events: list[ClientEvent] = []
        self._hub = hub

    async def open(self, prompt_id: UUID, *, at_least: int = 0) -> "Tab":
        """Join the room and come up to date."""
        await self._hub.join(prompt_id, self.session, at_least=at_least)
        self.send(*self.peer.open())
        await wait_until(lambda: self.pump().peer.synced, what="the first sync")
        return self

    def send(self, *frames: bytes) -> None:
        """Send frames as the client."""
        for frame in frames:
            self.session.receive(frame)

    def pump(self) -> "Tab":
        """Let the client read what has come, and send its answers."""
        for frame in self.socket.take():
            self.events.extend(self.peer.receive(frame))
        self.send(*self.peer.data_to_send())
        return self

    def type(self, text: str, at: int | None = None) -> None:
        """Insert text, at the end where no place is given."""
        end = len(self.peer.text) if at is None else at
        self.peer.edit([TextEdit(end, end, text)])
        self.send(*self.peer.data_to_send())

    async def saved(self) -> None:
        """Wait until everything is acknowledged."""
        await wait_until(lambda: self._pump_all().peer.saved, what="everything to be acknowledged")

    async def shows(self, text: str) -> None:
        """Wait until the client shows this text."""
        await wait_until(lambda: self._pump_all().peer.text == text, what=f"the text {text!r}")

    def _pump_all(self) -> "Tab":
        for tab in self._everybody:
            tab.pump()
        return self

    def hang_up(self) -> None:
        """Lose the connection."""
        self.session.disconnected()
        self._hub.leave(self.session)
        self.peer.closed()


class HeldJournal:
    """The store's real journal behind a gate: appends wait until it opens, or fail."""

    def __init__(self, store: Store) -> None:
        self._journal = store.journal
        self.waiting: list[tuple[asyncio.Future[int], Callable[[], Awaitable[int]]]] = []
        self.held = False
        self.failure: Exception | None = None
        store.journal = self  # type: ignore[assignment]

    def __getattr__(self, name: str) -> object:
        """Answer everything else as the journal does."""
        return getattr(self._journal, name)

    def append(
        self, prompt_id: UUID, edits: Sequence[Edit], bindings: Mapping[int, UUID] | None = None
    ) -> asyncio.Future[int]:
        """Append, later if it is held."""
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if self.failure is not None:
            answer.set_exception(self.failure)
            return answer
        if not self.held:
            return self._journal.append(prompt_id, edits, bindings or {})
        self.waiting.append((answer, lambda: self._journal.append(prompt_id, edits, bindings or {})))
        return answer

    def probe(self, prompt_id: UUID) -> asyncio.Future[int]:
        """Probe; fails as an append would."""
        if self.failure is not None:
            answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            answer.set_exception(self.failure)
            return answer
        return self._journal.probe(prompt_id)

    async def release(self) -> None:
        """Let every waiting append through."""
        self.held = False
        waiting, self.waiting = self.waiting, []
        for answer, append in waiting:
            try:
                answer.set_result(await append())
            except StoreError as error:
                answer.set_exception(error)


class House:
    """A store with an organization, a prompt, and people of every role; a hub over it."""

    def __init__(self, store: Store, hub: Hub, clock: Clock, wall_clock: Clock) -> None:
        self.store = store
        self.hub = hub
        self.clock = clock
        self.wall_clock = wall_clock
        self.people: dict[str, Principal] = {}
        self.tabs: list[Tab] = []
        self.prompt_id = UUID(int=0)
        self.authenticator = hub._authenticator  # noqa: SLF001 - the tests issue tokens with the hub's own

    @classmethod
    async def build(
        cls,
        database_url: str,
        *,
        text: str = "",
        idle_unload_seconds: float = 60.0,
        version_after_quiet_seconds: float = 0.0,
    ) -> "House":
        """Migrate, open, and fill."""
        await migrate(database_url)
        store = await Store.open(database_url)
        clock, wall_clock = Clock(), Clock()
        authenticator = Authenticator(SECRET, store, wall_clock)
        hub = Hub(
            store,
            authenticator,
            clock=clock,
            wall_clock=wall_clock,
            idle_unload_seconds=idle_unload_seconds,
            version_after_quiet_seconds=version_after_quiet_seconds,
        )
        house = cls(store, hub, clock, wall_clock)
        await house._fill(text)
        return house

    async def _fill(self, text: str) -> None:
        first = await self.store.bootstrap()
        owner = first.owner
        self.people["owner"] = Principal(owner.id, first.organization.id, owner.name, None, Role.OWNER, NEVER)
        for name, role in (("anna", Role.EDITOR), ("ben", Role.EDITOR), ("vera", Role.VIEWER)):
            user = await self.store.accounts.create_user(name=name, email=f"{name}@example.org")
            await self.store.accounts.add_membership(first.organization.id, user.id, role.value)
            self.people[name] = Principal(user.id, first.organization.id, name, user.email, role, NEVER)
        prompt = await self.store.prompts.create(
            organization_id=first.organization.id,
            project_id=first.project.id,
            name="Greeting",
            state=initial_state(text, FIRST_CLIENT_ID),
            client_id=FIRST_CLIENT_ID,
            user_id=owner.id,
        )
        self.prompt_id = prompt.id

    def tab(self, name: str, *, extensions: bool = True) -> Tab:
        """A client of this person that is not connected yet."""
        return Tab(self.hub, self.people[name], self.tabs, extensions=extensions)

    async def open(self, name: str, *, extensions: bool = True) -> Tab:
        """A client of this person, in the room and up to date."""
        return await self.tab(name, extensions=extensions).open(self.prompt_id)

    async def journal(self) -> list[bytes]:
        """The updates that are stored."""
        return [entry.update for entry in await self.store.journal.read(self.prompt_id)]

    async def close(self) -> None:
        """Stop the hub and close the store."""
        await self.hub.drain(5.0)
        await self.store.close()

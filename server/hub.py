"""The sessions of this process and the rooms they are in; what the HTTP edge asks of a live prompt.

One ticker serves every session and every room: connections have no timers of their own.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from random import Random, SystemRandom
from typing import TYPE_CHECKING, Final

from persistence.edits import EditKind
from persistence.errors import StoreUnavailable as StoreIsUnavailable
from server import telemetry
from server.access import Role
from server.admission import read_submitted
from server.editing import EditResult, edit_room
from server.errors import Forbidden, Overloaded, Restarting, StoreUnavailable
from server.limits import MAX_CONNECTIONS
from server.room import Room
from server.rooms import Rooms
from server.tasks import Tasks
from server.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from uuid import UUID

    from crdt.diff import TextEdit
    from crdt.update import UpdateSummary
    from persistence.store import Store
    from server.access import Principal
    from server.auth import Authenticator
    from server.session import Session

_log = telemetry.get_logger(__name__)

TICK_SECONDS: Final = 1.0
# Clients of a stopping server come back spread over this many seconds, so that a deploy is no join storm.
COME_BACK_SECONDS: Final = (0.5, 3.0)
_CLOSE_RESTARTING: Final = 1012


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody in a room, however many connections they have."""

    user_id: UUID
    name: str
    role: Role
    connections: int


@dataclass(frozen=True, slots=True)
class LiveState:
    """A prompt as it stands now."""

    text: str
    head_seq: int
    epoch: int
    participants: tuple[Participant, ...]


class Hub:
    """All rooms of this process.

    Arguments: `store` holds the prompts; `authenticator` answers who bears a renewed token; `clock` answers seconds
    that only go forward, `wall_clock` seconds since the epoch; `idle_unload_seconds` is how long an empty room stays.
    """

    def __init__(
        self,
        store: Store,
        authenticator: Authenticator,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        idle_unload_seconds: float = 60.0,
        random: Random | None = None,
    ) -> None:
        self._authenticator = authenticator
        self._clock = clock
        self._wall_clock = wall_clock
        self._random = random or SystemRandom()
        self._tasks = Tasks()
        self._workers = Workers()
        self._rooms = Rooms(store, self._workers, self._tasks, clock=clock, idle_seconds=idle_unload_seconds)
        self._sessions: set[Session] = set()

    @property
    def rooms(self) -> int:
        """How many prompts are live."""
        return len(self._rooms)

    @property
    def awaits_store(self) -> bool:
        """Whether edits wait for a store that can perhaps be read, but does not take commits."""
        return self._rooms.await_store

    @property
    def connections(self) -> int:
        """How many sessions are open."""
        return len(self._sessions)

    # --- surroundings of a session ----------------------------------------------------------------------------------

    def now(self) -> float:
        """Answers seconds that only go forward."""
        return self._clock()

    def spawn(self, work: Coroutine[object, object, None], *, name: str) -> object:
        """Runs work; its failure is logged."""
        return self._tasks.spawn(work, name=name)

    async def read_heavy(self, update: bytes) -> UpdateSummary:
        """Reads a large update in a worker. Raises UpdateError, TooLarge and Overloaded."""
        return await self._workers.run(len(update), read_submitted, update)

    async def authenticate(self, token: str) -> Principal:
        """Answers who bears a token. Raises ServerError."""
        try:
            return await self._authenticator.principal(token)
        except StoreIsUnavailable as error:
            raise StoreUnavailable from error

    # --- life -------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Starts the ticker."""
        self._tasks.spawn(self._tick_forever(), name="ticker")

    def tick(self) -> None:
        """Does what time asks for, in every session and room."""
        now, wall_now = self._clock(), self._wall_clock()
        for session in [session for session in self._sessions if session.upkeep.due_at <= now]:
            session.tick(now, wall_now)
        self._rooms.tick(now)

    async def drain(self, deadline_seconds: float) -> None:
        """Stops: commits what is on its way, sends everybody away with a time to come back, and lets go of everything.

        Returns within the deadline even when the store hangs.
        """
        await self._rooms.drain(deadline_seconds)
        for session in list(self._sessions):
            self._send_away(session)
        self._rooms.close()
        await self._tasks.close()
        self._workers.close()

    async def _tick_forever(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.tick()

    def _send_away(self, session: Session) -> None:
        session.close(_CLOSE_RESTARTING, f"{self._random.uniform(*COME_BACK_SECONDS):.1f}")

    # --- joining ----------------------------------------------------------------------------------------------------

    async def join(self, prompt_id: UUID, session: Session) -> None:
        """Brings a session into the room of a prompt, which is loaded if need be. Raises ServerError."""
        if len(self._sessions) >= MAX_CONNECTIONS:
            message = f"This server has {MAX_CONNECTIONS:,} connections, its limit."
            raise Overloaded(message)
        if not session.is_closed:
            # Before the room is loaded, which takes time: a role that changes meanwhile, or an end, has to reach it.
            self._sessions.add(session)
        try:
            async with self._rooms.pinned(prompt_id) as room:
                if session.is_closed:
                    return
                room.join(session)
        except Restarting:
            self._send_away(session)
            return
        telemetry.CONNECTIONS_OPENED.inc()
        telemetry.CONNECTIONS.set(len(self._sessions))

    def leave(self, session: Session) -> None:
        """Forgets a session whose connection has ended."""
        self._sessions.discard(session)
        telemetry.CONNECTIONS.set(len(self._sessions))

    # --- for the API ------------------------------------------------------------------------------------------------

    async def live(self, prompt_id: UUID) -> LiveState:
        """Answers a prompt as it stands now. Raises PromptNotFound and StoreUnavailable."""
        async with self._rooms.pinned(prompt_id) as room:
            return LiveState(room.document.text, room.head_seq, room.epoch, _participants(room))

    async def edit(
        self,
        prompt_id: UUID,
        principal: Principal,
        make_edits: Callable[[str], Sequence[TextEdit]],
        *,
        base_seq: int | None = None,
        kind: EditKind = EditKind.API,
    ) -> EditResult:
        """Makes one attributed edit; it is committed and shown when this returns. Raises EditConflict and others."""
        async with self._rooms.pinned(prompt_id) as room:
            return await edit_room(room, self._workers, principal, make_edits, base_seq=base_seq, kind=kind)

    def publish(self, prompt_id: UUID, event: dict[str, object]) -> None:
        """Sends a room event to everybody who is in the prompt."""
        room = self._rooms.get(prompt_id)
        if room is not None:
            room.publish(event)

    async def role_changed(self, organization_id: UUID, user_id: UUID, role: Role | None) -> None:
        """Lets open sessions follow their membership; `role` None means that it ended."""
        for session in list(self._sessions):
            principal = session.principal
            if (principal.organization_id, principal.user_id) != (organization_id, user_id):
                continue
            if role is None:
                session.fail(Forbidden("You are no longer a member of this organization."))
            else:
                session.role_changed(role)

    async def prompt_deleted(self, prompt_id: UUID) -> None:
        """Closes everybody's session in a prompt that is gone."""
        await self._rooms.forget_prompt(prompt_id)


def _participants(room: Room) -> tuple[Participant, ...]:
    present: dict[UUID, Participant] = {}
    for member in room.members:
        principal = member.principal
        before = present.get(principal.user_id)
        present[principal.user_id] = Participant(
            principal.user_id, principal.name, principal.role, (before.connections if before else 0) + 1
        )
    return tuple(sorted(present.values(), key=lambda each: each.name.casefold()))

"""The sessions of this process and the rooms they are in; what the HTTP edge asks of a live prompt.

One ticker serves every session and every room: connections have no timers of their own. What concerns sessions and
prompts wherever they are is told to the other nodes, too; what a node has not heard, because it or the bus was away, it
looks up in the store.
"""

from __future__ import annotations

import asyncio
import time
from random import Random, SystemRandom
from typing import TYPE_CHECKING, Final

from persistence.edits import EditKind
from persistence.errors import StoreError
from persistence.errors import StoreUnavailable as StoreIsUnavailable
from server import telemetry
from server.access import Role, lower_role
from server.admission import read_submitted
from server.bus import InProcessBus
from server.editing import EditResult, edit_room
from server.envelope import PromptDeleted, RoleChanged
from server.errors import Forbidden, Overloaded, Restarting, StoreUnavailable
from server.history.past import Past
from server.life import Timing
from server.limits import MAX_CONNECTIONS
from server.live_state import LiveState, live_state
from server.nodes import Nodes
from server.pulse import Pulse
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
    from server.bus import Bus
    from server.envelope import NodeMessage
    from server.session import Session

_log = telemetry.get_logger(__name__)

TICK_SECONDS: Final = 1.0
# Clients of a stopping server come back spread over this many seconds, so that a deploy is no join storm.
COME_BACK_SECONDS: Final = (0.5, 3.0)
# Where other nodes are up there is somebody to come back to at once.
COME_BACK_TO_OTHERS_SECONDS: Final = (0.05, 1.0)
# How often open sessions are held against the store's memberships: what was told and not heard.
MEMBERSHIPS_SECONDS: Final = 30.0
MEMBERSHIPS_SECONDS_WITHOUT_BUS: Final = 5.0
_CLOSE_RESTARTING: Final = 1012


class Hub:
    """All rooms of this process.

    Arguments: `store` holds the prompts; `authenticator` answers who bears a renewed token; `nodes` are this process
    and the others, nobody else where it is None; `clock` answers seconds that only go forward, `wall_clock` seconds
    since the epoch; `idle_unload_seconds` is how long an empty room stays; after `version_after_quiet_seconds` without
    an edit a version is made, never where it is 0.
    """

    def __init__(
        self,
        store: Store,
        authenticator: Authenticator,
        *,
        nodes: Nodes | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        idle_unload_seconds: float = 60.0,
        version_after_quiet_seconds: float = 0.0,
        random: Random | None = None,
    ) -> None:
        self._authenticator = authenticator
        self._clock = clock
        self._wall_clock = wall_clock
        self._random = random or SystemRandom()
        self._tasks = Tasks()
        self._workers = Workers()
        self._store = store
        self._nodes = nodes or Nodes(InProcessBus(), b"", clock)
        self._pulse = Pulse(clock, wall_clock)
        # With a process of its own: nobody who types or comes waits for what was written long ago.
        self.past = Past(store, Workers())
        timing = Timing(clock, wall_clock, idle_unload_seconds, version_after_quiet_seconds)
        self._rooms = Rooms(store, self._workers, self._tasks, self._nodes, self._pulse, self.past, timing)
        self._sessions: set[Session] = set()
        self._review_due_at = clock() + MEMBERSHIPS_SECONDS
        self._reviewing = False
        self._memberships_known = True
        # What was told of memberships while all are being reviewed: what was read of them may be older, or newer.
        self._told: dict[tuple[UUID, UUID], Role | None] = {}

    @property
    def rooms(self) -> int:
        """How many prompts are live."""
        return len(self._rooms)

    @property
    def awaits_store(self) -> bool:
        """Whether edits wait for a store that can perhaps be read, but does not take commits."""
        return self._rooms.await_store

    @property
    def bus(self) -> Bus:
        """What carries edits between servers."""
        return self._nodes.bus

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
        """Starts the ticker, and listens to the other nodes."""
        await self._nodes.start(self)
        self._tasks.spawn_forever(self._tick_soon, name="ticker")
        if self._nodes.are_many:
            self._tasks.spawn_forever(self._rooms.follow, name="follower")

    def tick(self) -> None:
        """Does what time asks for, in every session and room."""
        now, wall_now = self._clock(), self._wall_clock()
        for session in [session for session in self._sessions if session.upkeep.due_at <= now]:
            session.tick(now, wall_now)
        self._rooms.tick(now)
        self._nodes.tick()
        if self._nodes.are_many and (self._pulse.beat() or now >= self._review_due_at) and not self._reviewing:
            self._reviewing = True
            self._tasks.spawn(self._review_memberships(), name="review_memberships")

    async def drain(self, deadline_seconds: float) -> None:
        """Stops: commits what is on its way, sends everybody away with a time to come back, and lets go of everything.

        Returns within the deadline even when the store hangs.
        """
        await self._rooms.drain(deadline_seconds)
        for session in list(self._sessions):
            self._send_away(session)
        self._rooms.close()
        await self._nodes.close()
        await self._tasks.close()
        self._workers.close()
        self.past.close()

    async def _tick_soon(self) -> None:
        await asyncio.sleep(TICK_SECONDS)
        self.tick()

    def _send_away(self, session: Session) -> None:
        seconds = COME_BACK_TO_OTHERS_SECONDS if self._nodes.others else COME_BACK_SECONDS
        session.close(_CLOSE_RESTARTING, f"{self._random.uniform(*seconds):.2f}")

    # --- joining ----------------------------------------------------------------------------------------------------

    async def join(self, prompt_id: UUID, session: Session, *, at_least: int = 0) -> None:
        """Brings a session into the room of a prompt, which is loaded if need be. Raises ServerError.

        Arguments: `at_least` is the seq up to which the room has to show the journal before anybody comes in.
        """
        if len(self._sessions) >= MAX_CONNECTIONS:
            message = f"This server has {MAX_CONNECTIONS:,} connections, its limit."
            raise Overloaded(message)
        if not session.is_closed:
            # Before the room is loaded, which takes time: a role that changes meanwhile, or an end, has to reach it.
            self._sessions.add(session)
        try:
            async with self._rooms.pinned(prompt_id, at_least=at_least) as room:
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

    async def live(self, prompt_id: UUID, *, at_least: int = 0) -> LiveState:
        """Answers a prompt as it stands now, and not before a seq. Raises PromptNotFound and StoreUnavailable."""
        async with self._rooms.pinned(prompt_id, at_least=at_least) as room:
            return live_state(room)

    async def edit(
        self,
        prompt_id: UUID,
        principal: Principal,
        make_edits: Callable[[str], Sequence[TextEdit]],
        *,
        base_seq: int | None = None,
        kind: EditKind = EditKind.API,
        at_least: int = 0,
        client_id: int | None = None,
    ) -> EditResult:
        """Makes one attributed edit; it is committed and shown when this returns. Raises EditConflict and others.

        Arguments: `at_least` is the seq up to which the text has to be shown before it is edited; `client_id` is the
        one it is made under, nobody's yet where it is None.
        """
        async with self._rooms.pinned(prompt_id, at_least=at_least) as room:
            return await edit_room(
                room, self._workers, principal, make_edits, base_seq=base_seq, kind=kind, client_id=client_id
            )

    def publish(self, prompt_id: UUID, event: dict[str, object]) -> None:
        """Sends a room event to everybody who is in the prompt, on whatever node."""
        self._rooms.publish(prompt_id, event)

    async def role_changed(self, organization_id: UUID, user_id: UUID, role: Role | None) -> None:
        """Lets open sessions follow their membership, here and elsewhere; `role` None means that it ended."""
        self._nodes.tell_all(RoleChanged(organization_id, user_id, role))
        self._hear_of_membership(organization_id, user_id, role)

    async def prompt_deleted(self, prompt_id: UUID) -> None:
        """Closes everybody's session in a prompt that is gone, here and elsewhere."""
        self._nodes.tell_all(PromptDeleted(prompt_id))
        await self._rooms.forget_prompt(prompt_id)

    # --- other nodes ------------------------------------------------------------------------------------------------

    def heard(self, _: UUID, message: NodeMessage) -> None:
        """Takes what another node says to all."""
        match message:
            case RoleChanged(organization_id=organization_id, user_id=user_id, role=role):
                self._hear_of_membership(organization_id, user_id, role)
            case PromptDeleted(prompt_id=prompt_id):
                self._tasks.spawn(self._rooms.forget_prompt(prompt_id), name="forget_prompt")
            case _:
                pass

    def node_gone(self, node_id: UUID) -> None:
        """Takes it that nobody is on a node any more."""
        self._rooms.node_gone(node_id)

    def bus_changed(self, *, is_up: bool) -> None:
        """Looks for what may have been missed."""
        self._review_due_at = self._clock()
        self._rooms.bus_changed(is_up=is_up)

    def _hear_of_membership(self, organization_id: UUID, user_id: UUID, role: Role | None) -> None:
        if self._reviewing:
            self._told[organization_id, user_id] = role
        self._follow_membership(organization_id, user_id, role)

    def _follow_membership(self, organization_id: UUID, user_id: UUID, role: Role | None) -> None:
        for session in list(self._sessions):
            principal = session.principal
            if (principal.organization_id, principal.user_id) == (organization_id, user_id):
                _follow(session, role)

    async def _review_memberships(self) -> None:
        """Holds every open session against its membership as it is now; nothing is current before that is done."""
        absences = self._pulse.absences
        try:
            members = {(each.principal.organization_id, each.principal.user_id) for each in self._sessions}
            standings = await asyncio.gather(*(self._store.accounts.standing(*member) for member in members))
            for member, standing in zip(members, standings, strict=True):
                role = Role(standing.role) if standing is not None else None
                told = self._told.get(member, role)
                # The lower one counts, until the next review, which follows at once, knows which was the last.
                lower = lower_role(role, told) if role is not None and told is not None else None
                self._follow_membership(*member, lower)
            if not self._pulse.is_current() and self._pulse.absences == absences:
                self._pulse.renewed()
                self._rooms.bus_changed(is_up=self._nodes.bus.is_up)
            seconds = MEMBERSHIPS_SECONDS if self._nodes.bus.is_up else MEMBERSHIPS_SECONDS_WITHOUT_BUS
            self._review_due_at = self._clock() + (0 if self._told else seconds)
            self._memberships_known = True
        except StoreError as error:
            if self._memberships_known:
                _log.warning("memberships_unknown", reason=str(error))
            self._memberships_known = False
        finally:
            self._reviewing = False
            self._told.clear()


def _follow(session: Session, role: Role | None) -> None:
    principal = session.principal
    if role is None:
        session.fail(Forbidden("You are no longer a member of this organization."))
    elif lower_role(role, principal.role_cap) is not principal.role:
        session.role_changed(role)

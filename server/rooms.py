"""The life of the rooms of this process: loaded once, rebuilt after a doubt, checkpointed, unloaded when idle.

However many come for a prompt at once, it is loaded once. A room that has thrown its memory away is rebuilt from the
store until that works; meanwhile nobody can join it, and those inside keep their edits. A room that is unloading is
waited for, so that a prompt never has two rooms here. What other nodes say of a prompt is listened to before the prompt
is loaded, so that nothing falls between the two.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from crdt.errors import CrdtError, EngineFailure
from persistence.errors import StoreError
from server import telemetry
from server.checkpointing import Checkpointing
from server.compactor import Compactor
from server.envelope import RelayedEvent
from server.errors import PromptNotFound, Restarting, ServerError, StoreUnavailable, Unavailable
from server.follower import Follower
from server.history.quiet import QuietVersions
from server.life import Doubt, RoomState
from server.look_ahead import LookAhead
from server.rebuild import load_prompt
from server.rebuilding import Rebuilding
from server.room import Room

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from uuid import UUID

    from persistence.store import Store
    from server.envelope import NodeMessage
    from server.history.past import Past
    from server.life import Timing
    from server.membership import Submission
    from server.nodes import Nodes
    from server.pulse import Pulse
    from server.tasks import Tasks
    from server.workers import Workers

_log = telemetry.get_logger(__name__)

# Heard of a prompt while it is loaded: some seconds of busy typing. What does not fit is read from the journal.
EARLY_MESSAGES: Final = 1_000


class Rooms:
    """Every live prompt; the keeper of their rooms.

    Arguments: `nodes` are this node and the others; `pulse` tells whether this process was away; `past` makes
    keyframes; `timing` says when what is done.
    """

    def __init__(
        self,
        store: Store,
        workers: Workers,
        tasks: Tasks,
        nodes: Nodes,
        pulse: Pulse,
        past: Past,
        timing: Timing,
    ) -> None:
        self._store = store
        self._workers = workers
        self._tasks = tasks
        self._nodes = nodes
        # Asked several times for each flush, and it never changes.
        self.are_many = nodes.are_many
        self._pulse = pulse
        self._clock = clock = timing.clock
        self._idle_seconds = timing.idle_seconds
        self._rebuilding = Rebuilding(store, workers, is_current=self.is_current, on_gone=self.forget)
        self._checkpoints = Checkpointing(Compactor(store, workers), past, tasks, clock)
        self._follower = Follower(store, workers, tasks, nodes, on_gone=self._gone)
        self._look_ahead = LookAhead(store, tasks)
        self._quiet = QuietVersions(store, tasks, self.publish, timing)
        self._live: dict[UUID, Room] = {}
        self._loading: dict[UUID, asyncio.Task[Room]] = {}
        self._unloading: dict[UUID, asyncio.Task[None]] = {}
        self._early: dict[UUID, list[tuple[UUID, NodeMessage]]] = {}
        self._stopping = False

    def __len__(self) -> int:
        """How many prompts are live."""
        return len(self._live)

    def get(self, prompt_id: UUID) -> Room | None:
        """Answers the room of a prompt if it is live."""
        return self._live.get(prompt_id)

    @property
    def await_store(self) -> bool:
        """Whether a room waits for a store that does not take commits; it tries until the store does."""
        return any(room.awaits_store for room in self._live.values())

    def tick(self, now: float) -> None:
        """Expires presence, and looks after what is quiet or idle; `now` in the seconds of the clock."""
        for room in list(self._live.values()):
            room.presence.expire()
            self._quiet.look(room, now)
            if self._is_idle(room, now):
                self._unloading[room.prompt_id] = self._tasks.spawn(self._unload(room), name="unload_room")

    @asynccontextmanager
    async def pinned(self, prompt_id: UUID, *, at_least: int = 0) -> AsyncGenerator[Room]:
        """A live room that is not unloaded meanwhile, and shows at least what is in the journal up to a seq.

        Raises PromptNotFound, StoreUnavailable, Restarting.
        """
        room = await self._live_room(prompt_id)
        room.pins += 1
        try:
            # Whoever comes may have seen on another node what was not heard of here yet, and builds on it.
            await room.reach(at_least)
            if room.state is not RoomState.LIVE:
                # It got there, and was lost or closed in the same turn: nobody would ever hear of it again.
                raise Restarting if self._stopping else StoreUnavailable
            yield room
        except EngineFailure as error:
            room.doubt(Doubt.ENGINE)
            message = "The prompt is being rebuilt: try again in a moment."
            raise Unavailable(message) from error
        finally:
            room.pins -= 1

    def publish(self, prompt_id: UUID, event: dict[str, object]) -> None:
        """Sends a room event to everybody who is in a prompt, here and on other nodes."""
        room = self._live.get(prompt_id)
        if room is not None:
            room.publish(event)
        self._nodes.tell(prompt_id, RelayedEvent(event))

    async def forget_prompt(self, prompt_id: UUID) -> None:
        """Closes the room of a prompt that is gone, also one that is only being loaded."""
        loading = self._loading.get(prompt_id)
        if loading is not None:
            await asyncio.wait([loading])
        room = self._live.get(prompt_id)
        if room is not None:
            self.forget(room, PromptNotFound())

    def forget(self, room: Room, error: ServerError) -> None:
        """Closes a room for good; whoever is in it is closed with the error."""
        if self._live.get(room.prompt_id) is room:
            del self._live[room.prompt_id]
            self._quiet.forget(room.prompt_id)
            self._stop_listening(room.prompt_id)
        room.close(error)
        telemetry.ROOMS.set(len(self._live))

    async def drain(self, deadline_seconds: float) -> None:
        """Admits nothing more, and commits, shows and acknowledges what was admitted, within a deadline."""
        self._stopping = True
        try:
            async with asyncio.timeout(deadline_seconds):
                await asyncio.gather(*(room.drain() for room in list(self._live.values())))
        except TimeoutError:
            _log.warning("drain_incomplete", rooms=len(self._live), deadline_seconds=deadline_seconds)

    def close(self) -> None:
        """Closes every room."""
        for room in list(self._live.values()):
            self.forget(room, Restarting())

    # --- what the rooms ask of their keeper --------------------------------------------------------------------------

    @property
    def node_id(self) -> UUID:
        """Which node this is."""
        return self._nodes.node_id

    def is_current(self) -> bool:
        """Whether this process may act on what it knows; a lone server is told nothing by others in any case."""
        return not self.are_many or self._pulse.is_current()

    def tell(self, prompt_id: UUID, message: NodeMessage) -> None:
        """Says something to the other nodes on which a prompt is live."""
        self._nodes.tell(prompt_id, message)

    def is_behind(self, room: Room) -> None:
        """Has a room read what it has not shown, unless it comes by itself."""
        self._follower.is_behind(room)

    def look_ahead(self, room: Room, submission: Submission | None = None) -> bool:
        """Looks how far the journal is, and hands the submission in again then; answers whether that can help."""
        return self.are_many and self._look_ahead.ask(room, submission)

    def doubted(self, room: Room) -> None:
        """Has a room rebuilt that has lost its memory."""
        self._tasks.spawn(self._rebuilding.until_live(room), name="rebuild_room")

    def after_commit(self, room: Room) -> None:
        """Writes a checkpoint when it is due."""
        self._checkpoints.after_commit(room)

    # --- other nodes --------------------------------------------------------------------------------------------------

    async def follow(self) -> None:
        """Holds the rooms against the journal when it is time."""
        await self._follower.follow(self._live.values)

    def bus_changed(self, *, is_up: bool) -> None:
        """The bus was lost, or is back: then everybody says anew who is where, and what was missed is looked for."""
        self._follower.bus_changed()
        if is_up:
            for room in list(self._live.values()):
                room.presence.announce(asks=True)

    def node_gone(self, node_id: UUID) -> None:
        """Nobody is in the rooms of a node any more."""
        for room in list(self._live.values()):
            room.presence.forget_node(node_id)

    def _hear(self, prompt_id: UUID, node_id: UUID, message: NodeMessage) -> None:
        room = self._live.get(prompt_id)
        if room is not None:
            self._follower.hear(room, node_id, message)
        elif (early := self._early.get(prompt_id)) is not None and len(early) < EARLY_MESSAGES:
            early.append((node_id, message))

    def _gone(self, prompt_id: UUID) -> None:
        self._tasks.spawn(self.forget_prompt(prompt_id), name="forget_prompt")

    def _stop_listening(self, prompt_id: UUID) -> None:
        self._nodes.forget(prompt_id)
        self._follower.forget(prompt_id)

    # --- loading ----------------------------------------------------------------------------------------------------

    async def _live_room(self, prompt_id: UUID) -> Room:
        while True:
            if self._stopping:
                raise Restarting
            room = self._live.get(prompt_id) or await self._load_once(prompt_id)
            if room.state is RoomState.LIVE:
                return room
            if room.state is RoomState.LOADING:
                await self._rebuilding.wait_for(room)
                continue
            unloading = self._unloading.get(prompt_id)
            if unloading is not None:
                await asyncio.shield(unloading)

    async def _load_once(self, prompt_id: UUID) -> Room:
        """One of those who come loads; when that one gives up the others still get their room."""
        loading = self._loading.get(prompt_id)
        if loading is None:
            loading = asyncio.get_running_loop().create_task(self._load(prompt_id), name="load_room")
            self._loading[prompt_id] = loading
        return await asyncio.shield(loading)

    async def _load(self, prompt_id: UUID) -> Room:
        early = self._early[prompt_id] = []
        room: Room | None = None
        try:
            await self._nodes.listen(prompt_id, partial(self._hear, prompt_id))
            room = await self._read(prompt_id)
        finally:
            del self._loading[prompt_id], self._early[prompt_id]
            if room is None:
                self._stop_listening(prompt_id)
        self._live[prompt_id] = room
        telemetry.ROOMS.set(len(self._live))
        room.presence.announce(asks=True)
        for node_id, message in early:
            self._follower.hear(room, node_id, message)
        return room

    async def _read(self, prompt_id: UUID) -> Room:
        try:
            stored = await load_prompt(self._store, self._workers, prompt_id)
        except StoreError as error:
            raise StoreUnavailable(str(error)) from error
        except CrdtError as error:
            _log.error("prompt_unreadable", prompt_id=str(prompt_id), reason=str(error))
            message = "What is stored of this prompt cannot be read: see the server's log."
            raise Unavailable(message) from error
        if self._stopping:
            raise Restarting
        return Room(stored, self._store, self, clock=self._clock)

    # --- unloading --------------------------------------------------------------------------------------------------

    def _is_idle(self, room: Room, now: float) -> bool:
        if room.state is not RoomState.LIVE or room.members or room.pins or room.prompt_id in self._unloading:
            return False
        if room.idle_since is None:
            room.idle_since = now
        return now - room.idle_since >= self._idle_seconds

    async def _unload(self, room: Room) -> None:
        try:
            # Somebody may have come in the turn of the loop in which this was started.
            if not (room.members or room.pins):
                await self._drain_and_forget(room)
        finally:
            self._unloading.pop(room.prompt_id, None)

    async def _drain_and_forget(self, room: Room) -> None:
        try:
            await room.drain()
            await self._checkpoints.before_unload(room)
            await self._quiet.before_unload(room)
        finally:
            self.forget(room, PromptNotFound())

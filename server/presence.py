"""Who is in a room, and where their cursors are. Never stored, and the first thing that gives way under load.

Rules
    1. A state is stamped with the identity of the principal: nobody appears under another's name.
    2. A client id belongs to the connection that announced it first. It passes to another connection of the same user
       only with a newer clock, which is how a client comes back before its old connection was found dead; whoever
       merely repeats what was heard (stock providers do) changes nothing.
    3. What changed is sent once a turn, merged, and at most once in `PRESENCE_SECONDS`.
    4. A closed connection takes its states with it; a state that is not renewed expires.

Among nodes
    5. A node tells the others what its own connections hold, never what it has heard. Only the node that claims a
       client id takes the claim back: what another says of an old connection of a client that has moved cannot remove
       the new one.
    6. A connection gets no client id that is held on another node, but by rule 2. Where two nodes could not know of
       each other's claims the same one counts everywhere: that of the user who has held the id for longer; of one
       user's, that with the newest clock, then the later claim, then that of the higher node.
    7. A node whose claim does not count gives way: it takes it back, and its connection has to announce itself anew.
    8. A node that is gone, or says nothing for long, takes everything with it that it has said.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from uuid import UUID

from crdt.awareness import AwarenessEntry, AwarenessStates, encode_awareness, read_awareness
from crdt.messages import AwarenessUpdate
from server.announcer import SILENCE_SECONDS, Announcer
from server.appearance import identity
from server.attendance import Attendant, Participant
from server.holders import Holder, Holders
from server.limits import AWARENESS_TIMEOUT_SECONDS, MAX_AWARENESS_ENTRIES, MAX_AWARENESS_STATE_BYTES
from server.outbox import Frame
from server.presence_elsewhere import PresenceElsewhere, prevailing
from server.presence_report import Claim, read_report

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping


# A cursor that moves 25 times a second looks smooth; more only costs the readers.
PRESENCE_SECONDS: Final = 0.04
# In the largest rooms cursors move less smoothly, so that writing to all leaves time for edits.
PRESENCE_SECONDS_PER_READER: Final = 100e-6
# One tab has one client id; a provider that reloads its document takes another now and then.
MAX_PRESENT_CLIENTS_PER_CONNECTION: Final = 8

_ALONE: Final = UUID(int=0)


class Presence:
    """The presence of one room.

    Arguments: `clock` answers the seconds that states expire by; `broadcast` sends a frame to every reader that keeps
    up and answers to how many; `bindings` answers the user that each client id is bound to by its edits; `publish`
    hands a payload to the other nodes, None where there are none; `node_id` is what they call this one; `wall_clock`
    answers seconds since the epoch.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        clock: Callable[[], float],
        broadcast: Callable[[Frame], int],
        bindings: Callable[[], Mapping[int, UUID]],
        publish: Callable[[bytes], None] | None = None,
        node_id: UUID = _ALONE,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._loop = loop
        self._broadcast = broadcast
        self._readers = 0
        self._bindings = bindings
        self._node_id = node_id
        self._wall_clock = wall_clock
        self._states = AwarenessStates(clock=clock)
        self._holders = Holders()
        self._changed: dict[int, AwarenessEntry] = {}
        self._elsewhere = PresenceElsewhere(clock)
        self._announcer = Announcer(publish, clock) if publish is not None else None
        self._timer: asyncio.Handle | None = None
        self._sent_at = 0.0
        self._everybody: Frame | None = None
        self._closed = False

    # --- connections of this node -----------------------------------------------------------------------------------

    def join(self, attendant: Attendant) -> None:
        """A connection has come into the room; the other nodes are told."""
        if self._announcer is not None:
            self._announcer.attendance.joined(attendant)
            self._schedule()

    def receive(self, attendant: Attendant, payload: bytes) -> None:
        """Takes what a connection says of itself. Raises AwarenessError for a malformed payload."""
        entries = read_awareness(payload, max_entries=MAX_AWARENESS_ENTRIES, max_state_bytes=MAX_AWARENESS_STATE_BYTES)
        for entry in entries:
            if self._may_speak_for(attendant, entry):
                self._take(attendant, entry)
        self._schedule()

    def leave(self, attendant: Attendant) -> None:
        """Removes the states of a connection that has closed."""
        for client_id in self._holders.held_by(attendant):
            self._let_go(client_id)
            self._settle(client_id)
        if self._announcer is not None:
            self._announcer.attendance.left(attendant)
        self._schedule()

    # --- other nodes ------------------------------------------------------------------------------------------------

    def hear(self, node_id: UUID, payload: bytes) -> None:
        """Takes what another node says of its connections. Raises AwarenessError for a malformed payload."""
        if self._announcer is None:
            return
        report = read_report(payload, node_id)
        changed = self._elsewhere.hear(node_id, report)
        if changed is None:
            self._announcer.ask()
        for client_id in changed or ():
            self._settle(client_id)
        if report.asks:
            self._announcer.tell_everything()
        self._schedule()

    def forget_node(self, node_id: UUID) -> None:
        """Removes everything that a node has said, which is gone."""
        for client_id in self._elsewhere.forget(node_id):
            self._settle(client_id)
        self._schedule()

    def announce(self, *, asks: bool = False) -> None:
        """Tells the other nodes everything, soon; `asks` has them do the same."""
        if self._announcer is not None:
            self._announcer.tell_everything(asks=asks)
            self._schedule()

    def participants_elsewhere(self) -> list[Participant]:
        """Answers who is in the room on other nodes; somebody who is on several of them comes several times."""
        return self._elsewhere.participants()

    # --- everybody --------------------------------------------------------------------------------------------------

    def everybody(self) -> Frame | None:
        """Answers the states of all, for one who has just come; None when the room is empty.

        What has changed since the last flush may be missing: the next one brings it to everybody in the room.
        """
        if self._everybody is None and len(self._states):
            self._everybody = Frame.of(AwarenessUpdate(encode_awareness(self._states.entries())))
        return self._everybody

    def user_of(self, client_id: int) -> UUID | None:
        """Answers who is here under a client id, on whichever node."""
        holder = self._holders.get(client_id)
        return holder.user_id if holder is not None else None

    def expire(self) -> None:
        """Removes what nobody renewed: states, and nodes; called every second or so."""
        for gone in self._states.expire(AWARENESS_TIMEOUT_SECONDS):
            self._let_go(gone.client_id)
            self._elsewhere.drop(gone.client_id)
            self._tell(gone)
        if self._announcer is not None:
            for node_id in self._elsewhere.silent(SILENCE_SECONDS):
                self.forget_node(node_id)
            self._announcer.look_around()
        self._schedule()

    def close(self) -> None:
        """Takes back what the other nodes were told, and says nothing any more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._announcer is not None:
            self._announcer.farewell()

    # --- who holds which client id ----------------------------------------------------------------------------------

    def _may_speak_for(self, attendant: Attendant, entry: AwarenessEntry) -> bool:
        user_id = attendant.principal.user_id
        holder = self._holders.get(entry.client_id)
        if holder is None:
            return (
                entry.state is not None
                and self._bindings().get(entry.client_id, user_id) == user_id
                and len(self._holders.held_by(attendant)) < MAX_PRESENT_CLIENTS_PER_CONNECTION
            )
        if holder.attendant is attendant:
            return True
        if holder.user_id != user_id or not self._is_newer(entry):
            return False
        # A farewell is heard where the client is; the other node would repeat what it still holds.
        return holder.attendant is not None or entry.state is not None

    def _is_newer(self, entry: AwarenessEntry) -> bool:
        known = self._states.get(entry.client_id)
        return known is None or entry.clock > known.clock

    def _take(self, attendant: Attendant, entry: AwarenessEntry) -> None:
        stamped = self._stamp(attendant, entry)
        if not self._states.apply([stamped]):
            return
        self._tell(stamped)
        holder = self._holders.get(entry.client_id)
        if entry.state is None:
            self._let_go(entry.client_id)
            self._settle(entry.client_id)
        elif holder is None or holder.attendant is not attendant:
            self._hand_over(entry.client_id, holder, attendant)
        elif self._announcer is not None:
            self._announcer.changed(entry.client_id)

    def _hand_over(self, client_id: int, before: Holder | None, attendant: Attendant) -> None:
        """Gives a client id to a connection of this node; its user holds it from their first connection on."""
        since = before.since if before is not None else int(self._wall_clock() * 1000)
        self._holders.give(client_id, Holder(attendant.principal.user_id, since, attendant))
        if self._announcer is not None:
            self._announcer.changed(client_id)

    def _let_go(self, client_id: int) -> None:
        """Takes a client id from whoever holds it."""
        if self._holders.take(client_id) and self._announcer is not None:
            self._announcer.changed(client_id)

    def _settle(self, client_id: int) -> None:
        """Shows whose claim counts, of all that there are."""
        ours = self._claim(client_id)
        claims = self._elsewhere.claims(client_id)
        best = prevailing([*claims, ours] if ours is not None else claims)
        if best is None:
            self._let_go(client_id)
            for gone in self._states.remove([client_id]):
                self._tell(gone)
        elif best is not ours:
            self._let_go(client_id)
            self._holders.give(client_id, Holder(best.user_id, best.since, None))
            self._show(best.entry)

    def _claim(self, client_id: int) -> Claim | None:
        """Answers what a connection of this node says under a client id, None where none holds it."""
        holder = self._holders.get(client_id)
        entry = self._states.get(client_id)
        if holder is None or holder.attendant is None or entry is None:
            return None
        return Claim(self._node_id, holder.user_id, holder.since, entry)

    # --- telling ----------------------------------------------------------------------------------------------------

    def _stamp(self, attendant: Attendant, entry: AwarenessEntry) -> AwarenessEntry:
        if entry.state is None:
            return entry
        state = {**entry.state, "user": identity(attendant.principal)}
        return AwarenessEntry(entry.client_id, entry.clock, state)

    def _show(self, entry: AwarenessEntry) -> None:
        """Shows what another node says."""
        known = self._states.get(entry.client_id)
        if known is not None and entry.clock <= known.clock:
            if entry == known:
                return
            # Readers take nothing older than what they have seen: for them it is gone until its next state.
            for gone in self._states.remove([entry.client_id]):
                self._tell(gone)
        self._states.apply([entry])
        self._tell(entry)

    def _tell(self, entry: AwarenessEntry) -> None:
        pending = self._changed.get(entry.client_id)
        if pending is not None and (pending.clock, pending.state is None) > (entry.clock, entry.state is None):
            return
        self._changed[entry.client_id] = entry

    def _schedule(self) -> None:
        if self._timer is not None or self._closed:
            return
        if self._changed or (self._announcer is not None and self._announcer.has_news):
            due = self._sent_at + max(PRESENCE_SECONDS, self._readers * PRESENCE_SECONDS_PER_READER)
            self._timer = (
                self._loop.call_at(due, self._flush) if due > self._loop.time() else self._loop.call_soon(self._flush)
            )

    def _flush(self) -> None:
        self._timer = None
        self._sent_at = self._loop.time()
        if self._changed:
            entries = list(self._changed.values())
            self._changed.clear()
            self._everybody = None
            self._readers = self._broadcast(Frame.of(AwarenessUpdate(encode_awareness(entries))))
        if self._announcer is not None:
            self._announcer.flush(self._holders.held_here(), self._claim)

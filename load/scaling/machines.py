"""What a simulation moves: nodes with their rooms, PostgreSQL, and whatever one after another stands in line for.

A node is a loop on a core. When something comes it begins a turn and does all that has come by then; what comes
meanwhile waits for the next. Its rooms flush when the server's would, and it commits one group at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from load.scaling.rhythm import Rhythm
from load.scaling.stage import Stage

# The part of the wait for the disk that every commit has; the rest is exponential.
_STEADY_DISK: Final = 0.6
# From one process to another on the way through Redis and back into a loop, when nothing is busy.
HOP_SECONDS: Final = 0.0001

Work = Callable[[float], float]
"""Begins at a time, and answers when it is done."""


class Line:
    """One after another."""

    def __init__(self) -> None:
        self.free_at = 0.0

    def take(self, now: float, seconds: float) -> float:
        """Stand in line, and answer when it is over."""
        self.free_at = max(self.free_at, now) + seconds
        return self.free_at


class Redis(Line):
    """Redis: a loop, like a node's.

    Args:
        stage: where it is.
    """

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.used = 0.0
        self._stage = stage

    def carry(self, now: float, listeners: int) -> float:
        """Take a message, and answer when it has been handed to so many."""
        costs = self._stage.costs
        spent = costs.publish + costs.delivery * listeners + (costs.rouse if now > self.free_at else 0.0)
        if self._stage.counts(now):
            self.used += spent
        return self.take(now, spent)


class Database:
    """PostgreSQL: some cores, a lock for each prompt, and a disk.

    Args:
        stage: where it is.
        cores: how many it has.
    """

    def __init__(self, stage: Stage, cores: int) -> None:
        self.used = 0.0
        self._stage = stage
        self._cores = [Line() for _ in range(cores)]
        self._locks: dict[object, float] = {}

    def commit(self, now: float, rows: dict[object, int]) -> float:
        """Write so many rows of each prompt, and answer when they are on the disk."""
        costs, random = self._stage.costs, self._stage.random
        cpu = costs.commit + costs.row * sum(rows.values())
        begins = max(now, *(self._locks.get(prompt, 0.0) for prompt in rows))
        written = min(self._cores, key=lambda core: core.free_at).take(begins, cpu)
        waits = costs.disk * (_STEADY_DISK + (1 - _STEADY_DISK) * random.expovariate(1.0))
        done = written + waits
        self._locks.update(dict.fromkeys(rows, done))
        if self._stage.counts(now):
            self.used += cpu
            self._stage.outcome.commits += 1
        return done


class Node:
    """A process of the server.

    Args:
        stage: where it is.
        core: what it runs on.
        database: where it commits.
    """

    def __init__(self, stage: Stage, core: Line, database: Database) -> None:
        self.used = 0.0
        self.idle_cost = 0.0
        self._stage = stage
        self._core = core
        self._database = database
        self._waiting: list[Work] = []
        self._due: dict[Room, None] = {}
        self._group: list[Room] = []
        self._is_awake = self._is_committing = False

    def take(self, now: float, work: Work) -> None:
        """Have some work; it is begun with the next turn."""
        self._waiting.append(work)
        if not self._is_awake:
            self._is_awake = True
            self._stage.at(now, self._wake)

    def flush(self, room: Room) -> None:
        """Flush a room at the end of this turn."""
        self._due[room] = None

    def commits(self, room: Room) -> None:
        """Have a room's batch in the next group."""
        self._group.append(room)

    def _wake(self, now: float) -> None:
        if self._stage.counts(now):
            self._stage.outcome.wakes += 1
        self._turn(now, self._stage.costs.wake)

    def _turn(self, now: float, spent: float) -> None:
        begins = max(now, self._core.free_at)
        time = begins + spent
        work, self._waiting = self._waiting, []
        for each in work:
            time = each(time)
        due, self._due = self._due, {}
        for room in due:
            time = room.flush(time)
        self._core.free_at = time
        if self._stage.counts(now):
            self.used += time - begins
        if self._group and not self._is_committing:
            self._commit(time)
        self._stage.at(time, self._rest)

    def _rest(self, now: float) -> None:
        if self._waiting:
            self._turn(now, 0.0)
        else:
            self._is_awake = False

    def _commit(self, now: float) -> None:
        group, self._group = self._group, []
        self._is_committing = True
        done = self._database.commit(now, {room.prompt: len(room.in_flight) for room in group})
        self._stage.at(done, lambda at: self.take(at, lambda time: self._committed(time, group)))

    def _committed(self, now: float, group: list[Room]) -> float:
        self._is_committing = False
        for room in group:
            now = room.committed(now)
        return now


class Room:
    """A prompt, on one node.

    Args:
        stage: where it is.
        node: on which.
        redis: what carries its messages.
        prompt: the same for the rooms of one prompt.
    """

    def __init__(self, stage: Stage, node: Node, redis: Redis, prompt: object) -> None:
        self.people = 0
        self.others: list[Room] = []
        self.prompt = prompt
        self.in_flight: list[float] = []
        self._inbox: list[float] = []
        self._stage = stage
        self._node = node
        self._redis = redis
        self._rhythm = Rhythm()

    def press(self, now: float) -> None:
        """Somebody here presses a key."""
        self._node.take(now, lambda time: self._admit(time, now))

    def flush(self, now: float) -> float:
        """Hand all that waits to the journal."""
        if self.in_flight or not self._inbox:
            return now
        self.in_flight, self._inbox = self._inbox, []
        self._rhythm.flushed(now, len(self.in_flight))
        self._node.commits(self)
        return now + self._stage.costs.batch

    def committed(self, now: float) -> float:
        """Show what is on the disk, here and on other nodes."""
        keys, self.in_flight = self.in_flight, []
        counts = self._stage.counts(now)
        shown = self._write(now, keys, here=True)
        if counts:
            self._stage.outcome.batches += 1
            self._stage.outcome.published += 1
            self._stage.outcome.received += 1 + len(self.others)
        arrives = self._redis.carry(shown, 1 + len(self.others)) + HOP_SECONDS
        # A node that has a prompt open hears of it whatever is said, its own words among it.
        self._stage.at(arrives, lambda at: self._node.take(at, lambda time: time + self._stage.costs.message))
        for room in self.others:
            room.hear(arrives, keys)
        if self._inbox:
            self._ask(shown)
        return shown

    def hear(self, now: float, keys: list[float]) -> None:
        """A batch comes from another node."""
        self._stage.at(now, lambda at: self._node.take(at, lambda time: self._apply(time, keys)))

    def _admit(self, now: float, pressed: float) -> float:
        self._inbox.append(pressed)
        done = now + self._stage.costs.update
        if not self.in_flight:
            self._ask(done)
        return done

    def _apply(self, now: float, keys: list[float]) -> float:
        return self._write(now + self._stage.costs.message, keys, here=False)

    def _write(self, now: float, keys: list[float], *, here: bool) -> float:
        # Whose key it was, and nobody else's, is not sent it.
        readers = self.people - (here and len(keys) == 1)
        done = now + self._stage.costs.write * readers
        if self._stage.counts(now):
            outcome = self._stage.outcome
            outcome.writes += readers
            if readers:
                (outcome.here if here else outcome.elsewhere).extend(done - pressed for pressed in keys)
        return done

    def _ask(self, now: float) -> None:
        due = self._rhythm.due(len(self._inbox), self.people)
        if due <= now:
            self._node.flush(self)
        elif self._rhythm.plans(due):
            self._stage.at(due, lambda at: self._node.take(at, self._flush_now))

    def _flush_now(self, now: float) -> float:
        self._node.flush(self)
        return now

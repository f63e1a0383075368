"""The measured part of a run: what server, database and generator use while people type and everything arrives."""

from __future__ import annotations

import gc
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter, process_time

from load.crowd import quiet, settled
from load.generators import Audience
from load.room import Mark, Room, Witness
from load.servers.server import Counts, Server
from load.usage import Usage

Drive = Callable[[Sequence[Witness], float], Awaitable[None]]
"""Loads the server for so many seconds; it may ask the witnesses, one in each room, what has arrived."""


@dataclass(frozen=True, slots=True)
class Window:
    """What happened while the clock ran.

    Args:
        marks: where each room stood when it began.
        typed_seconds: for how long was typed.
        seen: characters that the witnesses saw in that time.
        seconds: how long it was in all, until everything had arrived.
        complete: whether it did arrive.
        server: what the server used; its memory is that at the end.
        database_cpu_seconds: what its database server used, if it has one.
        bus_cpu_seconds: what carries messages between its nodes used, if it has several.
        counts: what it counted itself, if it does.
        generator_cpu_seconds: what its busiest core was used for by this process and those of the audience.
        updates: keys typed.
        deliveries: arrivals at somebody else that these make.
        received_bytes: what everybody was sent.
    """

    marks: Sequence[Mark]
    typed_seconds: float
    seen: int
    seconds: float
    complete: bool
    server: Usage
    database_cpu_seconds: float | None
    bus_cpu_seconds: float | None
    counts: Counts | None
    generator_cpu_seconds: float
    updates: int
    deliveries: int
    received_bytes: int

    def figures(self) -> Mapping[str, float]:
        """What it comes to, each with its unit in its name."""
        deliveries = max(self.deliveries, 1)
        figures = {
            "updates": self.updates,
            "updates_per_second": self.seen / self.typed_seconds,
            "deliveries": self.deliveries,
            "deliveries_per_second": self.deliveries / self.seconds,
            "cpu_us_per_delivery": self.server.cpu_seconds / deliveries * 1e6,
            "cpu_share": self.server.cpu_seconds / self.seconds,
            "memory_mb": self.server.memory_bytes / 1e6,
            "wire_bytes_per_delivery": self.received_bytes / deliveries,
            "generator_cpu_share": self.generator_cpu_seconds / self.seconds,
        }
        if self.database_cpu_seconds is not None:
            figures["database_cpu_us_per_delivery"] = self.database_cpu_seconds / deliveries * 1e6
        if self.counts is not None and self.counts.commits:
            figures["updates_per_commit"] = self.updates / self.counts.commits
        if self.bus_cpu_seconds is not None:
            figures["bus_cpu_us_per_delivery"] = self.bus_cpu_seconds / deliveries * 1e6
        if self.bus_cpu_seconds is not None and self.counts is not None:
            figures["messages_per_commit"] = self.counts.published / max(self.counts.commits, 1)
        return figures


async def measured(
    server: Server,
    rooms: Sequence[Room],
    witnesses: Sequence[Witness],
    drive: Drive,
    seconds: float,
    audience: Audience,
) -> Window:
    """Load the server, and count.

    Args:
        server: one that is warm.
        rooms: everybody in them is synced, and nothing is under way.
        witnesses: one in each room.
        drive: the load.
        seconds: for how long.
        audience: more readers of the first room.
    """
    marks = [Mark.of(room) for room in rooms]
    await audience.mark(marks[0].typed)
    heard = await audience.heard()
    gc.collect()
    # A collection of what the generator keeps would stop the clock that measures the server.
    gc.disable()
    try:
        counts = await server.counts()
        before, database, bus = server.usage(), server.database_usage(), server.bus_usage()
        saw, start, used = _seen(witnesses), perf_counter(), process_time()
        await drive(witnesses, seconds)
        typed_seconds, saw = perf_counter() - start, _seen(witnesses) - saw
        complete = await everything_arrived(rooms, witnesses, audience)
        elapsed = max(_last_arrival(rooms) - start, typed_seconds)
        after, database_after, bus_after = server.usage(), server.database_usage(), server.bus_usage()
        counts_after, used = await server.counts(), process_time() - used
    finally:
        gc.enable()
    heard_since = await audience.heard()
    shares = [used, *(later.cpu_seconds - each.cpu_seconds for later, each in zip(heard_since, heard, strict=True))]
    now = [Mark.of(room) for room in rooms]
    typed = [sum(later.typed.values()) - sum(mark.typed.values()) for later, mark in zip(now, marks, strict=True)]
    return Window(
        marks=marks,
        typed_seconds=typed_seconds,
        seen=saw,
        seconds=elapsed,
        complete=complete,
        server=Usage(after.memory_bytes, after.cpu_seconds - before.cpu_seconds),
        database_cpu_seconds=database_after.cpu_seconds - database.cpu_seconds if database and database_after else None,
        bus_cpu_seconds=bus_after.cpu_seconds - bus.cpu_seconds if bus and bus_after else None,
        counts=counts_after.since(counts) if counts and counts_after else None,
        generator_cpu_seconds=max(sum(shares) / own_cores(), *shares),
        updates=sum(typed),
        deliveries=sum(count * (len(room.people) - 1) for count, room in zip(typed, rooms, strict=True))
        + sum(typed) * audience.size,
        received_bytes=sum(later.received_bytes - mark.received_bytes for later, mark in zip(now, marks, strict=True))
        + sum(each.received_bytes for each in heard_since),
    )


async def everything_arrived(rooms: Sequence[Room], witnesses: Sequence[Witness], audience: Audience) -> bool:
    """Wait until the witnesses have seen all that was typed and nobody hears anything any more."""
    if not await settled(lambda: all(each.has_seen_all for each in witnesses)):
        return False
    people = [person for room in rooms for person in room.people]

    async def frames() -> int:
        return sum(len(each.frames) for each in people) + sum(each.frames for each in await audience.heard())

    await quiet(frames)
    return True


def own_cores() -> int:
    """On how many cores this process may run."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _last_arrival(rooms: Sequence[Room]) -> float:
    return max((person.times[-1] for room in rooms for person in room.people if person.times), default=0.0)


def _seen(witnesses: Sequence[Witness]) -> int:
    return sum(sum(each.seen.values()) for each in witnesses)

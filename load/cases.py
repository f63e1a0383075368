"""What is compared: each case with its name, what it is about, and the figures that are set beside those of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_STEADY: Final = ("cpu_us_per_delivery", "p99_ms", "wire_bytes_per_delivery")
_NODES: Final = ("cpu_us_per_delivery", "database_cpu_us_per_delivery", "bus_cpu_us_per_delivery", "p99_ms")


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is done to every server.

    Args:
        key: its name in the results and on the command line.
        short: its name for people.
        title: the same, with its numbers.
        about: what is done and what is timed, in a sentence or two.
        compared: the figures in which servers are set beside each other, the one that matters most first.
    """

    key: str
    short: str
    title: str
    about: str
    compared: tuple[str, ...] = _STEADY


_ALL: Final = (
    Case(
        "burst",
        "burst",
        "Burst: 50 people, 10 of them as fast as it goes",
        "Each writer keeps 32 one-character edits in flight: a new one leaves when an earlier one has been seen by a "
        "reader. Timed from leaving to being seen.",
        ("updates_per_second", "cpu_us_per_delivery", "p99_ms", "wire_bytes_per_delivery"),
    ),
    Case(
        "fanout-busy",
        "fan-out, busy",
        "Fan-out: 50 people, 48 typing 20 keys a second",
        "Keys are pressed by the clock, whatever the server does. Timed from when a key was due until another has it.",
    ),
    Case(
        "fanout-calm",
        "fan-out, calm",
        "Fan-out: 50 people, 10 typing 10 keys a second",
        "As before, at a rate at which there is little to merge: what a single delivery costs.",
    ),
    Case(
        "observers-50",
        "500 editors, 50 updates a second",
        "500 people, 5 of them typing 10 keys a second",
        "A lecture with several speakers.",
    ),
    Case(
        "observers-250",
        "500 editors, 250 updates a second",
        "500 people, 5 of them typing 50 keys a second",
        "The same, with a paste or a script.",
    ),
    Case(
        "observers-1500",
        "1,500 editors",
        "1,500 people, one of them typing 10 keys a second",
        "A lecture with one speaker.",
    ),
    Case(
        "presence",
        "presence",
        "Presence: 100 people, each moving 25 times a second, 10 of them typing",
        "Cursors are the first thing a server may drop; edits are not to suffer from them. Timed separately.",
        ("p95_ms", "edit_p99_ms", "cpu_share"),
    ),
    Case(
        "join-storm",
        "join storm",
        "Join storm: 150 people open a document of 4 MB at once",
        "Timed from connecting to having the whole document. Memory is what the server takes at its peak beyond what "
        "it takes before.",
        ("p50_ms", "p99_ms", "memory_above_idle_mb", "cpu_seconds"),
    ),
    Case(
        "rooms",
        "rooms",
        "Rooms: 500 documents of 3 people, 350 keys a second in all",
        "Many small rooms instead of a large one: what commits and turns of the loop cost when nothing can be merged.",
    ),
    Case(
        "idle",
        "idle",
        "Idle: 10,000 connections in 200 documents",
        "Nobody does anything for 20 seconds. What a connection takes of memory, and all of them of a core.",
        ("memory_kb_per_connection", "cpu_share"),
    ),
    Case(
        "cold-open",
        "cold open",
        "Cold open: a document of 250,000 edits",
        "The edits came in as real traffic, the server was started anew, and the document is opened 50 times, out of "
        "memory each time. Timed from connecting to having the whole document.",
        ("p99_ms", "p50_ms", "first_open_ms", "written_per_second"),
    ),
    Case(
        "reconnect",
        "reconnect",
        "Reconnect: 1,000 people in 50 documents after kill -9",
        "All come back at once with what they have. Timed from the server's first answer after its restart until "
        "everybody is synced.",
        ("all_synced_seconds", "p99_ms", "cpu_seconds"),
    ),
    Case(
        "replay",
        "replay",
        "Replay: a recorded session of two authors",
        "Character by character with the pauses cut short, each author knowing what they knew in the recording. Timed "
        "from a key to the other's screen; the text has to be the recorded one.",
        ("p50_ms", "p99_ms", "cpu_us_per_delivery"),
    ),
    Case(
        "nodes-burst",
        "nodes, burst",
        "Nodes, one prompt: 50 people, 10 of them as fast as it goes",
        "The burst, with the people of one document spread over all nodes. CPU is that of all nodes together, which "
        "share one core where the machine has too few: then several cannot do more than one, and the ratio says what "
        "it costs that they are several.",
        ("updates_per_second", *_NODES),
    ),
    Case(
        "nodes-fanout",
        "nodes, fan-out",
        "Nodes, one prompt: 50 people, 48 typing 20 keys a second",
        "The busy fan-out, with the people of one document spread over all nodes.",
        _NODES,
    ),
    Case(
        "nodes-rooms",
        "nodes, many prompts",
        "Nodes, many prompts: 60 documents of 3 people, 2 of them as fast as it goes",
        "The burst in many documents at once, whose people are spread over all nodes or, “by prompt”, on one node for "
        "each document.",
        ("updates_per_second", *_NODES),
    ),
    Case(
        "between-nodes",
        "between two nodes",
        "Between two nodes: 100 documents, 350 keys a second in all",
        "Two people type on one node, a third reads on another. Timed from when a key was due until the reader has it.",
        ("p50_ms", "p95_ms", *reversed(_NODES)),
    ),
)

CASES: Final[Mapping[str, Case]] = {case.key: case for case in _ALL}


def case_of(key: str) -> Case:
    """The case of a key; one that is not known any more is its own title."""
    return CASES.get(key) or Case(key, key, key, "")

"""What processes have used of the machine, read from `/proc` (Linux)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_RSS: Final = re.compile(r"^VmRSS:\s+(\d+) kB", re.MULTILINE)
# User and system time, and those of children that have ended and been waited for.
_TICKS: Final = slice(11, 15)
_WAITED: Final = re.compile(r"^voluntary_ctxt_switches:\s+(\d+)", re.MULTILINE)
_GONE: Final = "Z"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process and those it has started have used.

    Args:
        memory_bytes: what is resident now.
        cpu_seconds: user and system time of all threads so far, those of processes that have ended meanwhile included.
    """

    memory_bytes: int
    cpu_seconds: float

    def __add__(self, other: Usage) -> Usage:
        """What both have used."""
        return Usage(self.memory_bytes + other.memory_bytes, self.cpu_seconds + other.cpu_seconds)

    def since(self, before: Usage) -> Usage:
        """What has been used since then, and what is resident now."""
        return Usage(self.memory_bytes, self.cpu_seconds - before.cpu_seconds)


def usage_of(pid: int) -> Usage:
    """What a process and all its descendants have used so far; of one that is gone, nothing."""
    memory, ticks = 0, 0
    for each in processes_of(pid):
        process = _PROC / str(each)
        try:
            resident = _RSS.search((process / "status").read_text())
            # The name of the program, in brackets, may hold spaces.
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        memory += int(resident[1]) * 1024 if resident else 0
        ticks += sum(map(int, fields[_TICKS]))
    return Usage(memory, ticks / os.sysconf("SC_CLK_TCK"))


def wakes_of(pid: int) -> int:
    """How often the first thread of a process has waited for something; of one that is gone, never."""
    try:
        waited = _WAITED.search((_PROC / str(pid) / "task" / str(pid) / "status").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(waited[1]) if waited else 0


def is_running(pid: int) -> bool:
    """Whether a process is there, and not only its exit code."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != _GONE
    except (FileNotFoundError, ProcessLookupError):
        return False


def processes_of(pid: int) -> Iterator[int]:
    """A process and all its descendants."""
    yield pid
    for children in (_PROC / str(pid) / "task").glob("*/children"):
        try:
            started = children.read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in started:
            yield from processes_of(int(child))

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
_USER, _SYSTEM = 11, 12


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process and those it has started have used.

    Args:
        memory_bytes: what is resident now.
        cpu_seconds: user and system time of all threads so far.
    """

    memory_bytes: int
    cpu_seconds: float


def usage_of(pid: int) -> Usage:
    """What a process and all its descendants have used so far; of one that is gone, nothing."""
    memory, ticks = 0, 0
    for each in _tree(pid):
        process = _PROC / str(each)
        try:
            resident = _RSS.search((process / "status").read_text())
            # The name of the program, in brackets, may hold spaces.
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        memory += int(resident[1]) * 1024 if resident else 0
        ticks += int(fields[_USER]) + int(fields[_SYSTEM])
    return Usage(memory, ticks / os.sysconf("SC_CLK_TCK"))


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for children in (_PROC / str(pid) / "task").glob("*/children"):
        try:
            started = children.read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in started:
            yield from _tree(int(child))

"""On what it was measured, and how quiet it was there."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_MODEL: Final = re.compile(r"^model name\s*:\s*(.+)$", re.MULTILINE)
_TOTAL: Final = re.compile(r"^MemTotal:\s+(\d+) kB", re.MULTILINE)
# The columns of the first line of /proc/stat behind its name.
_STOLEN: Final = 7


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine and what runs on it.

    Args:
        processor: its name.
        cores: how many of its cores this process may use.
        memory_gb: how much memory it has.
        system: the kernel.
        python: the version.
        node: the version; empty where there is none.
    """

    processor: str
    cores: int
    memory_gb: float
    system: str
    python: str
    node: str


@dataclass(frozen=True, slots=True)
class Calm:
    """How busy a machine was at an instant.

    Args:
        load_average: processes that ran or waited, over the last minute.
        stolen_seconds: core seconds so far in which the machine below this one let others run.
    """

    load_average: float
    stolen_seconds: float

    @classmethod
    def now(cls) -> Calm:
        """Look."""
        ticks = _read("stat").partition("\n")[0].split()[1:]
        stolen = int(ticks[_STOLEN]) / os.sysconf("SC_CLK_TCK") if len(ticks) > _STOLEN else 0.0
        return cls(round(os.getloadavg()[0], 2), round(stolen, 2))


def this_machine(node: str | Path = "node") -> Machine:
    """Describe the machine this runs on.

    Args:
        node: the program that runs the servers written in JavaScript.
    """
    model, memory = _MODEL.search(_read("cpuinfo")), _TOTAL.search(_read("meminfo"))
    return Machine(
        processor=model[1].strip() if model else platform.processor() or platform.machine(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_gb=round(int(memory[1]) / 1e6, 1) if memory else 0.0,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        node=_version_of(node),
    )


def _version_of(node: str | Path) -> str:
    program = shutil.which(node)
    if program is None:
        return ""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.strip().removeprefix("v")


def _read(name: str) -> str:
    try:
        return (_PROC / name).read_text()
    except OSError:
        return ""

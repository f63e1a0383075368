"""What a process has in memory, from the system's books (Linux)."""

from __future__ import annotations

import re
from pathlib import Path

MIB = 1024 * 1024


class Memory:
    """The resident memory of a process from now on.

    Args:
        pid: the process.
    """

    def __init__(self, pid: int) -> None:
        self._process = Path("/proc") / str(pid)
        # "5" sets the high-water mark back to the present (proc(5), clear_refs).
        (self._process / "clear_refs").write_text("5")
        self.at_first = self.now

    @property
    def now(self) -> int:
        """Bytes resident now."""
        return self._read("VmRSS")

    @property
    def growth(self) -> int:
        """By how many bytes the most since the beginning exceeds what there was then, however short it lasted."""
        return self._read("VmHWM") - self.at_first

    def _read(self, name: str) -> int:
        found = re.search(rf"^{name}:\s+(\d+) kB", (self._process / "status").read_text(), re.MULTILINE)
        assert found, f"the system does not say {name}"
        return int(found[1]) * 1024

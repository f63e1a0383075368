"""Where the servers that run on Node stand."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from load.servers.server import ServerFailed

PROGRAMS: Final = Path(__file__).parent / "node"
"""Their scripts, and what `make` has installed for them."""

_CHOSEN_BY_MAKE: Final = Path(__file__).parents[2] / ".venv" / "node" / "bin" / "node"


def node() -> str:
    """The Node that the Makefile chose, or else the system's.

    Raises:
        ServerFailed: There is none, or the servers' packages are not installed.
    """
    program = str(_CHOSEN_BY_MAKE) if _CHOSEN_BY_MAKE.exists() else shutil.which("node")
    if program is None or not (PROGRAMS / "node_modules").is_dir():
        raise ServerFailed("the servers to compare with are not installed: run make bench-peers")
    return program

"""The Node that the Makefile chose, for the tests that need real Yjs."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
NODE = ROOT / ".venv" / "node" / "bin" / "node"
"""The program; `make check` and `make test` put it there."""

PEERS = ROOT / "tests" / "node"
"""Where scripts that use the pinned Yjs, y-websocket and y-protocols live: `subprocess([NODE, PEERS / "x.mjs"])`."""


def environment() -> dict[str, str]:
    """Return this process's environment with the chosen Node first on the path."""
    return {**os.environ, "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"}


def npm(*arguments: str, directory: Path) -> int:
    """Run npm in a directory and return its exit code; what it says goes to the terminal."""
    return subprocess.run([NODE.parent / "npm", *arguments], cwd=directory, env=environment(), check=False).returncode

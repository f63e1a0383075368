"""Many at once, on the real server, from a process of their own.

What is measured is printed (`pytest -rP`) and not held against a clock: other work on the machine would decide. Nothing
may be lost, and everybody ends with the same text.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import pytest

from server.limits import KIB
from tests.support.server import ROOT, ServerProcess

pytestmark = pytest.mark.slow

# 10 KB on the machine this was written on; the promise is 40 KB, and the allocator's pages are in it.
MOST_BYTES_PER_CONNECTION = 25 * KIB


async def load(server: ServerProcess, *arguments: str) -> dict[str, Any]:
    """Put load on a server, and answer what it came to."""
    token = await server.token("load@example.com")
    target = ["--url", server.base_url, "--token", token, "--pid", str(server.pid), "--json"]
    command = [sys.executable, "-m", "load", arguments[0], *target, *arguments[1:]]
    done = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr or done.stdout
    result: dict[str, Any] = json.loads(done.stdout)
    print(json.dumps(result, indent=1))  # noqa: T201 - the figures are what many run this for
    return result


async def test_fifty_type_in_one_prompt(server: ServerProcess, *, long_run: bool) -> None:
    result = await load(server, "editors", "--editors", "50", "--seconds", "60" if long_run else "5")
    assert result["lost"] == 0
    assert result["converged"]
    assert result["figures"]["deliveries"] == result["figures"]["keys"] * 49


async def test_a_hundred_open_a_large_prompt_at_once(server: ServerProcess) -> None:
    result = await load(server, "join", "--joiners", "100", "--size", "1000000")
    assert result["lost"] == 0
    assert result["converged"]


async def test_a_thousand_do_nothing(server: ServerProcess) -> None:
    result = await load(server, "idle", "--connections", "1000", "--prompts", "20")
    assert result["lost"] == 0
    assert result["converged"]
    assert result["figures"]["kb_per_connection"] * 1000 < MOST_BYTES_PER_CONNECTION

"""Heavy work leaves the event loop, and survives the death of the process it went to."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from server.errors import Overloaded
from server.limits import HEAVY_BYTES
from server.workers import Workers


def whereabouts(_data: bytes) -> int:
    return os.getpid()


def fail(_data: bytes) -> int:
    message = "as asked"
    raise ValueError(message)


def die_once(path: str) -> str:
    marker = Path(path)
    if not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "survived"


def die_always(_data: bytes) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def test_light_work_is_done_in_place() -> None:
    assert await Workers().run(HEAVY_BYTES, whereabouts, b"") == os.getpid()


async def test_heavy_work_is_done_elsewhere_and_errors_come_back() -> None:
    workers = Workers()
    try:
        assert await workers.run(HEAVY_BYTES + 1, whereabouts, b"") != os.getpid()
        with pytest.raises(ValueError, match="as asked"):
            await workers.run(HEAVY_BYTES + 1, fail, b"")
    finally:
        workers.close()


async def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    workers = Workers()
    try:
        assert await workers.run(HEAVY_BYTES + 1, die_once, str(tmp_path / "died")) == "survived"
    finally:
        workers.close()


async def test_all_who_waited_for_a_worker_that_dies_get_their_answer(tmp_path: Path) -> None:
    workers = Workers()
    try:
        waiting = [workers.run(HEAVY_BYTES + 1, die_once, str(tmp_path / "died"))]
        waiting += [workers.run(HEAVY_BYTES + 1, die_once, str(tmp_path)) for _ in range(5)]
        assert await asyncio.gather(*waiting) == ["survived"] * 6
    finally:
        workers.close()


async def test_work_that_ends_every_worker_is_refused(tmp_path: Path) -> None:
    workers = Workers()
    try:
        with pytest.raises(Overloaded):
            await workers.run(HEAVY_BYTES + 1, die_always, b"")
        assert await workers.run(HEAVY_BYTES + 1, die_once, str(tmp_path)) == "survived"
    finally:
        workers.close()

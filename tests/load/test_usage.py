"""What processes use is read from the system."""

import os
import subprocess
import sys
import time

import pytest

from load.usage import usage_of

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it is read from /proc")

MIB = 1 << 20


def test_work_and_memory_are_counted() -> None:
    before = usage_of(os.getpid())
    begun = time.process_time()
    ballast = bytearray(b"x" * (64 * MIB))
    while time.process_time() - begun < 0.1:
        pass
    after = usage_of(os.getpid())
    assert after.memory_bytes - before.memory_bytes > len(ballast) // 2
    assert after.cpu_seconds - before.cpu_seconds >= 0.05


def test_what_a_process_has_started_counts_too() -> None:
    shell = f"{sys.executable} -c 'x = bytearray({64 * MIB}); print(1, flush=True); input()'; true"
    with subprocess.Popen(["/bin/sh", "-c", shell], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert usage_of(process.pid).memory_bytes > 64 * MIB
        process.communicate(b"\n")


def test_what_a_process_used_that_has_ended_is_not_forgotten() -> None:
    work = "import time; start = time.process_time()\nwhile time.process_time() - start < 0.2: pass"
    before = usage_of(os.getpid())
    subprocess.run([sys.executable, "-c", work], check=True)
    assert usage_of(os.getpid()).cpu_seconds - before.cpu_seconds >= 0.15


def test_who_is_gone_uses_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert usage_of(process.pid).memory_bytes == 0

"""Starting servers that end with the tests, however the tests end."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

STOP_SECONDS = 20.0
"""How long a server may take to end by itself before it is killed."""


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
    user: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server in the background, with everything it says appended to a file.

    Args:
        command: The program, found on the path or by path, and its arguments.
        log: The file.
        directory: Its working directory; ours where it is None.
        environment: Its environment; ours where it is None.
        user: The user and group it runs as; ours where it is None.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env=dict(os.environ if environment is None else environment),
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )


def end(process: subprocess.Popen[bytes], *, by: signal.Signals = signal.SIGTERM) -> int:
    """Signal a process, wait until it has ended (killing it if it takes too long), and return its exit code."""
    if process.poll() is None:
        process.send_signal(by)
    try:
        return process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait(STOP_SECONDS)

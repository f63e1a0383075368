"""One process per SQLite file.

Rooms are caches of the journal and the only ones who append to it: a second process with the same file would hand
out the same text twice. The lock is the kernel's, held by an open file beside the database; it ends with the process,
however that ends, so there is never a stale one to remove.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from persistence.errors import StoreInUse

_held: set[FileLock] = set()


class FileLock:
    """The right to use a database file, from ``take`` until ``release`` or the end of the process.

    Args:
        path: the database file; the lock file stands beside it, with ``.lock`` appended.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(f"{path.name}.lock")
        self._database = path
        self._descriptor: int | None = None

    def take(self) -> None:
        """Take the lock or fail at once.

        Raises:
            StoreInUse: another process, or another store of this one, has it.
            OSError: the directory cannot be written.
        """
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
            os.close(descriptor)
            raise StoreInUse(
                f"{self._database} is in use by process {holder or 'unknown'}; stop it first "
                "(several servers need PostgreSQL and Redis)"
            ) from error
        except BaseException:
            os.close(descriptor)
            raise
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor
        _held.add(self)

    def release(self) -> None:
        """Give the lock back; the file stays, because removing it would race with the next one who takes it."""
        _held.discard(self)
        if self._descriptor is not None:
            # Said aloud, so that it is given back even if a child that was just forked still has the file open.
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        self._close()

    def _close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            with suppress(OSError):
                os.close(descriptor)


def _forget_in_child() -> None:
    # A forked worker that outlives a killed server would keep the lock.
    for lock in _held:
        lock._close()  # noqa: SLF001
    _held.clear()


os.register_at_fork(after_in_child=_forget_in_child)

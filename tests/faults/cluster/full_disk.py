"""A real PostgreSQL on a real disk that is small, so that it can be full and have space again.

The disk lives in memory (tmpfs), in namespaces of its own, which nobody else sees and which end with the process that
holds them: nothing stays mounted. The log of transactions (WAL) stands on the ordinary disk, as on servers that take
care: where the log has no space PostgreSQL ends, and has to be started by whoever has made space.

Root and ordinary users make it in the same way, where the system lets them make user namespaces. Many containers do
not; `is_possible` says how it stands.
"""

import os
import shutil
import subprocess
from pathlib import Path

from load.servers.process import tied_to_us
from tests.support.postgres import OWNER, PostgresServer
from tests.support.processes import end, spawn
from tests.support.waiting import wait_until_sync

DISK_BYTES = 100 * 1024 * 1024
"""What a new server needs, a few databases, and some space to fill."""

_PROGRAMS = ("mount", "nsenter", "setpriv", "unshare")
_MOUNT = 'mount -t tmpfs -o "size=$1,mode=700" tmpfs "$2"'
_AS_ITS_ROOT = ("unshare", "--user", "--map-root-user", "--mount", "--")
# Another namespace inside: PostgreSQL refuses to run as a root of any kind.
_AS_NOBODY = ("unshare", "--user", "--map-user=65534", "--map-group=65534", "--")


def is_possible() -> bool:
    """Return whether the system lets us have such a disk."""
    if not all(map(shutil.which, _PROGRAMS)):
        return False
    tried = [*_AS_ITS_ROOT, "sh", "-c", f"{_MOUNT} && exec {' '.join(_AS_NOBODY)} true", "sh", "1m", "/tmp"]  # noqa: S108 - there for certain
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


class PostgresOnSmallDisk(PostgresServer):
    """A server whose data stands on a disk of `DISK_BYTES`."""

    def fill(self) -> None:
        """Leave no space on the disk. What fits into pages that are there already still goes in."""
        with self._filler.open("ab") as filler:
            while free := self._free_bytes():
                os.posix_fallocate(filler.fileno(), filler.seek(0, os.SEEK_END), free)

    def free(self) -> None:
        """Give the space back."""
        self._filler.unlink(missing_ok=True)

    def drop_database(self, url: str) -> None:
        """Drop a database, whoever is still connected to it; that takes space too."""
        self.free()
        super().drop_database(url)

    def close(self) -> None:
        """Stop the server and remove its data and its disk."""
        super().close()
        end(self._holder)

    @property
    def _filler(self) -> Path:
        return self._disk / "filler"

    def _free_bytes(self) -> int:
        disk = os.statvfs(self._disk)
        return disk.f_bavail * disk.f_frsize

    def _initialise(self) -> None:
        data, log = self._directory / "data", self._directory / "disk.log"
        data.mkdir(mode=0o700)
        hold = ["sh", "-c", f"{_MOUNT} && exec sleep infinity", "sh", str(DISK_BYTES), str(data)]
        self._holder = spawn([*_AS_ITS_ROOT, *tied_to_us(hold)], log=log)
        wait_until_sync(self._is_mounted, what=f"a disk: {log}")
        # Seen from inside: outside, nothing is mounted there.
        self._disk = Path(f"/proc/{self._holder.pid}/root{data}")
        enter = ("nsenter", "--target", str(self._holder.pid), "--user", "--mount", "--preserve-credentials", "--")
        self._before, self._user = (*enter, *_AS_NOBODY), None
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        self._run("initdb", "-D", str(data), "-U", OWNER, "--waldir", str(self._directory / "wal"), *options)

    def _is_mounted(self) -> bool:
        mounts = Path(f"/proc/{self._holder.pid}/mountinfo").read_text()
        return f" {self._directory / 'data'} " in mounts

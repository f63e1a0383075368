"""The real Git as a client of a server, with nothing of this machine's configuration."""

import asyncio
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


class GitFailed(Exception):
    """Git ended with an error; the message is what it said."""


@dataclass(frozen=True)
class GitClient:
    """Git in one directory."""

    directory: Path

    async def run(self, *arguments: str) -> str:
        """Run one command, and answer what it prints, without line end.

        Raises:
            GitFailed: it ended with an error.
        """
        return (await self.run_bytes(*arguments)).decode().rstrip("\n")

    async def run_bytes(self, *arguments: str) -> bytes:
        """Run one command, and answer the bytes that it prints."""
        environment = {
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "HOME": str(self.directory),
            "PATH": os.environ["PATH"],
            "no_proxy": "*",
        }
        done = await asyncio.to_thread(
            subprocess.run,
            ["git", "-c", "credential.helper=", *arguments],
            cwd=self.directory,
            env=environment,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise GitFailed(done.stderr.decode(errors="replace"))
        return done.stdout

    async def clone(self, url: str, *arguments: str) -> "GitClient":
        """Clone a repository, and answer Git in the clone."""
        await self.run("clone", "--quiet", *arguments, url, "clone")
        return GitClient(self.directory / "clone")

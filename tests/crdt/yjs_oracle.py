"""Real Yjs in a Node process of its own, asked line by line."""

import json
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import Any, Literal, Self

from load.servers.process import tied_to_us
from tests.support.node import NODE, PEERS, environment

Level = Literal["text", "formatted", "everything"]
LEVELS: tuple[Level, ...] = ("text", "formatted", "everything")


class YjsThrew(Exception):
    """Something was thrown in Yjs; the message is its message."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a new Yjs document shows that took some updates.

    Args:
        text: its text.
        pending: whether it keeps something that waits for more.
        edit: the update of the character that was typed then, if one was.
    """

    text: str
    pending: bool
    edit: bytes | None


@dataclass(frozen=True, slots=True)
class Session:
    """What some people sent each other who edited with Yjs.

    Args:
        updates: in an order that can be applied; the last two hold everything, as a state and merged.
        text: what all of them see in the end.
    """

    updates: list[bytes]
    text: str


class YjsOracle:
    """The process; use it as a context manager."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            tied_to_us([NODE, PEERS / "yjs_oracle.mjs"]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def read(self, updates: Sequence[bytes], *, type_at: float | None = None) -> Reading:
        """Have a new document take updates one by one.

        Args:
            updates: V1 updates.
            type_at: where one character is typed afterwards, as a part of the text; nothing is if it is None.

        Raises:
            YjsThrew: Yjs did not take them.
        """
        place = {} if type_at is None else {"insertAt": type_at}
        said = self._ask(do="read", updates=_encoded(updates), **place)
        return Reading(said["text"], said["pending"], b64decode(said["edit"]) if said["edit"] else None)

    def diff(self, updates: Sequence[bytes], state_vector: bytes) -> bytes:
        """What a replica with this state vector lacks of a document that took the updates."""
        said = self._ask(do="diff", updates=_encoded(updates), stateVector=b64encode(state_vector).decode())
        return b64decode(said["update"])

    def session(self, random: Random, level: Level, *, steps: int) -> Session:
        """Have some people edit a document.

        Args:
            random: from which everything follows.
            level: plain text; or with formatting; or with attributes, maps, arrays and embedded types too.
            steps: how many edits.
        """
        said = self._ask(do="session", seed=random.getrandbits(31), steps=steps, level=level)
        return Session([b64decode(update) for update in said["updates"]], said["text"])

    def _ask(self, **request: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        if "error" in said:
            raise YjsThrew(said["error"])
        return said


def _encoded(updates: Sequence[bytes]) -> list[str]:
    return [b64encode(update).decode() for update in updates]

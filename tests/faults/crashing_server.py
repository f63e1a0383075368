"""Runs the server and kills it at a named point, as `kill -9` would: `CRASH_AT=apply:before:3` at the third apply.

The server knows nothing of it: functions of its are wrapped before it starts. Checkpoints and keyframes are made far
more often here than usual, so that their points are reached.
"""

import functools
import inspect
import os
import signal
from collections.abc import Callable
from typing import Any

import persistence.checkpoints
import persistence.postgres_writer
import persistence.sqlite_writer
import server.compactor
import server.rebuilding
import server.room
import server.rooms
from server import cli
from server.appender import Appender
from server.follower import Follower
from server.history.past import Past
from server.room import Room
from server.session import Session
from server.wire import WireProtocol

VARIABLE = "CRASH_AT"
MOMENTS = ("before", "after")

_SQLITE, _POSTGRES = persistence.sqlite_writer, persistence.postgres_writer
POINTS: dict[str, list[tuple[Any, str]]] = {
    "load": [(server.rooms, "load_prompt"), (server.rebuilding, "load_prompt")],
    "append": [(Appender, "_append")],
    # With SQLite between the statements and their commit, with PostgreSQL around the one statement.
    "write": [(_SQLITE, "_write"), (_POSTGRES.PostgresWriter, "_execute")],
    "commit": [(_SQLITE.SqliteWriter, "_commit"), (_POSTGRES.PostgresWriter, "_commit")],
    "apply": [(Room, "_apply")],
    "fan-out": [(Room, "_fan_out")],
    # One socket of many.
    "deliver": [(WireProtocol, "write")],
    "acknowledge": [(server.room, "acknowledge")],
    # One author of many.
    "tell": [(Session, "flush_acknowledgement")],
    "checkpoint": [(server.compactor.Compactor, "checkpoint")],
    "save": [(persistence.checkpoints.Checkpoints, "save")],
}
"""Where it can be: the functions that are wrapped."""

POINTS_AMONG_NODES: dict[str, list[tuple[Any, str]]] = {
    "publish": [(Room, "_tell")],
    "hear": [(Follower, "_take")],
    "catch-up": [(Follower, "_read_missing")],
}
"""Where it can be beside others."""

_CHECKPOINT_EDITS = 8
_KEYFRAME_EDITS = 20


def crash_at(point: str, moment: str, call: int) -> None:
    """Wrap the functions of a point, so that the process is killed before or after their n-th call, from 1."""
    left = call

    def reached(now: str) -> None:
        nonlocal left
        left -= now == moment
        if now == moment and left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    for owner, name in (POINTS | POINTS_AMONG_NODES)[point]:
        setattr(owner, name, _wrapped(getattr(owner, name), reached))


def _wrapped(function: Callable[..., Any], reached: Callable[[str], None]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*args: object, **kwargs: object) -> object:
            reached("before")
            result = await function(*args, **kwargs)
            reached("after")
            return result

        return awaited

    @functools.wraps(function)
    def called(*args: object, **kwargs: object) -> object:
        reached("before")
        result = function(*args, **kwargs)
        reached("after")
        return result

    return called


def main() -> None:
    """Arrange the crash, if one is asked for, and run the server."""
    vars(server.compactor)["CHECKPOINT_EDITS_AT_MOST"] = _CHECKPOINT_EDITS
    assert Past.__init__.__kwdefaults__ is not None
    Past.__init__.__kwdefaults__["every"] = _KEYFRAME_EDITS
    if asked := os.environ.get(VARIABLE):
        point, moment, call = asked.split(":")
        crash_at(point, moment, int(call))
    cli.main()


if __name__ == "__main__":
    main()

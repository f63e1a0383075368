"""One direction of a connection that is passed on: bytes come in at one end and leave at the other, later or never.

Rules:
- Bytes and the end of the stream keep their order, whatever is done to them.
- A stalled lane keeps what it has; once it has too much it stops reading, and the sender feels that as on a real line.
- A swallowing lane loses what it reads, the end of the stream included. What follows a hole means something else than
  was sent, so a lane that has swallowed anything is damaged, and its connection must not go on.
- A lane whose far end is gone loses what is left.
"""

import asyncio
import enum
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random

BUFFER_BYTES = 262_144
"""What a lane holds before it stops reading: enough for many messages, far less than what a test sends."""

# A throttled lane passes what its rate allows in this time, and at least one byte.
_SLICE_SECONDS = 0.02


class Direction(enum.Flag):
    """Which way bytes go: to the server, to its client, or both."""

    TO_SERVER = enum.auto()
    TO_CLIENT = enum.auto()
    BOTH = TO_SERVER | TO_CLIENT


class End(enum.Enum):
    """How a stream ends: its sender has no more to say, or is gone."""

    QUIET = enum.auto()
    RESET = enum.auto()


@dataclass(slots=True)
class Conditions:
    """What happens at present to all bytes of one direction, whichever connection they belong to.

    Args:
        stalled: Nothing passes, everything is kept.
        swallowing: Nothing passes, nothing is kept.
        delay: How long each byte is on its way, in seconds.
        jitter: By how many seconds more, at most; drawn for each piece.
        bytes_per_second: How much passes in a second, if there is a limit.
        free_at: When the limit lets the next piece pass, in the loop's time.
        passed: How many bytes were passed since the beginning.
    """

    stalled: bool = False
    swallowing: bool = False
    delay: float = 0.0
    jitter: float = 0.0
    bytes_per_second: float | None = None
    free_at: float = 0.0
    passed: int = 0

    def heal(self) -> None:
        """Let everything pass at once again."""
        self.stalled = self.swallowing = False
        self.delay = self.jitter = self.free_at = 0.0
        self.bytes_per_second = None


class Lane:
    """One direction of one connection.

    Args:
        conditions: What happens to its bytes at present.
        rng: Draws the jitter.
        on_end: Told when the end of the stream was passed on, and how it ended.

    `bytes_held` says how much is in it; `damaged`, that it has swallowed something; `sender_ended`, that its sender has
    no more to say. With `break_after` set, that share of what it passes next is the last it passes.
    """

    def __init__(self, conditions: Conditions, rng: Random, on_end: Callable[[End], None]) -> None:
        self.conditions = conditions
        self.source: asyncio.Transport | None = None
        self.target: asyncio.Transport | None = None
        self.damaged = False
        self.sender_ended = False
        self.break_after: float | None = None
        self._rng = rng
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[float, bytes | End]] = deque()
        self.bytes_held = 0
        self._timer: asyncio.TimerHandle | None = None
        self._target_is_full = False
        self._dead = False

    def take(self, what: bytes | End) -> None:
        """Take in what the sender has sent, or that it has ended, and pass on what may pass."""
        if isinstance(what, End):
            self.sender_ended = True
        if self._dead:
            return
        if self.conditions.swallowing:
            self.damaged = True
            return
        due = self._loop.time() + self.conditions.delay + self._rng.uniform(0, self.conditions.jitter)
        self._waiting.append((due, what))
        self.bytes_held += 0 if isinstance(what, End) else len(what)
        self.run()

    def run(self) -> None:
        """Pass on everything that may pass now, and come back by itself for what may pass later."""
        self._forget_timer()
        while self._waiting and self.target and not self._target_is_full and not self.conditions.stalled:
            due, what = self._waiting[0]
            passes_at = self._passes_at(due, what)
            if passes_at > self._loop.time():
                self._timer = self._loop.call_at(passes_at, self.run)
                break
            self._waiting.popleft()
            if isinstance(what, End):
                self._pass_end(what)
            else:
                self._pass_bytes(due, what)
        self._keep_reading_or_not()

    def target_is_full(self, *, full: bool) -> None:
        """Hear from the target whether it takes more."""
        self._target_is_full = full
        self.run()

    def die(self) -> None:
        """Lose what is left; there is nobody to take it."""
        self._dead = True
        self._forget_timer()
        self._waiting.clear()
        self.bytes_held = 0
        self.target = None
        self._keep_reading_or_not()

    def _passes_at(self, due: float, what: bytes | End) -> float:
        conditions = self.conditions
        # Healed lines bring what was under way at once.
        at = due if conditions.delay or conditions.jitter else 0.0
        if conditions.bytes_per_second is not None and not isinstance(what, End):
            at = max(at, conditions.free_at)
        return at

    def _pass_bytes(self, due: float, data: bytes) -> None:
        if self.break_after is not None:
            self._break_off(data)
            return
        rate = self.conditions.bytes_per_second
        piece = data
        if rate is not None:
            piece, rest = _split(data, max(1, int(rate * _SLICE_SECONDS)))
            self.conditions.free_at = max(self.conditions.free_at, self._loop.time()) + len(piece) / rate
            if rest:
                self._waiting.appendleft((due, rest))
        self.bytes_held -= len(piece)
        self._write(piece)

    def _break_off(self, data: bytes) -> None:
        """Pass a part of these bytes, and then the end, whatever was behind them."""
        self._waiting.clear()
        self.bytes_held = 0
        self._write(data[: int(len(data) * (self.break_after or 0.0))])
        self._on_end(End.RESET)

    def _pass_end(self, end: End) -> None:
        target = self.target
        if end is End.QUIET and target and not target.is_closing():
            # Who has ended before, and was reset since, is not connected any more, and nobody has noticed.
            with suppress(OSError):
                target.write_eof()
        self._on_end(end)

    def _write(self, piece: bytes) -> None:
        if piece and self.target and not self.target.is_closing():
            self.conditions.passed += len(piece)
            self.target.write(piece)

    def _keep_reading_or_not(self) -> None:
        source = self.source
        if source is None or source.is_closing() or self.sender_ended:
            return
        too_much = self.bytes_held >= BUFFER_BYTES
        if too_much and source.is_reading():
            source.pause_reading()
        elif not too_much and not source.is_reading():
            source.resume_reading()

    def _forget_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


def _split(data: bytes, at: int) -> tuple[bytes, bytes]:
    return data[:at], data[at:]

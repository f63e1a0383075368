"""Records the session anew: `python -m load.recording.record`. The same seed records the same session.

Two typists work at the same time in two replicas, a network with delays between them. The clock is a number: half an
hour of writing is recorded in seconds.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from random import Random
from typing import Final

from crdt.diff import TextEdit
from crdt.document import Document, new_client_id
from load.recording.session import RECORDING, Key, Session
from load.recording.typist import Step, Typist

SCRIPT: Final = Path(__file__).with_name("script.toml")
SEED: Final = 21
# From one author's key to the other's screen, in seconds: two homes and a server between them.
_ON_THE_WAY: Final = (0.03, 0.15)


class Recorder:
    """Lets two authors work, and writes down what they do.

    Args:
        steps: what they mean to do.
        seed: of every random choice.
    """

    def __init__(self, steps: Sequence[Step], seed: int) -> None:
        self._random = Random(seed)
        self._clients = tuple(new_client_id(self._random) for _ in range(2))
        self._typists = [self._typist(author, steps) for author in range(2)]
        self._keys: list[Key] = []
        self._seen = [0, 0]
        self._delivered = [0.0, 0.0]
        self._now = 0.0
        # When, a number that keeps what is due at the same time in order, to whom, and what: nothing is "go on".
        self._due: list[tuple[float, int, int, bytes | None]] = []
        self._order = count()

    def record(self) -> Session:
        """Let both finish.

        Raises:
            RuntimeError: They ended with different texts.
        """
        work: list[Iterator[float]] = [typist.work() for typist in self._typists]
        for author in range(2):
            self._later(0.0, author, None)
        while self._due:
            self._now, _, author, update = heappop(self._due)
            if update is not None:
                self._typists[author].receive(update)
                self._seen[author] += 1
            elif (pause := next(work[author], None)) is not None:
                self._later(pause, author, None)
        texts = {typist.document.text for typist in self._typists}
        if len(texts) != 1:
            raise RuntimeError("the two authors ended with different texts")
        return Session(self._clients, tuple(self._keys), texts.pop())

    def _typist(self, author: int, steps: Sequence[Step]) -> Typist:
        def typed(edit: TextEdit, update: bytes) -> None:
            self._keys.append(Key(author, self._now, self._seen[author], edit))
            other = 1 - author
            # What was typed first arrives first.
            self._delivered[other] = max(self._delivered[other], self._now + self._random.uniform(*_ON_THE_WAY))
            self._later(self._delivered[other] - self._now, other, update)

        own = [step for step in steps if step.author == author]
        return Typist(Document(client_id=self._clients[author]), own, Random(self._random.random()), typed)

    def _later(self, seconds: float, author: int, update: bytes | None) -> None:
        heappush(self._due, (self._now + seconds, next(self._order), author, update))


def main() -> None:
    """Record it, and say what it came to."""
    script = tomllib.loads(SCRIPT.read_text())
    session = Recorder([Step(**step) for step in script["step"]], SEED).record()
    RECORDING.write_bytes(session.as_bytes())
    minutes = session.keys[-1].at / 60
    sys.stdout.write(
        f"{len(session.keys):,} edits in {minutes:.0f} minutes, {len(session.text):,} characters in the end, "
        f"{RECORDING.stat().st_size:,} bytes\n"
    )


if __name__ == "__main__":
    main()

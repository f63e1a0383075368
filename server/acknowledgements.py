"""How many messages of one connection are committed, from the first without a gap.

Edits are committed in batches and held-back ones later than their successors, so single messages finish out of order;
the client is only ever told a count. A committed step 2 closes every gap before it, because it holds all that the
client had and the committed document had not.
"""

from __future__ import annotations


class Acknowledgements:
    """Counts the step-2 and update messages of a connection; `count` is what may be told to the client."""

    __slots__ = ("_early", "_told", "count")

    def __init__(self) -> None:
        self.count = 0
        self._told = 0
        self._early: set[int] = set()

    def committed(self, ordinal: int, messages: int = 1, *, closes_gaps: bool) -> None:
        """Marks the message at this place, from 1, as committed, and with it those joined to it that came before."""
        if closes_gaps and ordinal > self.count:
            self.count = ordinal
            self._early = {early for early in self._early if early > ordinal}
        elif ordinal - messages == self.count:
            self.count = ordinal
        elif ordinal > self.count:
            self._early.update(range(max(self.count, ordinal - messages) + 1, ordinal + 1))
        while self._early and self.count + 1 in self._early:
            self.count += 1
            self._early.discard(self.count)

    def take_news(self) -> int | None:
        """Answers the count if the client has not been told it yet, and takes it as told."""
        if self.count == self._told:
            return None
        self._told = self.count
        return self.count

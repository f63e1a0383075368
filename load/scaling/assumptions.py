"""What is assumed about people: nobody has measured it, and every figure on paper hangs at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_SECONDS_OF_A_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Assumptions:
    """An organization, or many.

    Args:
        prompts: that there are.
        people: who are online at the busiest time.
        people_per_prompt: of those, in each prompt that is open.
        typing: the share of them who type at any moment.
        keys_per_second: of each who types.
        edits_per_prompt: in the life of a prompt, on average.
        text_kb: of a prompt that is open, on average.
        busy_share: of a day, if all of it was as busy as the busiest time.
        most_used: how much of a core, or of Redis, may be used at the busiest time: what is left is for the death of a
            node, for people who come back at once, and for queues to stay short.
    """

    prompts: int = 10_000_000
    people: int = 100_000
    people_per_prompt: int = 3
    typing: float = 0.1
    keys_per_second: float = 3.0
    edits_per_prompt: int = 2_000
    text_kb: float = 4.0
    busy_share: float = 0.2
    most_used: float = 0.6

    @property
    def keys(self) -> float:
        """Keys a second, of all."""
        return self.people * self.typing * self.keys_per_second

    @property
    def rooms(self) -> int:
        """Prompts that are open."""
        return self.people // self.people_per_prompt

    @property
    def keys_a_day(self) -> float:
        """Keys in a day, of all."""
        return self.keys * _SECONDS_OF_A_DAY * self.busy_share

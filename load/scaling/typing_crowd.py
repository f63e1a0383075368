"""People in many prompts who type for a while: the load under which most constants are measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from time import perf_counter

from load.crowd import created, opened, settled
from load.editor import Editor
from load.pacing import at_any_time, play
from load.servers.server import Server


@dataclass(frozen=True, slots=True)
class Crowd:
    """Everybody.

    Args:
        rooms: the people of each prompt, each of whom may type.
        documents: the name of each prompt.
    """

    rooms: Sequence[Sequence[Editor]]
    documents: Sequence[str]

    @property
    def people(self) -> list[Editor]:
        """All of them."""
        return [person for room in self.rooms for person in room]

    async def type(self, rate: float, seconds: float, random: Random) -> int:
        """Type; answers how many keys, when the server has acknowledged them all.

        Args:
            rate: keys a second in all prompts together.
            seconds: for how long.
            random: for who types when.

        Raises:
            TimeoutError: Something was not acknowledged.
        """
        before = self._typed()
        await play(at_any_time([each.type for each in self.people], rate, perf_counter(), seconds, random))
        if not await settled(lambda: all(each.everything_is_saved for each in self.people)):
            raise TimeoutError("not everything was acknowledged")
        return self._typed() - before

    def leave(self) -> None:
        """Hang up."""
        for each in self.people:
            each.close()

    def _typed(self) -> int:
        return sum(len(each.text) for each in self.people)


async def gathered(server: Server, prompts: int, people: int, random: Random) -> Crowd:
    """So many people in each of so many new prompts.

    Args:
        server: where.
        prompts: how many.
        people: in each.
        random: for their ids and their texts, and for who is on which node.
    """
    addresses = await created(server, prompts)
    editors = await opened(server, [address for address in addresses for _ in range(people)], random)
    rooms = [editors[start : start + people] for start in range(0, len(editors), people)]
    return Crowd(rooms, [address.document for address in addresses])

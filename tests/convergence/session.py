"""Runs one plan, and holds what comes of it against the rule: in the end all texts are one text."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from uuid import UUID

from tests.convergence.clients import Client
from tests.convergence.plan import EDITS, NOBODY, VIEWERS_MARK, Do, Plan, Step
from tests.convergence.world import World
from tests.support.waiting import WaitedInVain, wait_until
from tests.support.yjs import Report

# Somebody else's crash of the server may fall into it.
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The prompt of a session, and the text that everybody agreed on."""

    prompt_id: UUID
    text: str


class Diverged(AssertionError):
    """Not everybody came to the same."""


async def run(plan: Plan, world: World) -> Outcome:
    """Run a plan and return what came of it.

    Raises:
        Diverged: The clients, or the server, do not agree in the end.
    """
    prompt_id = await world.rest.new_prompt(f"Session {plan.seed}", plan.content)
    random = Random(f"run {plan.seed}")
    session = _Session(plan, world, prompt_id, [world.client(seat, prompt_id, random) for seat in plan.seats])
    try:
        for client in session.clients:
            client.connect()
        for step in plan.steps:
            await session.take(step)
        return Outcome(prompt_id, await session.settle())
    finally:
        for client in session.clients:
            await client.close()


class _Session:
    def __init__(self, plan: Plan, world: World, prompt_id: UUID, clients: list[Client]) -> None:
        self.clients = clients
        self._plan = plan
        self._world = world
        self._prompt_id = prompt_id
        self._away: set[int] = set()
        self._held: set[tuple[int, Do]] = set()

    async def take(self, step: Step) -> None:
        """Take one step."""
        if step.do in EDITS:
            self.clients[step.seat].edit(step)
        elif step.seat != NOBODY:
            await self._take_on_network(step)
        elif step.do is Do.REST_EDIT:
            await self._world.rest.put_in_front(self._prompt_id, step.text)
        elif step.do is Do.ASK:
            await self._world.rest.live(self._prompt_id)
        elif step.do in {Do.CRASH, Do.DEPLOY}:
            await self._world.restart(kill=step.do is Do.CRASH)
        else:
            await self._meet(writers=self._free_writers())

    async def _take_on_network(self, step: Step) -> None:
        client = self.clients[step.seat]
        match step.do:
            case Do.DISCONNECT:
                self._away.add(step.seat)
                self._held -= {(step.seat, Do.HOLD_INCOMING), (step.seat, Do.HOLD_OUTGOING)}
                await client.disconnect()
            case Do.CONNECT:
                self._away.discard(step.seat)
                client.connect()
            case Do.HOLD_INCOMING | Do.HOLD_OUTGOING:
                self._held.add((step.seat, step.do))
                client.hold(step)
            case Do.RELEASE_INCOMING | Do.RELEASE_OUTGOING:
                self._held.discard((step.seat, _HELD_BY[step.do]))
                client.release(step)

    def _free_writers(self) -> list[Client]:
        busy = self._away | {seat for seat, _ in self._held}
        return [client for place, client in enumerate(self.clients) if place not in busy and not client.seat.views]

    async def settle(self) -> str:
        """Let everybody back in, wait until all agree, and return the text they agree on."""
        for seat, way in sorted(self._held):
            self.clients[seat].release(Step(_RELEASED_BY[way], seat))
        for seat in self._away:
            self.clients[seat].connect()
        self._held.clear()
        self._away.clear()
        text = await self._meet(writers=self._free_writers())
        assert VIEWERS_MARK not in text, "a viewer has written"
        for place, client in enumerate(self.clients):
            if client.seat.views and place in self._plan.only_insert:
                await self._meet_viewer(client, text)
        return text

    async def _meet(self, writers: Sequence[Client]) -> str:
        if not writers:
            return ""
        seen: list[Report] = []
        shown: str | None = None

        async def agree() -> bool:
            nonlocal shown
            seen[:] = [await client.report() for client in writers]
            if not all(map(_is_at_rest, seen)) or any(_differ(seen[0], other) for other in seen[1:]):
                return False
            shown = await self._world.rest.live(self._prompt_id)
            return shown == seen[0].text

        try:
            await wait_until(agree, what="agreement", seconds=_SECONDS)
        except WaitedInVain:
            raise Diverged(self._explain(writers, seen, shown)) from None
        return seen[0].text

    async def _meet_viewer(self, viewer: Client, text: str) -> None:
        async def shows_it() -> bool:
            return (await viewer.report()).text.replace(VIEWERS_MARK, "") == text

        await wait_until(shows_it, what="a viewer to see what the others see", seconds=_SECONDS)

    def _explain(self, writers: Sequence[Client], seen: Sequence[Report], shown: str | None) -> str:
        lines = [f"seed {self._plan.seed}, prompt {self._prompt_id}: no agreement; the server shows {_short(shown)}"]
        for client, report in zip(writers, seen, strict=False):
            place = self.clients.index(client)
            rest = f"connected={report.connected} synced={report.synced} saved={report.saved} waiting={report.waiting}"
            lines += [
                f"  {place} {client.seat.kind}: {rest} closes={report.closes}",
                f"    clocks {dict(sorted(report.clocks.items()))}",
                f"    text {_short(report.text)}",
            ]
        return "\n".join(lines)


_RELEASED_BY = {Do.HOLD_INCOMING: Do.RELEASE_INCOMING, Do.HOLD_OUTGOING: Do.RELEASE_OUTGOING}
_HELD_BY = {release: hold for hold, release in _RELEASED_BY.items()}


def _is_at_rest(report: Report) -> bool:
    return report.connected and report.synced and report.saved is not False and not report.waiting


def _differ(one: Report, other: Report) -> bool:
    return one.text != other.text or one.clocks != other.clocks


def _short(text: str | None) -> str:
    if text is None:
        return "nothing"
    return f"{len(text)} characters {text!r}" if len(text) <= 200 else f"{len(text)} characters {text[:200]!r}…"

"""Runs many sessions, some at a time, on one server; then stops it and holds every text against the journal."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.convergence.plan import Plan
from tests.convergence.session import Outcome, run
from tests.convergence.world import World, world
from tests.support.people import beside
from tests.support.stored import rebuilt_text, text_in_yjs

_AT_ONCE = 5


@dataclass(frozen=True, slots=True)
class Figures:
    """What a campaign was made of."""

    sessions: int
    clients: int
    steps: int
    kills: int
    deploys: int

    def __str__(self) -> str:
        made = f"{self.sessions} sessions, {self.clients} clients, {self.steps} steps"
        return f"{made}, {self.kills} kill -9, {self.deploys} deploys"


async def campaign(plans: Sequence[Plan], *, directory: Path, database_url: str, failures: Path) -> Figures:
    """Run the plans and check everything; a plan that fails is written to the directory of failures first.

    Args:
        plans: The sessions, each in a prompt of its own.
        directory: Where the server keeps its state.
        database_url: An empty database for it.
        failures: Where plans that fail are kept.

    Raises:
        AssertionError: A session did not converge, or the journal says something else than its clients.
    """
    async with world(directory, database_url) as around:
        free = asyncio.Semaphore(_AT_ONCE)

        async def one(plan: Plan) -> Outcome:
            async with free:
                with _kept(plan, failures):
                    return await run(plan, around)

        async with asyncio.TaskGroup() as sessions:
            running = [sessions.create_task(one(plan)) for plan in plans]
        assert await around.server.terminate() == 0
        assert not around.server.complaints
        await _check_stored([session.result() for session in running], plans, around, failures)
        clients = sum(len(plan.seats) for plan in plans)
        steps = sum(len(plan.steps) for plan in plans)
        return Figures(len(plans), clients, steps, around.kills, around.deploys)


async def _check_stored(outcomes: Sequence[Outcome], plans: Sequence[Plan], around: World, failures: Path) -> None:
    async with beside(around.server.database_url) as store:
        for outcome, plan in zip(outcomes, plans, strict=True):
            with _kept(plan, failures):
                assert await rebuilt_text(store, outcome.prompt_id) == outcome.text
                assert await text_in_yjs(store, outcome.prompt_id, around.yjs) == outcome.text


@contextmanager
def _kept(plan: Plan, failures: Path) -> Iterator[None]:
    """Write the plan down when something fails in the block."""
    try:
        yield
    except Exception as error:
        path = failures / f"plan-{plan.seed}.json"
        path.write_text(plan.to_json(), encoding="utf-8")
        error.add_note(f"seed {plan.seed}; to run it again: python -m tests.convergence {path}")
        raise

"""One session: a cluster, its typists, and a plan's rounds, each checked at its end.

Everything that is known of it is in one directory: `plan.json`, `history.jsonl`, what the nodes said, and for a session
that failed `findings.txt` and the texts as they were. A round in which something is wrong ends the session, because
whatever follows would suffer from it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from uuid import UUID

import httpx2

from server.access import Role
from tests.faults.cluster.catalogue import CATALOGUE
from tests.faults.cluster.checker import Finding, Kind
from tests.faults.cluster.cluster import Cluster, cluster
from tests.faults.cluster.faults import FAULTS, Scene
from tests.faults.cluster.history import Agreed, Began, Ended, Healthy, History, RoundBegan
from tests.faults.cluster.inspection import Inspection
from tests.faults.cluster.plan import NODES, Plan, Round, Step
from tests.faults.cluster.typists import AUTHORS, crowd
from tests.faults.cluster.verdict import Figures
from tests.faults.tokens import first_text
from tests.support.people import ENVIRONMENT, invite
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.rest import Rest
from tests.support.waiting import WaitedInVain, wait_until

# However long a fault has kept a client waiting, its next attempt comes within half a minute.
_AGREE_SECONDS = 90.0
_HEALTHY_SECONDS = 60.0
_CALM_TYPISTS = 2
_CALM_TOKENS = 12


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of one round: its figures, if it got that far, and what is wrong."""

    round: Round
    figures: Figures | None
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class Result:
    """What came out of a session so far."""

    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def findings(self) -> list[Finding]:
        """Everything that is wrong."""
        return [finding for outcome in self.outcomes for finding in outcome.findings]


async def run_session(
    plan: Plan, *, postgres: PostgresServer, redis: RedisServer | None, directory: Path, nodes: int = NODES
) -> Result:
    """Run a plan, and return what came out of each of its rounds until something was wrong.

    Args:
        plan: The plan.
        postgres: A database server, running.
        redis: What carries messages between the nodes, running; None for a lone node.
        directory: Where everything that is known of the session goes; it is there.
        nodes: How many nodes.
    """
    (directory / "plan.json").write_text(plan.to_json(), encoding="utf-8")
    result = Result()
    random = Random(f"session {plan.seed}")
    with History(directory / "history.jsonl") as history:
        try:
            async with (
                cluster(
                    postgres, redis, nodes=nodes, tmp_path=directory, rng=random, environment=ENVIRONMENT
                ) as running,
                _session(running, history, random, directory) as session,
            ):
                await session.run(plan, result)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is written down as what was found
            found = tuple(Finding(Kind.BROKEN, "session", what) for what in _causes(error))
            at = plan.rounds[min(len(result.outcomes), len(plan.rounds) - 1)]
            result.outcomes.append(Outcome(at, None, found))
    if result.findings:
        lines = [
            f"{one.round.row} {one.round.number}: {finding}" for one in result.outcomes for finding in one.findings
        ]
        (directory / "findings.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return result


class Session:
    """A cluster and its typists, and the rounds one after another.

    Args:
        scene: The cluster, the typists and their prompt.
        inspection: Looks at what is there at the end of a round.
        history: Takes what happens.
    """

    def __init__(self, scene: Scene, inspection: Inspection, history: History) -> None:
        self._scene = scene
        self._inspection = inspection
        self._history = history

    async def run(self, plan: Plan, result: Result) -> None:
        """Do the plan's rounds until something is wrong, and look at everything at the end."""
        async with asyncio.TaskGroup() as group:
            typing = group.create_task(self._scene.crowd.run())
            await self._agree()
            for one in plan.rounds:
                outcome = await self._round(one)
                is_last = one is plan.rounds[-1] or bool(outcome.findings)
                if is_last:
                    at_the_end = await self._inspection.of_session()
                    outcome = Outcome(one, outcome.figures, (*outcome.findings, *at_the_end))
                result.outcomes.append(outcome)
                if is_last:
                    break
            typing.cancel()

    async def _round(self, one: Round) -> Outcome:
        await self._scene.spread()
        await self._agree()
        self._inspection.begin_round()
        self._history.add(RoundBegan(self._history.now, one.number))
        await self._type(one)
        findings = []
        try:
            await self._agree()
        except WaitedInVain as waited:
            findings.append(Finding(Kind.DIFFERENT, "everybody", str(waited)))
        figures, found = await self._inspection.of_round(CATALOGUE[one.row])
        return Outcome(one, figures, (*findings, *found))

    async def _type(self, one: Round) -> None:
        people = self._scene.crowd
        before = people.typed
        people.go_on(one.typing, pace=one.pace)
        async with asyncio.TaskGroup() as group:
            for index, step in enumerate(one.steps):
                group.create_task(self._do(index, step, before + step.after))
        await people.type_more(one.tokens)
        await self._scene.cluster.healthy(seconds=_HEALTHY_SECONDS)
        self._history.add(Healthy(self._history.now))
        # Few, so that there are nodes where nobody types.
        people.go_on(_CALM_TYPISTS)
        await people.type_more(_CALM_TOKENS)
        people.pause()

    async def _do(self, index: int, step: Step, at: int) -> None:
        people, history = self._scene.crowd, self._history
        await wait_until(lambda: people.typed >= at, what="it to be time for a fault")

        def began() -> None:
            history.add(Began(history.now, index, step.fault, step.target, self._scene.connections))

        await FAULTS[step.fault](self._scene, step, began)
        history.add(Ended(history.now, index))

    async def _agree(self) -> None:
        what = "everybody to be at rest, and all nodes to say the same"
        await wait_until(self._inspection.everybody_agrees, what=what, seconds=_AGREE_SECONDS)
        self._history.add(Agreed(self._history.now))


@asynccontextmanager
async def _session(running: Cluster, history: History, random: Random, directory: Path) -> AsyncIterator[Session]:
    people = await invite(running.database_url, *[Role.EDITOR] * len(AUTHORS))
    async with httpx2.AsyncClient(trust_env=False) as http:
        rest = [Rest(http, node.server.base_url, people[0].token) for node in running.nodes]
        prompt_id: UUID = await rest[0].new_prompt("Typing", first_text(AUTHORS))
        async with crowd(running.door, prompt_id, people, history=history, random=random) as opened:
            scene = Scene(running, opened, prompt_id, random)
            yield Session(scene, Inspection(scene, rest, history, directory), history)


def _causes(error: BaseException) -> Sequence[str]:
    if isinstance(error, BaseExceptionGroup):
        return [cause for part in error.exceptions for cause in _causes(part)]
    notes = getattr(error, "__notes__", [])
    return ["; ".join([f"{type(error).__name__}: {error}", *notes])]

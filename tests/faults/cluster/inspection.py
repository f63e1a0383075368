"""Looks at clients, nodes and the database at the end of a round, and has the checker judge what is there."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

from server.fsck import check_everything
from tests.faults.cluster.catalogue import Row as CatalogueRow
from tests.faults.cluster.catalogue import Since
from tests.faults.cluster.checker import (
    Finding,
    Kind,
    Row,
    check_equal,
    check_promises,
    check_rows,
    check_text,
)
from tests.faults.cluster.faults import Scene
from tests.faults.cluster.history import Began, Ended, Healthy, History, Opened, Record, Sent
from tests.faults.cluster.timing import caught_up, farthest_behind, pauses, typing_again
from tests.faults.cluster.typists import AUTHORS
from tests.faults.cluster.verdict import (
    Figures,
    Grown,
    check_bounds,
    check_growth,
    count,
    count_lost,
)
from tests.support.people import beside
from tests.support.rest import Rest
from tests.support.server import ServerFailed
from tests.support.stored import rebuilt_text, text_in_yjs


class Inspection:
    """Looks at a session.

    Args:
        scene: The cluster, the typists and their prompt.
        rest: REST at each node, by number.
        history: What happened.
        directory: Where texts that differ are kept.
    """

    def __init__(self, scene: Scene, rest: Sequence[Rest], history: History, directory: Path) -> None:
        self._scene = scene
        self._rest = rest
        self._history = history
        self._directory = directory
        self._first_record = 0
        self._typed_before = 0
        # What was found before is not found again in the next round.
        self._stored_twice_before = 0
        self._at_first: dict[int, Grown] = {}

    def begin_round(self) -> None:
        """Have the next round begin now."""
        self._first_record = len(self._history.records)
        self._typed_before = self._scene.crowd.typed

    async def everybody_agrees(self) -> bool:
        """Whether everybody is at rest and every node that runs says what they show."""
        people = self._scene.crowd
        if not await people.at_rest():
            return False
        expected = people.typists[0].text
        return all(text == expected for text in (await self._texts_of_nodes()).values())

    async def of_round(self, row: CatalogueRow) -> tuple[Figures, list[Finding]]:
        """Judge a round that has just ended; nobody types."""
        people, records = self._scene.crowd, self._history.records
        await people.look()
        texts = {**people.texts, **await self._texts_of_nodes()}
        stored, findings = await self._stored()
        if stored is not None:
            texts["what is stored"] = stored
        for where, text in texts.items():
            findings += check_text(where, text, AUTHORS, records)
            if findings:
                # All others are wrong alike, or differ.
                break
        findings += check_equal(texts)
        if findings:
            (self._directory / "texts.json").write_text(json.dumps(texts, indent=1), encoding="utf-8")
        rows, head = await self._rows()
        of_rows = check_rows(rows, head)
        twice = count(of_rows, Kind.STORED_TWICE)
        findings += [finding for finding in of_rows if finding.kind is not Kind.STORED_TWICE]
        findings += check_promises(records, rows)
        figures = self._figures(row, findings, twice - self._stored_twice_before)
        self._stored_twice_before = twice
        return figures, findings + check_bounds(figures, row.bounds) + check_growth(self._grown())

    async def of_session(self) -> list[Finding]:
        """Judge what is judged once: real Yjs on the journal, `promptroom fsck`, and what the nodes said."""
        findings = []
        async with beside(self._scene.cluster.database_url) as store:
            in_yjs = await text_in_yjs(store, self._scene.prompt_id, self._scene.crowd.yjs)
        shown = self._scene.crowd.typists[0]
        findings += check_equal({shown.author: shown.text, "the journal in Yjs": in_yjs})
        node = next(node for node in self._scene.cluster.nodes if node.running)
        try:
            await node.server.command("fsck")
        except ServerFailed as failed:
            findings.append(Finding(Kind.STORAGE, "promptroom fsck", str(failed)))
        complaints = self._scene.cluster.complaints
        return findings + [Finding(Kind.COMPLAINT, "a node's log", complaint) for complaint in complaints]

    async def _texts_of_nodes(self) -> dict[str, str]:
        nodes = [node for node in self._scene.cluster.nodes if node.running]
        lives = await asyncio.gather(*(self._rest[node.number].live(self._scene.prompt_id) for node in nodes))
        return {f"node {node.number}": live or "" for node, live in zip(nodes, lives, strict=True)}

    async def _stored(self) -> tuple[str | None, list[Finding]]:
        async with beside(self._scene.cluster.database_url) as store:
            findings = [Finding(Kind.STORAGE, "fsck", line) for line in await check_everything(store)]
            try:
                return await rebuilt_text(store, self._scene.prompt_id), findings
            except AssertionError as error:
                return None, [*findings, Finding(Kind.STORAGE, "rebuilt from the journal", str(error))]

    async def _rows(self) -> tuple[list[Row], int]:
        opened = self._history.records[0]
        assert isinstance(opened, Opened)
        async with beside(self._scene.cluster.database_url) as store:
            entries = await store.journal.read(self._scene.prompt_id)
            head = await store.journal.head(self._scene.prompt_id)
        rows = [Row.of(entry.seq, entry.created_at.timestamp() - opened.wall, entry.update) for entry in entries]
        return rows, head

    def _figures(self, row: CatalogueRow, findings: Sequence[Finding], stored_twice: int) -> Figures:
        records = self._history.records
        of_round = records[self._first_record :]
        faults, healings = _times(of_round, Began), _times(of_round, Ended)
        healed = max(healings, default=of_round[0].at)
        calm = max(_times(of_round, Healthy), default=healed)
        references = faults if row.since is Since.FAULT else [healed]
        # Who types only when all is well again has nothing to come back from.
        hurt = [record for record in of_round if not isinstance(record, Sent) or record.at < calm]
        again = [seconds for since in references for seconds in typing_again(hurt, since).values()]
        return Figures(
            tokens=self._scene.crowd.typed - self._typed_before,
            lost=count_lost(findings),
            doubled=count(findings, Kind.DOUBLED),
            stored_twice=stored_twice,
            typing_again=max(again, default=0.0),
            pause=max(pauses(of_round).values(), default=0.0),
            behind=farthest_behind(records, since=of_round[0].at),
            caught_up=caught_up(records, healed, AUTHORS),
            calm=farthest_behind(records, since=calm, committed_since=calm),
        )

    def _grown(self) -> dict[str, Grown]:
        """Return by how much each node has grown since it was first looked at after its start."""
        grown = {}
        for node in self._scene.cluster.nodes:
            if node.running:
                now = Grown(node.memory(), node.descriptors())
                at_first = self._at_first.setdefault(node.server.pid, now)
                by = Grown(now.memory - at_first.memory, now.descriptors - at_first.descriptors)
                grown[f"node {node.number}"] = by
        return grown


def _times(records: Sequence[Record], kind: type[Record]) -> list[float]:
    return [record.at for record in records if isinstance(record, kind)]

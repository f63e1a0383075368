"""What one PostgreSQL commits, one core of it: transactions of the shape that the server's have, by pgbench.

A transaction locks some prompts, advances their heads and inserts their journal rows, and waits for the disk. Each
client is a node, which has one such transaction under way at a time.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import asyncpg

from load.servers.postgres import Postgres
from load.servers.process import cores
from load.servers.promptroom import Promptroom
from load.servers.server import ServerFailed

_PROMPTS: Final = 20_000
_NODES: Final = (1, 4, 16)
_GROUP: Final = 10
# Numbers, so that a transaction can choose at random; the prompts hang at whatever the server has created.
_PREPARE: Final = (
    "CREATE TABLE numbered AS SELECT number, gen_random_uuid() AS id FROM generate_series(1, 20000) AS number",
    "ALTER TABLE numbered ADD PRIMARY KEY (number)",
    """
    INSERT INTO prompts (id, organization_id, project_id, name, folded_name, slug, epoch, head_seq, version, created_by,
        created_at, updated_at)
    SELECT numbered.id, projects.organization_id, projects.id, 'load ' || number, 'load ' || number, 'load-' || number,
        1, 0, 1, users.id, now(), now()
    FROM numbered, (SELECT * FROM projects LIMIT 1) AS projects, (SELECT * FROM users LIMIT 1) AS users
    """,
    "ANALYZE",
)
_TRANSACTION: Final = r"""
\set first random(1, {last})
WITH locked AS MATERIALIZED (
    SELECT id FROM prompts
    WHERE id IN (SELECT id FROM numbered WHERE number BETWEEN :first AND :first + {group} - 1)
    ORDER BY id FOR UPDATE
), advanced AS (
    UPDATE prompts SET head_seq = head_seq + 1, updated_at = now() FROM locked WHERE prompts.id = locked.id
    RETURNING prompts.id, prompts.head_seq, prompts.created_by
)
INSERT INTO journal (prompt_id, seq, user_id, kind, created_at, payload)
SELECT id, head_seq, created_by, 'edit', now(), '\x0101d2c3b4a5968778695a4b3c84d2c3b4a59687780a016100'
FROM advanced;
"""
_RATE: Final = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)
_LATENCY: Final = re.compile(r"^latency average = ([\d.]+) ms", re.MULTILINE)


async def measure(seconds: float, seed: int) -> Mapping[str, float]:
    """Commit as fast as it goes, from one node and from many, a row and several at a time.

    Args:
        seconds: for how long in each of these.
        seed: of which prompts are written to.
    """
    database = Postgres(on=cores().server)
    try:
        url = await asyncio.to_thread(database.start)
        async with _Server(url):
            # What an empty database needs is there when it has started.
            pass
        await _prepare(url)
        figures: dict[str, float] = {}
        for nodes in _NODES:
            runs = [_Run(nodes, group, seconds, seed) for group in (1, _GROUP)]
            one, many = [await asyncio.to_thread(_committed, database, run) for run in runs]
            per_row = (many.cpu_us - one.cpu_us) / (_GROUP - 1)
            figures |= {
                f"postgres_commits_per_second_{nodes}": one.per_second,
                f"postgres_commit_ms_{nodes}": one.milliseconds,
                f"postgres_rows_per_second_in_groups_{nodes}": many.per_second * _GROUP,
                f"postgres_cpu_us_per_commit_{nodes}": one.cpu_us - per_row,
                f"postgres_cpu_us_per_row_{nodes}": per_row,
            }
        return figures
    finally:
        await asyncio.to_thread(database.close)


@dataclass(frozen=True, slots=True)
class _Run:
    """So many nodes, each of whose transactions writes to a group of prompts."""

    nodes: int
    group: int
    seconds: float
    seed: int


@dataclass(frozen=True, slots=True)
class _Committed:
    """Transactions a second, how long each took, and what each took of PostgreSQL's CPU."""

    per_second: float
    milliseconds: float
    cpu_us: float


class _Server(Promptroom):
    """Brings a database to the newest schema, and puts into it what an empty one needs."""

    def __init__(self, url: str) -> None:
        super().__init__("promptroom-once")
        self._database_url = url

    def database_url(self) -> str:
        return self._database_url

    async def start(self) -> None:
        self.settle()
        await asyncio.to_thread(self.run, "migrate")
        await super().start()


async def _prepare(url: str) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        for statement in _PREPARE:
            await connection.execute(statement)
    finally:
        await connection.close()


def _committed(database: Postgres, run: _Run) -> _Committed:
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(_TRANSACTION.format(last=_PROMPTS - run.group, group=run.group))
        script.flush()
        before = database.usage().cpu_seconds
        options = ("-n", "-M", "prepared", "-f", script.name, "-T", f"{run.seconds:.0f}", "-c", str(run.nodes))
        said = database.run("pgbench", *options, f"--random-seed={run.seed}")
        # The processes that served the nodes are gone, and what they used counts as their parent's.
        used = database.usage().cpu_seconds - before
    rate, latency = _RATE.search(said), _LATENCY.search(said)
    if rate is None or latency is None:
        raise ServerFailed(f"pgbench said something else: {said[-300:]}")
    per_second = float(rate[1])
    return _Committed(per_second, float(latency[1]), used / (per_second * run.seconds) * 1e6)

"""The constants of the model: what each step of a key's way costs, as it was measured and kept beside this module."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

MEASURED: Final = Path(__file__).with_name("measured.json")
_MICROSECOND: Final = 1e-6
_MILLISECOND: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds: of a node's core where nothing else is said.

    Args:
        wake: a turn of the loop after a rest.
        update: an update that came in: read, judged, acknowledged.
        batch: a batch: handed to the journal, applied, encoded, published.
        write: a frame written to one person.
        message: a message that came: from another node, or its own, which Redis sends back.
        person: a person who does nothing, by the second.
        room: a prompt that is open, by the second.
        rouse: of Redis's core, a turn of its loop after a rest.
        publish: of Redis's core, a message taken.
        delivery: of Redis's core, the same handed to one node.
        commit: of PostgreSQL's core, a transaction.
        row: of PostgreSQL's core, one more row in it.
        disk: waiting for the disk, by transaction; of no core.
    """

    wake: float
    update: float
    batch: float
    write: float
    message: float
    person: float
    room: float
    rouse: float
    publish: float
    delivery: float
    commit: float
    row: float
    disk: float

    @classmethod
    def of(cls, figures: Mapping[str, float]) -> Costs:
        """Of figures by name, as the measurements name them."""

        def seconds(name: str, unit: float = _MICROSECOND) -> float:
            return figures[name] * unit

        publish, delivery = seconds("redis_us_per_publish_alone"), seconds("redis_us_per_delivery_alone")
        commit, row = seconds("postgres_cpu_us_per_commit_4"), seconds("postgres_cpu_us_per_row_4")
        return cls(
            wake=seconds("node_us_per_wake"),
            update=seconds("node_us_per_update"),
            batch=seconds("node_us_per_batch"),
            write=seconds("node_us_per_write"),
            message=seconds("node_us_per_message"),
            person=seconds("node_us_per_person_and_second"),
            room=seconds("node_us_per_room_and_second"),
            rouse=max(seconds("redis_us_per_message_at_rest") - publish - delivery, 0.0),
            publish=publish,
            delivery=delivery,
            commit=commit,
            row=row,
            disk=max(seconds("postgres_commit_ms_1", _MILLISECOND) - commit - row, 0.0),
        )


def measured(file: Path = MEASURED) -> dict[str, float]:
    """Every figure that was kept, by name.

    Args:
        file: where.
    """
    kept: dict[str, dict[str, Any]] = json.loads(file.read_text())
    return {name: float(value) for part in kept.values() for name, value in part["figures"].items()}

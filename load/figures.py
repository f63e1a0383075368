"""What is measured: the name of each figure in the results, what people call it, and which way is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from load.results import Measurement


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that is measured.

    Args:
        title: what people call it.
        unit: in what it is counted; empty for a plain number.
        more_is_better: whether a larger value is the better one.
        scale: by what a stored value is multiplied to be in this unit.
    """

    title: str
    unit: str = ""
    more_is_better: bool = False
    scale: float = 1.0

    def written(self, value: float) -> str:
        """A value for people: three digits that count, and the unit."""
        number = digits(value * self.scale)
        return f"{number} {self.unit}" if self.unit else number


TIMES: Final = "\N{MULTIPLICATION SIGN}"
LATENCIES: Final = ("p50_ms", "p95_ms", "p99_ms", "longest_ms")
LOST: Final = "lost_acknowledged"

FIGURES: Final[Mapping[str, Figure]] = {
    "updates_per_second": Figure("updates a second", more_is_better=True),
    "deliveries_per_second": Figure("deliveries a second", more_is_better=True),
    "p50_ms": Figure("p50", "ms"),
    "p95_ms": Figure("p95", "ms"),
    "p99_ms": Figure("p99", "ms"),
    "longest_ms": Figure("longest", "ms"),
    "edit_p50_ms": Figure("p50 of edits", "ms"),
    "edit_p95_ms": Figure("p95 of edits", "ms"),
    "edit_p99_ms": Figure("p99 of edits", "ms"),
    "cpu_us_per_delivery": Figure("CPU per delivery", "µs"),
    "database_cpu_us_per_delivery": Figure("database's CPU per delivery", "µs"),
    "bus_cpu_us_per_delivery": Figure("Redis's CPU per delivery", "µs"),
    "updates_per_commit": Figure("updates per commit", more_is_better=True),
    "messages_per_commit": Figure("messages between nodes per commit"),
    "rows_per_edit": Figure("journal rows per edit"),
    "cpu_share": Figure("CPU", "% of a core", scale=100.0),
    "cpu_seconds": Figure("CPU in all", "s"),
    "wire_bytes_per_delivery": Figure("bytes on the wire per delivery", "B"),
    "wire_mb": Figure("bytes on the wire", "MB"),
    "memory_mb": Figure("memory", "MB"),
    "memory_above_idle_mb": Figure("memory above idle", "MB"),
    "memory_kb_per_connection": Figure("memory per connection", "KB"),
    "all_synced_seconds": Figure("all synced", "s"),
    "restart_seconds": Figure("server back", "s"),
    "first_open_ms": Figure("first open", "ms"),
    "written_per_second": Figure("edits taken a second", more_is_better=True),
    "opened_per_second": Figure("connections a second", more_is_better=True),
    "memory_left_mb": Figure("memory afterwards", "MB"),
    "waited_for_the_other": Figure("keys that waited"),
    "generator_cpu_share": Figure("generator's CPU", "% of a core", scale=100.0),
    "lost_shown": Figure("lost of what was shown"),
    LOST: Figure("lost", "after kill -9"),
}


def figure(name: str) -> Figure:
    """What a name stands for; one that nobody has described yet is its own title."""
    return FIGURES.get(name) or Figure(name.replace("_", " "))


def values_of(measurement: Measurement) -> dict[str, float]:
    """Every figure of a measurement by name, latencies and losses among them."""
    values: dict[str, float] = {}
    if measurement.latency_ms is not None:
        values |= {f"{name}_ms": value for name, value in asdict(measurement.latency_ms).items()}
    values |= measurement.figures
    if measurement.lost_acknowledged is not None:
        values[LOST] = measurement.lost_acknowledged
    return values


def digits(value: float) -> str:
    """A number for people, with the three digits that count."""
    if value == 0 or abs(value) >= 100:  # noqa: PLR2004 - from here on three digits stand before the point
        return f"{value:,.0f}"
    decimals = 2 if abs(value) < 10 else 1  # noqa: PLR2004 - a digit less behind the point for each one before it
    if abs(value) < 1:
        decimals = 3 if abs(value) < 0.1 else 2  # noqa: PLR2004 - as above
    return f"{value:.{decimals}f}"

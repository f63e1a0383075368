"""Costs that explain what was measured: none is negative, and each measurement counts by the share it is off by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_PASSES: Final = 20_000
_SMALL: Final = 1e-12


def explained(counts: Sequence[Sequence[float]], sums: Sequence[float]) -> list[float]:
    """The cost of each thing, so that counts times costs come as close to the sums as they can.

    One cost after another is set to what is best while the others stay, until nothing moves.

    Args:
        counts: of each measurement, how often there was each thing.
        sums: what each measurement came to; all positive.
    """
    rows = [[count / total for count in row] for row, total in zip(counts, sums, strict=True)]
    things = range(len(rows[0]))
    squares = [sum(row[thing] ** 2 for row in rows) for thing in things]
    costs = [0.0] * len(squares)
    left = [1.0] * len(rows)
    for _ in range(_PASSES):
        moved = 0.0
        for thing in things:
            if squares[thing] < _SMALL:
                continue
            best = costs[thing] + sum(row[thing] * rest for row, rest in zip(rows, left, strict=True)) / squares[thing]
            step = max(best, 0.0) - costs[thing]
            costs[thing] += step
            left = [rest - step * row[thing] for row, rest in zip(rows, left, strict=True)]
            moved = max(moved, abs(step) * squares[thing] ** 0.5)
        if moved < _SMALL:
            break
    return costs

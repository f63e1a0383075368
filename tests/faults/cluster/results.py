"""What came out of all rounds so far: kept in one file, however many runs it took, and shown as one table."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from tests.faults.cluster.catalogue import CATALOGUE
from tests.faults.cluster.timing import NEVER
from tests.faults.cluster.verdict import Bounds, Figures

_BEGIN, _END = "<!-- written by `make faults` from here -->\n", "<!-- to here -->\n"
_HEAD = (
    *("fault", "promised", "runs", "tokens", "lost", "doubled", "stored twice"),
    *(
        "slowest typing again",
        "longest pause",
        "farthest behind",
        "slowest to catch up",
        "behind afterwards",
        "verdict",
    ),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One round.

    Args:
        row: The row of the catalogue.
        number: Which of its rounds.
        figures: What it came to, if it got that far.
        findings: What was wrong.
        directory: Where everything that is known of it is kept, if something was wrong.
    """

    row: str
    number: int
    figures: Figures | None
    findings: tuple[str, ...]
    directory: str


class Results:
    """All rounds of one seed and scale.

    Args:
        path: The file that they are kept in.
        seed: Of all plans.
        scale: By what all durations were multiplied.
    """

    def __init__(self, path: Path, *, seed: int, scale: float) -> None:
        self.seed = seed
        self.scale = scale
        self._path = path
        self._entries: dict[tuple[str, int], Entry] = {}

    def read(self, path: Path | None = None) -> None:
        """Take in what is in a file, the own one if none is given, unless it is of another seed or scale."""
        path = path or self._path
        if not path.exists():
            return
        said = json.loads(path.read_text(encoding="utf-8"))
        if (said["seed"], said["scale"]) == (self.seed, self.scale):
            for entry in map(_entry, said["rounds"]):
                self.add(entry)

    def add(self, entry: Entry) -> None:
        """Take in a round, in place of an earlier run of the same."""
        self._entries[entry.row, entry.number] = entry

    def write(self) -> None:
        """Bring the file up to date."""
        rounds = [asdict(entry) for entry in self._entries.values()]
        said = json.dumps({"seed": self.seed, "scale": self.scale, "rounds": rounds}, indent=1)
        self._path.write_text(said, encoding="utf-8")

    def missing(self, row: str, runs: int, *, again: bool = False) -> list[int]:
        """Return which of the first rounds of a row were not run yet, or, if they are to run again, have failed."""
        done = {entry.number for entry in self.of(row) if not (again and entry.findings)}
        return [number for number in range(runs) if number not in done]

    def of(self, row: str) -> list[Entry]:
        """Return what is known of a row."""
        return [entry for entry in self._entries.values() if entry.row == row]

    @property
    def failed(self) -> list[Entry]:
        """The rounds in which something was wrong."""
        return [entry for entry in self._entries.values() if entry.findings]

    def table(self) -> str:
        """Return the table, in Markdown."""
        lines = [_HEAD, ["---"] * len(_HEAD), *(_line(row, entries) for row in CATALOGUE if (entries := self.of(row)))]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def write_page(self, page: Path, *, command: str, today: date) -> None:
        """Put the table into a page of the documentation, between its two marks.

        Args:
            page: The page.
            command: How the figures were made.
            today: When.
        """
        before, _, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
        _, _, after = rest.partition(_END)
        scale = "" if self.scale == 1.0 else f", durations times {self.scale:g}"
        made = f"`{command}`, seed {self.seed}{scale}, {today.isoformat()}.\n"
        page.write_text(f"{before}{_BEGIN}\n{made}\n{self.table()}\n{_END}{after}", encoding="utf-8")


def _entry(said: dict[str, Any]) -> Entry:
    figures = None if said["figures"] is None else Figures(**said["figures"])
    return Entry(said["row"], said["number"], figures, tuple(said["findings"]), said["directory"])


def _line(row: str, entries: Sequence[Entry]) -> Sequence[str]:
    figures = [entry.figures for entry in entries if entry.figures is not None]
    failed = sum(bool(entry.findings) for entry in entries)
    return [
        CATALOGUE[row].title,
        ", ".join(_promises(CATALOGUE[row].bounds)),
        str(len(entries)),
        *(f"{sum(getattr(one, name) for one in figures):,}" for name in ("tokens", "lost", "doubled", "stored_twice")),
        *(_most(figures, name) for name in ("typing_again", "pause", "behind", "caught_up", "calm")),
        f"**{failed} failed**" if failed else "held",
    ]


def _promises(bounds: Bounds) -> Iterator[str]:
    yield "0 lost, 0 doubled"
    said: Mapping[str, float | None] = {
        "typing again": bounds.typing_again,
        "pause": bounds.pause,
        "behind": bounds.behind,
        "caught up": bounds.caught_up,
    }
    yield from (f"{what} ≤ {most:g} s" for what, most in said.items() if most is not None)


def _most(figures: Sequence[Figures], name: str) -> str:
    most = max((getattr(one, name) for one in figures), default=0.0)
    return "never" if most == NEVER else f"{most:.2f} s"

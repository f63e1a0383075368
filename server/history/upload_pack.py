"""The conversation of `git fetch` with a prompt's repository, without I/O: Git's pack protocol, version 0, over HTTP.

The versions of a prompt are one chain, so what a client lacks is a stretch of it: everything after the newest version
that it has, up to the newest that it wants. A client that offers version 2 of the protocol is answered with version 0,
which every client speaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from dulwich.errors import GitProtocolError
from dulwich.protocol import PktLineParser, extract_want_line_capabilities, format_ack_line, pkt_line

from server.errors import RequestInvalid

MAIN: Final = "main"
_BRANCHES: Final = "refs/heads/"
# The largest packet, less its length and the number of its band.
_BAND_BYTES: Final = 65_520 - 5
_CAPABILITIES: Final = "multi_ack_detailed side-band-64k ofs-delta no-progress object-format=sha1"
_NO_REF: Final = "0" * 40
# Git sends one in a request. Each is answered, and has four bytes in a body that may come compressed.
_MAX_MARKS: Final = 100
_ID: Final = re.compile(r"[0-9a-f]{40}")
FLUSH: Final = b"0000"


class Band(Enum):
    """What a packet of an answer carries."""

    PACK = 1
    FAILURE = 3


def branches(latest: str | None, labels: Mapping[str, str]) -> dict[str, str]:
    """Answers the branches of a repository: `main` is the latest version, every label stands beside it."""
    return {} if latest is None else {**labels, MAIN: latest}


def advertisement(heads: Mapping[str, str]) -> bytes:
    """Answers what `GET info/refs` says of the branches."""
    capabilities = f"{_CAPABILITIES} agent=promptroom"
    refs = [(f"{_BRANCHES}{name}", version_id) for name, version_id in sorted(heads.items())]
    if MAIN in heads:
        capabilities += f" symref=HEAD:{_BRANCHES}{MAIN}"
        refs.insert(0, ("HEAD", heads[MAIN]))
    else:
        refs = [("capabilities^{}", _NO_REF)]
    first, *others = [f"{version_id} {name}" for name, version_id in refs]
    lines = [f"{first}\0{capabilities}\n", *(f"{line}\n" for line in others)]
    service = pkt_line(b"# service=git-upload-pack\n") + FLUSH
    return service + b"".join(pkt_line(line.encode()) for line in lines) + FLUSH


class Mark(Enum):
    """What stands between the ids that a client has."""

    FLUSH = auto()
    DONE = auto()


@dataclass(slots=True)
class FetchRequest:
    """What a client asks for: the ids it wants, those it has with the marks between them, and what it can do."""

    wants: list[str] = field(default_factory=list)
    haves: list[str | Mark] = field(default_factory=list)
    capabilities: frozenset[str] = frozenset()
    wants_ended: bool = False
    marks: int = 0

    @property
    def ids(self) -> set[str]:
        """Every id that is named."""
        return {*self.wants, *(have for have in self.haves if isinstance(have, str))}

    @classmethod
    def read(cls, body: bytes) -> FetchRequest:
        """Reads the body of `POST git-upload-pack`. Raises RequestInvalid."""
        request = cls()
        parser = PktLineParser(request._take)
        try:
            parser.parse(body)
        except GitProtocolError as error:
            raise RequestInvalid(f"not Git's protocol: {error}") from error
        if parser.get_tail():
            raise RequestInvalid("not Git's protocol: the last line ends early")
        return request

    def _take(self, line: bytes | None) -> None:
        if line is None:
            if self.wants_ended:
                self._mark(Mark.FLUSH)
            self.wants_ended = True
            return
        text = line.rstrip(b"\n")
        if text.startswith(b"want ") and not self.wants:
            text, capabilities = extract_want_line_capabilities(text)
            self.capabilities = frozenset(each.decode("ascii", "replace") for each in capabilities)
        shown = text.decode("ascii", "replace")
        command, _, argument = shown.partition(" ")
        if shown == "done" and self.wants_ended:
            self._mark(Mark.DONE)
        elif command == "want" and not self.wants_ended and _ID.fullmatch(argument):
            self.wants.append(argument)
        elif command == "have" and self.wants_ended and _ID.fullmatch(argument):
            self.haves.append(argument)
        else:
            # Shallow and partial clones are not offered.
            raise RequestInvalid(f"not expected here in Git's protocol: {shown[:60]!r}")

    def _mark(self, mark: Mark) -> None:
        self.marks += 1
        if self.marks > _MAX_MARKS:
            raise RequestInvalid("not Git's protocol: packets that say nothing")
        self.haves.append(mark)


@dataclass(frozen=True, slots=True)
class FetchAnswer:
    """What is answered.

    Arguments: `lines` come first; where `has_pack`, a pack of the versions after the number `after` up to the number
    `upto` follows.
    """

    lines: bytes
    has_pack: bool = False
    after: int = 0
    upto: int = 0


def negotiate(request: FetchRequest, numbers: Mapping[str, int]) -> FetchAnswer:
    """Answers a request; `numbers` are the places in the chain of those of its ids that are versions."""
    if not request.wants:
        return FetchAnswer(b"")
    for want in request.wants:
        if want not in numbers:
            return FetchAnswer(pkt_line(f"ERR upload-pack: not our ref {want}\n".encode()))
    conversation = _Conversation(numbers, is_detailed="multi_ack_detailed" in request.capabilities)
    if not conversation.hear(request.haves):
        return FetchAnswer(bytes(conversation.lines))
    upto = max(numbers[want] for want in request.wants)
    return FetchAnswer(bytes(conversation.lines), has_pack=True, after=min(conversation.common, upto), upto=upto)


class _Conversation:
    """The answers to what a client has. Ready for the pack once any of it is known here: before that stands a chain."""

    def __init__(self, numbers: Mapping[str, int], *, is_detailed: bool) -> None:
        self.lines = bytearray()
        self.common = 0
        self._numbers = numbers
        self._is_detailed = is_detailed
        self._last = b""

    def hear(self, haves: Sequence[str | Mark]) -> bool:
        """Answers one after the other; returns whether the pack comes next."""
        for have in haves:
            if have is Mark.DONE:
                if not self._last:
                    self._say(b"NAK\n")
                elif self._is_detailed:
                    self._say(format_ack_line(self._last))
                return True
            if have is Mark.FLUSH:
                self._flush()
            elif isinstance(have, str):
                self._have(have)
        return False

    def _have(self, version_id: str) -> None:
        number = self._numbers.get(version_id)
        if number is None:
            if self._last and self._is_detailed:
                self._say(format_ack_line(version_id.encode(), b"ready"))
            return
        is_first = not self._last
        self.common = max(self.common, number)
        self._last = version_id.encode()
        if self._is_detailed:
            self._say(format_ack_line(self._last, b"common"))
        elif is_first:
            self._say(format_ack_line(self._last))

    def _flush(self) -> None:
        if self._last and self._is_detailed:
            self._say(format_ack_line(self._last, b"ready"))
        if self._is_detailed or not self._last:
            self._say(b"NAK\n")

    def _say(self, line: bytes) -> None:
        self.lines += pkt_line(line)


def in_bands(data: bytes, band: Band = Band.PACK) -> Iterator[bytes]:
    """Answers packets of one band."""
    for start in range(0, len(data), _BAND_BYTES):
        yield pkt_line(bytes([band.value]) + data[start : start + _BAND_BYTES])

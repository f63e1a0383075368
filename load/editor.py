"""One simulated editor: types one character at a time, and keeps everything it hears to be looked at afterwards.

Nothing is applied or even decoded while the clock runs: a frame costs one append, and who saw which key when is read
from the frames when the run is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from random import Random
from string import ascii_lowercase
from time import perf_counter
from typing import Final

from crdt.codec import decode_frame, encode, write_var_bytes, write_var_string, write_var_uint
from crdt.document import EMPTY_UPDATE, TEXT_NAME, merge, new_client_id
from crdt.messages import Acknowledgement, SyncStep1, SyncStep2, Update
from load.socket import Socket

_UPDATE: Final = b"\x00\x02"
_EMPTY_STATE_VECTOR: Final = b"\x00"
# Yjs's first update format: a string with an origin; a string that begins a root type.
_STRING_BEHIND: Final = b"\x84"
_STRING_IN_ROOT: Final = b"\x04\x01" + write_var_string(TEXT_NAME)
_MAX_FRAME_BYTES: Final = 64 * 1024 * 1024


class Editor:
    """One connection to a prompt.

    Args:
        random: for its client id and its text.
    """

    def __init__(self, random: Random) -> None:
        self.client_id = new_client_id(random)
        self.typed_at: list[float] = []
        """When each of its characters was typed, by clock, in seconds of `perf_counter`."""
        self.heard: list[tuple[float, bytes]] = []
        """Every frame with content, with the time it arrived at."""
        self.synced: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        """When the first whole document was here, in seconds of `perf_counter`."""
        self._asked_again: asyncio.Future[bytes] | None = None
        self._random = random
        self._sent: list[bytes] = []
        self._answers = 0
        self._acknowledged = 0
        self._socket: Socket | None = None

    async def open(self, url: str, token: str) -> None:
        """Connect, and ask for the document.

        Raises:
            ConnectionRefused: The server answered something else.
        """
        self._socket = Socket(self._receive)
        await self._socket.open(url, token)
        self._socket.send(encode(SyncStep1(_EMPTY_STATE_VECTOR)))

    @property
    def is_open(self) -> bool:
        """Whether the connection stands."""
        return self._socket is not None and not self._socket.closed.done()

    @property
    def everything_is_saved(self) -> bool:
        """Whether the server has acknowledged all that was sent."""
        return self._acknowledged == len(self._sent) + self._answers

    def type(self) -> None:
        """Press one key."""
        if self._socket is None:
            return
        update = _one_character(self.client_id, len(self.typed_at), self._random.choice(ascii_lowercase))
        self.typed_at.append(perf_counter())
        self._sent.append(update)
        self._socket.send(_UPDATE + write_var_bytes(update))

    async def ask_again(self) -> bytes:
        """Ask for the whole document once more, and return it as an update; it does not count as heard.

        Frames arrive in order: whatever the server had sent by now is heard when this returns.
        """
        self._asked_again = asyncio.get_running_loop().create_future()
        if self._socket is not None:
            self._socket.send(encode(SyncStep1(_EMPTY_STATE_VECTOR)))
        return await self._asked_again

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()

    def updates(self) -> Iterator[tuple[float, bytes]]:
        """Every update heard, whole documents among them, with the time it arrived at."""
        for at, frame in self.heard:
            for message in decode_frame(frame, max_bytes=_MAX_FRAME_BYTES):
                if isinstance(message, Update | SyncStep2):
                    yield at, message.update

    def everything(self) -> Sequence[bytes]:
        """All it knows of the document, as updates that can be applied in this order."""
        return [*(update for _, update in self.updates()), *self._sent]

    def _receive(self, frame: bytes, now: float) -> None:
        if frame[:2] == _UPDATE:
            self.heard.append((now, frame))
            return
        for message in decode_frame(frame, max_bytes=_MAX_FRAME_BYTES):
            match message:
                case SyncStep2(update) if self._asked_again is not None:
                    self._asked_again.set_result(update)
                    self._asked_again = None
                case SyncStep2():
                    self.heard.append((now, encode(message)))
                    if not self.synced.done():
                        self.synced.set_result(now)
                case SyncStep1():
                    self._answer()
                case Acknowledgement(count):
                    self._acknowledged = count
                case _:
                    pass

    def _answer(self) -> None:
        if self._socket is not None:
            self._answers += 1
            self._socket.send(encode(SyncStep2(merge(self._sent) if self._sent else EMPTY_UPDATE)))


def _one_character(client: int, clock: int, character: str) -> bytes:
    """The update that types a character behind the client's last one."""
    author = write_var_uint(client)
    place = _STRING_BEHIND + author + write_var_uint(clock - 1) if clock else _STRING_IN_ROOT
    return b"\x01\x01" + author + write_var_uint(clock) + place + write_var_string(character) + b"\x00"

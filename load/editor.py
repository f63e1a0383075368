"""One simulated editor: types one character behind another, and keeps what it hears to be looked at afterwards.

Nothing is applied or even decoded while the clock runs: an update that arrives costs two appends, and who saw which key
when is read from the frames when the run is over. Whoever has to know at once, because it types the next key when the
last was seen, watches.
"""

from __future__ import annotations

import asyncio
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from random import Random
from time import perf_counter
from typing import Final

from crdt.awareness import AwarenessEntry, Json, encode_awareness
from crdt.codec import encode
from crdt.document import EMPTY_STATE_VECTOR, new_client_id
from crdt.messages import Acknowledgement, AwarenessUpdate, SyncStep1, SyncStep2, Update
from crdt.update import read_state_vector
from load.dialects import Dialect, Saved
from load.keystrokes import Typist, typed
from load.servers.server import Address
from load.socket import Socket

_SYNC_UPDATE: Final = b"\x00\x02"
_AWARENESS: Final = b"\x01"
_SHORT: Final = 0x80
_LETTERS: Final = tuple(bytes((letter,)) for letter in b"abcdefghijklmnopqrstuvwxyz")

Watcher = Callable[[bytes, int, float], None]
"""Called with a frame, where in it the update begins, and when it arrived."""


class Editor:
    """One connection to a document.

    Args:
        dialect: how the server is spoken to.
        random: for its client id and its text.
    """

    def __init__(self, dialect: Dialect, random: Random) -> None:
        self.client_id = new_client_id(random)
        self.typed_at = array("d")
        """When each of its characters was due, by clock, in seconds of `perf_counter`."""
        self.text = bytearray()
        """All that it has typed."""
        self.moved_at = array("d")
        """When each move of its cursor was due; the first has the clock 1."""
        self.times = array("d")
        self.frames: list[bytes] = []
        """Every frame with an update, and when it arrived: `times[n]` is of `frames[n]`."""
        self.presence_times = array("d")
        self.presence: list[bytes] = []
        """The same of presence, where it is kept."""
        self.keeps_presence = False
        self.watch: Watcher | None = None
        self.synced: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        """When the first whole document was here, in seconds of `perf_counter`."""
        self.document = b""
        """That document, as an update."""
        self.saved = 0
        """How many of its messages the server has said to have saved."""
        self._dialect = dialect
        self._letters = random.choices
        self._typist = Typist(self.client_id)
        self._messages = 0
        self._answers: list[int] = []
        self._asked_again: asyncio.Future[bytes] | None = None
        self._prefix = self._update = self._awareness = b""
        self._socket: Socket | None = None

    async def open(self, address: Address, token: str) -> None:
        """Connect, and ask for the document.

        Raises:
            ConnectionRefused: The server answered something else.
        """
        self._prefix = self._dialect.prefix(address.document)
        self._update = self._prefix + _SYNC_UPDATE
        self._awareness = self._prefix + _AWARENESS
        self._socket = Socket(self._receive)
        await self._socket.open(address.url, self._dialect.headers(token))
        for message in self._dialect.greeting(address.document, token):
            self._socket.send(message)
        self._say(SyncStep1(EMPTY_STATE_VECTOR))

    @property
    def is_open(self) -> bool:
        """Whether the connection stands."""
        return self._socket is not None and not self._socket.closed.done()

    @property
    def received_bytes(self) -> int:
        """All that came over its connection."""
        return 0 if self._socket is None else self._socket.received_bytes

    @property
    def saved_characters(self) -> int:
        """How many of its characters the server has said to have saved, of one who never pastes.

        Servers count messages, and answers to their questions are messages too.
        """
        return self.saved - bisect_left(self._answers, self.saved)

    @property
    def everything_is_saved(self) -> bool:
        """Whether the server has acknowledged all that was sent."""
        return self.saved == self._messages

    def type(self, due: float) -> None:
        """Press one key.

        Args:
            due: when it should have been pressed, in seconds of `perf_counter`.
        """
        self.type_all(1, due)

    def type_all(self, count: int, due: float) -> None:
        """Press so many keys, each an update of its own, and send them in one write to the system."""
        if self._socket is None or count <= 0:
            return
        letters = self._letters(_LETTERS, k=count)
        self._socket.send_all([self._framed(self._typist.press(letter)) for letter in letters])
        self.text += b"".join(letters)
        self.typed_at.extend([due] * count)
        self._messages += count

    def paste(self, text: bytes) -> None:
        """Type a text of ASCII in one update; it counts as a message, and as characters typed now."""
        if self._socket is not None:
            self._socket.send(self._framed(self._typist.paste(text)))
            self.text += text
            self.typed_at.extend([perf_counter()] * len(text))
            self._messages += 1

    def move(self, state: dict[str, Json], due: float) -> None:
        """Say where its cursor is.

        Args:
            state: what others are shown.
            due: when it should have moved, in seconds of `perf_counter`.
        """
        self.moved_at.append(due)
        entry = AwarenessEntry(self.client_id, len(self.moved_at), state)
        self._say(AwarenessUpdate(encode_awareness([entry])))

    async def ask_again(self) -> bytes:
        """Ask for the whole document once more, and return it as an update; it does not count as heard.

        Frames arrive in order: whatever the server had sent by now is heard when this returns.
        """
        self._asked_again = asyncio.get_running_loop().create_future()
        self._say(SyncStep1(EMPTY_STATE_VECTOR))
        return await self._asked_again

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()

    def update_offset(self, frame: bytes) -> int:
        """Where the update begins in a frame that has been heard."""
        return _behind_length(frame, len(self._update))

    def presence_offset(self, frame: bytes) -> int:
        """Where the payload begins in a frame of presence."""
        return _behind_length(frame, len(self._awareness))

    def updates(self) -> Iterator[bytes]:
        """Every update heard."""
        for frame in self.frames:
            yield frame[self.update_offset(frame) :]

    def everything(self) -> Sequence[bytes]:
        """All it knows of the document, as updates that can be applied in this order."""
        own = [typed(self.client_id, bytes(self.text))] if self.text else []
        return [*([self.document] if self.document else []), *self.updates(), *own]

    def _framed(self, update: bytes) -> bytes:
        size = len(update)
        # A keystroke is never longer than a length of one byte says.
        return b"%b%c%b" % (self._update, size, update) if size < _SHORT else self._prefix + encode(Update(update))

    def _say(self, message: SyncStep1 | SyncStep2 | AwarenessUpdate) -> None:
        if self._socket is not None:
            self._socket.send(self._prefix + encode(message))

    def _receive(self, frame: bytes, now: float) -> None:
        if frame.startswith(self._update):
            self._hear(frame, now)
        elif frame.startswith(self._awareness):
            if self.keeps_presence:
                self.presence_times.append(now)
                self.presence.append(frame)
        else:
            self._understand(frame, now)

    def _hear(self, frame: bytes, now: float) -> None:
        self.times.append(now)
        self.frames.append(frame)
        if self.watch is not None:
            self.watch(frame, self.update_offset(frame), now)

    def _understand(self, frame: bytes, now: float) -> None:
        for message in self._dialect.decode(frame, self._prefix):
            match message:
                case SyncStep2(update) if self._asked_again is not None:
                    self._asked_again.set_result(update)
                    self._asked_again = None
                case SyncStep2(update) if not self.synced.done():
                    self.document = update
                    self.synced.set_result(now)
                case SyncStep2(update):
                    # A diff instead of single updates, from a server that had to skip some.
                    self._hear(self._prefix + encode(Update(update)), now)
                case SyncStep1(state_vector):
                    self._answer(state_vector)
                case Acknowledgement(count):
                    self.saved = count
                case Saved():
                    self.saved += 1
                case _:
                    pass

    def _answer(self, state_vector: bytes) -> None:
        known = read_state_vector(state_vector).get(self.client_id, 0)
        self._answers.append(self._messages)
        self._messages += 1
        self._say(SyncStep2(typed(self.client_id, bytes(self.text), known)))


def _behind_length(frame: bytes, offset: int) -> int:
    while frame[offset] >= _SHORT:
        offset += 1
    return offset + 1

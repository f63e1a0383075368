"""A model of somebody who writes: bursts and pauses, slips noticed a little late, second thoughts, jumps, a paste.

It types into a replica of its own, where what the other author does arrives as it does over a network; the cursor
moves with the text around it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from crdt.alignment import trimmed
from crdt.diff import TextEdit
from crdt.document import Document
from crdt.offsets import codepoint_to_utf16

# Somebody who types 45 words a minute, in seconds.
_KEY: Final = 0.15
_KEY_VARIES: Final = 0.4
_BACKSPACE: Final = 0.09
_BEHIND_A_WORD: Final = (0.02, 0.2)
_BEHIND_A_SENTENCE: Final = (0.4, 2.0)
_BEHIND_A_LINE: Final = (0.6, 3.0)
_NOTICE: Final = (0.25, 0.7)
_REACH_FOR_THE_MOUSE: Final = (0.9, 2.5)
_THINK: Final = (2.0, 9.0)
_LOOK_AGAIN: Final = 1.0

# How often, per letter, per word and per sentence.
_SLIPS: Final = 0.025
_TAKES_A_WORD_BACK: Final = 0.02
_THINKS: Final = 0.3
_LETTERS_UNTIL_NOTICED: Final = 3

_ROWS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_PIECES: Final = re.compile(r"[^ \n]+|[ \n]")
_ENDS_A_SENTENCE: Final = ".:?"


@dataclass(frozen=True, slots=True)
class Step:
    """What an author means to do.

    Args:
        author: whose it is.
        do: write, replace, delete or paste.
        after: behind what; empty for the end of the text.
        old: what goes.
        text: what comes.
    """

    author: int
    do: str
    after: str = ""
    old: str = ""
    text: str = ""


class Typist:
    """One author.

    Args:
        document: the author's replica.
        steps: what the author means to do.
        random: decides about everything else.
        typed: called with every edit and the update that carries it.
    """

    def __init__(
        self, document: Document, steps: Sequence[Step], random: Random, typed: Callable[[TextEdit, bytes], None]
    ) -> None:
        self.document = document
        self._steps = steps
        self._random = random
        self._typed = typed
        self._cursor = 0

    def work(self) -> Iterator[float]:
        """Do all of it; between any two edits stands how many seconds pass."""
        for step in self._steps:
            # Seen first, reached for then: meanwhile the other author goes on.
            while not self._go_behind(step.old or step.after):
                yield _LOOK_AGAIN
            yield self._random.uniform(*_REACH_FOR_THE_MOUSE)
            self._go_behind(step.old or step.after)
            match step.do:
                case "write":
                    yield from self._write(step.text)
                case "replace":
                    yield from self._backspace(len(step.old))
                    yield from self._write(step.text)
                case "delete":
                    self._edit(len(step.old), "")
                case "paste":
                    self._edit(0, step.text)
                case _:
                    raise ValueError(f"nobody can {step.do}")

    def receive(self, update: bytes) -> None:
        """Take in what the other author did."""
        before = self.document.text
        self.document.apply([update])
        after = self.document.text
        differs = trimmed(before, after)
        if differs.before_start < self._cursor:
            gone = min(self._cursor, differs.before_end) - differs.before_start
            self._cursor += differs.after_end - differs.after_start - gone

    def _go_behind(self, what: str) -> bool:
        place = self.document.text.find(what) if what else len(self.document.text)
        if place < 0:
            return False
        self._cursor = place + len(what)
        return True

    def _write(self, text: str) -> Iterator[float]:
        for piece in _PIECES.findall(text):
            if piece in " \n":
                yield from self._key(piece)
                yield self._random.uniform(*(_BEHIND_A_WORD if piece == " " else _BEHIND_A_LINE))
                continue
            yield from self._word(piece)
            if piece[-1] in _ENDS_A_SENTENCE:
                yield self._random.uniform(*_BEHIND_A_SENTENCE)
                if self._random.random() < _THINKS:
                    yield self._random.uniform(*_THINK)

    def _word(self, word: str) -> Iterator[float]:
        if self._random.random() < _TAKES_A_WORD_BACK:
            yield from self._letters(word)
            yield self._random.uniform(*_THINK)
            yield from self._backspace(len(word))
        yield from self._letters(word)

    def _letters(self, word: str) -> Iterator[float]:
        place = 0
        while place < len(word):
            beside = self._beside(word[place])
            if beside and self._random.random() < _SLIPS:
                behind = word[place + 1 : place + 1 + self._random.randint(0, _LETTERS_UNTIL_NOTICED)]
                for letter in beside + behind:
                    yield from self._key(letter)
                yield self._random.uniform(*_NOTICE)
                yield from self._backspace(1 + len(behind))
            yield from self._key(word[place])
            place += 1

    def _beside(self, letter: str) -> str:
        """A key next to the one that was meant, if it is one of the letters."""
        row = next((row for row in _ROWS if letter in row), "")
        place = row.find(letter) + self._random.choice((-1, 1))
        return row[place] if row and 0 <= place < len(row) else ""

    def _key(self, character: str) -> Iterator[float]:
        self._edit(0, character)
        yield _KEY * self._random.lognormvariate(0, _KEY_VARIES)

    def _backspace(self, times: int) -> Iterator[float]:
        for _ in range(times):
            self._edit(1, "")
            yield _BACKSPACE * self._random.lognormvariate(0, _KEY_VARIES)

    def _edit(self, gone: int, text: str) -> None:
        before = self.document.text
        end = codepoint_to_utf16(before, self._cursor)
        start = codepoint_to_utf16(before, self._cursor - gone)
        edit = TextEdit(start, end, text)
        self._cursor += len(text) - gone
        self._typed(edit, self.document.edit([edit]))

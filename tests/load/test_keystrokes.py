"""Typed characters as updates: reader and engine take them for what they are, and they are found again."""

from collections.abc import Iterator
from random import Random

import pytest

from crdt.diff import TextEdit
from crdt.document import EMPTY_UPDATE, Document, merge, new_client_id
from crdt.errors import UpdateError
from crdt.update import read_update
from load.keystrokes import Typist, find_written, typed

LETTERS = [bytes((letter,)) for letter in b"abcdefghijklmnopqrstuvwxyz {}\n"]


def written(update: bytes) -> list[tuple[int, int, int]]:
    return [(client, start, end) for client, start, end in read_update(update).writes]


def typing(random: Random, clients: int, keys: int) -> list[bytes]:
    typists = [Typist(new_client_id(random)) for _ in range(clients)]
    return [random.choice(typists).press(random.choice(LETTERS)) for _ in range(keys)]


def edits(random: Random, count: int) -> Iterator[bytes]:
    """Edits of every kind: insertions anywhere, in any script, and deletions."""
    document = Document(client_id=new_client_id(random))
    for _ in range(count):
        size = len(document.text)
        start = random.randint(0, size)
        text = "".join(random.choices("abc äß 字", k=random.randint(0, 4)))
        yield document.edit([TextEdit(start, min(size, start + random.randint(0, 2)), text)])


def test_typed_characters_make_the_text() -> None:
    random = Random(1)
    typist = Typist(new_client_id(random))
    text = b"".join(random.choices(LETTERS, k=300))
    document = Document()
    document.apply([typist.press(bytes((letter,))) for letter in text])
    assert document.text.encode() == text


def test_a_paste_stands_behind_what_was_typed() -> None:
    typist = Typist(7)
    document = Document()
    document.apply([typist.press(b"a"), typist.paste(b"b" * 200), typist.press(b"c")])
    assert document.text == "a" + "b" * 200 + "c"
    assert typist.clock == 202


@pytest.mark.parametrize("since", [0, 1, 150, 300])
def test_what_was_typed_comes_in_one_update_too(since: int) -> None:
    typist = Typist(7)
    text = b"x" * 300
    document = Document()
    document.apply([*(typist.press(b"x") for _ in range(since)), typed(7, text, since)])
    assert document.text.encode() == text


@pytest.mark.parametrize("seed", range(20))
def test_keystrokes_are_found_as_they_came(seed: int) -> None:
    for update in typing(Random(seed), clients=5, keys=200):
        assert find_written(update) == written(update)


@pytest.mark.parametrize("size", [2, 10, 320, 3_000])
def test_merged_keystrokes_are_found(size: int) -> None:
    update = merge(typing(Random(size), clients=3, keys=size))
    assert find_written(update) == written(update)


def test_joined_keystrokes_are_found() -> None:
    document = Document()
    document.apply(typing(Random(1), clients=10, keys=2_000))
    assert find_written(document.encode_state()) == written(document.encode_state())


@pytest.mark.parametrize("seed", range(20))
def test_whatever_else_is_written_is_found_too(seed: int) -> None:
    made = list(edits(Random(seed), 60))
    for update in [*made, merge(made)]:
        assert find_written(update) == written(update)


def test_an_update_is_found_behind_what_stands_before_it() -> None:
    update = Typist(7).press(b"a")
    assert find_written(b"\x00\x02" + update, 2) == [(7, 0, 1)]


def test_nothing_is_found_in_nothing() -> None:
    assert find_written(EMPTY_UPDATE) == []


@pytest.mark.parametrize("seed", range(20))
def test_what_is_cut_short_is_refused_and_never_misread(seed: int) -> None:
    random = Random(seed)
    update = merge(typing(random, clients=3, keys=20))
    cut = update[: random.randrange(1, len(update))]
    with pytest.raises(UpdateError):
        find_written(cut)

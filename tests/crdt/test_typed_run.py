"""Keystrokes that come in together are one update, which says the same."""

from collections.abc import Iterator
from random import Random

import pytest

from crdt.codec import encode
from crdt.diff import TextEdit
from crdt.document import Document, canonical_state
from crdt.errors import CrdtError, FrameError
from crdt.messages import QueryAwareness, Update
from crdt.peer import AwarenessQueried, PeerEvent, ServerPeer, UpdateReceived
from crdt.update import read_any_update, read_update
from tests.crdt.hand_made import deletions, section, string, update
from tests.crdt.yjs_oracle import YjsOracle

AUTHOR, OTHER = 7, 300
RIGHT = (OTHER, 40_000)


def key(clock: int, text: str = "x", **where: tuple[int, int] | None) -> bytes:
    """Text typed behind the author's last character, unless it says otherwise."""
    return update(section(AUTHOR, clock, string(text, **{"left": (AUTHOR, clock - 1), **where})))


def received(*updates: bytes) -> list[PeerEvent]:
    peer = ServerPeer(max_frame_bytes=1_000, extensions=False)
    return list(peer.receive_all([encode(Update(each)) for each in updates]))


def only(events: list[PeerEvent]) -> UpdateReceived:
    (event,) = events
    assert isinstance(event, UpdateReceived)
    return event


def test_keys_behind_each_other_are_one_update_that_stands_for_all() -> None:
    event = only(received(key(5, "a", left=(OTHER, 9)), key(6, "b"), key(7, "cde"), key(10, "f")))
    assert event.update == key(5, "abcdef", left=(OTHER, 9))
    assert (event.ordinal, event.messages, event.answers) == (4, 4, None)
    assert event.summary == read_any_update(event.update)


def test_keys_before_a_right_neighbour_are_joined_too() -> None:
    event = only(received(key(200, right=RIGHT), key(201, right=RIGHT)))
    assert event.update == key(200, "xx", right=RIGHT)
    assert event.summary == read_any_update(event.update)


@pytest.mark.parametrize(
    "second",
    [
        key(7),
        key(5),
        key(6, left=(OTHER, 5)),
        key(6, left=(AUTHOR, 4)),
        key(6, right=RIGHT),
        key(6, "é"),
        key(6, "😀"),
        key(6, "x" * 130),
        update(section(AUTHOR, 6, string("x", left=(AUTHOR, 5))), deletes=(deletions(AUTHOR, (3, 1)),)),
        update(section(OTHER, 6, string("x", left=(OTHER, 5)))),
        update(section(AUTHOR, 6, string("x"))),
    ],
    ids=[
        "gap",
        "repeated",
        "other-left",
        "earlier-left",
        "right",
        "accent",
        "emoji",
        "long",
        "deletes",
        "other-author",
        "root",
    ],
)
def test_whatever_does_not_go_on_is_an_update_of_its_own(second: bytes) -> None:
    events = received(key(5), second, key(50))
    assert [event.update for event in events if isinstance(event, UpdateReceived)] == [key(5), second, key(50)]
    assert [event.ordinal for event in events if isinstance(event, UpdateReceived)] == [1, 2, 3]


def test_nothing_malformed_goes_on_with_a_run() -> None:
    good = encode(Update(key(6)))
    for index in range(len(good)):
        for value in {0, 1, good[index] ^ 1, good[index] ^ 0x80, 255} - {good[index]}:
            mutant = good[:index] + bytes((value,)) + good[index + 1 :]
            peer = ServerPeer(max_frame_bytes=1_000, extensions=False)
            try:
                events = list(peer.receive_all([encode(Update(key(5))), mutant]))
            except CrdtError:
                continue
            if len(events) == 1:
                # Another character is all that may differ.
                event = only(events)
                assert read_update(event.update) == event.summary == read_any_update(key(5, "xx"))


def test_what_else_comes_between_keeps_its_place() -> None:
    peer = ServerPeer(max_frame_bytes=1_000, extensions=False)
    frames = [encode(Update(key(5))), encode(QueryAwareness()), encode(Update(key(6)))]
    assert [type(event) for event in peer.receive_all(frames)] == [UpdateReceived, AwarenessQueried, UpdateReceived]


def test_what_came_before_a_malformed_frame_is_handed_out_first() -> None:
    peer = ServerPeer(max_frame_bytes=1_000, extensions=False)
    events: list[PeerEvent] = []
    with pytest.raises(FrameError):
        events.extend(peer.receive_all([encode(Update(key(5))), b"\xff"]))
    assert [event.update for event in events if isinstance(event, UpdateReceived)] == [key(5)]


def bursts(random: Random, document: Document) -> Iterator[list[bytes]]:
    """What somebody sends who types here and there, and now and then deletes."""
    for _ in range(random.randrange(2, 6)):
        at = random.randrange(len(document.text) + 1)
        burst = []
        for _ in range(random.randrange(1, 12)):
            if at and random.random() < 0.1:
                burst.append(document.edit([TextEdit(at - 1, at, "")]))
                at -= 1
            else:
                burst.append(document.edit([TextEdit(at, at, random.choice("abcé"))]))
                at += 1
        yield burst


def test_joined_and_one_by_one_come_to_the_same_in_every_engine(rng: Random) -> None:
    with YjsOracle() as oracle:
        for _ in range(40):
            start = Document(client_id=OTHER)
            first = start.edit([TextEdit(0, 0, "Hello, world")])
            author = Document(first, client_id=rng.randrange(1, 2**32))
            single, joined, taken = Document(first), Document(first), [first]
            for burst in bursts(rng, author):
                single.apply(burst)
                updates = [event.update for event in received(*burst) if isinstance(event, UpdateReceived)]
                joined.apply(updates)
                taken += updates
            assert joined.text == single.text == author.text == oracle.read(taken).text
            assert canonical_state(joined.encode_state()) == canonical_state(single.encode_state())

"""Knowledge that was kept as bytes is the knowledge that it was; bytes that are something else are nothing."""

import pickle
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from hashlib import sha256
from random import Random

import pytest

from crdt.causality import Knowledge
from crdt.document import Document
from crdt.knowledge_bytes import VERSION, decode_knowledge, encode_knowledge
from crdt.nesting import MAX_NESTING
from crdt.update import read_update
from tests.crdt.hand_made import (
    MAP_TYPE,
    Id,
    deleted,
    deletions,
    embedded,
    formatting,
    gc,
    section,
    string,
    update,
    values,
)
from tests.crdt.kept_knowledge import Both, columns_of, kept
from tests.crdt.mutations import mutated
from tests.crdt.sessions import honest_session
from tests.crdt.yjs_oracle import LEVELS, Level, YjsOracle

HEAD_BYTES = 7

A_BIT_OF_ALL = (
    update(section(1, 0, string("a😀b"), formatting("true", left=(1, 3)), embedded(MAP_TYPE, left=(1, 4)))),
    update(section(2, 0, values(b"\x7e", parent=(1, 5), key="key"), string("x", parent="other"), gc(3))),
    update(section(3, 0, string("c", left=(1, 0), right=(1, 1)), deleted(2, left=(3, 0), right=(1, 1)))),
    update(section(4, 0, string("dd", left=(1, 0), right=(1, 1))), deletes=(deletions(1, (0, 1)),)),
)
# When this is another: raise crdt.knowledge_bytes.VERSION, then write it down here.
WHAT_VERSION_1_WRITES = "ea6044279a13b123427b9d1ed2f0c938d0a3a44a7e7227f961d3c9a29124899f"


def knowing(updates: Sequence[bytes]) -> Knowledge:
    knowledge = Knowledge()
    for each in updates:
        knowledge.add(read_update(each))
    return knowledge


def reading(updates: Sequence[bytes]) -> Knowledge:
    document = Document()
    document.apply(updates)
    return Knowledge.of(read_update(document.encode_state()))


def forged(columns: bytes) -> bytes:
    """Bytes whose checksum is right, whatever they hold."""
    content = zlib.compress(columns, wbits=-zlib.MAX_WBITS)
    return encode_knowledge(Knowledge())[: HEAD_BYTES - 4] + zlib.crc32(content).to_bytes(4, "little") + content


def test_knowing_nothing() -> None:
    assert kept(Knowledge()) == Knowledge()


@pytest.mark.parametrize("known", [knowing, reading])
def test_a_bit_of_all(known: Callable[[Sequence[bytes]], Knowledge]) -> None:
    kept(known(A_BIT_OF_ALL))


@pytest.mark.parametrize(
    ("parent", "answer"),
    [
        ((1, 5), "accepted"),
        ((1, 3), "update_parent_invalid"),
        ((2, 0), "update_parent_invalid"),
        # Collected, and deleted before it came: whether they were types is not known.
        ((2, 3), "accepted"),
        ((3, 2), "accepted"),
        ((3, 9), "not ready"),
    ],
)
def test_what_was_a_type_is_one(parent: Id, answer: str, rng: Random) -> None:
    for known in (knowing, reading):
        both = Both(A_BIT_OF_ALL, known(A_BIT_OF_ALL), rng)
        assert both.answer(update(section(9, 0, string("x", parent=parent)))) == answer


def test_types_are_as_deep_as_they_were(rng: Random) -> None:
    for depth, answer in ((MAX_NESTING - 1, "accepted"), (MAX_NESTING, "update_nested_too_deep")):
        types = (embedded(MAP_TYPE, parent=(1, clock - 1) if clock else "content", key="k") for clock in range(depth))
        past = [update(section(1, 0, *types))]
        both = Both(past, knowing(past), rng)
        assert both.answer(update(section(2, 0, embedded(parent=(1, depth - 1), key="k")))) == answer


def test_what_people_type_gets_the_same_answers(rng: Random) -> None:
    answers: Counter[str] = Counter()
    for _ in range(4):
        answers += lived(honest_session(rng).updates, rng)
    assert {
        "accepted",
        "met",
        "not ready",
        "state_vector_splits_pair",
        "update_neighbours_impossible",
        "update_pair_split",
    } <= answers.keys()


@pytest.mark.parametrize("level", LEVELS)
def test_what_people_do_with_yjs_gets_the_same_answers(level: Level, rng: Random) -> None:
    answers: Counter[str] = Counter()
    with YjsOracle() as yjs:
        for _ in range(3):
            *updates, state, _ = yjs.session(rng, level, steps=40).updates
            answers += lived(updates, rng)
            kept(Knowledge.of(read_update(state)))
    assert {"accepted", "not ready", "update_neighbours_impossible"} <= answers.keys()


def lived(updates: Sequence[bytes], random: Random) -> Counter[str]:
    """Keep what is known of the beginning of a session, built up or read; go on with both; return the answers."""
    answers: Counter[str] = Counter()
    cut = random.randrange(len(updates) // 2)
    for known in (knowing, reading):
        both = Both(updates[:cut], known(updates[:cut]), random)
        both.live(updates[cut:])
        answers += both.answers
    return answers


def test_more_branches_than_a_block_holds(rng: Random) -> None:
    clients = rng.sample(range(1, 5_000), 1_200)
    beginnings = [update(section(client, 0, string("ab"))) for client in clients]
    both = Both(beginnings, knowing(beginnings), rng)
    first, second, third = sorted(clients)[:3]
    both.live(
        [
            update(section(5_001, 0, string("ab"))),
            update(section(5_002, 0, string("c", left=(first, 1), right=(second, 0)))),
            update(section(5_003, 0, string("d", left=(second, 1), right=(third, 0)))),
        ]
    )
    assert both.answers["update_neighbours_impossible"]


def test_what_was_kept_goes_its_own_way() -> None:
    knowledge = knowing(A_BIT_OF_ALL)
    data = encode_knowledge(knowledge)
    again = decode_knowledge(data)
    assert again is not None
    again.add(read_update(update(section(9, 0, string("😀", left=(1, 0), right=(1, 1))))))
    assert encode_knowledge(knowledge) == data
    assert again != knowledge


@pytest.mark.skipif(sys.byteorder == "big", reason="written down on a machine of the other kind")
def test_what_is_written_changes_with_the_version() -> None:
    assert VERSION == 1
    written = b"".join(columns_of(known(A_BIT_OF_ALL)) for known in (knowing, reading))
    assert sha256(written).hexdigest() == WHAT_VERSION_1_WRITES


# --- bytes that are something else


def test_another_version_is_not_read() -> None:
    data = encode_knowledge(knowing(A_BIT_OF_ALL))
    assert data.startswith(VERSION.to_bytes(2, "little"))
    assert decode_knowledge((VERSION + 1).to_bytes(2, "little") + data[2:]) is None


def test_another_order_of_bytes_is_not_read() -> None:
    data = encode_knowledge(knowing(A_BIT_OF_ALL))
    other = b"l" if sys.byteorder == "big" else b"b"
    assert decode_knowledge(data[:2] + other + data[3:]) is None


def test_no_part_is_taken_for_the_whole() -> None:
    data = encode_knowledge(knowing(A_BIT_OF_ALL))
    assert not [end for end in range(len(data)) if decode_knowledge(data[:end]) is not None]
    assert decode_knowledge(data + b"\0") is None


def test_no_flipped_bit_is_overlooked() -> None:
    data = encode_knowledge(knowing(A_BIT_OF_ALL))
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        assert decode_knowledge(bytes(damaged)) is None


def test_forged_columns_are_knowledge_or_nothing(rng: Random) -> None:
    columns = columns_of(knowing(A_BIT_OF_ALL))
    assert decode_knowledge(forged(columns)) == knowing(A_BIT_OF_ALL)
    nothing = 0
    for _ in range(4_000):
        nothing += decode_knowledge(forged(mutated(rng, columns, [columns]))) is None
    for end in range(len(columns)):
        assert decode_knowledge(forged(columns[:end])) is None
    assert decode_knowledge(forged(columns + columns)) is None
    assert nothing > 1_000


def test_random_bytes_are_nothing(rng: Random) -> None:
    head = encode_knowledge(Knowledge())[: HEAD_BYTES - 4]
    for length in range(300):
        noise = rng.randbytes(length)
        assert decode_knowledge(noise) is None
        assert decode_knowledge(forged(noise)) is None
        assert decode_knowledge(head + zlib.crc32(noise).to_bytes(4, "little") + noise) is None


def test_what_says_that_it_is_huge_is_nothing() -> None:
    assert decode_knowledge(forged(b"Q\xff\xff\xff\xff")) is None
    assert decode_knowledge(forged(b"B" + (10_000_000).to_bytes(4, sys.byteorder) + bytes(10_000_000))) is None


class _Global:
    ran = False

    def __reduce__(self) -> tuple[object, ...]:
        return setattr, (_Global, "ran", True)


def test_no_bytes_run_anything() -> None:
    data = pickle.dumps(_Global())
    assert decode_knowledge(data) is None
    assert decode_knowledge(forged(data)) is None
    assert not _Global.ran

"""The conversation of a fetch, line by line."""

from random import Random

import pytest
from dulwich.protocol import pkt_line

from server.errors import RequestInvalid
from server.history.upload_pack import FetchAnswer, FetchRequest, advertisement, branches, in_bands, negotiate

IDS = [f"{n:040x}" for n in range(1, 10)]
NUMBERS = {version_id: number for number, version_id in enumerate(IDS, 1)}
UNKNOWN = "f" * 40
DETAILED = " multi_ack_detailed side-band-64k"


def body(*lines: str | None) -> bytes:
    return b"".join(pkt_line(None if line is None else f"{line}\n".encode()) for line in lines)


def answer(*lines: str | None) -> tuple[list[str], tuple[bool, int, int]]:
    found: FetchAnswer = negotiate(FetchRequest.read(body(*lines)), NUMBERS)
    said = [line.rstrip() for line in found.lines.decode().split("\n") if line]
    return [line[4:] for line in said], (found.has_pack, found.after, found.upto)


def test_a_clone_gets_everything() -> None:
    assert answer(f"want {IDS[4]}{DETAILED}", f"want {IDS[2]}", None, "done") == (["NAK"], (True, 0, 5))


def test_a_fetch_gets_what_comes_after_the_newest_that_it_has() -> None:
    assert answer(f"want {IDS[6]}{DETAILED}", None, f"have {IDS[3]}", f"have {IDS[1]}", "done") == (
        [f"ACK {IDS[3]} common", f"ACK {IDS[1]} common", f"ACK {IDS[1]}"],
        (True, 4, 7),
    )


def test_a_client_that_asks_in_between_hears_what_is_common() -> None:
    assert answer(f"want {IDS[6]}{DETAILED}", None, f"have {UNKNOWN}", None) == (["NAK"], (False, 0, 0))
    assert answer(f"want {IDS[6]}{DETAILED}", None, f"have {IDS[3]}", f"have {UNKNOWN}", None) == (
        [f"ACK {IDS[3]} common", f"ACK {UNKNOWN} ready", f"ACK {IDS[3]} ready", "NAK"],
        (False, 0, 0),
    )


def test_a_client_of_few_words_hears_one_line() -> None:
    assert answer(f"want {IDS[6]}", None, f"have {IDS[3]}", f"have {IDS[2]}", "done") == (
        [f"ACK {IDS[3]}"],
        (True, 4, 7),
    )
    assert answer(f"want {IDS[6]}", None, f"have {UNKNOWN}", "done") == (["NAK"], (True, 0, 7))


def test_a_client_that_has_more_than_it_wants_gets_an_empty_pack() -> None:
    assert answer(f"want {IDS[2]}{DETAILED}", None, f"have {IDS[5]}", "done")[1] == (True, 3, 3)


def test_what_is_no_version_is_not_sent() -> None:
    assert answer(f"want {UNKNOWN}{DETAILED}", None, "done") == (
        [f"ERR upload-pack: not our ref {UNKNOWN}"],
        (False, 0, 0),
    )


def test_who_wants_nothing_gets_nothing() -> None:
    assert answer(None) == ([], (False, 0, 0))


@pytest.mark.parametrize(
    "sent",
    [
        b"x",
        b"zzzz",
        b"0003",
        b"0010want",
        body("want short"),
        body(f"want {IDS[0]}", "deepen 1", None),
        body(f"have {IDS[0]}"),
        body("done"),
        body(f"want {IDS[0]}", None, f"want {IDS[1]}"),
        body(f"want {IDS[0]}", None, "done now"),
        body("want \xff"),
    ],
)
def test_what_is_not_gits_protocol_is_refused(sent: bytes) -> None:
    with pytest.raises(RequestInvalid):
        FetchRequest.read(sent)


def test_whatever_is_sent_is_read_or_refused(rng: Random) -> None:
    valid = body(f"want {IDS[6]}{DETAILED}", None, f"have {IDS[3]}", None, "done")
    for _ in range(2_000):
        sent = bytearray(valid)
        for _ in range(rng.randint(1, 4)):
            sent[rng.randrange(len(sent))] = rng.randrange(256)
        try:
            request = FetchRequest.read(bytes(sent))
        except RequestInvalid:
            continue
        negotiate(request, NUMBERS)


@pytest.mark.parametrize("packet", [b"0000", b"0008done"])
def test_a_body_of_packets_that_say_nothing_is_refused(packet: bytes) -> None:
    asked = body(f"want {IDS[6]}{DETAILED}", None, f"have {IDS[3]}")
    FetchRequest.read(asked + 100 * packet)
    with pytest.raises(RequestInvalid):
        FetchRequest.read(asked + 101 * packet)


def test_main_is_the_latest_and_labels_stand_beside_it() -> None:
    heads = branches(IDS[3], {"production": IDS[1]})
    assert heads == {"main": IDS[3], "production": IDS[1]}
    lines = advertisement(heads).decode()
    assert f"{IDS[3]} HEAD\0" in lines
    assert "symref=HEAD:refs/heads/main" in lines
    assert f"{IDS[1]} refs/heads/production\n" in lines
    assert lines.startswith("001e# service=git-upload-pack\n0000")


def test_a_prompt_without_versions_has_no_branches() -> None:
    assert branches(None, {}) == {}
    assert f"{'0' * 40} capabilities^{{}}\0" in advertisement({}).decode()


def test_packets_are_as_large_as_git_takes_them() -> None:
    packets = list(in_bands(bytes(200_000)))
    assert [int(packet[:4], 16) for packet in packets] == [len(packet) for packet in packets]
    assert max(map(len, packets)) == 65_520
    assert {packet[4] for packet in packets} == {1}
    assert sum(len(packet) - 5 for packet in packets) == 200_000

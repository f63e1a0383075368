"""What nodes tell each other of presence, as bytes: read strictly, or refused."""

import json
from random import Random
from uuid import UUID

import pytest

from crdt.awareness import AwarenessEntry, Json, encode_awareness
from crdt.codec import write_var_bytes, write_var_string, write_var_uint
from crdt.errors import AwarenessError
from server.access import Role
from server.attendance import Participant
from server.limits import MAX_CONNECTIONS
from server.presence_report import (
    MAX_CLIENTS_PER_REPORT,
    MAX_REPORT_BYTES,
    MAX_REPORTED_STATE_BYTES,
    Claim,
    encode_reports,
    read_report,
)

NODE, USER = UUID(int=1), UUID("0190b8a8-5c5c-7d4e-8d7e-2f3c1a9b0c0d")
STAMP: dict[str, Json] = {"user": {"id": str(USER), "name": "anna"}}


def claim(client_id: int, clock: int = 1, *, since: int = 1_700_000_000_000) -> Claim:
    return Claim(NODE, USER, since, AwarenessEntry(client_id, clock, {**STAMP, "cursor": clock}))


def raw(
    entries: bytes = b"\x00",
    since: bytes = b"",
    people: object = (),
    *,
    version: int = 1,
    flags: int = 0,
    end: bytes = b"",
) -> bytes:
    """A payload with whatever in its places."""
    text = people if isinstance(people, str) else json.dumps(people)
    return bytes((version, flags)) + write_var_bytes(entries) + since + write_var_string(text) + end


def state(value: dict[str, Json] | None, *, clock: int = 1) -> bytes:
    return encode_awareness([AwarenessEntry(7, clock, value)])


def row(user_id: object = str(USER), name: object = "anna", role: object = "editor", connections: object = 1) -> object:
    return [[user_id, name, role, connections]]


def test_what_is_written_is_read() -> None:
    people = [Participant(USER, "anna \ud800 \U0001f600", Role.VIEWER, 3), Participant(NODE, "", Role.OWNER, 0)]
    (payload,) = encode_reports(
        [claim(7), claim(2**53 - 1, 2**31 - 1)], [9, 10], people, is_everything=False, asks=True
    )
    report = read_report(payload, NODE)
    assert report.claims == (claim(7), claim(2**53 - 1, 2**31 - 1))
    assert report.gone == (9, 10)
    assert report.people == tuple(people)
    assert (report.begins, report.ends, report.asks) == (False, False, True)


def test_nothing_is_said_in_one_report() -> None:
    (payload,) = encode_reports([], [], [], is_everything=True, asks=False)
    report = read_report(payload, NODE)
    assert (report.claims, report.gone, report.people) == ((), (), ())
    assert (report.begins, report.ends, report.asks) == (True, True, False)


@pytest.mark.parametrize("is_everything", [True, False])
def test_what_is_long_comes_in_parts_that_say_so(*, is_everything: bool) -> None:
    claims = [claim(number) for number in range(2 * MAX_CLIENTS_PER_REPORT)]
    people = [Participant(UUID(int=number), "x", Role.EDITOR, 1) for number in range(3 * MAX_CLIENTS_PER_REPORT + 1)]
    payloads = list(encode_reports(claims, [10_000], people, is_everything=is_everything, asks=True))
    reports = [read_report(payload, NODE) for payload in payloads]
    assert [len(report.claims) + len(report.gone) for report in reports] == [*[MAX_CLIENTS_PER_REPORT] * 2, 1, 0]
    assert [claim for report in reports for claim in report.claims] == claims
    assert [person for report in reports for person in report.people] == people
    assert [report.begins for report in reports] == [is_everything, False, False, False]
    assert [report.ends for report in reports] == [False, False, False, is_everything]
    assert [report.asks for report in reports] == [False, False, False, True]


MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "only a version": b"\x01",
    "no states": b"\x01\x00",
    "another version": raw(version=2),
    "an unknown flag": raw(flags=8),
    "states that end early": raw()[:3],
    "no people": raw()[:3] + b"\x05",
    "bytes behind the people": raw(end=b"\x00"),
    "a number without an end": raw(state(STAMP), b"\xff" * 9),
    "a state without a since": raw(state(STAMP)),
    "a since without a state": raw(b"\x00", write_var_uint(1)),
    "a state without a user": raw(state({}), b"\x01"),
    "a user that is no object": raw(state({"user": "anna"}), b"\x01"),
    "a user without an id": raw(state({"user": {"name": "anna"}}), b"\x01"),
    "an id that is none": raw(state({"user": {"id": "anna"}}), b"\x01"),
    "an id in another spelling": raw(state({"user": {"id": USER.hex}}), b"\x01"),
    "an id that is a number": raw(state({"user": {"id": 7}}), b"\x01"),
    "a client twice": raw(encode_awareness([AwarenessEntry(7, 1, STAMP)] * 2), b"\x01\x01"),
    "a clock of 2^31": raw(state(STAMP, clock=2**31), b"\x01"),
    "a state that is a list": raw(b"\x01\x07\x01\x02[]", b"\x01"),
    "a state too long": raw(state({**STAMP, "x": "y" * MAX_REPORTED_STATE_BYTES}), b"\x01"),
    "too many clients": raw(encode_awareness([AwarenessEntry(n, 0, None) for n in range(MAX_CLIENTS_PER_REPORT + 1)])),
    "a report too long": raw(people=" " * MAX_REPORT_BYTES + "[]"),
    "people that are not JSON": raw(people="["),
    "people nested deep": raw(people="[" * 100_000),
    "people that are an object": raw(people={}),
    "people that are nobody": raw(people="null"),
    "a long number": raw(people="[" + "9" * 5_000 + "]"),
    "too many people": raw(people=[["x"]] * (MAX_CLIENTS_PER_REPORT + 1)),
    "a row that is none": raw(people=["anna"]),
    "a row too short": raw(people=[[str(USER), "anna", "editor"]]),
    "a row too long": raw(people=[[str(USER), "anna", "editor", 1, 1]]),
    "a person without an id": raw(people=row(user_id=None)),
    "a person with an id that is none": raw(people=row(user_id="anna")),
    "a name that is a number": raw(people=row(name=1)),
    "an unknown role": raw(people=row(role="king")),
    "a role that is a list": raw(people=row(role=[])),
    "minus one connection": raw(people=row(connections=-1)),
    "more connections than a node has": raw(people=row(connections=MAX_CONNECTIONS + 1)),
    "half a connection": raw(people=row(connections=0.5)),
    "a connection that is true": raw(people=row(connections=True)),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_is_refused(name: str) -> None:
    with pytest.raises(AwarenessError):
        read_report(MALFORMED[name], NODE)


def test_the_same_without_the_fault_is_read() -> None:
    assert read_report(raw(state(STAMP), b"\x01", row()), NODE).people == (Participant(USER, "anna", Role.EDITOR, 1),)


def test_whatever_bytes_are_read_or_refused(rng: Random) -> None:
    """Nothing but an AwarenessError comes out."""
    whole = next(
        encode_reports(
            [claim(7), claim(8)], [9], [Participant(USER, "a", Role.OWNER, 1)], is_everything=True, asks=True
        )
    )
    read = refused = 0
    for _ in range(5_000):
        mutated = bytearray(whole)
        for _ in range(rng.randrange(1, 4)):
            mutated[rng.randrange(len(mutated))] = rng.randrange(256)
        try:
            read_report(bytes(mutated[: rng.choice([len(mutated), rng.randrange(len(mutated))])]), NODE)
            read += 1
        except AwarenessError:
            refused += 1
    assert read
    assert refused

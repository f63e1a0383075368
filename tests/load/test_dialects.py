"""Both dialects carry the same messages."""

import pytest

from crdt.codec import encode, write_var_string
from crdt.messages import Acknowledgement, AwarenessUpdate, SyncStep1, SyncStep2, Update
from load.dialects import HOCUSPOCUS, PROMPTROOM, Y_WEBSOCKET, Dialect, Saved

MESSAGES = (SyncStep1(b"\x00"), SyncStep2(b"\x00\x00"), Update(b"\x01" * 300), AwarenessUpdate(b"\x00"))
NAME = write_var_string("prompt")


@pytest.mark.parametrize("dialect", [PROMPTROOM, Y_WEBSOCKET, HOCUSPOCUS])
@pytest.mark.parametrize("message", MESSAGES)
def test_what_one_end_says_the_other_hears(dialect: Dialect, message: SyncStep1 | SyncStep2 | Update) -> None:
    prefix = dialect.prefix("prompt")
    assert list(dialect.decode(prefix + encode(message), prefix)) == [message]


def test_hocuspocus_names_the_document_in_every_message() -> None:
    assert HOCUSPOCUS.prefix("prompt") == NAME
    assert Y_WEBSOCKET.prefix("prompt") == b""


def test_hocuspocus_is_sent_the_token_first() -> None:
    assert list(HOCUSPOCUS.greeting("prompt", "secret")) == [
        NAME + b"\x02\x00" + write_var_string("secret") + write_var_string("4.7.0")
    ]
    assert list(PROMPTROOM.greeting("prompt", "secret")) == []


def test_hocuspocus_answers_a_first_question_with_a_message_of_its_own() -> None:
    reply = NAME + b"\x04" + encode(SyncStep1(b"\x00"))[1:]
    assert list(HOCUSPOCUS.decode(reply, NAME)) == [SyncStep1(b"\x00")]


def test_hocuspocus_says_of_each_message_whether_it_is_saved() -> None:
    assert list(HOCUSPOCUS.decode(NAME + b"\x08\x01", NAME)) == [Saved()]
    assert list(HOCUSPOCUS.decode(NAME + b"\x08\x00", NAME)) == []


def test_what_a_client_need_not_know_of_hocuspocus_is_left_out() -> None:
    authenticated = NAME + b"\x02\x02" + write_var_string("read-write")
    assert list(HOCUSPOCUS.decode(authenticated, NAME)) == []


def test_our_own_acknowledgement_counts_messages() -> None:
    assert list(PROMPTROOM.decode(encode(Acknowledgement(7)), b"")) == [Acknowledgement(7)]


def test_only_we_are_sent_a_token_in_the_request() -> None:
    assert "Authorization: Bearer secret" in PROMPTROOM.headers("secret")
    assert not Y_WEBSOCKET.headers("secret")
    assert not HOCUSPOCUS.headers("secret")

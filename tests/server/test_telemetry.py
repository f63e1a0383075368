"""No secret reaches the log, however carelessly it is written; and the lines are what they were asked to be."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from server.telemetry import REDACTED, configure_logging, get_logger, redact_text

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlLW9mLWl0"
TICKET = "yULjBbGrSAx4MkVw8R2ef2qhFCfNz1VB8pdTCqwlChc"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers, root.level)
    stream = io.StringIO()
    configure_logging(level="info", log_format="json", stream=stream)
    yield stream
    root.handlers, root.level = before
    structlog.reset_defaults()


@pytest.mark.parametrize(
    "text",
    [
        f"GET /ws/1?ticket={TICKET} HTTP/1.1",
        f"http://h/signin#ticket={TICKET}",
        f"Authorization: Bearer {JWT}",
        f"sec-websocket-protocol: promptroom.v1, bearer.{JWT}",
        f"the token {JWT} is bad",
        f"ticket={TICKET}&x=1",
        f"postgresql://user:{TICKET}@host/d",
        f"redis://:{TICKET}@host/0",
        f"password={TICKET}",
        f'{{"path": "/x?{TICKET}"}}',
    ],
)
def test_no_text_keeps_a_secret(text: str) -> None:
    redacted = redact_text(text)
    assert JWT not in redacted
    assert TICKET not in redacted
    assert REDACTED in redacted


@pytest.mark.parametrize(
    "text", ["listening on http://127.0.0.1:8000", "what now?", "a # b", "/api/v1/prompts/{prompt_id}", "issue #7?"]
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert redact_text(text) == text


def test_no_line_of_ours_keeps_a_secret(log: io.StringIO) -> None:
    logger = get_logger("test")
    logger.info(
        "came", token=TICKET, refresh_cookie=TICKET, url=f"/ws/1?ticket={TICKET}", headers={"a": f"Bearer {JWT}"}
    )
    try:
        int(f"bad token {JWT}")
    except ValueError:
        logger.exception("failed")
    assert JWT not in log.getvalue()
    assert TICKET not in log.getvalue()
    first, second = (json.loads(line) for line in log.getvalue().splitlines())
    assert (first["event"], first["level"], first["logger"], first["token"]) == ("came", "info", "test", REDACTED)
    assert "ValueError" in second["exception"]


def test_no_line_of_a_library_keeps_a_secret(log: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").warning('%s - "WebSocket %s" [accepted]', "1.2.3.4", f"/ws/1?ticket={TICKET}")
    try:
        int(JWT)
    except ValueError:
        logging.getLogger("library").exception("failed with %s", JWT)
    assert JWT not in log.getvalue()
    assert TICKET not in log.getvalue()
    assert len(log.getvalue().splitlines()) == 2


def test_the_level_holds_for_everybody(log: io.StringIO) -> None:
    get_logger("test").debug("quiet")
    logging.getLogger("library").debug("quiet")
    logging.getLogger("alembic.runtime").info("quiet")
    assert log.getvalue() == ""


def test_for_people_a_line_is_a_line(log: io.StringIO) -> None:
    configure_logging(level="info", log_format="console", stream=log)
    get_logger("test").info("listening", port=8000)
    (line,) = log.getvalue().splitlines()
    assert "listening" in line
    assert "port=8000" in line
    assert "\x1b" not in line


def test_lines_go_to_standard_error(log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    configure_logging(level="info", log_format="json")
    get_logger("test").info("hello")
    assert json.loads(stderr.getvalue())["event"] == "hello"
    assert log.getvalue() == ""

"""Fields that several request bodies share, with their bounds."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from crdt.diff import normalize_newlines
from server.limits import (
    MAX_CONTENT_LENGTH,
    MAX_EMAIL_LENGTH,
    MAX_NAME_LENGTH,
    MAX_PASSWORD_LENGTH,
    MIN_PASSWORD_LENGTH,
)


class Body(BaseModel):
    """A request body: what it does not know, it refuses, so that a misspelt field is not silently ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """A response body."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


def _whole(text: str) -> str:
    """Refuses half a surrogate pair, which JSON can write and no text can hold."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("holds half of a surrogate pair")
    return text


def _paragraphs(text: str) -> str:
    r"""Refuses control characters but tabs and line ends, which become `\n`."""
    text = normalize_newlines(text)
    if any(unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\t" for character in text):
        raise ValueError("holds a control character")
    return text


def _printable(text: str) -> str:
    """Refuses control characters: a name stands on one line, and PostgreSQL stores no U+0000."""
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in text):
        raise ValueError("holds a control character")
    return unicodedata.normalize("NFC", text)


def _email(text: str) -> str:
    """Checks the form of an address, no more: whether it takes mail, only mail can say."""
    local, separator, domain = text.rpartition("@")
    if not (separator and local and domain) or any(character.isspace() for character in text):
        raise ValueError("is not an e-mail address")
    return text.lower()


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME_LENGTH),
    AfterValidator(_printable),
    Field(examples=["Support triage"]),
]
Search = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=MAX_NAME_LENGTH), AfterValidator(_printable)
]
Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=3, max_length=MAX_EMAIL_LENGTH),
    AfterValidator(_printable),
    AfterValidator(_email),
    Field(examples=["ada@example.com"]),
]
NewPassword = Annotated[
    str,
    StringConstraints(min_length=MIN_PASSWORD_LENGTH, max_length=MAX_PASSWORD_LENGTH),
    AfterValidator(_whole),
]
Password = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PASSWORD_LENGTH), AfterValidator(_whole)]
Content = Annotated[str, StringConstraints(max_length=MAX_CONTENT_LENGTH), AfterValidator(_whole)]
Paragraphs = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_paragraphs)]

"""Rows become records: a frozen dataclass has one field for each column it shows, with the same name."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import Column, Row, Table

AnyRow = Row[*tuple[Any, ...]]


def columns_of(table: Table, record: type[Any]) -> list[Column[Any]]:
    """Return the columns of ``table`` in the order of the fields of ``record``."""
    return [table.c[field.name] for field in fields(record)]

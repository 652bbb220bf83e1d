"""SQL for a member of a resource's record, whose JSON each database reads in its own words."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, String, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from headrace.server.stores.metadata.tables.resources import RESOURCES


class _Member(FunctionElement[str]):
    type = String()
    inherit_cache = True


def member(name: str) -> ColumnElement[str]:
    """Return the text that the record has under `name`, or NULL: `member("region") == "us-east-1"` is a condition."""
    return _Member(RESOURCES.c.record, literal(name))


@compiles(_Member, "sqlite")
def _in_sqlite(element: _Member, compiler: Any, **options: Any) -> str:
    record, name = (compiler.process(clause, **options) for clause in element.clauses)
    return f"json_extract({record}, '$.\"' || {name} || '\"')"


@compiles(_Member, "postgresql")
def _in_postgresql(element: _Member, compiler: Any, **options: Any) -> str:
    record, name = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(CAST({record} AS json) ->> {name})"

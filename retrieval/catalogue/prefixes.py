"""Which texts of a column begin with another: found by the column's index, which LIKE is not."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement, and_, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.sql.operators import OperatorType

#: After whatever follows the prefix: no text has it.
_LAST = "\U0010ffff"


class _BeginsWith(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True
    name = "begins_with"

    def self_group(self, against: OperatorType | None = None) -> _BeginsWith:
        # "= 1" after it, as SQLAlchemy has it for functions, would keep SQLite from the index.
        return self


def begins_with(column: Any, prefix: str) -> ColumnElement[bool]:
    """Return the condition that a text column begins with `prefix`, upper and lower case apart."""
    return _BeginsWith(column, literal(prefix), literal(prefix + _LAST))


@compiles(_BeginsWith)
def _between(element: _BeginsWith, compiler: SQLCompiler, **how: Any) -> str:
    column, first, last = element.clauses
    return _said(compiler, column, first, last, how)


@compiles(_BeginsWith, "postgresql")
def _between_by_code_point(element: _BeginsWith, compiler: SQLCompiler, **how: Any) -> str:
    column, first, last = element.clauses
    return _said(compiler, column.collate("C"), first, last, how)


def _said(
    compiler: SQLCompiler,
    column: ColumnElement[Any],
    first: ColumnElement[Any],
    last: ColumnElement[Any],
    how: dict[str, Any],
) -> str:
    within = and_(column >= first, column < last).self_group()
    return str(compiler.process(within, **how))

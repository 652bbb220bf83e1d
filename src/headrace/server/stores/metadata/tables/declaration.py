"""What every table shares: the MetaData object, names of constraints, and column types."""

from typing import Any

from sqlalchemy import BigInteger, Column, Enum, Integer, MetaData, String, Text, event

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    }
)

Identity = BigInteger().with_variant(Integer(), "sqlite")
"""Type of a growing integer primary key (SQLite only grows plain INTEGER keys).

Once its newest rows are deleted SQLite gives their numbers out again, unless the table has `sqlite_autoincrement=True`.
"""

Milliseconds = BigInteger
"""Type of a time: milliseconds since 1970."""


def words(length: int | None = None) -> String:
    """Return the type of a text of at most `length` characters that is compared by code point on both databases."""
    if length is None:
        return Text().with_variant(Text(collation="C"), "postgresql")
    return String(length).with_variant(String(length, collation="C"), "postgresql")


@event.listens_for(Column, "after_parent_attach")
def _order_by_code_point(column: Column[Any], table: Any) -> None:
    kind: Any = column.type
    plain = isinstance(kind, String) and not isinstance(kind, Enum) and not kind._variant_mapping
    if plain and getattr(table, "metadata", None) is METADATA:
        column.type = words(kind.length)

"""What every table shares: the MetaData object, names of constraints, and column types."""

from sqlalchemy import BigInteger, Integer, MetaData

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    }
)

Identity = BigInteger().with_variant(Integer(), "sqlite")
"""Type of a growing integer primary key (SQLite only grows plain INTEGER keys)."""

Milliseconds = BigInteger
"""Type of a time: milliseconds since 1970."""

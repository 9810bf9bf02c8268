"""What the tables of every SQL engine are made of. Times are seconds since the epoch (UTC), blobs are JSON."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Integer, LargeBinary, MetaData, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite only makes an alias of the row id out of the exact word INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")


def identity(name: str = "id") -> Column[int]:
    return Column(name, Id, primary_key=True, autoincrement=True)


def text_column(name: str, key: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=False)


def number_column(name: str, key: bool = False) -> Column[int]:
    return Column(name, Id, primary_key=key, nullable=False, autoincrement=False)


def time_column(name: str, nullable: bool = False) -> Column[float]:
    return Column(name, Float(53), nullable=nullable)


def blob_column(name: str, nullable: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=nullable)

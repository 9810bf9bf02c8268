"""Columns of migrations, spelled once: what a migration says must not follow the tables of today."""

from __future__ import annotations

import sqlalchemy as sa

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def number(name: str) -> sa.Column[int]:
    return sa.Column(name, NUMBER, autoincrement=False, nullable=False)


def time(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Float(precision=53), nullable=False)


def identity(name: str = "id") -> sa.Column[int]:
    return sa.Column(name, NUMBER, autoincrement=True, nullable=False)


def blob(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False)

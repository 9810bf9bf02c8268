"""The address of a PostgreSQL store: what is ours in it, and what the driver is to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

Pooled = Literal["auto", "yes", "no"]

SCHEMES = frozenset({"postgresql", "postgres"})
CONNECTIONS = 6  # of one process: half of them write
FEWEST, MOST = 2, 100


@dataclass(frozen=True)
class Address:
    """`dsn` is the driver's. `pgbouncer`: a pool that hands a connection on after each transaction stands between."""

    dsn: str
    pgbouncer: Pooled = "auto"
    connections: int = CONNECTIONS

    @property
    def writers(self) -> int:
        return self.connections // 2

    @property
    def readers(self) -> int:
        return self.connections - self.writers


def parse_address(url: str) -> Address:
    """Raises ValueError, without the password, for what cannot be an address."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError("write it like postgresql://user:password@host:5432/database")
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    pooled, connections = asked.pop("pgbouncer", "auto"), asked.pop("connections", str(CONNECTIONS))
    dsn = urlunsplit(("postgresql", parts.netloc, parts.path, urlencode(asked), ""))
    return Address(dsn, _pooled(pooled), _connections(connections))


def _pooled(value: str) -> Pooled:
    known: dict[str, Pooled] = {"auto": "auto", "yes": "yes", "1": "yes", "no": "no", "0": "no"}
    if value not in known:
        raise ValueError(f"pgbouncer={value}: write yes, no or auto")
    return known[value]


def _connections(value: str) -> int:
    if not value.isdigit() or not FEWEST <= int(value) <= MOST:
        raise ValueError(f"connections={value}: write a number from {FEWEST} to {MOST}")
    return int(value)

"""The audit as a chain: each row holds the hash of the one before, so that no row can be changed, taken out or put in."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

import msgspec

from core.accounts import Audited, AuditState, Deed
from storage.accounts.tables import AccountRows
from storage.codec import decode_dict
from storage.rows import Row

HEAD = "audit"  # in `meta`: `<id>:<hash>` of the last row, so that rows cut off at the end are missed
START = "0" * 64  # the hash before the first row
PAGE = 1_000
# Canonical: keys sorted, so that the same detail always has the same bytes.
_canonical = msgspec.json.Encoder(order="sorted").encode


def row_hash(row: Row) -> str:
    """SHA-256 over all that a row says, the hash before it included."""
    said = [row["id"], row["at"], row["by"], row["action"], row["object"], row["address"], row["before"]]
    return sha256(_canonical(said) + bytes(row["detail"])).hexdigest()


def append(rows: AccountRows, deed: Deed, now: float) -> None:
    """The next row. Within one unit of writing nobody else adds one."""
    head = rows.noted(HEAD)
    id, before = (int(head.partition(":")[0]) + 1, head.partition(":")[2]) if head else (1, START)
    row: Row = {
        "id": id,
        "at": now,
        "by": deed.by,
        "action": deed.action,
        "object": deed.object,
        "detail": _canonical(deed.detail),
        "address": deed.address,
        "before": before,
    }
    row["hash"] = row_hash(row)
    rows.put("audit", row)
    rows.set_noted(HEAD, f"{id}:{row['hash']}")


def audited(row: Row) -> Audited:
    """A row as a value."""
    return Audited(
        row["id"],
        row["at"],
        row["by"],
        row["action"],
        row["object"],
        decode_dict.decode(row["detail"]),
        row["address"],
        row["before"],
        row["hash"],
    )


class Walk:
    """A walk along the chain, page by page. `notes` are rows as they were written down: `<id>:<hash>`."""

    def __init__(self, *notes: str) -> None:
        self.at, self.hash = 0, START
        self._broken, self._why = 0, ""
        parts = [note.partition(":") for note in notes if note]
        self._noted = [(int(id), digest) for id, _, digest in parts]

    def go(self, page: Iterable[Row]) -> bool:
        """Whether to go on behind these rows."""
        before = self.at
        for row in page:
            why = self._judge(row)
            if why:
                self._broken, self._why = self.at + 1, why
                return False
            self.at, self.hash = row["id"], row["hash"]
        return self.at > before

    def _judge(self, row: Row) -> str:
        if row["id"] != self.at + 1:
            return "missing"
        if row["before"] != self.hash or row["hash"] != row_hash(row):
            return "changed"
        return "head" if any(id == row["id"] and digest != row["hash"] for id, digest in self._noted) else ""

    def end(self) -> AuditState:
        """What was found."""
        if not self._broken and any(id > self.at for id, _ in self._noted):
            self._broken, self._why = self.at + 1, "cut"
        return AuditState(self.at, f"{self.at}:{self.hash}" if self.at else "", self._broken, self._why)


def check(rows: AccountRows, noted: str) -> AuditState:
    """Walk the whole chain; rows that are added meanwhile are walked, too. Raises ValueError for a note that is none."""
    walk = Walk(rows.noted(HEAD), noted)
    while walk.go(rows.audit_after(walk.at, PAGE)):
        pass
    return walk.end()

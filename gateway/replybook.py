"""Canned replies of lines and of the house as one file: written out, and taken back over those of the same shortcut."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from core.access import Sight
from core.ports import Store
from gateway.replies import variables
from handoff.replies import BadReply
from storage.codec import EMPTY_LIST
from storage.rows import Row
from storage.tools.replies import add_reply, change_reply, list_replies
from storage.work.units import Based, Units, asked

KEYS = ("scope", "line", "shortcut", "title", "text", "place")
EVERYTHING = Sight(everything=True)
NOBODY = 0  # whose own replies are not asked for


class ReplyBook:
    """For the office: values that survive JSON."""

    def __init__(self, store: Store, lines: Sequence[str]) -> None:
        self._store, self._lines = store, frozenset(lines)

    def answers(self) -> dict[str, Callable[..., Awaitable[Any]]]:
        return {"replies": self.replies, "take_replies": self.take_replies}

    async def replies(self) -> list[dict[str, Any]]:
        """Those of lines and of the house, in their order."""
        rows = await self._units.ask(lambda reads: list_replies(reads, EVERYTHING, NOBODY))
        return [{name: row[name] for name in KEYS if row[name] not in ("", 0)} for row in rows]

    async def take_replies(self, found: list[Any], by: str, now: float) -> dict[str, Any]:
        """Keep them all, or none: `wrong` is a list of (place in the file, why), else `added` and `changed` are counted."""
        wrong = [(n, why) for n, one in enumerate(found, 1) if (why := self._against(one))]
        keys = [(one.get("line", ""), str(one.get("shortcut")).lower()) for one in found if isinstance(one, dict)]
        wrong += [(n, "twice") for n, key in enumerate(keys, 1) if key in keys[: n - 1]]
        if wrong:
            return {"wrong": sorted(wrong), "added": 0, "changed": 0}
        rows = [_row(one, by, now) for one in found]
        added = await self._units.write(lambda ledger: sum(_keep(asked(ledger), row) for row in rows))
        return {"wrong": [], "added": added, "changed": len(rows) - added}

    @property
    def _units(self) -> Units:
        return Units(cast(Based, self._store))

    def _against(self, one: Any) -> str:
        """Why an entry cannot be kept: `shape`, `line`, `text`; empty when it can."""
        if not isinstance(one, dict) or set(one) - set(KEYS):
            return "shape"
        texts = (one.get("shortcut"), one.get("title"), one.get("text"))
        if not all(isinstance(it, str) and it.strip() for it in texts) or len(one["text"]) > 8000:
            return "shape"
        if not isinstance(one.get("place", 0), int) or one.get("scope", "all") not in ("line", "all"):
            return "shape"
        if (one.get("scope", "all") == "line") != bool(one.get("line")) or one.get("line", "") not in {
            "",
            *self._lines,
        }:
            return "line"
        try:
            variables(one["text"])
        except BadReply:
            return "text"
        return ""


def _row(one: dict[str, Any], by: str, now: float) -> Row:
    return {
        "scope": one.get("scope", "all"),
        "owner": 0,
        "line": one.get("line", ""),
        "shortcut": one["shortcut"].strip().lower(),
        "title": one["title"].strip(),
        "text": one["text"].strip(),
        "place": one.get("place", 0),
        "changed_at": now,
        "changed_by": by,
    }


def _keep(writes: Any, row: Row) -> int:
    """1 for a new one. Files of one that is there stay."""
    known = [it for it in list_replies(writes, EVERYTHING, NOBODY) if _key(it) == _key(row)]
    if known:
        change_reply(writes, known[0]["id"], {**row, "files": known[0]["files"]})
        return 0
    add_reply(writes, {**row, "files": EMPTY_LIST, "uses": 0, "used_at": 0.0})
    return 1


def _key(row: Row) -> tuple[str, str, str]:
    return row["scope"], row["line"], row["shortcut"]

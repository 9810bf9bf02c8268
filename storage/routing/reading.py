"""What routing asks the store for: people, lines and queues as they are at one moment."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import msgspec

from core.access import Sight
from core.conversation import Session
from core.presence import Presence
from storage.asked import Asked
from storage.routing import statements as s
from storage.rows import Row
from storage.work.sessions import sight_values

_decode = msgspec.json.Decoder(Session).decode
MOST = 1_000_000_000_000  # beyond the id of any decision


@dataclass
class Found:
    """Rows as of one moment.

    `waiting`: sessions in queues; `earlier`: by conversation, who had the client before, oldest first (`own`: this very
    session); `people`: active accounts with lines; `roles`: user → line → role; `work`: operator, line, channel, status and
    how many sessions.
    """

    waiting: list[Row]
    people: list[Row]
    roles: dict[int, dict[str, str]]
    work: list[Row]
    earlier: dict[int, list[Row]] = field(default_factory=dict)


def read_all(reads: Asked, since: float) -> Found:
    """Everything. `since`: how far back it counts who had a client before."""
    roles: dict[int, dict[str, str]] = defaultdict(dict)
    for row in reads.all(s.ROLES):
        roles[row["user_id"]][row["line"]] = row["role"]
    found = Found(reads.all(s.WAITING), reads.all(s.PEOPLE), dict(roles), reads.all(s.IN_WORK))
    if found.waiting:
        earlier: dict[int, list[Row]] = defaultdict(list)
        for row in reads.all(s.EARLIER, since=since):
            earlier[row["waiting"]].append(row)
        found.earlier = dict(earlier)
    return found


def read_seen(reads: Asked, sight: Sight) -> set[int]:
    """The conversations in queues that somebody may see."""
    return set(reads.column(s.WAITING_SEEN, **sight_values(sight)))


def read_waits(reads: Asked, line: str, since: float, count: int) -> list[Row]:
    """When sessions of a line were taken from its queue lately, and how long they had waited; the newest first."""
    return reads.all(s.WAITS_OF_LINE, line=line, since=since, n=count)


def session_of(row: Row) -> Session:
    """The whole session of a row of `sessions`."""
    return _decode(row["state"])


def read_absent(reads: Asked, before: float) -> list[Row]:
    """Sessions of people without an account any more, and of those who may be away since before; with what is known of
    their presence (`said` is empty for one who has never said anything)."""
    return reads.all(s.OF_ABSENT, before=before)


def read_presence(reads: Asked, user: int) -> Presence:
    """Somebody's presence; offline for one who has never said anything."""
    row = reads.one(s.PRESENCE_OF, user=user)
    return Presence(user) if row is None else presence_of(row)


def presence_of(row: Row) -> Presence:
    """A row of `presence`, or of `PEOPLE`."""
    user = row["user_id"] if "user_id" in row else row["id"]
    return Presence(user, row["state"], row["since"], row["seen_at"], row["capacity"], row["capacity_until"])


def read_decisions(reads: Asked, conversation: int, before: int, limit: int) -> list[Row]:
    """What routing decided on a conversation, the newest first; before the decision `before` (0: from the end)."""
    return reads.all(s.DECISIONS, conversation=conversation, before=before or MOST, n=limit)


def read_shares(reads: Asked, since: float) -> dict[str, tuple[int, int]]:
    """Channel → how many sessions began since then, and how many of them no person ever had."""
    return {row["channel"]: (int(row["all"]), int(row["bots"])) for row in reads.all(s.BOTS_SHARE, since=since)}


def read_staffed(reads: Asked) -> frozenset[str]:
    """The lines in which somebody works."""
    return frozenset(row["line"] for row in reads.all(s.ROLES))

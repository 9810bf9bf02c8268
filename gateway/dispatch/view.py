"""The house as routing sees it: rows of the store, lines and weights of the configuration, at one moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.accounts import operator_id
from core.conversation import Session
from core.presence import Presence
from gateway.floor import Floor
from handoff import routing
from handoff.hours import is_open
from handoff.lines import Line
from handoff.queueing import OFFER_TIMER
from storage.routing.reading import Found, presence_of, read_all, session_of
from storage.rows import Row

# How somebody let a session go of their own accord, by act or timer: it is not given to them again at once.
DECLINED = (OFFER_TIMER, "return", "transfer", "send_back")
RELEASED = "release"  # their presence did it


@dataclass(frozen=True)
class View:
    """A snapshot. `people`, `presence`, `loads` and `having` are by operator (`user:7`): the row of the account, their
    presence, the weighted load in work, and how many sessions they have in all; `in_work` counts those of a line."""

    house: routing.House
    people: Mapping[str, Row]
    roles: Mapping[str, Mapping[str, str]]
    presence: Mapping[str, Presence]
    loads: Mapping[str, float]
    having: Mapping[str, int]
    in_work: Mapping[str, int]
    grace: float
    rows: Mapping[int, Row]

    def session(self, conversation: int) -> Session:
        """The session that waits there."""
        return session_of(self.rows[conversation])


async def look_at(floor: Floor) -> View:
    """The house now. Raises `StorageFull`."""
    now, lines = floor.now(), floor.house().lines
    since = now.timestamp() - max((line.sticky for line in lines.values()), default=0.0)
    found = await floor.units.ask(lambda reads: read_all(reads, since))
    weights = {name: channel.weight for name, channel in floor.config.channels.items()}
    return build_view(found, lines, weights, now, floor.config.presence.grace)


def build_view(
    found: Found, lines: Mapping[str, Line], weights: Mapping[str, float], now: datetime, grace: float
) -> View:
    """`weights` is channel → what one of its sessions counts."""
    at = now.timestamp()
    loads, of_lines, having, in_work = _work(found.work, weights)
    presence = {operator_id(row["id"]): presence_of(row) for row in found.people}
    roles = {operator_id(user): of for user, of in found.roles.items()}
    people = {operator_id(row["id"]): row for row in found.people}
    house = routing.House(
        now=at,
        lines={id: _rules(line, now) for id, line in lines.items()},
        people=[_person(row, presence[id], roles.get(id, {}), loads, at, grace) for id, row in people.items()],
        waiting=[_waiting(row, found.earlier.get(row["conversation"], ()), weights) for row in found.waiting],
        loads=of_lines,
    )
    rows = {row["conversation"]: row for row in found.waiting}
    return View(house, people, roles, presence, loads, having, in_work, grace, rows)


def _work(
    rows: Sequence[Row], weights: Mapping[str, float]
) -> tuple[dict[str, float], dict[str, float], dict[str, int], dict[str, int]]:
    """Loads of people and of lines, which count what is in work; sessions of people and of lines, which count all."""
    loads: dict[str, float] = defaultdict(float)
    of_lines: dict[str, float] = defaultdict(float)
    having: dict[str, int] = defaultdict(int)
    in_work: dict[str, int] = defaultdict(int)
    for row in rows:
        having[row["operator"]] += row["count"]
        in_work[row["line"]] += row["count"]
        if row["status"] == "assigned":  # not what waits for the client or is on hold
            weight = row["count"] * weights.get(row["channel"], 1.0)
            loads[row["operator"]] += weight
            of_lines[row["line"]] += weight
    return loads, of_lines, having, in_work


def _rules(line: Line, now: datetime) -> routing.Rules:
    return routing.Rules(line.id, line.route, is_open(line.hours, now), line.max_sessions, line.limit, line.sticky)


def _person(
    row: Row, presence: Presence, roles: Mapping[str, str], loads: Mapping[str, float], at: float, grace: float
) -> routing.Person:
    """Supervisors take what they want; nothing is given to them."""
    id = operator_id(row["id"])
    return routing.Person(
        id=id,
        state=presence.now(at, grace),
        lines=frozenset(line for line, role in roles.items() if role == "operator"),
        load=loads.get(id, 0.0),
        limit=float(presence.limit(at)),
        assigned_at=float(row["got_at"]),
        idle_at=float(row["left_at"]),
        back_at=presence.since,
    )


def _waiting(row: Row, earlier: Sequence[Row], weights: Mapping[str, float]) -> routing.Waiting:
    """`earlier` is sorted by time. One who had the session and lost it by being away is whom the client had before."""
    before = [it for it in earlier if not it["own"] or it["why"] == RELEASED]
    passed = [it for it in earlier if it["own"] and it["what"] == "left" and it["why"] in DECLINED]
    return routing.Waiting(
        conversation=row["conversation"],
        number=row["number"],
        epoch=row["epoch"],
        line=row["line"],
        due=row["due"],
        priority=row["priority"],
        queued_at=row["queued_at"],
        weight=weights.get(row["channel"], 1.0),
        sticky=before[-1]["operator"] if before else "",
        sticky_at=before[-1]["at"] if before else 0.0,
        passed=tuple(routing.Passed(it["operator"], it["at"], it["why"] == OFFER_TIMER) for it in passed),
    )

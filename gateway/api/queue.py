"""Routes of queues and lines: who waits, why, for how long; who works; what routing decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import ceil

import msgspec

from core.access import Sight
from core.accounts import operator_id
from gateway.api.deeds import find_session
from gateway.api.models import Page, moment
from gateway.api.models_queue import (
    CandidateView,
    LineList,
    LineNumbers,
    LineView,
    OnLine,
    QueuedView,
    QueueList,
    QueuePage,
    Range,
    RoutingList,
    RoutingView,
    SkippedView,
)
from gateway.api.paging import read_cursor, write_cursor
from gateway.api.presence import limit_of
from gateway.api.route import EVERYBODY, WORKERS, Call, Route
from gateway.dispatch.telling import Teller
from gateway.dispatch.view import View, look_at
from handoff.access import access_lines, access_numbers
from handoff.hours import is_open, opens_at
from handoff.lines import Line
from handoff.queueing import wait_range
from handoff.routing import Candidate, Routed, plan
from storage.routing.reading import read_decisions, read_seen, read_shares
from storage.rows import Row

DAY = 86_400.0
_skipped = msgspec.json.Decoder(list[dict[str, str]]).decode


# --- the queue ----------------------------------------------------------------------------------------------------------


async def get_queue(call: Call) -> QueueList:
    """Decided anew at this moment, by the same rules: each has the cause that is true now."""
    page: QueuePage = call.query
    view, sight = await look_at(call.floor), call.floor.sight(call.who)
    seen = await call.floor.units.ask(lambda reads: read_seen(reads, sight))
    found = [it for it in plan(view.house) if it.session.conversation in seen and page.line in ("", it.session.line)]
    first = read_cursor(page.cursor)
    shown, more = found[first : first + page.limit], len(found) > first + page.limit
    return QueueList(items=[_queued(view, it) for it in shown], next=write_cursor(first + page.limit) if more else None)


def _queued(view: View, it: Routed) -> QueuedView:
    row, session = view.rows[it.session.conversation], it.session
    return QueuedView(
        conversation=session.conversation,
        session=session.number,
        epoch=session.epoch,
        line=session.line,
        channel=row["channel"],
        client=row["client"],
        position=it.place,
        cause=it.cause,
        queued_at=moment(session.queued_at),
        waited=_waited(view, it),
        due=moment(session.due),
        priority=session.priority,
        weight=session.weight,
        note=view.session(session.conversation).note,
        candidates=[_candidate(view, one) for one in it.candidates],
    )


def _waited(view: View, it: Routed) -> float:
    return max(view.house.now - it.session.queued_at, 0.0)


def _candidate(view: View, it: Candidate) -> CandidateView:
    return CandidateView(operator=it.operator, title=view.people[it.operator]["title"], skip=it.skip)


# --- lines --------------------------------------------------------------------------------------------------------------


async def get_lines(call: Call) -> LineList:
    """All know which lines there are; numbers and people are for those who may see them."""
    view, lines, now = await look_at(call.floor), call.floor.house().lines, call.floor.now()
    numbers, people = access_numbers(call.who), access_lines(call.who)
    counted = await _numbers(call, view, [line for line in lines if _in(numbers, line)])
    return LineList(
        items=[
            _line(line, now, counted.get(id), _people(view, id) if _in(people, id) else None)
            for id, line in lines.items()
        ],
        now=now,
    )


def _in(sight: Sight, line: str) -> bool:
    return sight.everything or line in sight.lines


def _line(line: Line, now: datetime, numbers: LineNumbers | None, people: list[OnLine] | None) -> LineView:
    return LineView(
        id=line.id,
        title=line.title,
        open=is_open(line.hours, now),
        opens_at=opens_at(line.hours, now),
        route=line.route,
        max_sessions=line.max_sessions,
        limit=line.limit,
        categories=list(line.categories),
        numbers=numbers,
        people=people,
    )


def _people(view: View, line: str) -> list[OnLine]:
    found = [
        _on_line(view, row, view.roles[id][line]) for id, row in view.people.items() if line in view.roles.get(id, {})
    ]
    return sorted(found, key=lambda it: (it.title, it.user))


def _on_line(view: View, row: Row, role: str) -> OnLine:
    id = operator_id(row["id"])
    presence = view.presence[id]
    return OnLine(
        user=row["id"],
        name=row["name"],
        title=row["title"],
        role="supervisor" if role == "supervisor" else "operator",
        state=presence.now(view.house.now, view.grace),
        since=moment(presence.since),
        load=view.loads.get(id, 0.0),
        max_sessions=limit_of(view, presence),
        sessions=view.having.get(id, 0),
        own_limit=presence.limit(view.house.now),
        own_limit_until=moment(presence.capacity_until if presence.limit(view.house.now) else 0.0),
    )


async def _numbers(call: Call, view: View, lines: Sequence[str]) -> dict[str, LineNumbers]:
    if not lines:
        return {}
    waits = await Teller(call.floor, call.floor.now).waits(lines)
    since = view.house.now - DAY
    shares = await call.floor.units.ask(lambda reads: read_shares(reads, since))
    routed = plan(view.house)
    return {line: _count(call, view, line, routed, waits[line], shares) for line in lines}


def _count(
    call: Call,
    view: View,
    line: str,
    routed: Sequence[Routed],
    waits: Sequence[float],
    shares: Mapping[str, tuple[int, int]],
) -> LineNumbers:
    here = [it for it in routed if it.session.line == line]
    ages = sorted(_waited(view, it) for it in here)
    expected = wait_range(waits)
    return LineNumbers(
        waiting=len(here),
        oldest=ages[-1] if ages else None,
        p80=ages[ceil(0.8 * len(ages)) - 1] if ages else None,
        overdue=sum(0 < it.session.due < view.house.now for it in here),
        causes=dict(sorted(Counter(str(it.cause) for it in here).items())),
        in_work=view.in_work.get(line, 0),
        load=view.house.loads.get(line, 0.0),
        bot_share=_share(
            [shares[name] for name, of in call.floor.channel_lines.items() if of == line and name in shares]
        ),
        expected=Range(low=expected[0], high=expected[1]) if expected else None,
    )


def _share(found: Sequence[tuple[int, int]]) -> float | None:
    """Of all sessions the part that the bot had alone."""
    every = sum(count for count, _ in found)
    return round(sum(bots for _, bots in found) / every, 4) if every else None


# --- decisions ----------------------------------------------------------------------------------------------------------


async def get_routings(call: Call) -> RoutingList:
    await find_session(call, call.id)
    page: Page = call.query
    before, limit = read_cursor(page.cursor), page.limit
    found = await call.floor.units.ask(lambda reads: read_decisions(reads, call.id, before, limit + 1))
    cursor = write_cursor(found[limit - 1]["id"]) if len(found) > limit else None
    return RoutingList(items=[_routing(row) for row in found[:limit]], next=cursor)


def _routing(row: Row) -> RoutingView:
    same = ("id", "session", "epoch", "line", "strategy", "operator", "reason", "outcome")
    return RoutingView(
        **{name: row[name] for name in same},
        at=datetime.fromtimestamp(row["at"], UTC),
        skipped=[SkippedView(**it) for it in _skipped(row["skipped"])],
    )


ROUTES = (
    Route(
        *("GET", "/queue", get_queue, "Who waits, in which place, and why", WORKERS),
        scope="conversations:read",
        query=QueuePage,
        answer=QueueList,
    ),
    Route(
        *("GET", "/lines", get_lines, "Lines: who waits, who works, how long it takes", EVERYBODY),
        scope="reports:read",
        answer=LineList,
    ),
    Route(
        *("GET", "/conversations/{id}/routings", get_routings, "What routing decided, and why", WORKERS),
        scope="conversations:read",
        query=Page,
        answer=RoutingList,
        problems=("not-found",),
    ),
)

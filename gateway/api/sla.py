"""Routes of hours and promises: the ledger of a session, what is at risk, when a line works."""

from __future__ import annotations

from datetime import datetime

from core.conversation import Session
from core.locale import Texts, texts
from gateway.api.deeds import find_session
from gateway.api.models import moment
from gateway.api.models_conversations import Deadline
from gateway.api.models_sla import (
    ClockView,
    Entry,
    LineHours,
    Moved,
    OpenSpan,
    Risk,
    RiskQuery,
    Risks,
    SlaQuery,
    SlaView,
    Spent,
)
from gateway.api.problems import Problem
from gateway.api.route import EVERYBODY, WORKERS, Call, Route
from gateway.api.showing import at
from handoff.access import access_lines
from handoff.hours import closes_at, is_open, opens_at, render_span
from handoff.lines import Line
from handoff.sla import Chip, Clock, chip, ledger, load, sums
from handoff.sla_words import render_change, render_ledger, render_promise
from storage.work.promises import decode_session, numbered_session, read_due

LATE = ("late", "soon")


# --- a session ---------------------------------------------------------------------------------------------------------


async def get_sla(call: Call) -> SlaView:
    """Calculated now, by the rules of now, with all that was settled before."""
    query: SlaQuery = call.query
    row = await find_session(call, call.id)
    if query.session and query.session != row["number"]:
        sight, number = call.floor.sight(call.who), query.session
        found = await call.floor.units.ask(lambda reads: numbered_session(reads, sight, call.id, number))
        if found is None:
            raise Problem("not-found")
        row = found
    session, now = decode_session(row["state"]), call.floor.now()
    sla, t = load(session), texts(call.language)
    return SlaView(
        conversation=call.id,
        session=row["number"],
        line=row["line"],
        now=now,
        due=show_chip(chip(session, now.timestamp())),
        clocks=[_clock(call, t, session, clock, now) for clock in [*sla.open, *reversed(sla.done)]],
    )


def show_chip(found: Chip) -> Deadline | None:
    """The deadline of a list; none where nothing is promised."""
    if found.state == "none":
        return None
    return Deadline(at=moment(found.due), kind=found.promise, state=found.state, left=found.left)


def _clock(call: Call, t: Texts, session: Session, clock: Clock, now: datetime) -> ClockView:
    line = _counting(call, session.line) or _counting(call, clock.line)
    entries = ledger(clock, line.hours, now.timestamp()) if line is not None else clock.spans
    spent = sums(entries)
    return ClockView(
        promise=clock.promise,
        line=clock.line,
        target=clock.target,
        outcome=clock.outcome or "open",
        opened_at=at(clock.opened),
        stopped_at=moment(clock.stopped),
        due=moment(clock.due),
        late=clock.late or 0 < clock.due <= (clock.stopped or now.timestamp()),
        left=max(0.0, round(clock.target - spent.get("counted", 0.0), 3)),
        spent=Spent(**{cause: round(seconds, 3) for cause, seconds in spent.items()}),
        text=render_promise(t, clock),
        ledger=render_ledger(t, spent),
        entries=[
            Entry(since=at(it.since), until=at(it.until), cause=it.cause, seconds=round(it.seconds, 3))
            for it in entries
        ],
        changes=[
            Moved.model_validate(
                {
                    "at": at(it.at),
                    "why": it.why,
                    "was": moment(it.was),
                    "due": moment(it.due),
                    "text": render_change(t, it),
                }
            )
            for it in clock.changes
        ],
    )


def _counting(call: Call, line: str) -> Line | None:
    return call.floor.house().lines.get(line)


# --- what is at risk ---------------------------------------------------------------------------------------------------


async def get_sla_at_risk(call: Call) -> Risks:
    """Of the lines that one leads; whoever leads none sees none."""
    query: RiskQuery = call.query
    sight, now = access_lines(call.who, "supervisor"), call.floor.now().timestamp()
    known = await call.floor.units.ask(lambda reads: read_due(reads, sight))
    found = [(row, chip(session, now)) for row, session in known if query.line in ("", row["line"])]
    risky = [(row, shown) for row, shown in found if shown.state in LATE]
    states = [shown.state for _, shown in risky]
    return Risks(
        items=[
            Risk(
                conversation=row["conversation"],
                session=row["number"],
                epoch=row["epoch"],
                line=row["line"],
                operator=row["operator"],
                status=row["status"],
                priority=row["priority"],
                due=Deadline(at=moment(shown.due), kind=shown.promise, state=shown.state, left=shown.left),
            )
            for row, shown in risky[: query.limit]
        ],
        late=states.count("late"),
        soon=states.count("soon"),
    )


# --- hours -------------------------------------------------------------------------------------------------------------


async def get_line_hours(call: Call) -> LineHours:
    """No secret, and no personal data: everybody who is signed in may know when a line works."""
    line, now = call.floor.house().lines.get(call.request.match_info["name"]), call.floor.now()
    if line is None:
        raise Problem("not-found")
    open_, opening = is_open(line.hours, now), opens_at(line.hours, now)
    today = now.astimezone(opening.tzinfo if opening is not None else None).date()
    return LineHours(
        line=line.id,
        title=line.title,
        timezone=line.hours.timezone,
        now=now,
        open=open_,
        opens_at=None if open_ else opening,
        closes_at=closes_at(line.hours, now),
        week=[_span(day, span) for day, spans in enumerate(line.hours.week, 1) for span in spans],
        holidays=sorted(day for day in line.hours.holidays if day >= today),
    )


def _span(day: int, span: tuple[int, int]) -> OpenSpan:
    opens, _, closes = render_span(span).partition("-")
    return OpenSpan(day=day, opens=opens, closes=closes)


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/conversations/{id}/sla",
        get_sla,
        "The promises of a session and their ledger",
        WORKERS,
        "conversations:read",
        query=SlaQuery,
        answer=SlaView,
        problems=("not-found",),
    ),
    Route(
        "GET",
        "/sla/at-risk",
        get_sla_at_risk,
        "Sessions whose promises are about to be broken, or are",
        WORKERS,
        "conversations:read",
        query=RiskQuery,
        answer=Risks,
    ),
    Route(
        "GET",
        "/lines/{name}/hours",
        get_line_hours,
        "When a line works, and when it opens next",
        EVERYBODY,
        "reports:read",
        answer=LineHours,
        problems=("not-found",),
    ),
)

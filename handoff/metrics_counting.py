"""What one session gives to each number of the reports. Pure; `handoff.metrics` says which number is which."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from handoff.metrics_life import CLOSED, Fact, Life, Move, Whose

IDLE = "idle"  # why a session was closed whose client said nothing more


class Measure(NamedTuple):
    """What one session gives to one number: when and where it happened."""

    value: float
    at: float
    line: str
    operator: str


def _whole(life: Life, value: float) -> Measure:
    """A measure of the session as a whole: where it ended, on the day it began."""
    return Measure(value, life.opened_at, life.line, life.operator)


# --- volume ----------------------------------------------------------------------------------------------------------


def count_session(life: Life) -> Iterator[Measure]:
    yield _whole(life, 1.0)


def name_client(life: Life) -> Iterator[Measure]:
    yield _whole(life, float(life.client))


def said_by(*authors: str) -> Callable[[Life], Iterator[Measure]]:
    def messages(life: Life) -> Iterator[Measure]:
        count = sum(life.messages.get(author, 0) for author in authors)
        if count:
            yield _whole(life, float(count))

    return messages


# --- the bot ---------------------------------------------------------------------------------------------------------


def went_to_people(life: Life) -> bool:
    return any(move.after not in ("bot", CLOSED) for move in life.moves)


def is_contained(life: Life) -> bool:
    """The bot alone had it, and no line was closed for the client."""
    return not went_to_people(life) and not any(life.mark("line_closed"))


def contained(life: Life) -> Iterator[Measure]:
    yield _whole(life, float(is_contained(life)))


def to_people(life: Life) -> Iterator[Measure]:
    first = _first_to_people(life)
    if first is not None:
        yield Measure(1.0, first.at, first.line, life.operator)


def line_closed(life: Life) -> Iterator[Measure]:
    for fact in life.mark("line_closed"):
        yield Measure(1.0, fact.at, str(fact.data.get("line", "")), "")
        return


# --- waiting ---------------------------------------------------------------------------------------------------------


def _first_to_people(life: Life) -> Move | None:
    return next((move for move in life.moves if move.after not in ("bot", CLOSED)), None)


def queue_entries(life: Life) -> Iterator[Measure]:
    for move in life.moves:
        if move.after == "queued" and (move.before, move.line_before) != ("queued", move.line):
            yield Measure(1.0, move.at, move.line, "")


def queue_time(life: Life) -> Iterator[Measure]:
    for before, after in _turns(life):
        if before.whose == "queue" and after in ("operator", "client"):
            yield Measure(before.seconds, before.until, before.line, before.operator)


class _Stay(NamedTuple):
    """A stretch in one queue, and who got it."""

    whose: Whose
    seconds: float
    until: float
    line: str
    operator: str


def _turns(life: Life) -> Iterator[tuple[_Stay, str]]:
    """Each ended stay in one queue with whose time came after it. Who got it is whoever the next move names."""
    since, line = 0.0, ""
    for move in life.moves:
        if move.before == "queued" and (move.after, move.line) != ("queued", line):
            after = "operator" if move.after in ("assigned", "waiting", "held") else move.after
            yield _Stay("queue", move.at - since, move.at, line, move.operator), after
            since, line = 0.0, ""
        if move.after == "queued" and not since:
            since, line = move.at, move.line


def first_reply(life: Life) -> Iterator[Measure]:
    first = _first_to_people(life)
    reply = next((move for move in life.moves if move.name == "reply"), None)
    if first is not None and reply is not None:
        yield Measure(reply.at - first.at, reply.at, reply.line, reply.operator)


def next_reply(life: Life) -> Iterator[Measure]:
    asked_at, replied = 0.0, False
    for move in life.moves:
        if move.name in ("client", "loan_over") and replied:
            asked_at = asked_at or move.at
        elif move.name == "reply":
            if asked_at:
                yield Measure(move.at - asked_at, move.at, move.line, move.operator)
            asked_at, replied = 0.0, True


# --- how it ended ----------------------------------------------------------------------------------------------------


def _close(life: Life) -> Move | None:
    last = life.moves[-1] if life.moves else None
    return last if last is not None and last.after == CLOSED else None


def solved(life: Life) -> Iterator[Measure]:
    close = _close(life)
    if close is not None and close.why != IDLE:
        yield Measure(1.0, close.at, close.line, close.operator)


def resolution(life: Life) -> Iterator[Measure]:
    close, first = _close(life), _first_to_people(life)
    if close is not None and first is not None and close.why != IDLE:
        yield Measure(close.at - first.at, close.at, close.line, close.operator)


def abandoned_by(name: str) -> Callable[[Life], Iterator[Measure]]:
    def abandoned(life: Life) -> Iterator[Measure]:
        ending = _abandonment(life)
        if ending is not None and _name_of(ending) == name:
            yield Measure(1.0, ending.at, ending.line, ending.operator)

    return abandoned


def _name_of(ending: Move) -> str:
    return IDLE if ending.after == CLOSED else ending.name


def _abandonment(life: Life) -> Move | None:
    """The move by which the client was lost: only where nobody got the session afterwards."""
    for move in reversed(life.moves):
        if move.name in ("leave", "busy") or (move.after == CLOSED and move.why == IDLE):
            return move
        if move.after not in ("bot", CLOSED):
            return None
    return None


def abandonment(life: Life) -> Iterator[Measure]:
    if went_to_people(life):
        ending = _abandonment(life)
        place = ending or _close(life) or life.moves[-1]
        yield Measure(float(ending is not None), place.at, place.line, place.operator)


def kept(promise: str) -> Callable[[Life], Iterator[Measure]]:
    """1 for each promise that was kept, 0 for each that was broken, also while it is still owed."""

    def kept(life: Life) -> Iterator[Measure]:
        broken: Fact | None = None
        for fact in life.marks:
            if fact.data.get("promise") != promise:
                continue
            if fact.kind == "sla_stopped":
                broken = None
                if fact.data["outcome"] in ("met", "missed"):
                    yield _promised(fact, kept=fact.data["outcome"] == "met")
            elif fact.kind == "sla_missed":
                broken = fact
            elif fact.kind == "sla_recalculated" and not 0 < fact.data["due"] <= fact.at:
                broken = None  # by the hours of today there is time yet
        if broken is not None:
            yield _promised(broken, kept=False)

    return kept


def _promised(fact: Fact, *, kept: bool) -> Measure:
    return Measure(float(kept), fact.at, str(fact.data["line"]), str(fact.data.get("operator", "")))


def ratings(life: Life) -> Iterator[Measure]:
    for fact in life.mark("rated"):
        yield Measure(float(fact.data["rating"]), fact.at, fact.data["line"], fact.data["operator"])


# --- between lines ---------------------------------------------------------------------------------------------------


def _transfers(life: Life) -> Iterator[tuple[Fact, bool]]:
    """Each transfer, and whether it was sent back."""
    pending: Fact | None = None
    for fact in life.marks:
        if fact.kind == "transferred":
            if pending is not None:
                yield pending, False
            pending = fact
        elif fact.kind == "transfer_returned" and pending is not None:
            yield pending, True
            pending = None
    if pending is not None:
        yield pending, False


def _of_sender(fact: Fact, value: float) -> Measure:
    return Measure(value, fact.at, fact.data["from_line"], fact.data["by"])


def sent_on(life: Life) -> Iterator[Measure]:
    return (_of_sender(fact, 1.0) for fact, _ in _transfers(life))


def sent_back(life: Life) -> Iterator[Measure]:
    return (_of_sender(fact, float(back)) for fact, back in _transfers(life))


def incomplete(life: Life) -> Iterator[Measure]:
    return (_of_sender(fact, float(bool(fact.data["missing"]))) for fact, _ in _transfers(life))


# --- whose time ------------------------------------------------------------------------------------------------------


def time_of(whose: Whose) -> Callable[[Life], Iterator[Measure]]:
    def spent(life: Life) -> Iterator[Measure]:
        for span in life.spans:
            if span.whose == whose and span.ended:
                yield Measure(span.seconds, span.since, span.line, span.operator)

    return spent

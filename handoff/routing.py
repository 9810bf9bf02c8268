"""Routing: who gets which waiting session, and why the others wait. Pure functions over a snapshot of the house.

Nothing depends on the order of the input. A plan never exceeds a limit, and leaves no session waiting that somebody free
could have; every session that waits has exactly one cause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import msgspec

from core.presence import State

Strategy = Literal["balanced", "round_robin", "longest_idle", "pull"]
# Why a session waits. `assigning`: somebody is free, and is being given it at this moment.
Cause = Literal["no_one_online", "all_full", "offer_ignored", "outside_hours", "pull", "assigning"]
CAUSES: tuple[Cause, ...] = ("no_one_online", "all_full", "offer_ignored", "outside_hours", "pull", "assigning")
# Why a person is not a candidate. `full`: by their own limit or the line's for each; `line_full`: the line takes no more;
# `ignored` and `returned`: they had this very session a moment ago and let it go.
Skip = Literal["away", "offline", "busy", "break", "full", "line_full", "ignored", "returned"]

BAND = 60.0  # seconds: deadlines of one minute are equal, then priority decides
AGEING = 600.0  # seconds of waiting that weigh as much as one step of priority
PASSED = 300.0  # seconds for which one who let a session go is not offered it again, unless they come back anew
NEVER = 0.0
NEVER_DUE = 1e15  # where a session without a deadline stands


class Rules(msgspec.Struct, frozen=True):
    """A line as routing sees it. `max_sessions`: of one person, `limit`: of the whole line, both weighted, 0 for none.
    `sticky`: seconds for which a client belongs to the operator they had; 0: never."""

    id: str
    strategy: Strategy = "balanced"
    open: bool = True
    max_sessions: float = 0.0
    limit: float = 0.0
    sticky: float = 0.0


class Person(msgspec.Struct, frozen=True):
    """Somebody with a role in `lines`. `load` is what they have in work, weighted, without what waits for the client or is
    on hold; `limit` their own, 0 for none. `assigned_at`: the last assignment, `idle_at`: the last end of work, `back_at`:
    when they set their presence."""

    id: str
    state: State
    lines: frozenset[str] = frozenset()
    load: float = 0.0
    limit: float = 0.0
    assigned_at: float = NEVER
    idle_at: float = NEVER
    back_at: float = NEVER


class Passed(msgspec.Struct, frozen=True):
    """Somebody who had a waiting session and let it go. `ignored`: they never answered the offer."""

    operator: str
    at: float
    ignored: bool = False


class Waiting(msgspec.Struct, frozen=True):
    """A session in a line's queue. `sticky` is who had the client before, last at `sticky_at`."""

    conversation: int
    number: int
    epoch: int
    line: str
    due: float
    priority: int = 0
    queued_at: float = 0.0
    weight: float = 1.0
    sticky: str = ""
    sticky_at: float = NEVER
    passed: tuple[Passed, ...] = ()


class House(msgspec.Struct, frozen=True):
    """A snapshot: everything at the moment `now`. `loads` is what a line has in work, weighted, whoever has it."""

    now: float
    lines: Mapping[str, Rules]
    people: Sequence[Person] = ()
    waiting: Sequence[Waiting] = ()
    loads: Mapping[str, float] = MappingProxyType({})


class Candidate(msgspec.Struct, frozen=True):
    """One of the line, and why they are not offered the session; empty: they could be."""

    operator: str
    skip: Skip | Literal[""] = ""


class Routed(msgspec.Struct, frozen=True):
    """What is decided on a session: an operator with the reason, or the cause of its waiting, never both.

    `reason` is `sticky` or the strategy; `place` counts from 1 in the queue of its line.
    """

    session: Waiting
    place: int
    operator: str
    reason: str
    cause: Cause
    candidates: tuple[Candidate, ...]


# --- the order of a queue ---------------------------------------------------------------------------------------------


def order(session: Waiting, now: float) -> tuple[float, float, float, float, int]:
    """What queues are sorted by: the deadline, to the minute; then the priority, which grows with the age; then the rest of
    the deadline, the age, and the id, so that no two are equal."""
    aged = session.priority + max(now - session.queued_at, 0.0) // AGEING
    due = session.due or NEVER_DUE
    return (due // BAND, -aged, due, session.queued_at, session.conversation)


# --- who could have a session -----------------------------------------------------------------------------------------


class _Tally:
    """The loads of a plan under way."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.people = {person.id: person for person in sorted(house.people, key=lambda it: it.id)}
        self.lines = dict(house.loads)
        self.turns: dict[str, int] = {}  # person → which of the plan's assignments was their last
        self._given = 0
        # Until somebody gets a session, the answer is the same for all alike: with a full house it is computed once.
        self._alike: dict[tuple[str, float], tuple[Candidate, ...]] = {}

    def give(self, session: Waiting, operator: str) -> None:
        person, weight = self.people[operator], session.weight
        self.people[operator] = msgspec.structs.replace(person, load=person.load + weight, assigned_at=self.house.now)
        self.lines[session.line] = self.lines.get(session.line, 0.0) + weight
        self._given += 1
        self._alike.clear()
        self.turns[operator] = self._given

    def candidates(self, session: Waiting) -> tuple[Candidate, ...]:
        """Everybody of the line, with the reason why not."""
        if session.passed:
            return self._judge(session)
        kind = (session.line, session.weight)
        if kind not in self._alike:
            self._alike[kind] = self._judge(session)
        return self._alike[kind]

    def _judge(self, session: Waiting) -> tuple[Candidate, ...]:
        rules = self.house.lines[session.line]
        full = _over(self.lines.get(session.line, 0.0) + session.weight, rules.limit)
        ours = (person for person in self.people.values() if session.line in person.lines)
        return tuple(Candidate(person.id, _skip(person, session, rules, full, self.house.now)) for person in ours)


def _over(load: float, limit: float) -> bool:
    return bool(limit) and load > limit + 1e-9  # weights are decimal fractions


def _skip(person: Person, session: Waiting, rules: Rules, line_full: bool, now: float) -> Skip | Literal[""]:
    if person.state != "online":
        return person.state
    if line_full:
        return "line_full"
    load = person.load + session.weight
    if _over(load, person.limit) or _over(load, rules.max_sessions):
        return "full"
    for passed in session.passed:
        if passed.operator == person.id and now - passed.at < PASSED and person.back_at <= passed.at:
            return "ignored" if passed.ignored else "returned"
    return ""


# --- strategies ---------------------------------------------------------------------------------------------------------

Key = tuple[float, ...]


def _turn(tally: _Tally, person: Person) -> Key:
    """The longest time since the last assignment goes first."""
    return (person.assigned_at, float(tally.turns.get(person.id, 0)))


def _balanced(tally: _Tally, person: Person) -> Key:
    return (person.load, *_turn(tally, person))


def _longest_idle(tally: _Tally, person: Person) -> Key:
    """Those without work by the end of their work; then those with work by their last assignment."""
    if person.load > 0 or person.id in tally.turns:
        return (1.0, *_turn(tally, person))
    return (0.0, max(person.idle_at, person.back_at), 0.0)


# A new strategy is a line here: the person with the lowest key gets the session.
STRATEGIES: Mapping[str, Callable[[_Tally, Person], Key]] = {
    "balanced": _balanced,
    "round_robin": _turn,
    "longest_idle": _longest_idle,
}


def _choose(tally: _Tally, session: Waiting, rules: Rules, free: Sequence[str]) -> tuple[str, str]:
    """Who gets it, and why."""
    if session.sticky in free and rules.sticky and tally.house.now - session.sticky_at <= rules.sticky:
        return session.sticky, "sticky"
    key = STRATEGIES[rules.strategy]
    return min(free, key=lambda id: (key(tally, tally.people[id]), id)), rules.strategy


def _cause(rules: Rules, candidates: Sequence[Candidate]) -> Cause:
    """The one cause of a session that nobody gets."""
    if not rules.open:
        return "outside_hours"
    if rules.strategy == "pull":
        return "pull"
    skips = {candidate.skip for candidate in candidates}
    if skips & {"ignored", "returned"}:
        return "offer_ignored"
    return "all_full" if skips & {"full", "line_full"} else "no_one_online"


# --- the plan -----------------------------------------------------------------------------------------------------------


def plan(house: House) -> list[Routed]:
    """A decision for every waiting session of a known line, in the order of the queues."""
    tally, places = _Tally(house), dict.fromkeys(house.lines, 0)
    found = []
    for session in sorted(_known(house), key=lambda it: order(it, house.now)):
        places[session.line] += 1
        found.append(_route(tally, session, places[session.line]))
    return found


def _known(house: House) -> Iterable[Waiting]:
    return (session for session in house.waiting if session.line in house.lines)


def _route(tally: _Tally, session: Waiting, place: int) -> Routed:
    rules, candidates = tally.house.lines[session.line], tally.candidates(session)
    free = [candidate.operator for candidate in candidates if not candidate.skip]
    if not rules.open or rules.strategy == "pull" or not free:
        return Routed(session, place, "", "", _cause(rules, candidates), candidates)
    operator, reason = _choose(tally, session, rules, free)
    tally.give(session, operator)
    return Routed(session, place, operator, reason, "assigning", candidates)

"""The numbers counted a second time, straight from rows of the log, with nothing of the product: one loop for each."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from fractions import Fraction
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

MOSCOW = ZoneInfo("Europe/Moscow")
PEOPLE = {"assigned", "waiting", "held"}
Event = dict[str, Any]
Number = tuple[str, float]  # the line, and what happened there


class Naive:
    """All sessions that began between two moments, each a list of events: `{"at", "kind", …}`."""

    def __init__(
        self, records: Iterable[dict[str, Any]], messages: Iterable[dict[str, Any]], since: float, until: float
    ) -> None:
        by_session: dict[tuple[int, int], list[Event]] = defaultdict(list)
        for row in records:
            data = json.loads(row["data"])
            if "session" in data:
                event = {"at": row["at"], "kind": row["kind"], "conversation": row["conversation"], **data}
                by_session[row["conversation"], data["session"]].append(event)
        everything = {key: events for key, events in by_session.items() if events[0]["kind"] == "session_opened"}
        self.sessions = {key: it for key, it in everything.items() if since <= it[0]["at"] < until}
        self.said = self._attribute(messages, everything)

    def _attribute(
        self, messages: Iterable[dict[str, Any]], everything: dict[Any, list[Event]]
    ) -> dict[Any, dict[str, int]]:
        """Each message to the last session whose beginning came before it."""
        begins: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for (home, number), events in everything.items():
            begins[home].append((events[0]["seq"], number))
        found: dict[Any, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for row in messages:
            numbers = [number for seq, number in sorted(begins[row["conversation"]]) if seq < row["seq"]]
            if numbers:
                found[row["conversation"], numbers[-1]][row["author"]] += 1
        return found

    @staticmethod
    def moves(events: list[Event]) -> list[Event]:
        return [it for it in events if it["kind"] == "session_moved"]

    def line(self, events: list[Event]) -> str:
        """The last line that was named; the channel's when none was."""
        named = [it["line"] for it in self.moves(events) if it["line"]]
        return str(named[-1] if named else events[0]["line"])

    def touched(self, events: list[Event]) -> bool:
        return any(it["to"] in PEOPLE | {"queued"} for it in self.moves(events))

    def arrival(self, events: list[Event]) -> Event:
        return next(it for it in self.moves(events) if it["to"] in PEOPLE | {"queued"})

    # --- one loop for each number ---

    def opened(self) -> list[Number]:
        return [(self.line(it), 1.0) for it in self.sessions.values()]

    def clients(self) -> list[Number]:
        return [(self.line(it), float(it[0]["client"])) for it in self.sessions.values()]

    def messages(self, author: str) -> list[Number]:
        return [
            (self.line(it), float(self.said[key][author]))
            for key, it in self.sessions.items()
            if self.said[key][author]
        ]

    def contained(self) -> list[Number]:
        found = []
        for events in self.sessions.values():
            alone = not self.touched(events) and all(it["kind"] != "line_closed" for it in events)
            found.append((self.line(events), 1.0 if alone else 0.0))
        return found

    def to_people(self) -> list[Number]:
        return [(self.arrival(it)["line"], 1.0) for it in self.sessions.values() if self.touched(it)]

    def queue_time(self) -> list[Number]:
        found = []
        for events in self.sessions.values():
            entered = None
            for it in self.moves(events):
                if entered is not None and it["to"] in PEOPLE:
                    found.append((entered["line"], it["at"] - entered["at"]))
                if it["to"] != "queued":
                    entered = None
                elif entered is None or entered["line"] != it["line"]:
                    entered = it
        return found

    def first_reply(self) -> list[Number]:
        found = []
        for events in self.sessions.values():
            replies = [it for it in self.moves(events) if it["move"] == "reply"]
            if replies:
                found.append((replies[0]["line"], replies[0]["at"] - self.arrival(events)["at"]))
        return found

    def next_reply(self) -> list[Number]:
        found = []
        for events in self.sessions.values():
            words = [it for it in self.moves(events) if it["move"] in ("reply", "client", "loan_over")]
            for place, it in enumerate(words):
                if it["move"] == "reply" or place == 0 or words[place - 1]["move"] != "reply":
                    continue
                answer = next((later for later in words[place:] if later["move"] == "reply"), None)
                if answer is not None:
                    found.append((answer["line"], answer["at"] - it["at"]))
        return found

    def ends(self) -> list[tuple[list[Event], Event]]:
        return [(it, self.moves(it)[-1]) for it in self.sessions.values() if self.moves(it)]

    def closed(self) -> list[Number]:
        return [(end["line"], 1.0) for _, end in self.ends() if end["to"] == "closed" and end["why"] != "idle"]

    def resolution(self) -> list[Number]:
        found = []
        for events, end in self.ends():
            if end["to"] == "closed" and end["why"] != "idle" and self.touched(events):
                found.append((end["line"], end["at"] - self.arrival(events)["at"]))
        return found

    def abandoned(self) -> list[Number]:
        found = []
        for events, end in self.ends():
            if self.touched(events):
                lost = end["move"] in ("leave", "busy") or (end["to"] == "closed" and end["why"] == "idle")
                found.append((end["line"], 1.0 if lost else 0.0))
        return found

    def sla(self, promise: str) -> list[Number]:
        found = []
        for events in self.sessions.values():
            told = [it for it in events if it.get("promise") == promise]
            stopped = [it for it in told if it["kind"] == "sla_stopped"]
            found += [
                (it["line"], float(it["outcome"] == "met")) for it in stopped if it["outcome"] in ("met", "missed")
            ]
            after = told[told.index(stopped[-1]) + 1 :] if stopped else told
            late = [it for it in after if it["kind"] == "sla_missed"]
            if late and not any(it["kind"] == "sla_recalculated" and it["due"] > it["at"] for it in after):
                found.append((late[-1]["line"], 0.0))
        return found

    def rating(self) -> list[Number]:
        return [
            (it["line"], float(it["rating"]))
            for events in self.sessions.values()
            for it in events
            if it["kind"] == "rated"
        ]

    def transfers(self) -> list[Number]:
        told = (it for events in self.sessions.values() for it in events)
        return [(it["from_line"], 1.0) for it in told if it["kind"] == "transferred"]

    def returned(self) -> list[Number]:
        found = []
        for events in self.sessions.values():
            told = [it for it in events if it["kind"] in ("transferred", "transfer_returned")]
            for place, it in enumerate(told):
                if it["kind"] == "transferred":
                    back = place + 1 < len(told) and told[place + 1]["kind"] == "transfer_returned"
                    found.append((it["from_line"], float(back)))
        return found

    def spent(self, status: str) -> float:
        """All seconds of stretches in a status that have ended, exactly."""
        total = Fraction(0)
        for events in self.sessions.values():
            at, now = events[0]["at"], ("bot", "", "")
            for it in self.moves(events):
                then = (it["to"], it["line"], it["operator"] if it["to"] in PEOPLE else "")
                if then == now:
                    continue  # the same stretch goes on
                if now[0] == status:
                    total += Fraction(it["at"]) - Fraction(at)
                at, now = it["at"], then
        return float(total)

    def by_day(self) -> dict[str, int]:
        found: dict[str, int] = defaultdict(int)
        for events in self.sessions.values():
            found[str(datetime.fromtimestamp(events[0]["at"], MOSCOW).date())] += 1
        return dict(found)


def exact_mean(values: list[float]) -> float:
    """Without an error of addition."""
    return float(sum(map(Fraction, values)) / len(values)) if values else 0.0


def tenth(values: list[float]) -> float:
    """The value that nine of ten do not exceed."""
    return sorted(values)[ceil(len(values) * 9 / 10) - 1]


def middle(values: list[float]) -> float:
    return statistics.median_low(values)

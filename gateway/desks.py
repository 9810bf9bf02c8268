"""Desks of the configuration as tickets know them, and what a new ticket gets from its desk: status, line, deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from core.conversation import Conversation
from core.effects import CreateTicket, Effect
from core.locale import texts
from core.ports import StorageFull
from core.tickets import USUAL, Desk, TicketStatus
from gateway.config.lines import DeskSettings
from gateway.config.model import Config
from gateway.deployment import build_lines
from gateway.logs import logger
from handoff.hours import deadline, worked
from handoff.lines import House, Line
from storage.tickets.following import follow_desks
from storage.work.units import Units

log = logger()
AWAY = 5.0  # seconds until the next try when the storage is away


def build_desks(config: Config) -> dict[str, Desk]:
    """Every desk with its statuses; the titles of the usual ones in the clients' language."""
    lines = build_lines(config)
    return {id: _desk(id, desk, config.language, lines) for id, desk in config.desks.items()}


def _desk(id: str, desk: DeskSettings, language: str, lines: Mapping[str, Line]) -> Desk:
    t = texts(language)
    usual = tuple(TicketStatus(word, t(title), means) for word, title, means in USUAL)
    named = tuple(TicketStatus(word, it.title, it.group) for word, it in desk.statuses.items())
    outer = desk.kind != "builtin"
    # An outer desk says its own words; a new ticket is `new` until it says the first.
    statuses = (*(it for it in usual[:1] if it.word not in desk.statuses), *named) if outer else named or usual
    resume = resuming(lines, desk.line)
    return Desk(id, desk.title, desk.needs, statuses, desk.categories, desk.resolve, desk.line, outer, resume)


def resuming(lines: Mapping[str, Line], counting: str) -> Callable[[str, float, float, float], float]:
    """`Desk.resume` by the hours of the line that counts, else of the ticket's own; in calendar time where there is none."""

    def resume(line: str, since: float, due: float, now: float) -> float:
        hours = lines[counting or line].hours if (counting or line) in lines else None
        stood, ends, begins = (datetime.fromtimestamp(at, UTC) for at in (since, due, now))
        left = worked(stood, ends, hours) if hours is not None else (due - since) / 60
        found = deadline(begins, left, hours) if hours is not None else None
        return (found or begins + timedelta(minutes=left)).timestamp()

    return resume


class Opening:
    """Completes the tickets that a turn orders. `channel_lines`: channel → its line."""

    def __init__(self, desks: Mapping[str, Desk], house: Callable[[], House], channel_lines: Mapping[str, str]) -> None:
        self._desks, self._house, self._channel_lines = desks, house, channel_lines

    def complete(self, effects: tuple[Effect, ...], home: Conversation, now: datetime) -> tuple[Effect, ...]:
        """The same effects, tickets with all that their desks say."""
        if not any(type(effect) is CreateTicket for effect in effects):
            return effects
        return tuple(self._ticket(it, home, now) if type(it) is CreateTicket else it for it in effects)

    def _ticket(self, it: CreateTicket, home: Conversation, now: datetime) -> CreateTicket:
        desk = self._desks.get(it.desk)
        line = it.line or home.session.line or self._channel_lines.get(home.channel, "")
        if desk is None:
            return msgspec.structs.replace(it, line=line)
        due = it.deadline or self.due(desk, line, now)
        return msgspec.structs.replace(it, line=line, status=desk.first.word, deadline=due)

    def due(self, desk: Desk, line: str, now: datetime) -> float:
        """When a ticket must be solved (seconds since the epoch, UTC); 0 when nothing is promised."""
        if not desk.resolve:
            return 0.0
        hours = self._house().lines.get(desk.line or line)
        moment = deadline(now, desk.resolve / 60, hours.hours) if hours is not None else None
        return (moment or now + timedelta(seconds=desk.resolve)).timestamp()


class Following:
    """At a start: tickets of before belong to the groups that the desks say now."""

    def __init__(self, units: Units, desks: Mapping[str, Desk]) -> None:
        self._units, self._desks = units, desks

    async def run(self) -> None:
        """Returns when that is so."""
        while True:
            try:
                changed = await self._units.write(lambda ledger: follow_desks(ledger, self._desks))
            except StorageFull:
                await asyncio.sleep(AWAY)
            else:
                if changed:
                    log.info("tickets_regrouped", count=changed)
                return

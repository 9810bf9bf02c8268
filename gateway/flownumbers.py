"""Numbers of flows: how often what happened at each step in a period, counted by the store, whole days of the past kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.model import Action, Block
from core.locale import texts
from gateway.reporting import read_period
from storage.codec import decode_dict
from storage.flows.reading import APART, Counted, Period, There, count_facts, find_facts, find_period, find_there
from storage.work.units import Units

if TYPE_CHECKING:
    from bot.compile import CompiledFlow

WHOLE = 200_000  # facts that are counted in one question; a longer log is counted day by day
KEPT = 400  # days whose numbers are kept
# How a run ends that the bot or the client broke off: the engine's own words for it, in every language it speaks.
BROKEN = tuple(
    texts(language)(word)
    for language in ("ru", "en")
    for word in ("cancelled", "broken off", "updated", "nobody answered", "nobody to help", "failed")
)
Key = tuple[str, str, str]  # kind of fact, flow, step (of an end: the outcome)


@dataclass
class Tally:
    """What happened in all flows: (kind, flow, step or outcome) → times."""

    times: Counter[Key] = field(default_factory=Counter)

    def of(self, kind: str, flow: str, steps: Iterable[str] = ("",)) -> int:
        return sum(self.times[kind, flow, step] for step in steps)

    def steps(self, flow: str) -> list[str]:
        """Every step of a flow of which anything is known."""
        runs = ("run_started", "run_ended")
        return sorted({step for kind, name, step in self.times if name == flow and step and kind not in runs})

    def outcomes(self, flow: str) -> dict[str, int]:
        """How runs that began in this flow ended, the most frequent first."""
        found = {step: n for (kind, name, step), n in self.times.items() if kind == "run_ended" and name == flow}
        return dict(sorted(found.items(), key=lambda it: (-it[1], it[0])))


class FlowNumbers:
    """Counts of one deployment. Days that are over by an hour do not change: they are counted once."""

    def __init__(self, units: Units, zone: ZoneInfo) -> None:
        self._units, self._zone = units, zone
        self._days: dict[tuple[date, tuple[str, ...] | None], Counter[Key]] = {}

    async def tally(self, first: date, last: date, channels: Sequence[str] | None, now: float) -> Tally:
        """From the first to the last day, included; only in these channels, in all without.

        Raises ValueError for no period and for one that is too long, `StorageFull` when the database is away.
        """
        since, until = self.period(first, last)
        whole = await self._units.ask(partial(find_period, since=since, until=until))
        if whole.last - whole.first <= WHOLE:
            return Tally(await self._count(whole, channels))
        found: Counter[Key] = Counter()
        for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
            found.update(await self._day(day, whole, channels, now))
        return Tally(found)

    async def _day(self, day: date, whole: Period, channels: Sequence[str] | None, now: float) -> Counter[Key]:
        key = (day, tuple(channels) if channels is not None else None)
        known = self._days.get(key)
        if known is not None:
            return known
        since, until = self.period(day, day)
        period = await self._units.ask(partial(find_period, since=since, until=until, within=whole))
        counted = await self._count(period, channels)
        if until + APART < now:
            while len(self._days) >= KEPT:
                del self._days[next(iter(self._days))]
            self._days[key] = counted
        return counted

    async def _count(self, period: Period, channels: Sequence[str] | None) -> Counter[Key]:
        facts = await self._units.ask(partial(count_facts, period=period, channels=channels))
        return sum_up(facts)

    async def there(
        self, span: tuple[date, date], channels: Sequence[str] | None, kind: str, flow: str, steps: set[str], limit: int
    ) -> list[There]:
        """Sessions behind a number: in which something happened at a step, or in the whole flow for no steps."""
        since, until = self.period(*span)
        period = await self._units.ask(partial(find_period, since=since, until=until))
        facts = await self._units.ask(partial(find_facts, period=period, channels=channels, kind=kind))
        meant = [data for data in facts if _is_meant(data, flow, steps)]
        ask = partial(find_there, period=period, channels=channels, kind=kind, facts=meant, limit=limit)
        return await self._units.ask(ask) if meant else []

    def period(self, first: date, last: date) -> tuple[float, float]:
        """From the beginning of the first day to the end of the last (seconds). Raises ValueError as `tally` does."""
        return read_period(first, last, self._zone)

    def today(self, now: float) -> date:
        return datetime.fromtimestamp(now, self._zone).date()


def _is_meant(data: bytes, flow: str, steps: set[str]) -> bool:
    said = decode_dict.decode(data)
    return said.get("flow") == flow and (not steps or said.get("step", said.get("outcome", "")) in steps)


def sum_up(facts: Iterable[Counted]) -> Counter[Key]:
    """Facts as they are stored → times by kind, flow and step."""
    found: Counter[Key] = Counter()
    for it in facts:
        said = decode_dict.decode(it.data)
        step = said.get("outcome", "") if it.kind == "run_ended" else said.get("step", "")
        found[it.kind, str(said.get("flow", "")), str(step)] += it.times
    return found


def unfinished(compiled: CompiledFlow) -> frozenset[str]:
    """Outcomes with which a run of the flow did not come to its end: the engine's own, failures, and those of silence."""
    flow = compiled.flow
    failed = {action.outcome for action in _actions(flow.steps) if action.word == "fail" and hasattr(action, "outcome")}
    return frozenset({*BROKEN, *failed, *(stage.end for stage in flow.policy.silence if stage.end)})


def _actions(block: Block) -> Iterable[Action]:
    for action in block:
        yield action
        for _, inner in action.blocks():
            yield from _actions(inner)


def finished(outcomes: Mapping[str, int], broken: frozenset[str]) -> int:
    """How many runs came to an end of their flow."""
    return sum(times for outcome, times in outcomes.items() if outcome not in broken)

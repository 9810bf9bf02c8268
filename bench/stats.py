"""Numbers of a run: percentiles, medians over rounds, ratios, and whether a bar holds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of all lie, by the nearest rank; 0 when there are none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def median(values: Sequence[float]) -> float:
    """The middle of the rounds; 0 when there were none."""
    return statistics.median(values) if values else 0.0


def spread(values: Sequence[float]) -> float:
    """How far the rounds lie apart, as a share of their median."""
    middle = median(values)
    return (max(values) - min(values)) / middle if middle else 0.0


@dataclass
class Run:
    """One contender, one number of clients, one round. Latencies and CPU in milliseconds, shares of a core 0 to 1."""

    rate: float
    p50: float
    p99: float
    cpu: float  # of the bot and its children, a message
    store_cpu: float  # of the databases it uses, a message
    failed: int = 0  # unanswered, answered twice, or not acknowledged with 200
    load_busy: float = 0.0  # of the core of the load, the platform and the databases
    strangers: float = 0.0  # of the bot's core, spent by nobody of this contender
    stolen: float = 0.0  # of the load's core, by whoever shares the machine with this one

    @property
    def disturbed(self) -> float:
        """The share of a core that strangers had."""
        return max(self.strangers, self.stolen)


@dataclass
class Outcome:
    """All rounds of a contender. `missing` says why it did not run. Memory in MB."""

    key: str
    name: str
    kind: str  # ours, python, node, floor
    runs: dict[int, list[Run]] = field(default_factory=dict)
    memory: float = 0.0
    peak: float = 0.0
    missing: str = ""

    def middle(self, clients: int, what: Callable[[Run], float]) -> float:
        """The median over the rounds of one load."""
        return median([what(run) for run in self.runs.get(clients, [])])

    def rate(self, clients: int) -> float:
        return self.middle(clients, lambda run: run.rate)

    def p99(self, clients: int) -> float:
        return self.middle(clients, lambda run: run.p99)

    @property
    def loads(self) -> list[int]:
        return sorted(self.runs)

    @property
    def failed(self) -> int:
        return sum(run.failed for runs in self.runs.values() for run in runs)


@dataclass(frozen=True)
class Bar:
    """A promise and what was measured. `holds` is None when nobody measured it."""

    promise: str
    measured: str
    holds: bool | None

    @property
    def line(self) -> str:
        verdict = {True: "pass", False: "FAIL", None: "not measured"}[self.holds]
        return f"{verdict}: {self.promise} ({self.measured})" if self.measured else f"{verdict}: {self.promise}"


def ratio(ours: Outcome, other: Outcome, clients: int) -> float | None:
    """Messages per second of ours by those of the other; None when one of them did not run at that load."""
    theirs = other.rate(clients)
    return ours.rate(clients) / theirs if theirs and ours.rate(clients) else None


def at_least(ours: Outcome | None, other: Outcome | None, loads: Sequence[int], bound: float) -> Bar:
    """Our rate is at least `bound` times the other's at every one of the loads that ran."""
    names = f"{ours.name if ours else 'frontline'} ≥ {bound:g} × {other.name if other else 'its peer'}"
    if ours is None or other is None:
        return Bar(names, "", None)
    found = [(clients, ratio(ours, other, clients)) for clients in loads]
    known = [(clients, value) for clients, value in found if value is not None]
    told = ", ".join(f"{value:.2f} × at {clients}" for clients, value in known)
    return Bar(names, told, all(value >= bound for _, value in known) if known else None)


def calmer(ours: Outcome | None, other: Outcome | None) -> Bar:
    """Our p99 is below the other's at every load that both ran."""
    names = f"p99 of {ours.name if ours else 'frontline'} below that of {other.name if other else 'its peer'}"
    if ours is None or other is None:
        return Bar(names, "", None)
    loads = [clients for clients in ours.loads if clients in other.runs]
    told = ", ".join(f"{ours.p99(it):.1f} / {other.p99(it):.1f} ms at {it}" for it in loads)
    return Bar(names, told, all(ours.p99(it) < other.p99(it) for it in loads) if loads else None)


def lighter(ours: Outcome | None, other: Outcome | None) -> Bar:
    """Our memory at the end is below the other's."""
    names = f"memory of {ours.name if ours else 'frontline'} below that of {other.name if other else 'its peer'}"
    if ours is None or other is None or not ours.memory or not other.memory:
        return Bar(names, "", None)
    return Bar(names, f"{ours.memory:.0f} / {other.memory:.0f} MB", ours.memory < other.memory)


def path_bars(outcomes: Sequence[Outcome]) -> list[Bar]:
    """The bars of the path: 2.5 and 1.5 times the hand-written bot (2 with one call at a time), ahead of Python, half of the
    floor, calm and light."""
    ran = {one.key: one for one in outcomes if one.runs}
    hand, floor = ran.get("aiogram"), ran.get("floor")
    every = sorted({clients for one in ran.values() for clients in one.runs})
    bars = []
    asked = {one.key for one in outcomes}
    if "sqlite-strict" in asked:
        bars.append(at_least(ran.get("sqlite-strict"), hand, (16, 128), 2.0))
    for key, bound in (("sqlite", 2.5), ("postgres", 1.5)):
        if key not in asked:
            continue
        ours = ran.get(key)
        bars += [at_least(ours, hand, (16, 128), bound), at_least(ours, floor, (16, 128), 0.5)]
        bars += [calmer(ours, hand), lighter(ours, hand)]
        bars += [at_least(ours, peer, every, 1.0) for peer in ran.values() if peer.kind == "python"]
    return bars

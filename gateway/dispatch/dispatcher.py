"""The dispatcher: one process gives waiting sessions to people, takes them from those who are away, and says why others wait."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from core.events import OperatorAct
from core.hold import Hold
from core.ports import Hints, StorageFull
from core.presence import Presence
from gateway.dispatch.staffing import warn_of_unserved
from gateway.dispatch.telling import Teller
from gateway.dispatch.view import View, look_at
from gateway.floor import Floor
from gateway.leases import Leases
from gateway.logs import logger
from handoff.routing import Candidate, Routed, plan
from storage.asked import Asked
from storage.codec import encode
from storage.ledger import Ledger
from storage.routing import writing
from storage.routing.reading import read_absent
from storage.rows import Row
from storage.work.outcomes import EventFailed, outcome
from storage.work.units import asked

log = logger()
LEASE = "route"
TOPIC = "routing"  # hints: presence, capacity or a queue has changed
TOPICS = (TOPIC, "accounts", "feed")
SWEEP_SECONDS = 1.0  # between looks when nobody says that anything has changed
GATHER_SECONDS = 0.02  # what changes at once is looked at once
BUSY_SECONDS = 0.1  # from one look to the next, whatever happens
PATIENCE = 5.0  # seconds that an assignment is waited for
LOOK_SECONDS = 0.01  # between looks at what became of it
ROUTER, HOUSE = "router", "house"


class Dispatcher:
    """Waits for the lease, then looks at the whole house whenever something changes, and once a second.

    What it wants done goes through the one door, with the epoch it saw: whoever was quicker wins, and the next look sees it.
    """

    def __init__(self, floor: Floor, leases: Leases, hints: Hints, now: Callable[[], datetime]) -> None:
        self._floor, self._leases, self._hints, self._now = floor, leases, hints, now
        self._grace = floor.config.presence.grace
        self._woken = asyncio.Event()
        self._waits: dict[int, tuple[int, str]] = {}  # conversation → epoch and cause, as written last
        self._teller = Teller(floor, now)

    def wake(self) -> None:
        """Something has changed."""
        self._woken.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        with contextlib.suppress(StorageFull):
            await warn_of_unserved(self._floor)
        unlisten = [self._hints.listen(topic, lambda _: self.wake()) for topic in TOPICS]
        try:
            while True:
                hold = await self._leases.turn(LEASE)
                self._waits.clear()  # another process may have written since
                await self._serve(hold)
        finally:
            for stop in unlisten:
                stop()

    async def _serve(self, hold: Hold) -> None:
        lost = asyncio.create_task(hold.lost())
        try:
            while hold.held:
                self._woken.clear()
                try:
                    await self.look()
                except StorageFull:
                    log.warning("routing_storage_away")
                await self._pause(lost)
        finally:
            lost.cancel()
            await asyncio.gather(lost, return_exceptions=True)

    async def _pause(self, lost: asyncio.Task[None]) -> None:
        await asyncio.wait({lost}, timeout=BUSY_SECONDS)
        woken = asyncio.create_task(self._woken.wait())
        try:
            await asyncio.wait({lost, woken}, timeout=SWEEP_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if woken.done():
                await asyncio.sleep(GATHER_SECONDS)
        finally:
            woken.cancel()

    # --- one look ---

    async def look(self) -> list[Routed]:
        """Everything that is to be done now. What was decided on each waiting session. Raises `StorageFull`."""
        await self._release_absent()
        view = await look_at(self._floor)
        routed = plan(view.house)
        given = [it for it in routed if it.operator]
        await self._note_waits(view, [it for it in routed if not it.operator])
        if given and not await self._assign(view, given):
            self.wake()  # somebody was quicker, or a session moved meanwhile: those who are left are offered again
        await self._teller.tell(view, [it for it in routed if not it.operator])
        return routed

    # --- those who are away ---

    async def _release_absent(self) -> None:
        """Who is silent for longer than the grace is away; what they have goes back, as does what has no account any more."""
        now = self._now().timestamp()
        before = now - self._grace
        absent: list[Row] = await self._floor.units.ask(lambda reads: read_absent(reads, before))
        silent: bool = await self._floor.units.ask(lambda reads: writing.is_somebody_silent(reads, before))
        leaving = [row for row in absent if not row["active"] or self._lets_go(row, now)]

        def write(ledger: Ledger) -> None:
            writing.go_away(ledger, before, now)
            for row in leaving:
                why = "away" if row["active"] else "deactivated"
                event = OperatorAct(HOUSE, "release", why, row["epoch"], data={"operator": row["operator"]})
                ledger.put_event(row["conversation"], event, f"release:{row['epoch']}:{secrets.token_hex(6)}")

        if leaving or silent:
            await self._floor.units.write(write)
            self._floor.wake()
        if leaving:
            log.info("sessions_released", count=len(leaving))

    def _lets_go(self, row: Row, now: float) -> bool:
        if not row["said"]:
            return False
        presence = Presence(row["user"], row["said"], row["since"], row["seen_at"])
        return presence.lets_go(row["assigned_at"], now, self._grace)

    # --- assignments ---

    async def _assign(self, view: View, given: Sequence[Routed]) -> bool:
        """Whether all of them came about. The decision is written together with the event that carries it out."""
        keys = {f"route:{secrets.token_hex(12)}": it for it in given}
        now = view.house.now

        def write(ledger: Ledger) -> None:
            for key, it in keys.items():
                ledger.put_event(it.session.conversation, _event(it), key)
                writing.keep_decision(asked(ledger), _decision(view, it, key, now))

        await self._floor.units.write(write)
        self._floor.wake()
        became = await self._await(keys)
        await self._floor.units.write(lambda ledger: _settle(ledger, became))
        return all(it == "done" for it in became.values())

    async def _await(self, keys: Mapping[str, Routed]) -> dict[str, str]:
        """What became of assignments, by key: `done`, `refused: …`, or `late` when it is not known in time."""
        became: dict[str, str] = {}
        until = asyncio.get_running_loop().time() + PATIENCE
        while len(became) < len(keys) and asyncio.get_running_loop().time() < until:
            left = [(key, it.session.conversation) for key, it in keys.items() if key not in became]
            became |= await self._floor.units.ask(partial(_outcomes, left=left))
            if len(became) < len(keys):
                await asyncio.sleep(LOOK_SECONDS)
        return {key: became.get(key, "late") for key in keys}

    # --- those who wait ---

    async def _note_waits(self, view: View, waiting: Sequence[Routed]) -> None:
        """Write down causes that are new: for the lists, for whoever watches, and as decisions."""
        seen = {it.session.conversation: (it.session.epoch, str(it.cause)) for it in waiting}
        fresh = [it for it in waiting if self._waits.get(it.session.conversation) != seen[it.session.conversation]]
        if not fresh and seen.keys() == self._waits.keys():
            return
        now = view.house.now

        def write(ledger: Ledger) -> None:
            writing.keep_waits(asked(ledger), (_wait(it, now) for it in fresh))
            for it in fresh:
                writing.keep_decision(asked(ledger), _decision(view, it, "", now))
                writing.tell_cause(ledger, view.rows[it.session.conversation], it.cause, now)

        await self._floor.units.write(write)
        self._waits = seen


def _event(it: Routed) -> OperatorAct:
    data = {"to": it.operator, "reason": it.reason, "skipped": _skipped(it.candidates)}
    return OperatorAct(ROUTER, "assign", epoch=it.session.epoch, data=data)


def _skipped(candidates: Iterable[Candidate]) -> list[dict[str, str]]:
    return [{"operator": it.operator, "why": it.skip} for it in candidates if it.skip]


def _decision(view: View, it: Routed, key: str, now: float) -> Row:
    return {
        "at": now,
        "key": key,
        "conversation": it.session.conversation,
        "session": it.session.number,
        "epoch": it.session.epoch,
        "line": it.session.line,
        "strategy": view.house.lines[it.session.line].strategy,
        "operator": it.operator,
        "reason": it.reason or it.cause,
        "outcome": "" if it.operator else "waits",
        "skipped": encode(_skipped(it.candidates)),
    }


def _wait(it: Routed, now: float) -> Row:
    return {"conversation": it.session.conversation, "epoch": it.session.epoch, "cause": it.cause, "at": now}


def _settle(ledger: Ledger, became: Mapping[str, str]) -> None:
    for key, it in became.items():
        writing.settle(asked(ledger), key, it)


def _outcomes(reads: Asked, left: Sequence[tuple[str, int]]) -> dict[str, str]:
    found = {key: _became(reads, key, conversation) for key, conversation in left}
    return {key: became for key, became in found.items() if became}


def _became(reads: Asked, key: str, conversation: int) -> str:
    """Empty while it is not known."""
    try:
        done = outcome(reads, conversation, key)
    except EventFailed:
        return "failed"
    if done is None:
        return ""
    refused = [str(trace.data["why"]) for trace in done.trace if trace.kind == "refused"]
    return f"refused: {refused[0]}" if refused else "done"

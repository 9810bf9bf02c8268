"""The role clock: timers that come due become events, files of no use are swept away, lists are made whole."""

from __future__ import annotations

from gateway.alarms import Recalculation
from gateway.desks import Following
from gateway.roles.role import Loop, Quiet
from gateway.sessions import Filler
from gateway.sweeper import Sweeper


class Role(Quiet):
    """Two clocks do no harm: a timer fires in the transaction that closes it."""

    async def start(self) -> None:
        self.house.clock.fires = True

    def loops(self) -> dict[str, Loop]:
        store, units = self.house.store, self.house.floor.units
        loops: dict[str, Loop] = {"clock": self.house.run_clock, "sweeper": Sweeper(store, self.house.files).run}
        if units.lists:
            loops["sessions"] = Filler(units, store.shared).run
            loops["desks"] = Following(units, self.house.floor.desks).run
            loops["promises"] = Recalculation(units, self.house.floor.house, self.house.wake).run
            loops["dispatcher"] = self.house.dispatcher.run
        return loops

    async def rest(self) -> None:
        self.house.clock.stop()

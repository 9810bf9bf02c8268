"""The role clock: timers that come due become events, whoever runs their turns; files of no use are swept away."""

from __future__ import annotations

from gateway.roles.role import Loop, Quiet
from gateway.sweeper import Sweeper


class Role(Quiet):
    """Two clocks do no harm: a timer fires in the transaction that closes it."""

    async def start(self) -> None:
        self.house.clock.fires = True

    def loops(self) -> dict[str, Loop]:
        sweeper = Sweeper(self.house.store, self.house.files)
        return {"clock": self.house.run_clock, "sweeper": sweeper.run}

    async def rest(self) -> None:
        self.house.clock.stop()

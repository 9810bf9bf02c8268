"""The role clock: timers that come due become events, whoever runs their turns."""

from __future__ import annotations

from gateway.roles.role import Loop, Quiet


class Role(Quiet):
    """Two clocks do no harm: a timer fires in the transaction that closes it."""

    async def start(self) -> None:
        self.house.clock.fires = True

    def loops(self) -> dict[str, Loop]:
        return {"clock": self.house.run_clock}

    async def rest(self) -> None:
        self.house.clock.stop()

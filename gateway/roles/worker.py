"""The role worker: the turns of pending events. Without intake in the same process, of all events."""

from __future__ import annotations

from gateway.roles.role import Loop, Quiet


class Role(Quiet):
    """Many processes take from one inbox: the store gives each conversation to one of them at a time."""

    async def start(self) -> None:
        house = self.house
        house.clock.works = house.intake.decides = True
        if house.store.shared:
            house.wakeups.listen("events", house.wake)

    def loops(self) -> dict[str, Loop]:
        return {"clock": self.house.run_clock}

    async def rest(self) -> None:
        self.house.clock.stop()

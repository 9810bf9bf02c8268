"""The role sender: outbox lanes of the channels whose lease it holds; calls, outer tickets and files of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.hooks.deliver import Hooks, build_hooks
from gateway.roles.role import Loop, Quiet

if TYPE_CHECKING:
    from gateway.app import Gateway


class Role(Quiet):
    """One sender for an account, by the lease `send:<channel>`: the platform's limits are kept in one place."""

    channels = True

    def __init__(self, house: Gateway) -> None:
        super().__init__(house)
        self._hooks: Hooks | None = None

    async def start(self) -> None:
        house = self.house
        house.sends = True
        self._hooks = hooks = self._build_hooks()
        house.wakeups.listen("feed", hooks.wake)
        if not house.store.shared:
            return
        for topic in ("", *house.channels):
            house.wakeups.listen(f"rows:{topic}", house.sender.wake)
        for name in house.channels:
            house.leases.want(f"send:{name}")

    def loops(self) -> dict[str, Loop]:
        hooks = {f"hook {delivery.name}": delivery.run for delivery in self._hooks.deliveries} if self._hooks else {}
        return {"sender": self.house.sender.sweep, "menu": self.house.menus.run, **hooks}

    def _build_hooks(self) -> Hooks:
        house = self.house
        return build_hooks(
            house.config.webhooks, house.floor.units, house.leases, house.metrics, lambda: house.now().timestamp()
        )

    async def rest(self) -> None:
        """From now on rows are left to others."""
        self.house.sends = False

    async def stop(self, grace: float) -> None:
        await self.house.sender.stop(grace)
        await self.house.leases.release("send:")
        await self.house.leases.release("hook:")
        if self._hooks is not None:  # a start that failed stops, too
            await self._hooks.close()

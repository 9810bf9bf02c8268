"""The role intake: webhooks, web chats, pollers and the doors of other systems. Durable first, then acknowledged."""

from __future__ import annotations

from aiohttp import web

from core.ports import Busy
from gateway.files import Downloads
from gateway.outside import OutsideDoors
from gateway.roles.role import Loop, Quiet
from gateway.server import Handler, Route


class Role(Quiet):
    """Pollers wait for the lease `poll:<channel>`; every process of this role answers HTTP."""

    channels = True

    def routes(self) -> list[Route]:
        house = self.house
        accounts = {name: channel.account for name, channel in house.channels.items()}
        doors = OutsideDoors(house.store, house.config, accounts, house.wake)
        routes = [(method, path, self._unless_busy(handler)) for method, path, handler in doors.routes()]
        routes.extend(Downloads(house.store, house.files, house.metrics).routes())
        for channel in house.channels.values():
            routes.extend(channel.routes())
        return routes

    def _unless_busy(self, handler: Handler) -> Handler:
        """Other systems come again, too; what channels bring is weighed by the gate itself."""

        async def weighed(request: web.Request) -> web.StreamResponse:
            if self.house.pressure.reason:
                busy = Busy(self.house.pressure.reason)
                self.house.pressure.refuse(busy)
                raise busy
            return await handler(request)

        return weighed

    async def start(self) -> None:
        self.house.intake.hears = True

    def loops(self) -> dict[str, Loop]:
        return {"pressure": self.house.pressure.run}

    async def rest(self) -> None:
        """The next poller reads on at once; what ours has in hand it finishes, or the next one gets it again."""
        await self.house.leases.release("poll:")

"""The role intake: webhooks, web chats, pollers and the doors of other systems. Durable first, then acknowledged."""

from __future__ import annotations

from aiohttp import web

from adapters.doors import door_of, watched
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
            routes.extend(self._watched(channel.name, route) for route in channel.routes())
        return routes

    def _watched(self, channel: str, route: Route) -> Route:
        """A webhook whose deliveries are counted with their ends."""
        method, path, handler = route
        if method != "POST" or not path.startswith("/hooks/"):
            return route
        watch, door = self.house.watch.doors.at(channel), door_of(handler)
        if door is not None:
            door.watch = watch
            return route

        async def counted(request: web.Request) -> web.StreamResponse:
            return await watched(watch, handler(request))

        return method, path, counted

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

"""The role console: the API that people and machines work through."""

from __future__ import annotations

from gateway.api.build import build_api
from gateway.console import build_console
from gateway.roles.role import Loop, Quiet
from gateway.server import Route


class Role(Quiet):
    """Every process of this role answers alike: sessions, guesses and keys are in the store."""

    def routes(self) -> list[Route]:
        api = build_api(self.house.people, self.house.floor, self.house.config.http.public_url)
        return [*build_console(), *api]

    async def start(self) -> None:
        self.house.live.start()

    def loops(self) -> dict[str, Loop]:
        return {"presence": self.house.floor.presence.run, "live": self.house.live.run}

    async def rest(self) -> None:
        """Sockets are told to come again, to another process or to the next start."""
        await self.house.live.stop()

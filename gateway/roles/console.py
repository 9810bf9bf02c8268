"""The role console: the API that people and machines work through."""

from __future__ import annotations

from gateway.api.build import build_api
from gateway.roles.role import Quiet
from gateway.server import Route


class Role(Quiet):
    """Every process of this role answers alike: sessions, guesses and keys are in the store."""

    def routes(self) -> list[Route]:
        return build_api(self.house.people, self.house.floor, self.house.config.http.public_url)

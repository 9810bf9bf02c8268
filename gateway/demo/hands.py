"""The hands of people of the demo: the API's own routes, called in this process with the rights of an account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from aiohttp import web
from pydantic import BaseModel

from core.accounts import User
from gateway.accounts.people import People, Place
from gateway.api.door import require_right
from gateway.api.route import Call
from gateway.api.speech import language_of
from gateway.api.table import ROUTES
from gateway.floor import Floor

TABLE = {f"{route.method} {route.path}": route for route in ROUTES}
NOWHERE = cast(web.Request, None)  # no browser asks


@dataclass
class Deed(Call):
    """A call without a request: the number that stands in a path is given."""

    number: int = 0

    @property
    def id(self) -> int:
        return self.number

    @property
    def language(self) -> str:
        return language_of("", self.user, self.floor.config.language)


class Hands:
    """`do` raises `gateway.api.problems.Problem` for what is refused, as everybody is."""

    def __init__(self, people: People, floor: Floor) -> None:
        self._people, self._floor = people, floor

    async def do(self, user: User, what: str, number: int = 0, /, **said: Any) -> Any:
        """`what` is a route: `POST /conversations/{id}/take`; `said` its body or query. The answer."""
        route = TABLE[what]
        call = Deed(self._people, self._floor, NOWHERE, Place(), user, number=number)
        require_right(route, call)
        call.body, call.query = _read(route.body, said), _read(route.query, said)
        return await route.handler(call)


def _read(model: type[BaseModel] | None, said: dict[str, Any]) -> BaseModel | None:
    return model.model_validate(said) if model is not None else None

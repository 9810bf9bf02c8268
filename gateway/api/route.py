"""A route of the API as data: who may call it, what it takes and gives. What is not said is denied."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from core.access import ROLES, Role, Who
from core.accounts import Deed, Token, User
from gateway.accounts.people import People, Place, Session
from gateway.api.speech import language_of
from gateway.floor import Floor

EVERYBODY = ROLES
ADMIN: tuple[Role, ...] = ("admin",)
WORKERS: tuple[Role, ...] = ("operator", "supervisor", "admin")  # who sees what clients say


@dataclass
class Call:
    """One call of a route by somebody who may make it. `user` is absent where nobody need be signed in."""

    people: People
    floor: Floor
    request: web.Request
    place: Place
    user: User | None = None
    session: Session | None = None
    token: Token | None = None
    body: Any = None
    query: Any = None
    renewed: Session | None = None  # the session whose secret the browser gets
    key: str = ""  # the idempotency key, empty without one
    ended: bool = False  # the browser forgets its secret

    @property
    def me(self) -> User:
        assert self.user is not None
        return self.user

    @property
    def mine(self) -> Session:
        assert self.session is not None
        return self.session

    @property
    def who(self) -> Who:
        return self.me.who

    @property
    def id(self) -> int:
        """The number in the path."""
        return int(self.request.match_info["id"])

    @property
    def language(self) -> str:
        """In which the server's own words are said: the account's, else the browser's, else the deployment's."""
        accepted = self.request.headers.get("Accept-Language", "")
        return language_of(accepted, self.user, self.floor.config.language)

    def deed(self, action: str, object: str = "") -> Deed:
        """For the audit: by whom, and with what."""
        by = self.me.name if self.token is None else f"{self.me.name}/token:{self.token.id}"
        return Deed(by, action, object, {}, self.place.network)


class Text(BaseModel):
    """An answer that is text, not JSON."""

    text: str


Handler = Callable[[Call], Awaitable[BaseModel | None]]


@dataclass(frozen=True)
class Route:
    """`roles`: empty for what nobody need be signed in for. `scope`: what a token needs; empty: no token may.

    `keyed`: a write that takes an idempotency key; `once`: its answer holds a secret, so a repeat is told without it.
    `form`: it takes a file, streamed by its handler. `text`: the content type of answers that are `Text`. `problems`: names of
    refusals beside those that every route has.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    roles: tuple[Role, ...]
    scope: str = ""
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    keyed: bool = False
    once: bool = False
    text: str = ""
    form: bool = False
    problems: tuple[str, ...] = field(default=())

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def numbered(self) -> bool:
        """Whether its path holds a number."""
        return "{id}" in self.path and not self.path.startswith("/me/")

"""`kind: http`: a service behind HTTP with JSON answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any, ClassVar, Literal
from urllib.parse import quote

import msgspec
import orjson
from aiohttp.abc import AbstractResolver
from yarl import URL

from adapters.remote import Remote, Reply, Unanswered, find_path
from adapters.services.breaker import Breaker
from adapters.services.settings import (
    TakeRule,
    Untaken,
    parse_settings,
    render_param,
    take_info,
    take_names,
)
from core.deployment import CallInfo
from core.ports import Outcome, Service, Store

PLACE = re.compile(r"\{([^{}]+)\}")
MISSING = (404, 410)


class CallRule(msgspec.Struct, frozen=True):
    """One call. `{name}` in `path`, `params` (the query) and `body` (JSON) are filled from the flow's `with`."""

    path: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    params: dict[str, str] = {}
    body: dict[str, Any] = {}
    take: dict[str, TakeRule] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """What the call needs, in the order met."""
        return tuple(dict.fromkeys((*PLACE.findall(self.path), *_places(self.params), *_places(self.body))))


class HttpRules(msgspec.Struct, frozen=True):
    """Settings of the kind. `timeout` in seconds, at most 10; `secret` is sent as `Authorization: Bearer …`."""

    base: str
    calls: dict[str, CallRule]
    secret: str = ""
    headers: dict[str, str] = {}
    timeout: float = 5.0
    max_bytes: int = 1 << 20
    allow_private: bool = False


class Http:
    """GET is asked once more after a failure that may pass; all others carry the key as `Idempotency-Key`."""

    kind: ClassVar[str] = "http"

    def __init__(
        self, rules: HttpRules, clock: Callable[[], float] = monotonic, resolver: AbstractResolver | None = None
    ) -> None:
        self._base, self._calls = rules.base.rstrip("/"), rules.calls
        if URL(self._base).scheme not in ("http", "https") or not URL(self._base).host:
            raise ValueError("base must be an address: https://…")
        headers = {"Accept": "application/json", **rules.headers}
        if rules.secret:
            headers["Authorization"] = f"Bearer {rules.secret}"
        self._breaker = Breaker(clock=clock)
        timeout, max_bytes = min(rules.timeout, 10.0), min(rules.max_bytes, 1 << 20)
        self._client = Remote(timeout, max_bytes, rules.allow_private, headers, resolver)

    @classmethod
    def build(cls, settings: Mapping[str, Any], store: Store) -> Service:
        """The service of these settings. Raises ValueError."""
        return cls(parse_settings(HttpRules, settings))

    @classmethod
    def info(cls, settings: Mapping[str, Any]) -> dict[str, CallInfo]:
        """The calls as flows see them. Raises ValueError."""
        rules = parse_settings(HttpRules, settings)
        return {
            name: CallInfo(call.names, take_info(call.take), call.method == "GET") for name, call in rules.calls.items()
        }

    async def call(self, call: str, params: dict[str, Any], key: str, client: int) -> Outcome:
        """Never raises for what the other side does: that is an outcome. `missing` is 404 or an empty answer."""
        rule = self._calls.get(call)
        if rule is None:
            return Outcome("failed", error=f"there is no call {call}")
        path = fill_path(rule.path, params)
        if path is None:
            return Outcome("missing", error="a part of the path is empty")
        if not self._breaker.allows():
            return Outcome("failed", error="the service failed too often and rests")
        try:
            reply = await self._ask(rule, path, params, key)
        except Unanswered as error:
            self._breaker.count(worked=False)
            return Outcome("failed", error=str(error))
        self._breaker.count(worked=reply.status < 500 and reply.status != 429)
        return _outcome(reply, rule)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def _ask(self, rule: CallRule, path: str, params: Mapping[str, Any], key: str) -> Reply:
        url = URL(self._base + path + render_query(rule.params, params), encoded=True)
        if rule.method == "GET":
            return await self._twice(url)
        body = orjson.dumps(fill_body(rule.body, params)) if rule.body else None
        headers = {"Idempotency-Key": key}
        if body is not None:
            headers["Content-Type"] = "application/json"
        return await self._client.ask(rule.method, url, body, headers)

    async def _twice(self, url: URL) -> Reply:
        try:
            reply = await self._client.ask("GET", url)
        except Unanswered as error:
            if not error.brief:
                raise
            return await self._client.ask("GET", url)
        return reply if reply.status < 500 else await self._client.ask("GET", url)


def _outcome(reply: Reply, rule: CallRule) -> Outcome:
    if reply.status in MISSING:
        return Outcome("missing")
    if not reply.ok:
        return Outcome("failed", error=f"HTTP {reply.status}")
    try:
        answer = reply.json() if rule.take else {}
        if answer in (None, [], {}, "") and rule.take:
            return Outcome("missing")
        return Outcome("ok", take_names(rule.take, lambda path: find_path(answer, path)))
    except Unanswered as error:
        return Outcome("failed", error=str(error))
    except Untaken as error:
        return Outcome("failed", error=f"the answer does not fit: {error}")


def _places(value: Any) -> list[str]:
    if isinstance(value, str):
        return PLACE.findall(value)
    if isinstance(value, Mapping):
        return [name for one in value.values() for name in _places(one)]
    return [name for one in value for name in _places(one)] if isinstance(value, list) else []


def fill_path(path: str, params: Mapping[str, Any]) -> str | None:
    """The path with each value percent-encoded as one segment's part; None when a value would leave or empty a segment."""
    values = {name: render_param(params.get(name)).strip() for name in PLACE.findall(path)}
    filled = PLACE.sub(lambda place: quote(values[place[1]], safe=""), path)
    bad = any(segment in (".", "..") for segment in filled.split("/")) or not all(values.values())
    return None if bad else filled


def render_query(query: Mapping[str, str], params: Mapping[str, Any]) -> str:
    """The query string; a parameter whose only value is absent is left out."""
    parts = []
    for name, template in query.items():
        whole = PLACE.fullmatch(template)
        if whole is None or params.get(whole[1]) is not None:
            parts.append(f"{quote(name, safe='')}={quote(_fill(template, params), safe='')}")
    return "?" + "&".join(parts) if parts else ""


def fill_body(template: Any, params: Mapping[str, Any]) -> Any:
    """The JSON body; a value that is exactly `{name}` keeps its type."""
    if isinstance(template, Mapping):
        return {name: fill_body(one, params) for name, one in template.items()}
    if isinstance(template, list):
        return [fill_body(one, params) for one in template]
    if not isinstance(template, str):
        return template
    whole = PLACE.fullmatch(template)
    return params.get(whole[1]) if whole else _fill(template, params)


def _fill(template: str, params: Mapping[str, Any]) -> str:
    return PLACE.sub(lambda place: render_param(params.get(place[1])), template)

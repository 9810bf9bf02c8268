"""The door of the API: who asks, whether they may, what they send; the same way for every route of the table."""

from __future__ import annotations

import gzip
import re
from hashlib import sha256

from aiohttp import web
from pydantic import BaseModel

from core.locale import n_
from gateway.accounts.people import People, Place
from gateway.accounts.refused import BadAccount, SignInRefused
from gateway.api import reading
from gateway.api.accounts import invalid
from gateway.api.cookies import Cookies
from gateway.api.origin import require_own_site
from gateway.api.problems import Problem
from gateway.api.route import Call, Route, Text
from gateway.api.signing import refusal
from gateway.api.speech import language_of
from gateway.failpoints import failpoint
from gateway.floor import Floor
from gateway.server import SAFE, Handler, accepted
from storage.accounts.once import one_write

KEY = "Idempotency-Key"
PACKED = 2048  # bytes: what is shorter is not worth packing
KEY_SHAPE = re.compile(r"[\x21-\x7e]{1,128}")


class Door:
    """Makes an HTTP handler of a route. `public_url` is where browsers reach us, empty when that is not known."""

    def __init__(self, people: People, floor: Floor, public_url: str) -> None:
        self._people, self._floor, self._public_url = people, floor, public_url
        self._cookies = Cookies(public_url)

    def handler(self, route: Route) -> Handler:
        """Refusals are problems; what is no refusal is left to the server."""

        async def handle(request: web.Request) -> web.StreamResponse:
            call: Call | None = None
            try:
                call = await self.identify(request)
                return await self._serve(route, call)
            except Problem as problem:
                refused = problem
            except SignInRefused as wrong:
                refused = refusal(wrong)
            except BadAccount as bad:
                refused = invalid(bad)
            accepted = request.headers.get("Accept-Language", "")
            return refused.answer(language_of(accepted, call.user if call else None))

        return handle

    async def _serve(self, route: Route, call: Call) -> web.Response:
        request = call.request
        if route.writes and call.token is None:
            require_own_site(request, self._public_url)
        require_right(route, call)
        if call.session is not None:
            self._floor.presence.seen(call.session.user.id)  # a person is at work; a machine is not
        reading.check_number(request, route)
        call.query = reading.read_query(request, route)
        call.body = await reading.read_body(request, route)
        if not route.keyed or KEY not in request.headers:
            return self._answer(route, call, await _done(route, call))
        return await self._once(route, call, request.headers[KEY])

    # --- who asks ---

    async def identify(self, request: web.Request) -> Call:
        """A machine by its token, a person by their cookie. Raises `Problem` for a token that is none."""
        place = Place(request.remote or "", _readable(request.headers.get("User-Agent", "")))
        call = Call(self._people, self._floor, request, place)
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            found = await self._people.token(secret.strip())
            if found is None:
                raise Problem("not-signed-in")
            call.token, call.user = found
            return call
        cookie = self._cookies.read(request)
        call.session = await self._people.session(cookie, place) if cookie else None
        call.user = call.session.user if call.session else None
        return call

    # --- writes under a key ---

    async def _once(self, route: Route, call: Call, key: str) -> web.Response:
        """The same key again gets the same answer, and nothing is done twice."""
        if not KEY_SHAPE.fullmatch(key):
            raise Problem("invalid", errors=[{"pointer": KEY, "detail": n_("1 to 128 visible ASCII characters")}])
        call.key = key
        owner = f"user:{call.me.id}" if call.token is None else f"token:{call.token.id}"
        accounts, digest = self._people.accounts, _digest(call)
        known = await accounts.begin_request(owner, key, digest, self._people.now())
        if known is not None:
            return _again(route, known.digest == digest, known.status, known.body)
        status, body = 0, b""
        with one_write(owner, key, route.status) as once:
            try:
                made = await _done(route, call)
                failpoint("api.after_deed")
                status, body = route.status, b"" if route.once or made is None else _json(made)
            except Problem:
                once.done = False  # what was refused may be asked for again
                raise
            finally:
                if status or not once.done:
                    await accounts.end_request(owner, key, status, body)
        return self._answer(route, call, made)

    # --- the answer ---

    def _answer(self, route: Route, call: Call, made: BaseModel | None) -> web.Response:
        if isinstance(made, Text):
            answer = web.Response(text=made.text, status=route.status, content_type=route.text, headers=SAFE)
        else:
            answer = _response(route.status, _json(made) if made is not None else b"")
            if not route.writes:
                _pack(answer, call.request)
        if call.renewed is not None:
            left = call.renewed.login.ends_at - self._people.now()
            self._cookies.set(answer, call.renewed.secret, left)
        elif call.ended:
            self._cookies.drop(answer)
        return answer


def require_right(route: Route, call: Call) -> None:
    """Deny by default. Raises `Problem`."""
    if not route.roles:
        return
    if call.user is None:
        raise Problem("not-signed-in")
    if call.token is not None and route.scope not in call.token.scopes:
        detail = n_("It needs {scope}.") if route.scope else n_("No token may do that.")
        raise Problem("not-allowed", detail, values={"scope": route.scope})
    if call.user.role not in route.roles:
        raise Problem("not-allowed")


async def _done(route: Route, call: Call) -> BaseModel | None:
    return await route.handler(call)


def _again(route: Route, same: bool, status: int, body: bytes) -> web.Response:
    if not same:
        raise Problem("other-request")
    if not status:
        raise Problem("under-way")
    if route.once:
        raise Problem("done-before")
    if route.answer is not None and not body:
        raise Problem("answer-lost")
    return _response(status, body)


def _response(status: int, body: bytes) -> web.Response:
    if not body:
        return web.Response(status=status, headers=SAFE)
    return web.Response(body=body, status=status, content_type="application/json", headers=SAFE)


def _pack(answer: web.Response, request: web.Request) -> None:
    """Long lists take a tenth of the way on a slow network. Secrets are in answers to writes only, which stay as they are."""
    answer.headers["Vary"] = "Accept-Encoding"
    body = answer.body
    if (
        isinstance(body, bytes)
        and len(body) > PACKED
        and "gzip" in accepted(request.headers.get("Accept-Encoding", ""))
    ):
        answer.body = gzip.compress(body, compresslevel=1, mtime=0)
        answer.headers["Content-Encoding"] = "gzip"


def _json(made: BaseModel) -> bytes:
    return made.model_dump_json().encode()


def _digest(call: Call) -> str:
    """What was asked. Passwords are masked in it: a fast hash must not be a way to guess them."""
    asked = f"{call.request.method} {call.request.path}\n"
    body = call.body.model_dump_json() if isinstance(call.body, BaseModel) else ""
    return sha256((asked + body).encode("utf-8", "replace")).hexdigest()


def _readable(text: str) -> str:
    """Headers may hold any bytes; what is stored is text that can be shown."""
    clean = text.encode("utf-8", "replace").decode()
    return "".join(letter for letter in clean if letter.isprintable())

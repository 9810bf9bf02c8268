"""The door of the live socket: who may come in, their hello, what they say; and how it ends."""

from __future__ import annotations

import contextlib

import orjson
from aiohttp import WSMessage, WSMsgType, web
from pydantic import ValidationError

from core.locale import n_
from core.ports import StorageFull
from gateway.api.door import Door, require_right
from gateway.api.live.live import SCOPE, Live
from gateway.api.live.models import Hello
from gateway.api.live.rows import encode
from gateway.api.live.socket import AGAIN, BAD_HELLO, FRAME, HEARTBEAT, Socket
from gateway.api.live.table import WORDS, Refused, Word
from gateway.api.origin import is_own_origin
from gateway.api.problems import Problem
from gateway.api.route import WORKERS, Call, Route
from gateway.api.speech import language_of
from gateway.server import Handler

HELLO_SECONDS = 10.0
NONSENSE = 20  # messages in a row that could not be done, after which the socket ends
FAST, FAST_SECONDS = 30, 10.0  # messages that a client may send in so many seconds


async def live_socket(call: Call) -> None:
    """Who asks for the socket without wanting one."""
    raise Problem("upgrade-required")


LIVE = Route(
    *("GET", "/live", live_socket, "The live feed over a WebSocket: see /api/v1/live.schema.json", WORKERS, SCOPE),
    status=101,
    problems=("upgrade-required", "foreign-site"),
)


def live_handler(door: Door, live: Live, public_url: str) -> Handler:
    """The route of the socket: refusals are problems, before anything is upgraded."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            call = await door.identify(request)
            require_right(LIVE, call)
            require_own_page(call, public_url)
            if live.stopping:
                raise StorageFull("the gateway stops")
            socket = web.WebSocketResponse(heartbeat=HEARTBEAT, max_msg_size=FRAME, compress=False, timeout=2.0)
            if not socket.can_prepare(request).ok:
                raise Problem("upgrade-required")
        except Problem as problem:
            return problem.answer(language_of(request.headers.get("Accept-Language", "")))
        await serve(live, call, socket)
        return socket

    return handle


def require_own_page(call: Call, public_url: str) -> None:
    """A browser sends its cookies with a socket of any page, and says whose page it is. Raises `Problem`.

    What comes with a cookie and says nothing is no browser of today; machines have tokens.
    """
    headers = call.request.headers
    origin = headers.get("Origin")
    if headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise Problem("foreign-site")
    if origin is None and call.token is None and call.user is not None:
        raise Problem("foreign-site", n_("The header Origin is missing."))
    if origin is not None and not is_own_origin(origin, call.request.host, public_url):
        raise Problem("foreign-site")


async def serve(live: Live, call: Call, ws: web.WebSocketResponse) -> None:
    """One socket from its upgrade to its end."""
    await ws.prepare(call.request)
    held = live.rights.made(call.me, call.session.login if call.session else None, call.token)
    socket = Socket(ws, call.request.transport, held)
    socket.start()
    try:
        hello = await _hello(ws)
        if hello is None:
            socket.close(BAD_HELLO, "hello")
        else:
            await live.join(socket, hello.after)
            await _read(live, socket, ws)
    except StorageFull:
        socket.close(AGAIN, "come again")
    finally:
        live.leave(socket)
        await socket.stop()
        live.metrics.live_ends.labels(str(ws.close_code or 1006)).inc()


async def _hello(ws: web.WebSocketResponse) -> Hello | None:
    """The first message, None for anything else."""
    with contextlib.suppress(TimeoutError, ValidationError):
        first = await ws.receive(HELLO_SECONDS)
        if first.type is WSMsgType.TEXT:
            return Hello.model_validate_json(first.data)
    return None


async def _read(live: Live, socket: Socket, ws: web.WebSocketResponse) -> None:
    """What comes after the hello, until the socket ends."""
    wrong = 0
    async for message in ws:
        if socket.closed:
            return
        code = await _hear(live, socket, message)
        wrong = wrong + 1 if code else 0
        if wrong >= NONSENSE:
            socket.close(BAD_HELLO, "nonsense")
            return


async def _hear(live: Live, socket: Socket, message: WSMessage) -> str:
    """Do what a message asks; the code of what was wrong with it, which is said to the client, too."""
    word, about = None, ""
    try:
        require_pace(live, socket)
        word, body = read_word(message)
        about = word.name
        if socket.held.user.role not in word.roles:
            raise Refused("not-allowed")
        await word.handler(live, socket, word.model.model_validate_json(body))
    except Refused as refused:
        return _trouble(socket, str(refused), about)
    except ValidationError as error:
        where = "/".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        return _trouble(socket, "invalid", about, where)
    except StorageFull:
        return _trouble(socket, "failed", about)
    return ""


def read_word(message: WSMessage) -> tuple[Word, bytes]:
    """The row of a message, and its body. Raises `Refused`."""
    if message.type is not WSMsgType.TEXT:
        raise Refused("unreadable")
    raw: bytes = message.data.encode("utf-8", "replace")
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Refused("unreadable") from None
    said = found.get("type") if isinstance(found, dict) else None
    if not isinstance(said, str) or said not in WORDS:
        raise Refused("unknown")
    return WORDS[said], raw


def require_pace(live: Live, socket: Socket) -> None:
    """Raises `Refused` for what comes too fast."""
    now = live.clock()
    while socket.before and socket.before[0] <= now - FAST_SECONDS:
        socket.before.popleft()
    if len(socket.before) >= FAST:
        raise Refused("slow-down")
    socket.before.append(now)


def _trouble(socket: Socket, code: str, about: str = "", detail: str = "") -> str:
    socket.put(encode({"type": "error", "code": code, "about": about, "detail": detail[:200]}))
    return code

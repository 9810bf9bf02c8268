"""What a client may say on the live socket: a row for each type of message, with who may say it and what it does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from core.access import Role
from gateway.api.live.live import Live
from gateway.api.live.models import Answering, Hello, Look, Ping, Watch
from gateway.api.live.rows import encode
from gateway.api.live.socket import Socket
from gateway.api.models import Given
from gateway.api.route import WORKERS
from storage.work.sessions import current_session


class Refused(Exception):
    """A message that is not done; the text is its code (`models.Trouble`)."""


@dataclass(frozen=True)
class Word:
    """One type of message. Its handler may raise `Refused`."""

    name: str
    model: type[Given]
    roles: tuple[Role, ...]
    handler: Callable[[Live, Socket, Given], Awaitable[None]]


async def hello_again(live: Live, socket: Socket, body: Given) -> None:
    """A socket says hello once: the first one is taken before this table is asked."""
    raise Refused("not-allowed")


async def look(live: Live, socket: Socket, body: Given) -> None:
    """Another conversation is open in the window."""
    assert isinstance(body, Look)
    if body.conversation is not None:
        await require_seen(live, socket, body.conversation)
    if socket.conversation:
        live.look_away(socket)
    if body.conversation is not None and not socket.closed:
        socket.conversation = body.conversation
        live.signs.look(body.conversation, socket.held.user.id)
        live.sign("looking", body.conversation)


async def answering(live: Live, socket: Socket, body: Given) -> None:
    """Somebody writes an answer."""
    assert isinstance(body, Answering)
    await require_seen(live, socket, body.conversation)
    live.signs.answer(body.conversation, socket.held.user.id)


async def watch(live: Live, socket: Socket, body: Given) -> None:
    """Lists that are not in the feed."""
    assert isinstance(body, Watch)
    socket.lists = frozenset(body.lists)


async def ping(live: Live, socket: Socket, body: Given) -> None:
    """Is the line alive?"""
    socket.put(encode({"type": "pong"}))


async def require_seen(live: Live, socket: Socket, conversation: int) -> None:
    """Raises `Refused` for a conversation that the one at the socket may not see now."""
    held = await live.rights.again(socket.held)
    if held is None:
        raise Refused("not-allowed")
    if await live.floor.units.ask(lambda reads: current_session(reads, held.sight, conversation)) is None:
        raise Refused("not-found")


WORDS: dict[str, Word] = {
    word.name: word
    for word in (
        Word("hello", Hello, WORKERS, hello_again),
        Word("look", Look, WORKERS, look),
        Word("answering", Answering, WORKERS, answering),
        Word("watch", Watch, WORKERS, watch),
        Word("ping", Ping, WORKERS, ping),
    )
}

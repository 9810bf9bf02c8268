"""Deeds of people in a conversation: each is one event in its inbox, and the answer is what became of it."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from core.accounts import operator_id
from core.events import OperatorAct
from core.ports import Done
from gateway.api.models import ActDone, Given, NoteAct, PlainAct, TextAct
from gateway.api.problems import Problem
from gateway.api.route import WORKERS, Call, Route
from gateway.floor import StillUnderWay
from storage.rows import Row
from storage.work.outcomes import EventFailed

# Why an act was refused → the problem that says so.
REFUSED = {"epoch": "stale", "owner": "not-yours", "state": "not-now", "empty": "nothing-said"}


async def find_session(call: Call, conversation: int) -> Row:
    """The session of a conversation that the caller may see. Raises `Problem` (404)."""
    row = await call.floor.session(call.who, conversation)
    if row is None:
        raise Problem("not-found")
    return row


async def act(call: Call, name: str, text: str = "", epoch: int = -1, **data: Any) -> ActDone:
    """Do an act of `handoff.acts.ACTS` in the conversation of the path, once per idempotency key. Raises `Problem`."""
    await find_session(call, call.id)
    event = OperatorAct(operator_id(call.me.id), name, text, epoch, call.key, data=data)
    return await put(call, call.id, event)


async def put(call: Call, conversation: int, event: OperatorAct) -> ActDone:
    """Put an act through the door and say what became of it. Raises `Problem`."""
    key = f"api:{call.me.id}:{call.key or secrets.token_hex(12)}"
    try:
        done = await call.floor.act(conversation, event, key)
    except StillUnderWay:
        raise Problem("under-way", "It will be done; look again soon.") from None
    except EventFailed as failed:
        raise Problem("failed", str(failed)) from None
    require_done(done)
    return ActDone(conversation=conversation, epoch=done.epoch)


def require_done(done: Done) -> None:
    """Raises `Problem` for an act that was refused."""
    for trace in done.trace:
        if trace.kind == "refused":
            why = str(trace.data["why"])
            raise Problem(REFUSED.get(why, "not-now"), "" if why in REFUSED else why)


def _plain(name: str) -> Callable[[Call], Awaitable[ActDone]]:
    """A handler of an act that takes the epoch and perhaps words."""

    async def handle(call: Call) -> ActDone:
        body: PlainAct = call.body
        return await act(call, name, getattr(body, "text", ""), body.epoch)

    handle.__name__ = name  # names the operation in the document
    return handle


async def note(call: Call) -> ActDone:
    body: NoteAct = call.body
    return await act(call, "note", body.text)


def deed(
    name: str, summary: str, body: type[Given], handler: Callable[[Call], Awaitable[ActDone]] | None = None
) -> Route:
    """The route of an act: `POST /conversations/{id}/<name>`."""
    return Route(
        "POST",
        f"/conversations/{{id}}/{name}",
        handler or _plain(name),
        summary,
        WORKERS,
        "conversations:write",
        body=body,
        answer=ActDone,
        keyed=True,
        problems=("not-found", "stale", "not-yours", "not-now", "nothing-said", "failed", "under-way"),
    )


ROUTES: tuple[Route, ...] = (
    deed("take", "Take a session from the queue or from the bot", PlainAct),
    deed("reply", "Answer the client; only the owner may", TextAct),
    deed("note", "A private note for the colleagues", NoteAct, note),
    deed("return", "Give the session back to its queue", PlainAct),
    deed("to_bot", "Give the session to the bot", PlainAct),
    deed("close", "End the session", PlainAct),
)

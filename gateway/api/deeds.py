"""Deeds of people in a conversation: each is one event in its inbox, and the answer is what became of it."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.rules import RULES
from core.accounts import operator_id
from core.events import OperatorAct
from core.locale import n_
from core.ports import Done
from gateway.api.models import ActDone, Given, PlainAct
from gateway.api.models_deeds import CloseAct, FieldAct, HoldAct, LoanAct, LoanFlow, LoanFlows, PriorityAct
from gateway.api.problems import Problem
from gateway.api.route import WORKERS, Call, Route
from gateway.floor import StillUnderWay
from handoff.access import access_lines
from handoff.acts.act import RIGHT
from storage.rows import Row
from storage.work.outcomes import EventFailed

LONGEST_HOLD = 366 * 86_400.0  # seconds
# Why an act was refused → the problem that says so.
REFUSED = {
    "epoch": "stale",
    "owner": "not-yours",
    "state": "not-now",
    "empty": "nothing-said",
    "not_own": "not-own",
    "not_failed": "not-failed",
    "unconfirmed": "unconfirmed",
    **dict.fromkeys(("gone", "not_sent", "cannot", "too_old"), "not-changeable"),
    "right": "not-allowed",
    "line": "unknown-line",
    "closed": "line-closed",
    "absent": "person-absent",
    "person": "unknown-person",
    "packet": "packet-incomplete",
    "reason": "reason-needed",
    "category": "category-needed",
    "until": "invalid",
    "flow": "unknown-flow",
    "field": "unknown-field",
    "value": "wrong-value",
}
DETAILS = {
    "gone": n_("It was taken back."),
    "not_sent": n_("It did not go out."),
    "cannot": n_("The channel cannot do that."),
    "too_old": n_("The channel lets nobody change a message that is so old."),
    "same": n_("It is there already."),
    "busy": n_("The bot waits for another system; try again in a moment."),
    "until": n_("That time is over."),
}


async def find_session(call: Call, conversation: int) -> Row:
    """The session of a conversation that the caller may see. Raises `Problem` (404)."""
    row = await call.floor.session(call.who, conversation)
    if row is None:
        raise Problem("not-found")
    return row


async def act(call: Call, name: str, text: str = "", epoch: int = -1, **data: Any) -> ActDone:
    """Do an act of `handoff.acts.ACTS` in the conversation of the path, once per idempotency key. Raises `Problem`."""
    row = await find_session(call, call.id)
    data[RIGHT] = right(call, row)
    event = OperatorAct(operator_id(call.me.id), name, text, epoch, call.key, data=data)
    return await put(call, call.id, event)


def right(call: Call, row: Row) -> str:
    """`supervisor` for one of the session's line, or of the channel's while the bot has it."""
    line = row["line"] or call.floor.channel_lines.get(row["channel"], "")
    led = access_lines(call.who, "supervisor")
    return "supervisor" if led.everything or line in led.lines else ""


async def put(call: Call, conversation: int, event: OperatorAct) -> ActDone:
    """Put an act through the door and say what became of it. Raises `Problem`."""
    key = f"api:{call.me.id}:{call.key or secrets.token_hex(12)}"
    try:
        done = await call.floor.act(conversation, event, key)
    except StillUnderWay:
        raise Problem("under-way", n_("It will be done; look again soon.")) from None
    except EventFailed as failed:
        raise Problem("failed", str(failed)) from None
    require_done(done)
    return ActDone(conversation=conversation, epoch=done.epoch)


def require_done(done: Done) -> None:
    """Raises `Problem` for an act that was refused."""
    for trace in done.trace:
        if trace.kind == "refused":
            raise refused(str(trace.data["why"]), trace.data)


def refused(why: str, data: Mapping[str, Any]) -> Problem:
    """The problem that says why an act was refused, with what is missing or what there is to choose from."""
    detail = data.get("detail") or DETAILS.get(why, "" if why in REFUSED else why)
    errors = [{"pointer": f"/packet/{label}", "detail": n_("This is missing.")} for label in data.get("missing", ())]
    if "categories" in data:
        errors = [{"pointer": "/category", "detail": ", ".join(data["categories"]) or n_("The line has none.")}]
    return Problem(REFUSED.get(why, "not-now"), detail, errors)


def _plain(name: str) -> Callable[[Call], Awaitable[ActDone]]:
    """A handler of an act that takes the epoch and perhaps words."""

    async def handle(call: Call) -> ActDone:
        body: PlainAct = call.body
        return await act(call, name, getattr(body, "text", ""), body.epoch)

    handle.__name__ = name  # names the operation in the document
    return handle


async def hold(call: Call) -> ActDone:
    body: HoldAct = call.body
    until = body.until.timestamp() if body.until is not None else 0.0
    if until > call.floor.now().timestamp() + LONGEST_HOLD:
        raise Problem("invalid", errors=[{"pointer": "/until", "detail": n_("At most a year ahead.")}])
    return await act(call, "hold", body.text, body.epoch, until=until)


async def loan(call: Call) -> ActDone:
    body: LoanAct = call.body
    return await act(call, "loan", epoch=body.epoch, flow=body.flow)


async def loan_flows(call: Call) -> LoanFlows:
    """Flows that ask for something; those of lines' own rules are none of a person's choice."""
    book = call.floor.book()
    found = [it.flow for it in book.flows.values()] if book is not None else []
    asking = [flow for flow in found if flow.fields and not flow.id.startswith(RULES)]
    return LoanFlows(
        items=[
            LoanFlow(id=it.id, title=it.title, about=it.about, asks=[field.label for field in it.fields.values()])
            for it in sorted(asking, key=lambda it: it.title)
        ]
    )


async def close(call: Call) -> ActDone:
    body: CloseAct = call.body
    return await act(call, "close", body.text, body.epoch, category=body.category)


async def priority(call: Call) -> ActDone:
    body: PriorityAct = call.body
    return await act(call, "priority", epoch=body.epoch, priority=body.priority)


async def set_field(call: Call) -> ActDone:
    body: FieldAct = call.body
    return await act(call, "set_field", body.text, body.epoch, label=body.label)


def deed(
    name: str,
    summary: str,
    body: type[Given],
    handler: Callable[[Call], Awaitable[ActDone]] | None = None,
    problems: tuple[str, ...] = ("nothing-said",),
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
        problems=("not-found", "stale", "not-yours", "not-now", *problems, "failed", "under-way"),
    )


ROUTES: tuple[Route, ...] = (
    deed("take", "Take a session from the queue or from the bot; a supervisor also from a colleague", PlainAct),
    deed("return", "Give the session back to its queue", PlainAct, problems=("unknown-line",)),
    deed(
        "release", "Give a colleague's session back to its queue; supervisors may", PlainAct, problems=("unknown-line",)
    ),
    deed("hold", "Put the session aside, until a time or without end", HoldAct, hold),
    deed("unhold", "Bring a session back that was put aside", PlainAct),
    deed("loan", "Let the bot ask the questions of a flow; the session stays yours", LoanAct, loan, ("unknown-flow",)),
    Route(
        *("GET", "/flows", loan_flows, "Flows whose questions the bot can ask for a person", WORKERS),
        "conversations:read",
        answer=LoanFlows,
    ),
    deed("end_loan", "Take the word back from the bot", PlainAct),
    deed("to_bot", "Give the session to the bot", PlainAct),
    deed("close", "End the session", CloseAct, close, ("category-needed",)),
    deed("priority", "Say how urgent the session is", PriorityAct, priority),
    deed(
        "set_field",
        "Put a collected field right; it is read as the client's answer would be",
        *(FieldAct, set_field, ("unknown-field", "wrong-value")),
    ),
)

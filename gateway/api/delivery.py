"""How messages were delivered, and what may be done about it: edit, recall, retry, another way to the client."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from core.accounts import operator_id
from core.delivery import Able, Delivery
from core.events import OperatorAct
from core.locale import n_
from gateway.api.deeds import find_session, put
from gateway.api.models import ActDone, moment
from gateway.api.models_delivery import DeliveryView, Edit, MayDo, Recall, Retry, Ways, WayView
from gateway.api.position import acts_of
from gateway.api.problems import Problem
from gateway.api.route import WORKERS, Call, Route
from handoff.acts.delivery import against_retry
from handoff.acts.editing import against_edit, against_recall
from storage.rows import Row
from storage.tools.deliveries import Way, find_delivery, ways_of
from storage.work.sessions import current_session


async def _delivery(call: Call, seq: int) -> Delivery:
    """The message at a place of the conversation in the path. Raises `Problem`."""
    found = await call.floor.units.ask(lambda reads: find_delivery(reads, call.id, seq))
    if found is None:
        raise Problem("not-found", n_("There is no message of ours at this place."))
    return found


def _able(call: Call, channel: str) -> Able:
    """What the conversation's channel can do; one that is off can do nothing."""
    known = call.floor.channels.get(channel)
    if known is None:
        return Able()
    can = known.capabilities
    return Able(can.edit, can.delete, can.edit_seconds, can.delete_seconds)


# --- what is asked ---------------------------------------------------------------------------------------------------


async def get_delivery(call: Call) -> DeliveryView:
    session = await find_session(call, call.id)
    said = call.request.match_info["seq"]
    if not (said.isascii() and said.isdecimal() and len(said) <= 15):
        raise Problem("not-found")
    return _view(call, session, await _delivery(call, int(said)))


def _view(call: Call, session: Row, it: Delivery) -> DeliveryView:
    me, now, able = operator_id(call.me.id), call.floor.now().timestamp(), _able(call, session["channel"])
    not_mine = "" if session["owner"] == "operator" and session["operator"] == me else "owner"
    return DeliveryView(
        conversation=call.id,
        seq=it.seq,
        state=it.state,
        reason=it.reason,
        author=it.author,
        operator=it.operator,
        at=datetime.fromtimestamp(it.at, UTC),
        settled_at=moment(it.settled_at),
        attempts=it.attempts,
        edited=it.edited,
        removed=it.removed,
        changing=it.changing,
        edit=_may(against_edit(it, able, me, now) or not_mine),
        recall=_may(against_recall(it, able, me, now)),
        retry=_may(against_retry(it, even_if_twice=False) or not_mine),
    )


def _may(against: str) -> MayDo:
    return MayDo.model_validate({"can": not against, "why_not": against})


# --- what is done ----------------------------------------------------------------------------------------------------


async def edit(call: Call) -> ActDone:
    body: Edit = call.body
    return await _do(call, "edit", body.seq, body.text)


async def recall(call: Call) -> ActDone:
    body: Recall = call.body
    return await _do(call, "recall", body.seq)


async def retry(call: Call) -> ActDone:
    """The same failure is answered once, however often and by however many it is asked for."""
    body: Retry = call.body
    await find_session(call, call.id)
    it = await _delivery(call, body.seq)
    key = f"retry:{it.row}:{call.me.id}:{int(body.even_if_twice)}" if it.state in {"failed", "unknown"} else ""
    return await _put(call, "retry", it, "", key, even_if_twice=body.even_if_twice)


async def _do(call: Call, name: str, seq: int, text: str = "") -> ActDone:
    session = await find_session(call, call.id)
    able = msgspec.to_builtins(_able(call, session["channel"]))
    return await _put(call, name, await _delivery(call, seq), text, "", able=able)


async def _put(call: Call, name: str, it: Delivery, text: str, key: str, **data: object) -> ActDone:
    """The act with the message as it is seen now; the pure step says whether it may be."""
    given = {"delivery": msgspec.to_builtins(it), **data}
    event = OperatorAct(operator_id(call.me.id), name, text, client_key=call.key, data=given)
    call.key = key or call.key or secrets.token_hex(12)
    return await put(call, call.id, event)


# --- other ways ------------------------------------------------------------------------------------------------------


async def get_ways(call: Call) -> Ways:
    session = await find_session(call, call.id)
    return await ways(call, session["client"], call.id)


async def ways(call: Call, client: int, conversation: int) -> Ways:
    """The conversations of a client beside one of them."""
    found = await call.floor.units.ask(lambda reads: ways_of(reads, client))
    here = next((it for it in found if it.conversation == conversation), None)
    others = [it for it in found if it.conversation != conversation]
    return Ways(reachable=here is not None and here.reachable, items=await _seen(call, others))


async def _seen(call: Call, found: Sequence[Way]) -> list[WayView]:
    """With the session of each that the caller may see: only there they can go on."""
    sight = call.floor.sight(call.who)
    rows = await call.floor.units.ask(lambda reads: [current_session(reads, sight, it.conversation) for it in found])
    return [await _way(call, it, row) for it, row in zip(found, rows, strict=True)]


async def _way(call: Call, it: Way, row: Row | None) -> WayView:
    known = call.floor.config.channels.get(it.channel)
    state = await call.floor.store.conversation(it.conversation) if row is not None else None
    return WayView(
        conversation=it.conversation,
        channel=it.channel,
        kind=known.kind if known is not None else "",
        status=row["status"] if row is not None else "",
        acts=acts_of(call, state, row) if state is not None and row is not None else [],
        title=str(getattr(known, "title", "") or it.channel),
        reachable=it.reachable and known is not None,
        last_at=moment(it.last_at),
        epoch=row["epoch"] if row is not None else None,
    )


REFUSALS = ("not-found", "not-yours", "not-own", "not-changeable", "failed", "under-way")
ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/conversations/{id}/delivery/{seq}",
        get_delivery,
        "How a message was delivered, and what may be done about it",
        WORKERS,
        "conversations:read",
        answer=DeliveryView,
        problems=("not-found",),
    ),
    Route(
        "GET",
        "/conversations/{id}/ways",
        get_ways,
        "By which other channels the client can be reached",
        WORKERS,
        "conversations:read",
        answer=Ways,
        problems=("not-found",),
    ),
    Route(
        "POST",
        "/conversations/{id}/edit",
        edit,
        "Give a message of one's own another text",
        WORKERS,
        "conversations:write",
        body=Edit,
        answer=ActDone,
        keyed=True,
        problems=(*REFUSALS, "nothing-said"),
    ),
    Route(
        "POST",
        "/conversations/{id}/recall",
        recall,
        "Take a message of one's own back",
        WORKERS,
        "conversations:write",
        body=Recall,
        answer=ActDone,
        keyed=True,
        problems=REFUSALS,
    ),
    Route(
        "POST",
        "/conversations/{id}/retry",
        retry,
        "Send a message that failed once more",
        WORKERS,
        "conversations:write",
        body=Retry,
        answer=ActDone,
        keyed=True,
        problems=("not-found", "not-yours", "not-own", "not-failed", "unconfirmed", "failed", "under-way"),
    ),
)

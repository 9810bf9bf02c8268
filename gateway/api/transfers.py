"""Deeds that give a session to others: assigned by a supervisor, transferred with a packet, sent back."""

from __future__ import annotations

from typing import Any

import msgspec

from bot.engine.collected import known_texts
from core.accounts import operator_id
from core.conversation import Session
from core.locale import n_
from core.turn import Facts
from gateway.api.deeds import act, deed, find_session
from gateway.api.models import ActDone, PlainAct
from gateway.api.models_deeds import AssignAct, PacketField, To, TransferAct, TransferForm
from gateway.api.problems import Problem
from gateway.api.route import WORKERS, Call, Route
from handoff.acts.transferring import packet_of
from handoff.decision import TRANSFERRED
from handoff.hours import is_open
from handoff.lines import Line
from storage.routing.reading import read_presence
from storage.rows import Row

PRESENT = ("online", "busy")
_session = msgspec.json.Decoder(Session)


async def assign(call: Call) -> ActDone:
    body: AssignAct = call.body
    row = await find_session(call, call.id)
    line = row["line"] or call.floor.channel_lines.get(row["channel"], "")
    present = await require_worker(call, body.person, line)
    return await act(call, "assign", body.text, body.epoch, to=operator_id(body.person), present=present)


async def transfer(call: Call) -> ActDone:
    """To a line that is open, or to somebody of it who is there."""
    body: TransferAct = call.body
    await find_session(call, call.id)
    find_line(call, body.line)
    data: dict[str, Any] = {"line": body.line, "packet": body.packet, "urgent": body.urgent}
    if body.person is not None:
        present = await require_worker(call, body.person, body.line)
        data |= {"person": operator_id(body.person), "present": present}
    return await act(call, "transfer", body.text, body.epoch, **data)


async def send_back(call: Call) -> ActDone:
    """To whoever had it, when they are there; else to their line."""
    body: PlainAct = call.body
    about = session_of(await find_session(call, call.id)).memory.get(TRANSFERRED, {})
    sender = str(about.get("operator", "")).partition(":")[2]
    present = sender.isdecimal() and await is_present(call, int(sender))
    return await act(call, "send_back", body.text, body.epoch, present=present)


async def transfer_form(call: Call) -> TransferForm:
    """The packet of a line, filled in from what flows collected and the client's card holds."""
    asked: To = call.query
    line, session = find_line(call, asked.to, "to"), session_of(await find_session(call, call.id))
    known: dict[str, Any] = {**await known_here(call), **session.packet}
    packet, missing = packet_of(line, known, {})
    return TransferForm(
        line=line.id,
        title=line.title,
        open=is_open(line.hours, call.floor.now()),
        fields=[PacketField(label=label, text=packet.get(label, "")) for label in line.packet],
        missing=missing,
    )


async def known_here(call: Call) -> dict[str, str]:
    """Label → text of what is known in the conversation of the path."""
    floor, book = call.floor, call.floor.book()
    conversation = await floor.store.conversation(call.id)
    if book is None or conversation is None:
        return {}
    client = await floor.store.client(conversation.client) or {}
    return known_texts(book, conversation, floor.now(), Facts(client, {}))


def session_of(row: Row) -> Session:
    return _session.decode(row["state"])


def find_line(call: Call, id: str, pointer: str = "/line") -> Line:
    """Raises `Problem` for a line that is not there."""
    line = call.floor.house().lines.get(id)
    if line is None:
        raise Problem("unknown-line", errors=[{"pointer": pointer, "detail": n_("There is no such line.")}])
    return line


async def require_worker(call: Call, user: int, line: str) -> bool:
    """Whether somebody who works in the line is there. Raises `Problem` for one who does not."""
    found = await call.people.accounts.user(user)
    if found is None or not found.active or (found.role != "admin" and line not in found.lines):
        detail = "Nobody of that number works in the line."
        raise Problem("unknown-person", errors=[{"pointer": "/person", "detail": detail}])
    return await is_present(call, user)


async def is_present(call: Call, user: int) -> bool:
    """Whether somebody can be given a session now."""
    found = await call.people.accounts.user(user)
    if found is None or not found.active:
        return False
    presence = await call.floor.units.ask(lambda reads: read_presence(reads, user))
    now = call.floor.now().timestamp()
    return presence.now(now, call.floor.config.presence.grace) in PRESENT


GIVEN = ("unknown-person", "person-absent")
TAKEN = (*GIVEN, "unknown-line", "line-closed", "packet-incomplete")

ROUTES: tuple[Route, ...] = (
    deed("assign", "Give the session to somebody; supervisors of the line may", AssignAct, assign, GIVEN),
    deed("transfer", "Give the session to another line, or to somebody of it", TransferAct, transfer, TAKEN),
    deed("accept", "Keep a session that was transferred", PlainAct, problems=()),
    deed("send_back", "Send a transferred session back, with the reason", PlainAct, send_back, ("reason-needed",)),
    Route(
        "GET",
        "/conversations/{id}/transfer",
        transfer_form,
        "What a transfer to a line must bring, filled in as far as it is known",
        WORKERS,
        "conversations:read",
        query=To,
        answer=TransferForm,
        problems=("unknown-line",),
    ),
)

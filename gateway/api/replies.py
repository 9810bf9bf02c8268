"""Routes of canned replies: found by what is typed, filled in for a conversation, kept by those who may."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

from core.access import Sight
from core.locale import n_, texts
from core.ports import StoredFile
from gateway.api.deeds import find_session
from gateway.api.models import moment
from gateway.api.models_tools import CannedReplies, CannedReply, NewReply, RenderedReply, RepliesAsked, ReplyChange
from gateway.api.problems import Problem
from gateway.api.route import WORKERS, Call, Route
from gateway.replies import filled, rank, values_of, variables
from handoff.access import access_lines
from handoff.replies import BadReply, Filled
from storage.codec import decode_strings, encode
from storage.rows import Row
from storage.tools.replies import (
    ShortcutTaken,
    add_reply,
    change_reply,
    drop_reply,
    find_reply,
    list_replies,
)
from storage.work.units import asked


def may_change(call: Call, row: Row) -> bool:
    """One's own; those of a line for its supervisors; those of the house for admins."""
    if row["scope"] == "own":
        return bool(row["owner"] == call.me.id)
    led = access_lines(call.who, "supervisor")
    return led.everything or (row["scope"] == "line" and row["line"] in led.lines)


def _view(call: Call, row: Row) -> CannedReply:
    kept = ("id", "scope", "line", "shortcut", "title", "text", "place", "uses")
    return CannedReply(
        **{name: row[name] for name in kept},
        files=list(decode_strings.decode(row["files"])),
        used_at=moment(row["used_at"]),
        changed_at=datetime.fromtimestamp(row["changed_at"], UTC),
        may_change=may_change(call, row),
    )


def _sight(call: Call) -> Sight:
    return access_lines(call.who)


async def find_canned(call: Call, id: int) -> Row:
    """A canned reply that the caller may use. Raises `Problem` (404)."""
    sight, user = _sight(call), call.me.id
    row = await call.floor.units.ask(lambda reads: find_reply(reads, sight, user, id))
    if row is None:
        raise Problem("not-found", n_("There is no such canned reply."))
    return row


# --- what is asked ---------------------------------------------------------------------------------------------------


async def get_replies(call: Call) -> CannedReplies:
    wanted: RepliesAsked = call.query
    sight, user = _sight(call), call.me.id
    rows = await call.floor.units.ask(lambda reads: list_replies(reads, sight, user))
    if wanted.conversation is not None:
        line = await _line(call, wanted.conversation)
        rows = [row for row in rows if row["scope"] != "line" or row["line"] == line]
    ranked = [(place, n, row) for n, row in enumerate(rows) if (place := rank(row, wanted.q)) is not None]
    if wanted.q:
        ranked.sort(key=lambda it: it[:2])
    return CannedReplies(items=[_view(call, row) for _, _, row in ranked])


async def get_reply(call: Call) -> CannedReply:
    return _view(call, await find_canned(call, call.id))


async def _line(call: Call, conversation: int) -> str:
    """The line of a conversation, or of its channel while the bot has it."""
    row = await find_session(call, conversation)
    return row["line"] or call.floor.channel_lines.get(row["channel"], "")


async def render_reply(call: Call) -> RenderedReply:
    await find_session(call, call.id)
    said = call.request.match_info["reply"]
    if not (said.isascii() and said.isdecimal() and 0 < len(said) <= 15):
        raise Problem("not-found")
    row = await find_canned(call, int(said))
    done = await fill_canned(call, row)
    files = list(decode_strings.decode(row["files"]))
    return RenderedReply(reply=row["id"], text=done.text, files=files, unfilled=list(done.unfilled))


async def fill_canned(call: Call, row: Row) -> Filled:
    """A canned reply for the conversation of the path."""
    floor = call.floor
    conversation = await floor.store.conversation(call.id)
    if conversation is None:
        raise Problem("not-found")
    line = floor.house().lines.get(await _line(call, call.id))
    title = line.title if line is not None else ""
    return filled(row, await values_of(floor.store, floor.book(), conversation, call.me, title, floor.now()))


# --- what is kept ----------------------------------------------------------------------------------------------------


async def add_canned(call: Call) -> CannedReply:
    body: NewReply = call.body
    row: Row = {
        "scope": body.scope,
        "owner": call.me.id if body.scope == "own" else 0,
        "line": body.line or "" if body.scope == "line" else "",
        "shortcut": body.shortcut.lower(),
        "title": body.title,
        "text": body.text,
        "files": encode(body.files),
        "place": body.place,
        "uses": 0,
        "used_at": 0.0,
    }
    if (body.scope == "line") != (body.line is not None) or (body.line and body.line not in call.floor.house().lines):
        raise Problem(
            "invalid", errors=[{"pointer": "/line", "detail": n_("A line of the house, for the scope `line` only.")}]
        )
    if not may_change(call, row):
        raise Problem("not-allowed", n_("Replies of a line are its supervisors', those of the house are admins'."))
    row |= await _checked(call, body.text, body.files)
    id = await _written(call, partial(add_reply, row=row))
    return _view(call, {"id": id, **row})


async def change_canned(call: Call) -> CannedReply:
    body: ReplyChange = call.body
    row = await _changeable(call)
    given: dict[str, Any] = body.model_dump(exclude_none=True)
    if "shortcut" in given:
        given["shortcut"] = given["shortcut"].lower()
    files = given.pop("files", None)
    after = {**row, **given, **({"files": encode(files)} if files is not None else {})}
    after |= await _checked(call, after["text"], files or [])
    values = {name: value for name, value in after.items() if name not in ("id", "uses", "used_at")}
    await _written(call, partial(change_reply, id=row["id"], row=values))
    return _view(call, after)


async def drop_canned(call: Call) -> None:
    row = await _changeable(call)
    await call.floor.units.write(lambda ledger: drop_reply(asked(ledger), row["id"]))


async def _changeable(call: Call) -> Row:
    row = await find_canned(call, call.id)
    if not may_change(call, row):
        raise Problem("not-allowed", n_("Replies of a line are its supervisors', those of the house are admins'."))
    return row


async def _checked(call: Call, text: str, files: list[str]) -> Row:
    """Who changed it when. Raises `Problem` for a text that is no template, and for files that are not ours to give."""
    try:
        variables(text)
    except BadReply as bad:
        t = texts(call.language)
        values = {"place": bad.offset, "why": t(bad.why)}
        wrong = {"pointer": "/text", "detail": n_("{place}: {why}"), "values": values}
        raise Problem("invalid", errors=[wrong]) from None
    for n, id in enumerate(files):
        if not is_ours(await call.floor.store.file(id)):
            raise Problem(
                "invalid", errors=[{"pointer": f"/files/{n}", "detail": n_("There is no such file of ours.")}]
            )
    return {"changed_at": call.floor.now().timestamp(), "changed_by": call.me.name}


def is_ours(file: StoredFile | None) -> bool:
    """Whether a file was given by people of ours: what a client sent must not go to another client."""
    return file is not None and not file.error and bool(file.sha256) and not file.conversation


async def _written(call: Call, work: Any) -> Any:
    try:
        return await call.floor.units.write(lambda ledger: work(asked(ledger)))
    except ShortcutTaken:
        raise Problem("conflict", n_("Another reply has this shortcut.")) from None


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/replies",
        get_replies,
        "Canned replies that one may use, as they fit what was typed",
        WORKERS,
        "conversations:read",
        query=RepliesAsked,
        answer=CannedReplies,
        problems=("not-found",),
    ),
    Route("GET", "/replies/{id}", get_reply, "One canned reply", WORKERS, "conversations:read", answer=CannedReply),
    Route(
        "POST",
        "/replies",
        add_canned,
        "Keep a canned reply: one's own, a line's, or the house's",
        WORKERS,
        "conversations:write",
        body=NewReply,
        answer=CannedReply,
        status=201,
        keyed=True,
        problems=("conflict",),
    ),
    Route(
        "PATCH",
        "/replies/{id}",
        change_canned,
        "Change a canned reply",
        WORKERS,
        "conversations:write",
        body=ReplyChange,
        answer=CannedReply,
        keyed=True,
        problems=("conflict",),
    ),
    Route(
        "DELETE",
        "/replies/{id}",
        drop_canned,
        "Forget a canned reply",
        WORKERS,
        "conversations:write",
        status=204,
    ),
    Route(
        "POST",
        "/conversations/{id}/replies/{reply}/render",
        render_reply,
        "Fill a canned reply in for a conversation",
        WORKERS,
        "conversations:read",
        answer=RenderedReply,
    ),
)

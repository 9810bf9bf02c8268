"""Routes of outgoing webhooks: how each fares, what was sent, once more from a number or a moment, go on after a stop."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

from core.accounts import Deed
from core.locale import n_
from gateway.api.channels import board_of, cover
from gateway.api.models import moment
from gateway.api.models_channels import (
    AttemptsPage,
    HookAttempt,
    HookAttempts,
    HookMoved,
    HookReplay,
    Hooks,
    HookState,
    HookView,
)
from gateway.api.paging import HIGHEST, cut, read_cursor
from gateway.api.problems import Problem
from gateway.api.route import ADMIN, Call, Route
from gateway.config.hooks import Webhook
from gateway.control import Refused
from gateway.hooks.office import HooksOffice
from storage.feed import hooks
from storage.feed.reading import bounds
from storage.rows import Row
from storage.watch.reading import attempts_of

UNUSED: Row = {
    "cursor": 0,
    "failing_since": 0.0,
    "attempts": 0,
    "next_at": 0.0,
    "error": "",
    "stopped": "",
    "changed_at": 0.0,
}


def _office(call: Call) -> HooksOffice:
    return HooksOffice(call.floor.store, call.floor.config.webhooks, lambda: call.floor.now().timestamp())


async def get_hooks(call: Call) -> Hooks:
    floor = call.floor
    known = {row["name"]: row for row in await floor.units.ask(hooks.all_hooks)}
    board, ends, covered = await board_of(floor), await floor.units.ask(bounds), cover(floor)
    items = []
    for name in sorted({*floor.config.webhooks, *known}):
        settings, row = floor.config.webhooks.get(name), known.get(name, UNUSED)
        view = _hook(name, settings, row, name in known)
        behind = max(0, ends.last - row["cursor"]) if name in known else 0
        more = {"behind": behind, "process": board.holder(f"hook:{name}"), "error": covered(row["error"])}
        items.append(view.model_copy(update=more))
    return Hooks(items=items, oldest=ends.oldest, last=ends.last, at=floor.now())


def _hook(name: str, settings: Webhook | None, row: Row, begun: bool) -> HookView:
    return HookView(
        name=name,
        host=urlsplit(settings.url).hostname or "" if settings else "",
        events=list(settings.events) if settings else [],
        lines=list(settings.lines) if settings else [],
        state=_state(settings, row, begun),
        why=row["stopped"],
        error=row["error"],
        cursor=row["cursor"],
        behind=0,
        attempts=row["attempts"],
        failing_since=moment(row["failing_since"]),
        next_at=moment(row["next_at"]) if row["attempts"] and not row["stopped"] else None,
        changed_at=moment(row["changed_at"]),
        process="",
    )


def _state(settings: Webhook | None, row: Row, begun: bool) -> HookState:
    if settings is None:
        return "gone"
    if not settings.secret.get_secret_value():
        return "off"
    if not begun:
        return "unused"
    if row["stopped"]:
        return "stopped"
    return "waits" if row["attempts"] else "works"


async def get_attempts(call: Call) -> HookAttempts:
    page: AttemptsPage = call.query
    name, before = await _named(call), read_cursor(page.cursor) or HIGHEST
    failed, covered = page.only == "failed", cover(call.floor)
    found = await call.floor.units.ask(lambda reads: attempts_of(reads, name, failed, before, page.limit + 1))
    items = [
        HookAttempt(
            id=row["id"],
            seq=row["seq"],
            type=row["type"],
            attempt=row["attempt"],
            status=row["status"],
            error=covered(row["error"]),
            at=datetime.fromtimestamp(row["at"], UTC),
            seconds=round(row["seconds"], 3),
        )
        for row in found
    ]
    shown, cursor = cut(items, page.limit)
    return HookAttempts(items=list(shown), next=cursor)


async def _named(call: Call) -> str:
    """The webhook of the path, of the configuration or ever begun. Raises `Problem`."""
    name = call.request.match_info["name"]
    if name in call.floor.config.webhooks:
        return name
    if await call.floor.units.ask(lambda reads: hooks.hook(reads, name)) is None:
        raise Problem("not-found")
    return name


async def replay_hook(call: Call) -> HookMoved:
    body: HookReplay = call.body
    name = await _named(call)
    if (body.seq is None) == (body.at is None):
        raise Problem("invalid", errors=[{"pointer": "/seq", "detail": n_("Say a number or a moment, one of them.")}])
    if body.at is not None and body.at.tzinfo is None:
        raise Problem("invalid", errors=[{"pointer": "/at", "detail": n_("A moment needs its offset: +03:00, or Z.")}])
    at = body.at.timestamp() if body.at is not None else 0.0
    try:
        moved = await _office(call).replay(name, body.seq or 0, at)
    except Refused as refused:
        raise _problem(refused) from None
    return await _moved(call, "hook_replayed", moved)


async def resume_hook(call: Call) -> HookMoved:
    name = await _named(call)
    try:
        moved = await _office(call).resume(name)
    except Refused as refused:
        raise _problem(refused) from None
    return await _moved(call, "hook_resumed", moved)


def _problem(refused: Refused) -> Problem:
    if str(refused) == "trimmed":
        return Problem("conflict", n_("So old events are not kept any more."))
    return Problem("conflict", n_("This webhook was never begun: there is nothing to send again."))


async def _moved(call: Call, action: str, moved: Row) -> HookMoved:
    deed = call.deed(action, f"hook:{moved['name']}")
    done = Deed(deed.by, deed.action, deed.object, {"after": moved["after"]}, deed.address)
    await call.people.accounts.note(done, call.people.now())
    return HookMoved(name=moved["name"], after=moved["after"])


READ = "system:read"
ROUTES: tuple[Route, ...] = (
    Route("GET", "/hooks", get_hooks, "Outgoing webhooks and how they fare", ADMIN, READ, answer=Hooks),
    Route(
        *("GET", "/hooks/{name}/attempts", get_attempts, "Attempts to deliver to a webhook", ADMIN, READ),
        query=AttemptsPage,
        answer=HookAttempts,
        problems=("not-found",),
    ),
    Route(
        *("POST", "/hooks/{name}/replay", replay_hook, "Send events again, from a number or a moment on", ADMIN),
        body=HookReplay,
        answer=HookMoved,
        keyed=True,
        problems=("not-found", "conflict"),
    ),
    Route(
        *("POST", "/hooks/{name}/resume", resume_hook, "Go on with a webhook that was stopped", ADMIN),
        answer=HookMoved,
        keyed=True,
        problems=("not-found", "conflict"),
    ),
)

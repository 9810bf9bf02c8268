"""Routes of drafts: what one writes is kept on the server, and no device overwrites another in silence."""

from __future__ import annotations

from core.locale import n_
from gateway.api.deeds import find_session
from gateway.api.models import moment
from gateway.api.models_tools import DraftAsked, DraftDropped, DraftView, Kind, NewDraft
from gateway.api.problems import Problem
from gateway.api.replies import is_ours
from gateway.api.route import WORKERS, Call, Route
from storage.codec import decode_strings, encode
from storage.rows import Row
from storage.tools.drafts import drop_draft as drop
from storage.tools.drafts import find_draft, write_draft
from storage.work.units import asked


async def find(call: Call, kind: Kind) -> Row | None:
    """The caller's draft in the conversation of the path."""
    user, home = call.me.id, call.id
    return await call.floor.units.ask(lambda reads: find_draft(reads, user, home, kind))


async def get_draft(call: Call) -> DraftView:
    wanted: DraftAsked = call.query
    await find_session(call, call.id)
    row = await find(call, wanted.kind)
    if row is None:
        return DraftView(conversation=call.id, kind=wanted.kind, version=0, text="", files=[], at=None)
    return DraftView(
        conversation=call.id,
        kind=wanted.kind,
        version=row["version"],
        text=row["text"],
        files=list(decode_strings.decode(row["files"])),
        at=moment(row["at"]),
    )


async def put_draft(call: Call) -> DraftView:
    """Written over what was seen; colleagues who have the conversation open see that somebody answers."""
    body: NewDraft = call.body
    await find_session(call, call.id)
    await _require_files(call, body.files)
    user, home, now, files = call.me.id, call.id, call.floor.now().timestamp(), encode(body.files)
    version = await call.floor.units.write(
        lambda ledger: write_draft(asked(ledger), user, home, body.kind, body.version, body.text, files, now)
    )
    if not version:
        raise Problem("draft-changed", n_("Read it again: another device wrote, or it was sent."))
    if body.kind == "reply" and body.text.strip() and call.floor.live is not None:
        call.floor.live.signs.answer(home, user)
    return DraftView(
        conversation=home, kind=body.kind, version=version, text=body.text, files=body.files, at=moment(now)
    )


async def _require_files(call: Call, files: list[str]) -> None:
    """Files that people gave, or of this conversation. Raises `Problem`."""
    for n, id in enumerate(files):
        file = await call.floor.store.file(id)
        if not (is_ours(file) or (file is not None and file.conversation == call.id)):
            raise Problem("invalid", errors=[{"pointer": f"/files/{n}", "detail": n_("There is no such file here.")}])


async def drop_draft(call: Call) -> None:
    wanted: DraftDropped = call.query
    await find_session(call, call.id)
    await forget(call, wanted.kind, wanted.version)


async def forget(call: Call, kind: Kind, version: int) -> None:
    """What was sent, or is not wanted any more; one that was written since stays."""
    user, home = call.me.id, call.id
    await call.floor.units.write(lambda ledger: drop(asked(ledger), user, home, kind, version))


async def require_kind(call: Call, kind: Kind, version: int) -> None:
    """A draft for the colleagues does not go to the client, nor the other way. Raises `Problem`."""
    other: Kind = "note" if kind == "reply" else "reply"
    row = await find(call, other)
    if row is not None and row["version"] == version:
        raise Problem("invalid", errors=[{"pointer": "/draft", "detail": n_("This is the draft of the other kind.")}])


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/conversations/{id}/draft",
        get_draft,
        "What one has begun to write",
        WORKERS,
        "conversations:read",
        query=DraftAsked,
        answer=DraftView,
    ),
    Route(
        "PUT",
        "/conversations/{id}/draft",
        put_draft,
        "Keep what one has written so far, over the version that was seen",
        WORKERS,
        "conversations:write",
        body=NewDraft,
        answer=DraftView,
        problems=("draft-changed",),
    ),
    Route(
        "DELETE",
        "/conversations/{id}/draft",
        drop_draft,
        "Forget a draft up to a version",
        WORKERS,
        "conversations:write",
        query=DraftDropped,
        status=204,
    ),
)

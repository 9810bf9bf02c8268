"""The words of a reply before they go: a canned one is filled in, an open variable keeps it back, its draft ends with it."""

from __future__ import annotations

from core.accounts import operator_id
from core.events import OperatorAct
from core.kinds import INLINE
from core.locale import n_
from core.messages import Attachment, AttachmentKind, Quote
from gateway.api.deeds import act, deed, find_session, put, right
from gateway.api.drafts import forget, require_kind
from gateway.api.models import ActDone
from gateway.api.models_deeds import ReplyAct, WhisperAct
from gateway.api.problems import Problem
from gateway.api.replies import fill_canned, find_canned
from gateway.api.route import Call, Route
from gateway.api.showing import said
from gateway.mentions import MayNotSee, called
from gateway.replies import open_in
from handoff.acts.act import RIGHT
from storage.codec import decode_strings
from storage.lists.talk import read_message
from storage.rows import Row
from storage.shape import history_item
from storage.tools.replies import count_use
from storage.work.units import asked

QUOTE_LIMIT = 200  # characters of what is answered


async def reply(call: Call) -> ActDone:
    """Words and files; a file must be ours, and of nobody else's conversation."""
    given: ReplyAct = call.body
    row = await find_session(call, call.id)
    body = await prepare(call, given)
    files = [await _file(call, n, id) for n, id in enumerate(body.files)]
    operator, data = operator_id(call.me.id), {RIGHT: right(call, row)}
    quote = await _quote(call, body.quote) if body.quote is not None else None
    event = OperatorAct(operator, "reply", body.text, body.epoch, call.key, quote, tuple(files), data)
    done = await put(call, call.id, event)
    await _after_reply(call, given)
    return done


async def _file(call: Call, n: int, id: str) -> Attachment:
    file = await call.floor.store.file(id)
    if file is None or file.error or not file.sha256 or file.conversation not in (0, call.id):
        raise Problem("unknown-file", errors=[{"pointer": f"/files/{n}", "detail": n_("There is no such file here.")}])
    kind: AttachmentKind = "photo" if file.mime in INLINE else "file"
    return Attachment(kind, file.id, name=file.name, mime=file.mime, size=file.size)


async def _quote(call: Call, seq: int) -> Quote:
    """The message at a place of the conversation, as something that can be answered. Raises `Problem`."""
    row = await call.floor.units.ask(lambda reads: read_message(reads, call.id, seq))
    if row is None or not row["message_id"]:
        raise Problem("invalid", errors=[{"pointer": "/quote", "detail": n_("There is no such message here.")}])
    item = history_item(row)
    return Quote(item.message_id, said(item.event, item.message)[:QUOTE_LIMIT])


async def prepare(call: Call, body: ReplyAct) -> ReplyAct:
    """The reply as it is to be sent. Raises `Problem`: `unfilled` when a variable has no value."""
    if body.draft is not None:
        await require_kind(call, "reply", body.draft)
    if body.canned is None:
        return body
    row = await find_canned(call, body.canned)
    if body.text.strip():
        _require_filled(open_in(row, body.text))
        return body
    done = await fill_canned(call, row)
    _require_filled(done.unfilled)
    files = [*body.files, *decode_strings.decode(row["files"])]
    return body.model_copy(update={"text": done.text, "files": list(dict.fromkeys(files))})


def _require_filled(names: tuple[str, ...]) -> None:
    if names:
        errors = [{"pointer": "/text", "detail": name} for name in names]
        raise Problem("unfilled", n_("Fill these in: {names}"), errors, values={"names": ", ".join(names)})


async def _after_reply(call: Call, body: ReplyAct) -> None:
    """Its draft is of no use any more, and the canned reply was used once more."""
    if body.draft is not None:
        await forget(call, "reply", body.draft)
    if body.canned is not None:
        id, now = body.canned, call.floor.now().timestamp()
        await call.floor.units.write(lambda ledger: count_use(asked(ledger), id, now))


async def note(call: Call) -> ActDone:
    """Only those who may see the conversation are called."""
    body: WhisperAct = call.body
    row = await find_session(call, call.id)
    if body.draft is not None:
        await require_kind(call, "note", body.draft)
    mention = [operator_id(user) for user in await _whom(call, row, body)]
    done = await act(call, "note", body.text, mention=mention)
    if body.draft is not None:
        await forget(call, "note", body.draft)
    return done


async def _whom(call: Call, session: Row, body: WhisperAct) -> list[int]:
    """The accounts that a note calls. Raises `Problem`."""
    floor = call.floor
    try:
        found = await called(call.people.accounts, floor.channel_lines, session, body.text, body.mention)
    except MayNotSee as error:
        detail = f"@{error} does not see this conversation."
        raise Problem("invalid", errors=[{"pointer": "/text", "detail": detail}]) from None
    return [user.id for user in found]


ROUTES: tuple[Route, ...] = (
    deed(
        "reply",
        "Answer the client; only the owner may",
        ReplyAct,
        reply,
        ("nothing-said", "unknown-file", "unfilled", "invalid"),
    ),
    deed("note", "A private note for the colleagues", WhisperAct, note, ("nothing-said", "invalid")),
)

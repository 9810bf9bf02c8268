"""Files of people at work: streamed to the disk under a cap, typed by their bytes, then named in a reply."""

from __future__ import annotations

import secrets

from adapters.web.refusal import Refused
from adapters.web.uploads import land, read_part
from core.files import StoredFile
from core.kinds import INLINE, UNKNOWN, is_inert
from core.locale import n_
from gateway.api.models_deeds import Uploaded
from gateway.api.problems import Problem
from gateway.api.route import WORKERS, Call, Route

# Refusals of the form → the problem that says so.
PROBLEMS = {"too_large": "too-large", "encoding": "not-form"}
FORM = 8192  # bytes that a form has around its file


async def upload(call: Call) -> Uploaded:
    """The part `file` of a form. A file that is not what its name says, or of no known type, is not taken."""
    limit, files = call.floor.config.storage.upload_size, call.floor.files
    assert files is not None
    if call.request.content_type != "multipart/form-data":
        raise Problem("not-form")
    if (call.request.content_length or 0) > limit + FORM:
        raise Problem("too-large")
    try:
        landed = await land(await read_part(call.request), files, limit)
    except Refused as refused:
        detail = refused.body("en")["message"]
        raise Problem(PROBLEMS.get(refused.code, "invalid"), detail) from None
    if landed.mime == UNKNOWN or is_inert(landed.name, landed.mime):
        raise Problem("wrong-type", n_("{name} cannot be told to be what it says."), values={"name": landed.name})
    file = StoredFile(f"u{secrets.token_hex(16)}", 0, landed.name, landed.mime, landed.size, sha256=landed.sha256)
    file.kind = "photo" if landed.mime in INLINE else "file"
    await call.floor.store.add_file(file)
    return Uploaded(id=file.id, name=file.name, mime=file.mime, size=file.size)


ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/files",
        upload,
        "Give us a file for a reply",
        WORKERS,
        "conversations:write",
        answer=Uploaded,
        status=201,
        form=True,
        problems=("too-large", "not-form", "wrong-type", "invalid"),
    ),
)

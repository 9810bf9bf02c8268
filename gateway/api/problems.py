"""Problem details (RFC 9457): every refusal of the API has a type that programs know and words for people."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import orjson
from aiohttp import web

from gateway.server import SAFE

KIND = "application/problem+json"
# The types by name: status and title. A client tells refusals apart by `type`, `urn:frontline:<name>`.
TYPES: dict[str, tuple[int, str]] = {
    "unreadable": (400, "The body is no JSON"),
    "not-signed-in": (401, "Nobody is signed in"),
    "wrong-sign-in": (401, "The name or the password is wrong"),
    "code-needed": (401, "A code of the second factor is needed"),
    "wrong-code": (401, "The code is wrong or was used before"),
    "foreign-site": (403, "The request comes from another site"),
    "not-allowed": (403, "This role, or this token, may not do that"),
    "not-found": (404, "There is no such thing"),
    "no-method": (405, "This cannot be done here"),
    "conflict": (409, "This cannot be done now"),
    "stale": (409, "The session has changed hands since"),
    "not-yours": (409, "Somebody else has this session"),
    "not-now": (409, "The session is in a state where this cannot be done"),
    "nothing-said": (422, "There is nothing to say"),
    "not-own": (409, "It is no message of an operator that you may change"),
    "not-changeable": (409, "The message cannot be changed any more"),
    "not-failed": (409, "There is nothing to send again"),
    "unconfirmed": (409, "The client may have this message; say that it may come twice"),
    "draft-changed": (409, "The draft was changed elsewhere"),
    "unfilled": (422, "Some variables have no value"),
    "line-closed": (409, "The line is closed"),
    "person-absent": (409, "This person is not there"),
    "unknown-line": (422, "There is no such line"),
    "unknown-person": (422, "This person does not work there"),
    "packet-incomplete": (422, "The line needs more than that; send it as urgent, or fill it in"),
    "reason-needed": (422, "Say why"),
    "category-needed": (422, "Choose one of the line's categories"),
    "unknown-flow": (422, "There is no such flow"),
    "unknown-field": (422, "There is no such field"),
    "wrong-value": (422, "The field does not take this"),
    "unknown-file": (422, "There is no such file"),
    "not-form": (415, "The body must be multipart/form-data"),
    "wrong-type": (415, "Files of this type are not taken"),
    "ticket-changed": (409, "The ticket has changed since"),
    "ticket-joined": (409, "A ticket that is joined to another follows that one"),
    "not-outer": (409, "The ticket has no outer desk"),
    "unknown-desk": (422, "There is no such desk"),
    "unknown-status": (422, "The desk has no such status"),
    "unknown-category": (422, "The desk has no such category"),
    "needs-missing": (422, "The desk needs more than that"),
    "failed": (500, "This could not be done; the details are in the log"),
    "done-before": (409, "This was done before, and its secret was shown then"),
    "answer-lost": (409, "This was done before, but its answer was lost: look at what there is now"),
    "under-way": (409, "The same request is under way"),
    "too-large": (413, "The body is too large"),
    "not-json": (415, "The body must be application/json"),
    "invalid": (422, "Something in the request does not fit"),
    "other-request": (422, "Another request had this idempotency key"),
    "upgrade-required": (426, "Only a WebSocket is served here"),
    "slow-down": (429, "Too many attempts"),
}


@dataclass
class Problem(Exception):
    """A refusal: the name of its type, what it is about, and places in the request with what is wrong there."""

    name: str
    detail: str = ""
    errors: list[dict[str, str]] = field(default_factory=list)
    after: float = 0.0
    allow: tuple[str, ...] = ()

    @property
    def status(self) -> int:
        return TYPES[self.name][0]

    def answer(self) -> web.Response:
        """The response; `Retry-After`, `Allow` and `WWW-Authenticate` where HTTP wants them."""
        status, title = TYPES[self.name]
        body = {"type": f"urn:frontline:{self.name}", "title": title, "status": status}
        more = {"detail": self.detail, "errors": self.errors}
        headers = {**SAFE, **self._headers(status)}
        body |= {name: value for name, value in more.items() if value}
        return web.Response(body=orjson.dumps(body), status=status, content_type=KIND, headers=headers)

    def _headers(self, status: int) -> dict[str, str]:
        if status == 401:
            return {"WWW-Authenticate": 'Bearer realm="frontline"'}
        if status == 429:
            return {"Retry-After": str(math.ceil(self.after))}
        return {"Allow": ", ".join(self.allow)} if self.allow else {}

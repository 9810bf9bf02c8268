"""Problem details (RFC 9457): every refusal of the API has a type that programs know and words for people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from core.locale import Texts, n_, texts
from gateway.api.speech import PLAIN
from gateway.server import SAFE

KIND = "application/problem+json"
# The types by name: status and title. A client tells refusals apart by `type`, `urn:frontline:<name>`.
TYPES: dict[str, tuple[int, str]] = {
    "unreadable": (400, n_("The body is no JSON")),
    "not-signed-in": (401, n_("Nobody is signed in")),
    "wrong-sign-in": (401, n_("The name or the password is wrong")),
    "code-needed": (401, n_("A code of the second factor is needed")),
    "wrong-code": (401, n_("The code is wrong or was used before")),
    "foreign-site": (403, n_("The request comes from another site")),
    "not-allowed": (403, n_("This role, or this token, may not do that")),
    "not-found": (404, n_("There is no such thing")),
    "no-method": (405, n_("This cannot be done here")),
    "conflict": (409, n_("This cannot be done now")),
    "card-changed": (409, n_("Somebody has written on the card since")),
    "stale": (409, n_("The session has changed hands since")),
    "not-yours": (409, n_("Somebody else has this session")),
    "not-now": (409, n_("The session is in a state where this cannot be done")),
    "nothing-said": (422, n_("There is nothing to say")),
    "not-own": (409, n_("It is no message of an operator that you may change")),
    "not-changeable": (409, n_("The message cannot be changed any more")),
    "not-failed": (409, n_("There is nothing to send again")),
    "unconfirmed": (409, n_("The client may have this message; say that it may come twice")),
    "draft-changed": (409, n_("The draft was changed elsewhere")),
    "unfilled": (422, n_("Some variables have no value")),
    "line-closed": (409, n_("The line is closed")),
    "person-absent": (409, n_("This person is not there")),
    "unknown-line": (422, n_("There is no such line")),
    "unknown-person": (422, n_("This person does not work there")),
    "packet-incomplete": (422, n_("The line needs more than that; send it as urgent, or fill it in")),
    "reason-needed": (422, n_("Say why")),
    "category-needed": (422, n_("Choose one of the line's categories")),
    "unknown-flow": (422, n_("There is no such flow")),
    "unknown-field": (422, n_("There is no such field")),
    "wrong-value": (422, n_("The field does not take this")),
    "unknown-file": (422, n_("There is no such file")),
    "not-form": (415, n_("The body must be multipart/form-data")),
    "wrong-type": (415, n_("Files of this type are not taken")),
    "ticket-changed": (409, n_("The ticket has changed since")),
    "ticket-joined": (409, n_("A ticket that is joined to another follows that one")),
    "not-outer": (409, n_("The ticket has no outer desk")),
    "unknown-desk": (422, n_("There is no such desk")),
    "unknown-status": (422, n_("The desk has no such status")),
    "unknown-category": (422, n_("The desk has no such category")),
    "needs-missing": (422, n_("The desk needs more than that")),
    "failed": (500, n_("This could not be done; the details are in the log")),
    "done-before": (409, n_("This was done before, and its secret was shown then")),
    "answer-lost": (409, n_("This was done before, but its answer was lost: look at what there is now")),
    "under-way": (409, n_("The same request is under way")),
    "too-large": (413, n_("The body is too large")),
    "not-json": (415, n_("The body must be application/json")),
    "invalid": (422, n_("Something in the request does not fit")),
    "other-request": (422, n_("Another request had this idempotency key")),
    "upgrade-required": (426, n_("Only a WebSocket is served here")),
    "slow-down": (429, n_("Too many attempts")),
}


@dataclass
class Problem(Exception):
    """A refusal: the name of its type, what it is about, and places in the request with what is wrong there.

    `detail` is a message id, `{name}` places in it are filled from `values`. So are the details of `errors`, each
    `{"pointer", "detail"}` and perhaps `values` of its own.
    """

    name: str
    detail: str = ""
    errors: Sequence[Mapping[str, Any]] = field(default_factory=list)
    after: float = 0.0
    allow: tuple[str, ...] = ()
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def status(self) -> int:
        return TYPES[self.name][0]

    def answer(self, language: str = PLAIN) -> web.Response:
        """The response; `Retry-After`, `Allow` and `WWW-Authenticate` where HTTP wants them."""
        t = texts(language)
        status, title = TYPES[self.name]
        body: dict[str, Any] = {"type": f"urn:frontline:{self.name}", "title": t(title), "status": status}
        more = {"detail": t(self.detail, **self.values), "errors": [_error(t, it) for it in self.errors]}
        headers = {**SAFE, **self._headers(status), "Content-Language": language}
        body |= {name: value for name, value in more.items() if value}
        return web.Response(body=orjson.dumps(body), status=status, content_type=KIND, headers=headers)

    def _headers(self, status: int) -> dict[str, str]:
        if status == 401:
            return {"WWW-Authenticate": 'Bearer realm="frontline"'}
        if status == 429:
            return {"Retry-After": str(math.ceil(self.after))}
        return {"Allow": ", ".join(self.allow)} if self.allow else {}


def _error(t: Texts, error: Mapping[str, Any]) -> dict[str, str]:
    said, values = error["detail"], error.get("values", {})
    return {"pointer": error["pointer"], "detail": t(said, **values)}

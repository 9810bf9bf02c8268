"""`kind: webhook`: a desk in another system. Every ticket is a signed POST; statuses come back signed the same way.

The signature is `sha256=` and the hex HMAC-SHA256, under the shared secret, of the timestamp, a dot and the raw body.
It stands in `X-Frontline-Signature`, the timestamp (whole seconds since 1970, UTC) in `X-Frontline-Timestamp`. Who
receives must refuse timestamps that are more than five minutes off: that is what stops replays.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from time import time
from typing import Any, ClassVar

import msgspec
import orjson
from aiohttp.abc import AbstractResolver
from yarl import URL

from adapters.remote import Remote, Reply, Unanswered, find_path
from adapters.services.settings import parse_settings, render_param
from core.normal import clean
from core.ports import FileLink, Outcome, Ticket

TOLERANCE = 300.0  # seconds a signed request stays valid
COMMENT = 4000  # characters of a comment that reach the client
COME_AGAIN = (408, 425, 429)  # refusals that are about the moment, not about the ticket


class StatusRule(msgspec.Struct, frozen=True):
    """What a status word of theirs means here."""

    title: str
    done: bool = False


class AnswerPaths(msgspec.Struct, frozen=True):
    """Where their answer holds their number and a link."""

    number: str = "number"
    link: str = "link"


class DeskRules(msgspec.Struct, frozen=True):
    """Settings of the kind. `timeout` in seconds."""

    url: str
    secret: str
    timeout: float = 10.0
    answer: AnswerPaths = AnswerPaths()
    statuses: dict[str, StatusRule] = {}
    allow_private: bool = False


class Change(msgspec.Struct, frozen=True):
    """A status that came back: our number, their word for it, whether they call it done, a comment."""

    number: int
    status: str
    done: bool = False
    comment: str = ""


class Webhook:
    """`push` may be repeated: the desk tells repeats by `Idempotency-Key` and by our number."""

    kind: ClassVar[str] = "webhook"

    def __init__(
        self, rules: DeskRules, clock: Callable[[], float] = time, resolver: AbstractResolver | None = None
    ) -> None:
        if URL(rules.url).scheme not in ("http", "https") or not URL(rules.url).host:
            raise ValueError("url must be an address: https://…")
        if not rules.secret:
            raise ValueError("secret must not be empty: without it nobody can tell who posts")
        self._url, self._secret, self._answer, self._clock = URL(rules.url), rules.secret, rules.answer, clock
        self._client = Remote(rules.timeout, 1 << 20, rules.allow_private, {"Accept": "application/json"}, resolver)

    @classmethod
    def build(cls, settings: Mapping[str, Any]) -> Webhook:
        """The desk of these settings. Raises ValueError."""
        return cls(parse_settings(DeskRules, settings))

    async def push(self, ticket: Ticket, key: str, files: Sequence[FileLink] = ()) -> Outcome:
        """4xx is a refusal; a server's failure or silence asks to come again."""
        body = orjson.dumps(render_ticket(ticket, files))
        stamp = str(int(self._clock()))
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": key,
            "X-Frontline-Timestamp": stamp,
            "X-Frontline-Signature": signature(self._secret, stamp, body),
        }
        try:
            reply = await self._client.ask("POST", self._url, body, headers)
        except Unanswered as error:
            return Outcome("retry" if error.brief else "failed", error=str(error))
        return self._outcome(reply)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    def _outcome(self, reply: Reply) -> Outcome:
        if reply.ok:
            return Outcome("ok", parse_answer(reply, self._answer))
        again = reply.status >= 500 or reply.status in COME_AGAIN
        return Outcome("retry" if again else "failed", error=f"HTTP {reply.status}", after=reply.after)


def render_ticket(ticket: Ticket, files: Sequence[FileLink] = ()) -> dict[str, Any]:
    """The ticket as the other system reads it. Fields keep their order; `attachments` say where the files can be fetched."""
    return {
        "number": ticket.number,
        "desk": ticket.desk,
        "title": ticket.title,
        "text": ticket.text,
        "fields": ticket.fields,
        "files": list(ticket.files),
        "attachments": [msgspec.to_builtins(file) for file in files],
        "priority": ticket.priority,
        "client": ticket.client,
        "created_at": ticket.created_at,
    }


def parse_answer(reply: Reply, paths: AnswerPaths) -> dict[str, Any]:
    """Their number and link. The ticket was taken, so an answer without them is an answer still."""
    try:
        answer = reply.json()
    except Unanswered:
        answer = None
    number = clean(render_param(find_path(answer, paths.number)))[:64]
    link = clean(render_param(find_path(answer, paths.link)))[:2000]
    return {"number": number, "link": link if link.startswith(("https://", "http://")) else ""}


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`sha256=<hex>` of `timestamp.body`."""
    signed = timestamp.encode() + b"." + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def verify_signature(secret: str, timestamp: str, body: bytes, given: str, now: float | None = None) -> bool:
    """Whether the body was signed with the secret within the last five minutes; compared in constant time."""
    if not secret or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return False
    fresh = abs((time() if now is None else now) - int(timestamp)) <= TOLERANCE
    expected = signature(secret, timestamp, body)
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")) and fresh


def parse_status(body: Any) -> Change | None:
    """`{"number": 12, "status": "closed", "comment": "…", "done": true}` → a change; None when it cannot be read.

    `number` is ours, a number or its digits. What the word means here is said by the desk's settings.
    """
    if not isinstance(body, Mapping):
        return None
    number, word, comment = str(body.get("number", "")), body.get("status"), body.get("comment")
    if not (number.isascii() and number.isdigit() and len(number) < 16) or not isinstance(comment, str | None):
        return None
    if not isinstance(word, str) or not clean(word).strip():
        return None
    return Change(
        int(number), clean(word).strip()[:64], body.get("done") is True, clean(comment or "").strip()[:COMMENT]
    )

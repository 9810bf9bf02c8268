"""Our side, played: signed calls to an endpoint, broken ones on request, and what its answers are worth."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import aiohttp
import msgspec
import orjson

from adapters.api import schema
from adapters.api.capabilities import ANSWER_BYTES
from adapters.api.signing import Signer
from adapters.api.verdicts import MOST_AFTER
from adapters.remote import parse_retry_after
from adapters.verdict import Failed
from core.locale import n_

PATIENCE = 5  # times that a 429 is waited for
LONGEST_WAIT = 60.0
EXAMPLE = '{"message_id": "…"}'


class Answer(NamedTuple):
    """What came back; `status` 0: nothing did, and `trouble` says why. `after` is `Retry-After` in seconds."""

    status: int
    said: Any = None
    after: float = 0.0
    seconds: float = 0.0
    trouble: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Player:
    """Calls one endpoint. `seconds` bound an answer; `limit` is the longest text; `chat` gets all messages."""

    def __init__(self, url: str, keys: list[bytes], chat: str, limit: int = 4096, seconds: float = 15.0) -> None:
        self.url, self.chat, self.limit, self.seconds = url, chat, limit, seconds
        self.signer = Signer(keys[:1])
        self.slowest = 0.0
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def key(self) -> str:
        """A key nobody has used."""
        return f"test-{secrets.token_hex(8)}:0"

    def message(self, text: str, **more: Any) -> schema.Send:
        return schema.Send(key=self.key(), chat=self.chat, text=text, **more)

    async def call(self, call: schema.Call, patient: bool = True) -> Answer:
        """A call as the gateway makes it."""
        return await self.post(msgspec.json.encode(call), call.key, patient=patient)

    async def raw(self, value: Mapping[str, Any]) -> Answer:
        """Any signed object."""
        return await self.post(orjson.dumps(value), str(value["key"]))

    async def post(
        self,
        body: bytes,
        key: str,
        headers: Mapping[str, str] | None = None,
        away: float = 0.0,
        patient: bool = True,
    ) -> Answer:
        """One request. `headers` stand in for the signed ones; `away` moves the timestamp (seconds). A 429 is obeyed, unless
        the check wants to see it."""
        for _ in range(PATIENCE if patient else 1):
            signed = self.signer.headers(key, time.time() + away, body) if headers is None else headers
            answer = await self._asked(body, {"Content-Type": "application/json", "Idempotency-Key": key, **signed})
            if answer.status != 429 or not patient:
                break
            await asyncio.sleep(min(answer.after or 1.0, LONGEST_WAIT))
        return answer

    async def _asked(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        began = time.monotonic()
        try:
            async with asyncio.timeout(self.seconds):
                status, raw, after = await self._once(body, headers)
        except TimeoutError:
            return Answer(0, trouble=n_("no answer in time"))
        except (aiohttp.ClientError, OSError, ValueError):
            return Answer(0, trouble=n_("no connection, or it broke"))
        took = time.monotonic() - began
        self.slowest = max(self.slowest, took)
        return Answer(status, _read(raw), min(after, MOST_AFTER), took)

    async def _once(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes, float]:
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        async with self._session.post(self.url, data=body, headers=headers, allow_redirects=False) as answer:
            after = parse_retry_after(answer.headers.get("Retry-After", ""))
            return answer.status, await answer.content.read(ANSWER_BYTES), after


def shown(answer: Answer) -> str:
    """The message_id of an answer to a `send`. Raises Failed."""
    done(answer)
    said = answer.said
    if not isinstance(said, dict):
        raise Failed(n_("the answer is not a JSON object"), n_("answer {example}"), example=EXAMPLE)
    id = said.get("message_id")
    if not isinstance(id, str) or not 0 < len(id) <= 200:
        raise Failed(
            n_("the answer names no `message_id`"),
            n_("answer {example}: a text of 1 to 200 characters"),
            example=EXAMPLE,
        )
    return id


def done(answer: Answer) -> None:
    """The call was taken. Raises Failed."""
    if not answer.status:
        raise Failed(
            n_("there is no answer: {trouble}"),
            n_("answer within a few seconds and do slow work afterwards; is the address right?"),
            trouble=answer.trouble,
        )
    if not answer.ok:
        raise Failed(
            n_("the answer is {status} {words}"),
            n_("answer 200 as soon as the call is safe with you"),
            status=answer.status,
            words=_words(answer.said),
        )


def refused(answer: Answer, mend: str) -> None:
    """The call was turned away for good. Raises Failed."""
    if answer.ok:
        raise Failed(n_("it was taken: the answer is {status}"), mend, status=answer.status)
    if not answer.status:
        raise Failed(n_("there is no answer: {trouble}"), mend, trouble=answer.trouble)
    if not 400 <= answer.status < 500 or answer.status in {408, 429}:
        raise Failed(n_("the answer is {status}: such a call is repeated again and again"), mend, status=answer.status)


def _read(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None


def _words(said: Any) -> str:
    found = said.get("detail") or said.get("title") if isinstance(said, dict) else ""
    return " ".join(str(found or "").split())[:200]

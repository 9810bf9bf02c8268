"""What an integrator's answers mean for a row: pure, one place."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import orjson

from adapters.sending import backoff
from core.normal import clean

SETUP_SECONDS = 60.0
MOST_AFTER = 3600.0
REASON_LIMIT = 300
SETUP = frozenset((401, 407))  # our signature is not taken: a secret differs
ABSENT = frozenset((404, 405))  # without a word of theirs: nobody serves this address


class Answer(NamedTuple):
    """An answer. `after` is its `Retry-After` in seconds, 0 when it said nothing."""

    status: int
    body: bytes = b""
    after: float = 0.0


class Judged(NamedTuple):
    """`gone`: the message to change or delete is not there. `alarm`: people must look after the settings."""

    verdict: Literal["sent", "retry", "unreachable", "rejected", "gone"]
    message_id: str = ""
    reason: str = ""
    after: float = 0.0
    scope: Literal["", "chat", "account"] = ""
    alarm: bool = False


def judge(answer: Answer, attempts: int) -> Judged:
    """What becomes of a call that was answered so at its `attempts`-th repetition (0 at first)."""
    said = _object(answer.body)
    code, status = said.get("code"), answer.status
    if 200 <= status < 300 or status == 409 or code == "already":
        return Judged("sent", _id(said))
    words = _words(status, said)
    if status < 400 or status in SETUP or (status in ABSENT and not code):
        return Judged("retry", reason=words, after=SETUP_SECONDS, scope="account", alarm=True)
    if status == 410 or code == "unreachable":
        return Judged("unreachable", reason=words)
    if code == "message_not_found":
        return Judged("gone", reason=words)
    if status in {408, 425, 429} or status >= 500:
        return _later(answer, said, words, attempts)
    return Judged("rejected", reason=words)


def _later(answer: Answer, said: dict[str, Any], words: str, attempts: int) -> Judged:
    """`Retry-After` of a 429 or 503 is about all of our calls, unless they say that it is about this chat."""
    scope: Literal["", "chat", "account"] = ""
    if answer.status == 429 or (answer.status == 503 and answer.after):
        scope = "chat" if said.get("scope") == "chat" else "account"
    return Judged("retry", reason=words, after=min(answer.after, MOST_AFTER) or backoff(attempts), scope=scope)


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def _id(said: dict[str, Any]) -> str:
    """The message's id, also when it is a number; empty when there is none that could be one."""
    id = said.get("message_id")
    whole = isinstance(id, int) and not isinstance(id, bool)
    text = clean(str(id)).strip() if isinstance(id, str) or whole else ""
    return text if len(text) <= 200 else ""


def _words(status: int, said: dict[str, Any]) -> str:
    """Their words with the status."""
    found = (said.get(name) for name in ("detail", "title", "message", "error"))
    words = next((one for one in found if isinstance(one, str) and one.strip()), "")
    return f"{status} {' '.join(clean(words).split())}".strip()[:REASON_LIMIT]

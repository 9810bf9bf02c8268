"""The table of the platform's refusals."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.telegram.verdicts import Refused, judge
from core.outbox import Sent

TABLE: list[tuple[int, str, dict[str, Any], Sent]] = [
    (429, "Too Many: retry after 3", {"retry_after": 3}, Sent("retry", reason="429 Too Many: retry after 3", after=3)),
    (429, "Too Many Requests", {}, Sent("retry", reason="429 Too Many Requests", after=1)),
    (429, "odd", {"retry_after": "soon"}, Sent("retry", reason="429 odd", after=1)),
    (400, "moved", {"migrate_to_chat_id": -100}, Sent("retry", reason="the group became a supergroup", migrate_to="-100")),
    (401, "Unauthorized", {}, Sent("retry", reason="401 Unauthorized", after=60, scope="account")),
    (404, "Not Found", {}, Sent("retry", reason="404 Not Found", after=60, scope="account")),
    (403, "Forbidden: bot was kicked", {}, Sent("unreachable", reason="403 Forbidden: bot was kicked")),
    (400, "Bad Request: CHAT NOT FOUND", {}, Sent("unreachable", reason="400 Bad Request: CHAT NOT FOUND")),
    (400, "Bad Request: message is too long", {}, Sent("rejected", reason="400 Bad Request: message is too long")),
    (413, "Request Entity Too Large", {}, Sent("rejected", reason="413 Request Entity Too Large")),
    (409, "Conflict", {}, Sent("retry", reason="409 Conflict", after=4)),
    (500, "Internal Server Error: restart", {}, Sent("retry", reason="500 Internal Server Error: restart", after=4)),
    (502, "", {}, Sent("retry", reason="502", after=4)),
]  # fmt: skip


@pytest.mark.parametrize(("code", "words", "parameters", "expected"), TABLE)
def test_table(code: int, words: str, parameters: dict[str, Any], expected: Sent) -> None:
    assert judge(Refused(code, words, parameters), attempts=2) == expected

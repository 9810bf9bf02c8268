"""What answers mean: one table."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.api.verdicts import Answer, Judged, judge


def judged(status: int, said: Any = None, after: float = 0.0, attempts: int = 0) -> Judged:
    body = said if isinstance(said, bytes) else json.dumps(said).encode() if said is not None else b""
    return judge(Answer(status, body, after), attempts)


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        (200, {"message_id": "m1"}, Judged("sent", "m1")),
        (201, {"message_id": 17}, Judged("sent", "17")),
        (200, {"message_id": True}, Judged("sent")),
        (200, {"message_id": {"a": 1}}, Judged("sent")),
        (200, {"message_id": "x" * 300}, Judged("sent")),
        (200, {"message_id": "a\x00\u202eb"}, Judged("sent", "ab")),
        (204, None, Judged("sent")),
        (200, b"<html>", Judged("sent")),
        (200, [1], Judged("sent")),
        (409, {"message_id": "m1"}, Judged("sent", "m1")),
        (409, None, Judged("sent")),
        (400, {"code": "already", "message_id": "m1"}, Judged("sent", "m1")),
        (410, None, Judged("unreachable", reason="410")),
        (403, {"code": "unreachable", "detail": "blocked"}, Judged("unreachable", reason="403 blocked")),
        (404, {"code": "message_not_found"}, Judged("gone", reason="404")),
        (404, {"code": "unsupported", "title": "no"}, Judged("rejected", reason="404 no")),
        (422, {"detail": "слишком\nдлинно"}, Judged("rejected", reason="422 слишком длинно")),
        (400, {"error": "bad"}, Judged("rejected", reason="400 bad")),
        (400, {"detail": 5, "message": "m"}, Judged("rejected", reason="400 m")),
        (403, b"", Judged("rejected", reason="403")),
        (413, b"<html>", Judged("rejected", reason="413")),
        (401, None, Judged("retry", reason="401", after=60.0, scope="account", alarm=True)),
        (404, b"<html>", Judged("retry", reason="404", after=60.0, scope="account", alarm=True)),
        (302, None, Judged("retry", reason="302", after=60.0, scope="account", alarm=True)),
        (500, None, Judged("retry", reason="500", after=1.0)),
        (408, None, Judged("retry", reason="408", after=1.0)),
        (425, None, Judged("retry", reason="425", after=1.0)),
        (503, None, Judged("retry", reason="503", after=1.0)),
        (429, None, Judged("retry", reason="429", after=1.0, scope="account")),
        (429, {"scope": "chat"}, Judged("retry", reason="429", after=1.0, scope="chat")),
    ],
)
def test_verdicts(status: int, said: Any, expected: Judged) -> None:
    assert judged(status, said) == expected


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed_for_all_calls(status: int) -> None:
    found = judged(status, after=7.0)
    assert (found.after, found.scope) == (7.0, "account")
    assert judged(status, after=1e9).after == 3600.0


def test_pauses_grow_up_to_a_minute() -> None:
    assert [judged(500, attempts=n).after for n in (0, 1, 2, 3, 6, 100)] == [1, 2, 4, 8, 60, 60]


def test_long_words_are_cut() -> None:
    assert len(judged(400, {"detail": "x" * 1000}).reason) == 300


@settings(deadline=None)
@given(st.integers(200, 599), st.binary(max_size=60), st.integers(0, 200))
def test_every_answer_has_a_verdict(status: int, body: bytes, attempts: int) -> None:
    found = judge(Answer(status, body), attempts)
    assert found.verdict != "retry" or 0 < found.after <= 3600

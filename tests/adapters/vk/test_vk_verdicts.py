"""VK's error codes as data."""

from __future__ import annotations

import pytest

from adapters.vk.pacing import Windows
from adapters.vk.verdicts import RULES, Refused, is_alarm, judge
from tests.emulators.vk_schema import vk_schema


@pytest.mark.parametrize(
    ("code", "verdict", "scope", "after"),
    [
        (1, "retry", "chat", 1.0),
        (5, "retry", "account", 60.0),
        (6, "retry", "account", 1.0),
        (7, "rejected", "chat", 0.0),
        (9, "retry", "chat", 5.0),
        (10, "retry", "chat", 1.0),
        (14, "retry", "account", 60.0),
        (15, "rejected", "chat", 0.0),
        (27, "retry", "account", 60.0),
        (29, "retry", "account", 60.0),
        (100, "rejected", "chat", 0.0),
        (900, "unreachable", "chat", 0.0),
        (901, "unreachable", "chat", 0.0),
        (902, "unreachable", "chat", 0.0),
        (911, "rejected", "chat", 0.0),
        (912, "rejected", "chat", 0.0),
        (914, "rejected", "chat", 0.0),
        (917, "unreachable", "chat", 0.0),
        (936, "unreachable", "chat", 0.0),
        (123_456, "rejected", "chat", 0.0),
    ],
)
def test_codes(code: int, verdict: str, scope: str, after: float) -> None:
    sent = judge(Refused(code, "words"), 0)
    assert (sent.verdict, sent.scope, sent.after) == (verdict, scope, after)
    assert sent.reason == f"{code} words"


def test_every_documented_error_of_sending_has_a_rule() -> None:
    documented = set(vk_schema().methods["messages.send"]["error_codes"])
    ours = {104, 943, 944, 962, 969}  # of intents, subscriptions and forwards, which we never use
    assert documented - ours <= set(RULES)


def test_pauses_grow_up_to_their_limit() -> None:
    assert [judge(Refused(9), n).after for n in (0, 1, 3, 20)] == [5.0, 10.0, 40.0, 300.0]


def test_what_people_must_look_after() -> None:
    assert [code for code in (5, 6, 9, 14, 27, 901) if is_alarm(code)] == [5, 14, 27]


def test_many_peers_in_flood_close_the_community() -> None:
    now = [100.0]
    windows = Windows(None, lambda: now[0])
    assert [windows.close(peer, 5.0) for peer in ("1", "1", "2")] == ["chat", "chat", "chat"]
    assert (windows.closed("1"), windows.closed("3"), windows.closed()) == (5.0, 0.0, 0.0)
    assert windows.close("3", 5.0) == "account"
    assert windows.closed("4") == 5.0
    now[0] += 6
    assert windows.closed("1") == 0.0

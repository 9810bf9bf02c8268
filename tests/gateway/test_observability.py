"""Logs hold no personal data, metrics no names of clients, failpoints cost nothing when they are off."""

from __future__ import annotations

import io
import json

import pytest
import structlog

from gateway.failpoints import _parse, arm, failpoint
from gateway.logs import ALLOWED, only_allowed
from gateway.metrics import Metrics
from storage.memory import MemoryStore
from tests.gateway.house import Clock

CANARIES = ("+79123456789", "maria@example.org", "4111 1111 1111 1111", "42:AAH-token", "Здравствуйте, я Мария")


@pytest.mark.parametrize("canary", CANARIES)
def test_fields_that_could_hold_a_person_are_dropped(canary: str) -> None:
    out = io.StringIO()
    log = structlog.wrap_logger(
        structlog.PrintLogger(out), processors=[only_allowed, structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
    log.warning("not_sent", text=canary, phone=canary, name=canary, token=canary, message=canary, row=7)
    assert canary not in out.getvalue()
    assert json.loads(out.getvalue()) == {"event": "not_sent", "row": 7}


def test_the_list_names_no_content() -> None:
    assert not ALLOWED & {"text", "message", "phone", "name", "email", "token", "secret", "body", "sender", "client"}


async def test_the_page_of_numbers() -> None:
    metrics = Metrics()
    store = MemoryStore(Clock(), frozenset())
    await store.open()
    metrics.messages.labels("telegram", "message").inc()
    page = (await metrics.page(store)).decode()
    assert 'frontline_messages_total{channel="telegram",kind="message"} 1.0' in page
    for what in ("inbox", "outbox", "inbox_age", "outbox_age", "timers", "queued", "quarantine"):
        assert f'frontline_store{{what="{what}"}} 0.0' in page
    await store.close()


def test_failpoints_are_read() -> None:
    points = _parse("outbox.after_send:kill@p=0.02; intake.after_commit:kill@n=3")
    assert points["outbox.after_send"].chance == 0.02
    assert [points["intake.after_commit"].strike() for _ in range(4)] == [False, False, True, False]


def test_only_what_is_armed_can_die() -> None:
    arm("other:kill@n=1")
    failpoint("outbox.after_send")
    arm("")
    failpoint("other")
    assert _parse("") == {}

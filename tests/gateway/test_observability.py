"""Logs hold no personal data, metrics no names of clients, failpoints cost nothing when they are off."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

import pytest
import structlog

from gateway.failpoints import _parse, arm, failpoint
from gateway.logs import ALLOWED, _places, configure, logger, only_allowed
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


def spoilt(canary: str) -> None:
    """An error whose text holds what a client said, caused by another one."""
    try:
        try:
            int(f"x{canary}")
        except ValueError as error:
            raise LookupError(canary) from error
    except LookupError:
        logger().error("step_failed", conversation=7, exc_info=True)
        logging.getLogger("some.library").exception("request from %s failed", canary)
        logging.getLogger("some.library").log(35, "of a level of its own")
        logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: <Task %s>" % canary)  # noqa: UP031


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize("canary", CANARIES)
def test_errors_say_where_never_what(canary: str, lines: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """The text of an exception often quotes its data."""
    with restored_logging():
        configure("info", lines=lines)
        spoilt(canary)
    said = capsys.readouterr().err
    assert canary not in said
    for word in ("step_failed", "LookupError", "ValueError", "test_observability.py", "spoilt", "never retrieved"):
        assert word in said
    assert "request from %s failed" in said
    assert "of a level of its own" in said


def test_errors_that_are_their_own_cause_are_told_once() -> None:
    itself, first, second = ValueError(), KeyError(), OSError()
    itself.__cause__, first.__cause__, second.__context__ = itself, second, first
    assert list(islice(_places(itself), 9)) == ["ValueError"]
    assert list(islice(_places(first), 9)) == ["KeyError", "OSError"]


@contextmanager
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    before = list(root.handlers)
    try:
        yield
    finally:
        root.handlers[:] = before
        structlog.reset_defaults()


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
    assert f"frontline_tasks {len(asyncio.all_tasks()):.1f}" in page
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

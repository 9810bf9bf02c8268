"""`frontline hooks …`: how webhooks fare, once more from a number or a moment, on after a stop; what is wrong in words."""

from __future__ import annotations

import asyncio
import json
import re
import time
from pathlib import Path
from typing import Any, cast

import pytest

from storage import open_store
from storage.feed import hooks
from storage.work.units import Based, Units
from tests.gateway.cli.test_commands import Run, home, run

__all__ = ["home", "run"]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"
WEBHOOKS = f"\nwebhooks:\n  crm: {{url: 'https://crm.example.org/in', secret: {SECRET}}}\n"


@pytest.fixture
def hooked(home: Path) -> Path:
    """The house with a webhook in its configuration."""
    path = home / "config.yaml"
    path.write_text(path.read_text("utf-8") + WEBHOOKS, "utf-8")
    return home


def write(home: Path, work: Any) -> None:
    """One unit into the house's store."""

    async def written() -> None:
        url = re.search(r"sqlite:///[^\s\"'}]+", (home / "config.yaml").read_text("utf-8"))
        path = url.group().removeprefix("sqlite:///") if url else "var/frontline.db"
        store = open_store(f"sqlite:///{home / path}", time.time)
        await store.open()
        try:
            await Units(cast(Based, store)).write(work)
        finally:
            await store.close()

    asyncio.run(written())


def stopped(ledger: Any) -> None:
    state = hooks.begin_hook(ledger, "crm", 1_800_000_000.0)
    hooks.fail(ledger, state, 1_800_000_100.0, "HTTP 503", "failing", 1_800_000_000.0)


def test_without_webhooks(run: Run) -> None:
    assert run("hooks", "list")[:2] == (0, "There are no outgoing webhooks.\n")
    assert json.loads(run("hooks", "list", "--format", "json")[1]) == []


def test_one_that_was_never_begun(run: Run, hooked: Path) -> None:
    code, out, _ = run("hooks", "list")
    assert code == 0
    assert "crm" in out
    assert "whsec_" not in out
    code, out, error = run("hooks", "resume", "crm")
    assert code != 0
    assert "no webhook «crm» that was ever begun" in out + error


def test_a_stopped_one_is_told_and_goes_on(run: Run, hooked: Path) -> None:
    write(hooked, stopped)
    code, out, _ = run("hooks", "list")
    assert (code, "stopped" in out, "HTTP 503" in out) == (0, True, True), out
    (found,) = json.loads(run("hooks", "list", "--format", "json")[1])
    assert (found["stopped"], found["error"], found["attempts"]) == ("failing", "HTTP 503", 1)
    assert run("hooks", "resume", "crm")[:2] == (0, "The webhook «crm» goes on behind the event 0.\n")
    (found,) = json.loads(run("hooks", "list", "--format", "json")[1])
    assert (found["stopped"], found["error"], found["attempts"]) == ("", "", 0)


def test_events_once_more(run: Run, hooked: Path) -> None:
    write(hooked, stopped)
    assert run("hooks", "replay", "crm", "--from", "1")[:2] == (0, "The webhook «crm» goes on behind the event 0.\n")
    assert run("hooks", "replay", "crm", "--from", "2026-01-31T09:00")[0] == 0
    code, out, error = run("hooks", "replay", "nowhere", "--from", "1")
    assert code != 0
    assert "«nowhere»" in out + error
    code, out, error = run("hooks", "replay", "crm", "--from", "yesterday")
    assert code == 2
    assert "neither a number nor a time" in out + error
    assert run("hooks", "replay", "crm")[0] == 2

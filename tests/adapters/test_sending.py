"""What every sender of rows shares: parts, files that are not here yet, doubts, notes that are forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog

from adapters.pacing import Limits, Pacer, Rate
from adapters.sending import (
    MOST_REMEMBERED,
    Doubts,
    Health,
    Memory,
    Stopped,
    backoff,
    later,
    pace,
    read_bytes,
    send_parts,
    stored,
)
from core.outbox import OutboxRow
from core.ports import StorageFull, StoredFile
from tests.adapters.telegram.conftest import row
from tests.adapters.telegram.gate import FakeGate


@pytest.fixture
def gate(tmp_path: Path) -> FakeGate:
    return FakeGate(tmp_path)


def test_pauses_end_at_a_minute() -> None:
    assert [backoff(attempts) for attempts in (0, 1, 3, 5, 6, 1000)] == [1, 2, 8, 32, 60, 60]
    assert 6.0 <= later(row(attempts=3)) <= 10.0


async def test_parts_that_are_out_are_not_sent_again(gate: FakeGate) -> None:
    sent: list[int] = []

    async def send(index: int) -> str:
        sent.append(index)
        return f"id{index}"

    half = row(sent_parts=("id0",))
    assert await send_parts(half, 3, gate.store, send) == ["id0", "id1", "id2"]
    assert sent == [1, 2]
    assert gate.fake_store.progressed == [("id0", "id1")], "the last one is told by the verdict"


async def verdict(work: object) -> tuple[str, float]:
    with pytest.raises(Stopped) as stopped:
        await work  # type: ignore[misc]
    return stopped.value.sent.verdict, stopped.value.sent.after


async def test_files_that_cannot_go(gate: FakeGate) -> None:
    files = gate.fake_store.files
    assert (await verdict(stored("f0", gate.store)))[0] == "rejected"
    files["f1"] = StoredFile("f1", 1, "a", "a/b", 1, error="too large")
    assert (await verdict(stored("f1", gate.store)))[0] == "rejected"
    files["f2"] = StoredFile("f2", 1, "a", "a/b", 1, channel="telegram", ref="r")
    assert await verdict(stored("f2", gate.store)) == ("retry", 5.0)
    assert await stored("f2", gate.store, "telegram") is files["f2"]
    files["f3"] = StoredFile("f3", 1, "a", "a/b", 1, sha256="0" * 64)
    assert await verdict(read_bytes(files["f3"], gate.files)) == ("rejected", 0.0)


async def test_a_store_of_files_that_is_away_is_waited_for(gate: FakeGate, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(sha256: str) -> bytes:
        raise StorageFull("away")

    monkeypatch.setattr(gate.files, "read", away)
    assert await verdict(read_bytes(StoredFile("f", 1, "a", "a/b", 1, sha256="0" * 64), gate.files)) == ("retry", 5.0)


def test_one_doubt_is_repeated_two_are_told() -> None:
    doubts = Doubts()

    def lost(one: OutboxRow, part: int = 0) -> str:
        return doubts.lost(one, part, "gone").verdict

    assert [lost(row()), lost(row())] == ["retry", "unknown"]
    assert [lost(row()), lost(row(), 1), lost(row(key="k2"))] == ["retry"] * 3
    doubts.answered(row(), 0)
    assert lost(row()) == "retry", "an answer ends the doubt"


def test_old_notes_are_forgotten() -> None:
    memory = Memory()
    for number in range(MOST_REMEMBERED + 5):
        memory.remember(str(number), "x")
    assert len(memory) == MOST_REMEMBERED
    assert "4" not in memory
    assert memory["5"] == "x"


def test_health_is_told_once() -> None:
    health = Health("max", "shop")
    with structlog.testing.capture_logs() as logs:
        health.bad(401)
        health.bad(401)
        health.good()
        health.good()
    assert [line["event"] for line in logs] == ["max_configuration", "max_well_again"]


async def test_a_long_wait_goes_back_to_the_store() -> None:
    now = [100.0]
    pacer = Pacer(Limits(Rate(1, 60.0), None, None), lambda: now[0])
    await pace("7", pacer)
    name, after = await verdict(pace("8", pacer))
    assert (name, round(after)) == ("retry", 60)
    pacer.refused("7", 3.0)
    assert await verdict(pace("7", pacer)) == ("retry", 3.0)


def test_an_even_pace_has_no_bursts() -> None:
    """No second holds more than the rate, wherever it begins."""
    now = [100.0]
    pacer = Pacer(Limits(Rate(30, 1.0), Rate(2, 1.0), None), lambda: now[0], even=True)
    at = sorted(now[0] + pacer.take(str(chat), 60.0) for chat in range(100))
    assert all(late - early >= 1.0 for early, late in zip(at, at[30:], strict=False))
    alone = Pacer(Limits(None, Rate(2, 1.0), None), lambda: now[0], even=True)
    same = [alone.take("a", 60.0) for _ in range(6)]
    assert all(late - early >= 1.0 for early, late in zip(same, same[2:], strict=False))

"""The pure step alone: microseconds for one answer of a form."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.load import DIALOGUE
from bot.book import load
from bot.engine.turn import step
from core.conversation import Conversation
from core.deployment import ChannelInfo, Deployment, DeskInfo, LineInfo, LineRule
from core.events import Message
from core.turn import Facts, LineFacts

FLOWS = Path(__file__).parent / "flows"


def step_speed(rounds: int = 2000) -> str:
    """Runs the dialogue `rounds` times and says what one step costs."""
    line = LineInfo("Поддержка", LineRule("general"), LineRule("general"), always_open=True)
    deployment = Deployment(
        lines={"support": line},
        desks={"general": DeskInfo("Обращения", ("Вопрос",))},
        channels={"telegram": ChannelInfo("telegram", "support")},
    )
    book, _ = load({path.name: path.read_text() for path in FLOWS.glob("*.yaml")}, deployment)
    assert book is not None
    now = datetime.now(ZoneInfo("Europe/Moscow"))
    facts = Facts(client={}, lines={"support": LineFacts("Поддержка", True)}, line="support")
    conversation = Conversation(1, "telegram", "42", "1", 1, "telegram")
    times = []
    for _ in range(rounds):
        for text in DIALOGUE:
            began = time.perf_counter()
            conversation = step(book, conversation, Message(text), now, facts).conversation
            times.append(time.perf_counter() - began)
    times.sort()
    return f"step alone: median {1e6 * times[len(times) // 2]:.0f} µs, p99 {1e6 * times[int(len(times) * 0.99)]:.0f} µs"

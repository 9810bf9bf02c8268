"""The history checker: what must hold of a run, whatever died in it (reliability I1-I7)."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

from tests.crash.harness import QUESTIONS, Story, ask


def check_story(story: Story) -> None:
    """Asserts every promise; the message says which one broke."""
    check_inbox(story)
    check_history(story.database)
    check_outbox(story.database)
    check_tickets(story)
    repeats = {chat: check_told(chat, said, story) for chat, said in story.platform.told.items()}
    assert max(repeats.values()) <= story.kills, "a client saw more than one repeat of a kill"
    total = sum(repeats.values())
    assert total <= story.at_once * story.kills, f"{total} repeated messages after {story.kills} kills"


def check_inbox(story: Story) -> None:
    """I1: every acknowledged update has exactly one processed event; nothing is dead."""
    rows = Counter(str(key) for (key,) in ask(story.database, "SELECT external_id FROM inbox WHERE channel <> ''"))
    states = {state for (state,) in ask(story.database, "SELECT DISTINCT state FROM inbox")}
    assert states <= {1}, f"inbox states {states}"
    ends = Counter(key.rpartition(":")[2] for key in rows.elements())
    for number in story.clients.acknowledged:
        assert ends[str(number)] == 1, f"update {number} stands {ends[str(number)]} times"
    assert len(rows) == len(story.clients.acknowledged)


def check_history(database: Path) -> None:
    """I2: the history of every conversation is numbered without gaps."""
    seen: dict[object, list[int]] = {}
    for conversation, seq in ask(database, "SELECT conversation, seq FROM messages ORDER BY conversation, seq"):
        seen.setdefault(conversation, []).append(int(str(seq)))
    for conversation, numbers in seen.items():
        assert numbers == list(range(1, len(numbers) + 1)), f"gaps in {conversation}: {numbers}"


def check_outbox(database: Path) -> None:
    """I4: every row was sent; none is stuck, dead or refused."""
    states = {state for (state,) in ask(database, "SELECT DISTINCT state FROM outbox")}
    assert states <= {1}, f"outbox states {states}"


def check_tickets(story: Story) -> None:
    """No ticket is missing, none is doubled."""
    wanted = {f"Сломалось {chat}-{n}" for chat, times in story.clients.dialogues.items() for n in range(times)}
    texts = [str(text) for (text,) in ask(story.database, "SELECT text FROM tickets")]
    assert Counter(texts) == Counter(wanted)


def check_told(chat: int, said: list[str], story: Story) -> int:
    """I3, I5, I6: the answers in order; returns how many were repeated at once."""
    repeats = sum(before == after for before, after in pairwise(said))
    told = [text for n, text in enumerate(said) if n == 0 or said[n - 1] != text]
    dialogues = story.clients.dialogues[chat]
    assert len(told) == 3 * dialogues, f"chat {chat}: {len(told)} answers to {3 * dialogues} messages"
    for n in range(dialogues):
        first, second, done = told[3 * n : 3 * n + 3]
        assert (first, second) == QUESTIONS
        assert done.startswith("Заявка ")
    return repeats

"""The history checker: what must hold of every run, whatever died in it (I1-I8). Every breach is a `Violation`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tests.faults.history import History, Word, by_conversation

TELEGRAM = ("telegram", "telegram2")
PROCESSED, DEAD = 1, 2
WAITING = 0
OVERDUE = 5.0  # seconds a timer may be late when nothing is wrong any more


class Violation(NamedTuple):
    """Which promise, and what broke it."""

    rule: str
    what: str


@dataclass(frozen=True)
class Bounds:
    """What a run may do to its clients. `kills` of processes that send; `at_once` messages each has under way.

    `doubts`: further moments in which no sender could know what the platform has. `dead`: events set aside on purpose.
    """

    kills: int = 0
    at_once: int = 1
    doubts: int = 0
    dead: int = 0


def check(history: History, bounds: Bounds) -> list[Violation]:
    """All violations; none is what a run must show."""
    return [
        *accepted_once(history, bounds),
        *gapless(history),
        *in_order(history),
        *settled(history),
        *told_in_order(history, bounds),
        *effects_once(history),
        *pages_complete(history),
        *(Violation("answer", what) for what in history.journal.missed),
    ]


# --- inbox -----------------------------------------------------------------------------------------------------------


def accepted_once(history: History, bounds: Bounds) -> Iterator[Violation]:
    """I1: every acknowledged update is exactly one event, and it is processed; nothing else is there, nothing waits."""
    stored = Counter(number for event in history.events if (number := update_of(event.channel, event.external_id)))
    for number in history.journal.acknowledged:
        if stored[number] != 1:
            yield Violation("I1", f"update {number} stands {stored[number]} times in the inbox")
    for number in stored.keys() - history.journal.updates.keys():
        yield Violation("I1", f"update {number} was never posted")
    waiting = [event.id for event in history.events if event.state not in {PROCESSED, DEAD}]
    if waiting:
        yield Violation("I1", f"events {waiting[:5]} wait for ever")
    dead = [event.id for event in history.events if event.state == DEAD]
    if len(dead) != bounds.dead:
        yield Violation("I1", f"{len(dead)} events are dead, {bounds.dead} should be: {dead[:5]}")


def update_of(channel: str, external_id: str) -> int:
    """The number of a Telegram update, 0 for other events."""
    return int(external_id.rpartition(":")[2]) if channel in TELEGRAM else 0


def gapless(history: History) -> Iterator[Violation]:
    """I2: the history of every conversation is numbered 1, 2, 3 …"""
    for conversation, words in by_conversation(history.words).items():
        numbers = [word.seq for word in words]
        if numbers != list(range(1, len(numbers) + 1)):
            yield Violation("I2", f"conversation {conversation}: {_odd(numbers)} is out of place")


def _odd(numbers: list[int]) -> int:
    return next(number for n, number in enumerate(numbers, 1) if number != n)


def in_order(history: History) -> Iterator[Violation]:
    """I3: what was acknowledged before another message of the chat was first delivered is processed before it."""
    places: dict[str, list[tuple[int, int]]] = {}
    for event in history.events:
        number = update_of(event.channel, event.external_id)
        if number and event.state == PROCESSED:
            places.setdefault(history.chats[event.conversation], []).append((event.place, number))
    for chat, processed in places.items():
        # The latest first delivery so far, in the order of processing, must not lie after the acknowledgement of one to come.
        latest, of = 0.0, 0
        for _, number in sorted(processed):
            update = history.journal.updates.get(number)
            if update is None:
                continue
            if update.acked and update.acked < latest:
                yield Violation("I3", f"chat {chat}: update {number} was processed after {of}")
            if update.first > latest:
                latest, of = update.first, number


# --- outbox ----------------------------------------------------------------------------------------------------------


def settled(history: History) -> Iterator[Violation]:
    """I4: every row of the outbox has come to an end."""
    stuck = [row.id for row in history.rows if row.state == WAITING]
    if stuck:
        yield Violation("I4", f"rows {stuck[:5]} of the outbox are stuck")


def told_in_order(history: History, bounds: Bounds) -> Iterator[Violation]:
    """I5, I6: what a chat was told is the history in order; a repeat comes at once, and not more often than was said."""
    chats = {chat: conversation for conversation, chat in history.chats.items()}
    words = by_conversation(history.words)
    repeats: Counter[int] = Counter()
    for chat, told in history.told.items():
        conversation = chats.get(str(chat))
        said = [word for word in words.get(conversation or 0, ()) if word.author != "client"]
        found = align(said, told)
        repeats[chat] = found.repeats
        yield from (Violation("I5", f"chat {chat}: {what}") for what in found.wrong)
    yield from _too_often(repeats, history.unanswered, bounds)


class Alignment(NamedTuple):
    """How what was told fits what should have been."""

    repeats: int
    wrong: list[str]


def align(said: Sequence[Word], told: Sequence[str]) -> Alignment:
    """Walks both side by side. Messages whose fate nobody knows (`failed`, `refused`) may be missing."""
    at, repeats, wrong = 0, 0, []
    last: str | None = None
    for text in told:
        ahead = at
        while ahead < len(said) and said[ahead].text != text and said[ahead].state != "sent":
            ahead += 1
        if ahead < len(said) and said[ahead].text == text:
            at, last = ahead + 1, text
        elif text == last:
            repeats += 1
        else:
            wrong.append(f"«{text}» was told out of order, after {at} messages")
            return Alignment(repeats, wrong)
    missing = [word for word in said[at:] if word.state == "sent"]
    if missing:
        wrong.append(f"{len(missing)} messages are marked as sent and were never told, from place {missing[0].seq}")
    wrong += [f"message {word.seq} is still «{word.state}»" for word in said if word.state == "pending"][:1]
    return Alignment(repeats, wrong)


def _too_often(repeats: Counter[int], unanswered: dict[int, int], bounds: Bounds) -> Iterator[Violation]:
    for chat, times in repeats.items():
        allowed = bounds.kills + bounds.doubts + unanswered.get(chat, 0)
        if times > allowed:
            yield Violation("I6", f"chat {chat} saw {times} repeats, {allowed} are allowed")
    total, allowed = repeats.total(), bounds.at_once * (bounds.kills + bounds.doubts) + sum(unanswered.values())
    if total > allowed:
        yield Violation("I6", f"{total} repeats in all, {allowed} are allowed")


def count_repeats(history: History) -> int:
    """How many messages came twice."""
    chats = {chat: conversation for conversation, chat in history.chats.items()}
    words = by_conversation(history.words)
    return sum(
        align([word for word in words.get(chats.get(str(chat), 0), ()) if word.author != "client"], told).repeats
        for chat, told in history.told.items()
    )


# --- effects ---------------------------------------------------------------------------------------------------------


def effects_once(history: History) -> Iterator[Violation]:
    """I7: each ticket that is owed exists once and no other; each timer fired once; none is left that is overdue."""
    tickets = Counter(text for _, text in history.tickets)
    owed = Counter(history.journal.tickets)
    for text in owed.keys() | tickets.keys():
        if tickets[text] != owed[text]:
            yield Violation("I7", f"{tickets[text]} tickets «{text}», {owed[text]} are owed")
    said = Counter(word.text for word in history.words if word.author == "bot")
    for text, times in Counter(history.journal.replies).items():
        if said[text] != times:
            yield Violation("I7", f"«{text}» was said {said[text]} times, {times} are owed")
    for timer in history.timers:
        if timer.due is not None and timer.due < history.now - OVERDUE:
            yield Violation("I7", f"timer {timer.key} of conversation {timer.conversation} is overdue")


def pages_complete(history: History) -> Iterator[Violation]:
    """I8: what a page put together from its socket is what the store holds."""
    conversations = {chat: conversation for conversation, chat in history.chats.items()}
    words = by_conversation(history.words)
    for page in history.pages:
        stored = {word.seq: word.text for word in words.get(conversations.get(page.chat, 0), ()) if _visible(word)}
        for seq in stored.keys() - page.items.keys():
            yield Violation("I8", f"page {page.chat} has missed the message {seq}")
        for seq in page.items.keys() - stored.keys():
            yield Violation("I8", f"page {page.chat} shows a message {seq} that the store does not hold")
        for seq in stored.keys() & page.items.keys():
            if stored[seq] != page.items[seq]:
                yield Violation("I8", f"page {page.chat} shows another text at {seq}")


def _visible(word: Word) -> bool:
    return word.author != "client" and word.state == "sent"

"""What must hold for any bytes at all: no error, nothing lost in silence, the same keys each time, rows that stores take."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable

import msgspec

from core.events import ColleagueReply, Edited, Inbound, Message
from tests.corpus.mutating import Mutator
from tests.corpus.outcomes import LATER, Outcome, outcome
from tests.corpus.reading import corpus
from tests.corpus.reasons import reason

# Keys stand in unique indexes: PostgreSQL refuses a row of an index above 2,704 bytes, and with it a whole batch.
KEY_LIMIT = 2_400
KEYS = ("external_id", "chat", "sender_id", "message_id", "sender_name", "sender_username", "sender_language")
REASON_LIMIT = 2_000


def check(channel: str, raw: bytes) -> tuple[str, Outcome]:
    """What became of it, `taken`, `aside` or `left out`. Raises AssertionError, or what the parser may not raise."""
    found = outcome(channel, raw)
    for inbound in found.inbounds:
        check_inbound(inbound)
    again = outcome(channel, raw, LATER)
    keys, later = ([one.external_id for one in each.inbounds] for each in (found, again))
    assert keys == later, f"the key of a repetition is another one: {keys} {later}"
    assert len(found.aside) < REASON_LIMIT
    if found.inbounds:
        return "taken", found
    if found.aside:
        return "aside", found
    assert reason(channel, raw), "lost in silence"
    return "left out", found


def check_inbound(inbound: Inbound) -> None:
    """It can be stored as it is, by any store, and shows something to people."""
    assert inbound.external_id
    assert inbound.chat
    for name in KEYS:
        value = getattr(inbound, name)
        assert isinstance(value, str), name
        assert "\x00" not in value, name
        assert len(value.encode()) <= KEY_LIMIT, name
    assert msgspec.json.decode(msgspec.json.encode(inbound), type=Inbound) == inbound
    event = inbound.event
    if isinstance(event, Message):
        assert event.text.strip() or event.attachments or event.contact or event.location, "an empty message"
    if isinstance(event, ColleagueReply):
        assert event.text.strip() or event.attachments, "an empty reply"
    if isinstance(event, Message | ColleagueReply | Edited):
        assert "\x00" not in event.text


def sweep(channel: str, seeds: Iterable[int]) -> Counter[str]:
    """Checks a mutant of each seed. Raises AssertionError with the seed and the bytes."""
    mutator = Mutator([payload.raw for payload in corpus(channel)])
    seen: Counter[str] = Counter()
    for seed in seeds:
        raw = mutator.mutant(seed)
        try:
            seen[check(channel, raw)[0]] += 1
        except Exception as error:
            raise AssertionError(f"{channel}, seed {seed}: {error!r}\n{raw[:3000]!r}") from error
    return seen


def some_seeds(seed: int, count: int) -> list[int]:
    """Seeds that no block shares with another."""
    chance = random.Random(seed)
    return [chance.getrandbits(48) for _ in range(count)]

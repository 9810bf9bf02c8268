"""How far somebody has read a conversation."""

from __future__ import annotations

from storage.cards.statements import MARK_READ, NEWEST, READ_MARK
from storage.ledger import Ledger
from storage.work.units import asked


def mark_read(ledger: Ledger, user: int, conversation: int, seq: int, now: float) -> int:
    """Move the mark on, not beyond the last message and never back; where it is then."""
    home = asked(ledger)
    newest = home.value(NEWEST, conversation=conversation) or 0
    home.run(MARK_READ, user_id=user, conversation=conversation, seq=min(seq, newest), at=now)
    return int(home.value(READ_MARK, user_id=user, conversation=conversation) or 0)

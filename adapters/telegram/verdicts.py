"""What the platform's answers mean for a row: pure, one place for its error texts (Bot API server, Client.cpp)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from adapters.sending import backoff
from core.outbox import Sent

CONFIGURATION_SECONDS = 60.0
REASON_LIMIT = 300

UNCHANGED = "message is not modified"
GONE = (
    "chat not found",
    "user not found",
    "peer_id_invalid",
    "bot can't initiate conversation",
    "have no rights to send",
)
UNEDITABLE = (
    "message can't be edited",
    "message to edit not found",
    "message_id_invalid",
    "there is no text in the message",
    "there is no caption in the message",
)
TOO_OLD = "message can't be deleted"  # it stands in the chat, and stays
UNDELETABLE = ("message to delete not found", TOO_OLD, "message identifier is not specified")


class Refused(NamedTuple):
    """An error answer: code, the platform's words, its parameters."""

    code: int
    words: str
    parameters: Mapping[str, Any] = {}

    def says(self, *texts: str) -> bool:
        """Whether the words hold one of the texts."""
        words = self.words.lower()
        return any(text in words for text in texts)


def judge(refused: Refused, attempts: int) -> Sent:
    """The verdict for a row whose call was refused at its `attempts`-th repetition (0 at first)."""
    migrate_to = refused.parameters.get("migrate_to_chat_id")
    if migrate_to:
        return Sent("retry", reason="the group became a supergroup", migrate_to=str(migrate_to))
    if refused.code == 429:
        return Sent("retry", reason=reason(refused), after=retry_after(refused))
    if refused.code in {401, 404}:
        return Sent("retry", reason=reason(refused), after=CONFIGURATION_SECONDS, scope="account")
    if refused.code == 403 or refused.says(*GONE):
        return Sent("unreachable", reason=reason(refused))
    if refused.code >= 500 or refused.code in {0, 409}:
        return Sent("retry", reason=reason(refused), after=backoff(attempts))
    return Sent("rejected", reason=reason(refused))


def retry_after(refused: Refused) -> float:
    """Seconds that a 429 asks for; a missing or odd number is a second."""
    after = refused.parameters.get("retry_after")
    return float(after) if isinstance(after, int | float) and 0 < after <= 86_400 else 1.0


def reason(refused: Refused) -> str:
    """The platform's words with its code."""
    return f"{refused.code} {refused.words}".strip()[:REASON_LIMIT]

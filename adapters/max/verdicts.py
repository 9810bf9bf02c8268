"""What MAX's refusals mean for a row: pure, one place for its statuses and codes (`{code, message}`)."""

from __future__ import annotations

from typing import NamedTuple

from adapters.sending import backoff
from core.outbox import Sent

CONFIGURATION_SECONDS = 60.0
NOT_READY_ATTEMPTS = 12  # with growing pauses some seven minutes, which a large video may take
REASON_LIMIT = 300


class Refused(NamedTuple):
    """An error answer: HTTP status, MAX's code and words, seconds of `Retry-After` (0: none)."""

    status: int
    code: str = ""
    words: str = ""
    after: float = 0.0

    @property
    def not_ready(self) -> bool:
        """Whether MAX still works on an uploaded file; older servers say it in the words."""
        return self.code == "attachment.not.ready" or ".not.processed" in self.words

    @property
    def gone(self) -> bool:
        """Whether the client cannot be written to: `chat.denied` (`error.dialog.suspended`: stopped the bot), no such chat."""
        missing = self.status == 404 and any(word in f"{self.code} {self.words}".lower() for word in GONE)
        return self.status == 403 or missing

    @property
    def ours(self) -> bool:
        """Whether people must look after the configuration: the token, the address."""
        return self.status == 401 or (self.status in {404, 405} and not self.gone)


GONE = ("chat", "dialog", "user", "recipient")


def judge(refused: Refused, attempts: int) -> Sent:
    """The verdict for a row whose call was refused at its `attempts`-th repetition (0 at first)."""
    if refused.not_ready and attempts < NOT_READY_ATTEMPTS:
        return Sent("retry", reason=reason(refused), after=backoff(attempts))
    if refused.status == 429:
        return Sent("retry", reason=reason(refused), after=refused.after or 1.0)
    if refused.ours:
        return Sent("retry", reason=reason(refused), after=CONFIGURATION_SECONDS, scope="account")
    if refused.gone:
        return Sent("unreachable", reason=reason(refused))
    if refused.status >= 500:
        return Sent("retry", reason=reason(refused), after=max(refused.after, backoff(attempts)))
    return Sent("rejected", reason=reason(refused))


def reason(refused: Refused) -> str:
    """The platform's words with its codes."""
    return f"{refused.status} {refused.code} {refused.words}".strip()[:REASON_LIMIT]

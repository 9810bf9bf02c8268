"""Rules of one-time codes: kept as a hash, used once, in ten minutes, by somebody who has not guessed too often."""

from __future__ import annotations

from hmac import compare_digest

from core.events import MoveAsked
from core.joins import Code, CodeAnswer
from storage.joining.rules import join
from storage.ledger import Ledger
from storage.rows import Row

WINDOW = 600.0  # seconds over which wrong codes are counted
TRIES = 5  # wrong codes of one conversation within the window; then none is looked at …
TRIES_OF_ACCOUNT = 300  # … nor from anybody else of a channel, when so many were wrong there
KEPT = 86_400.0  # seconds for which an old code is known, so that its owner hears why it fails


def offer(ledger: Ledger, code: Code) -> bool:
    """Keep a code in place of the conversation's earlier ones. False when the wish has been answered with one before."""
    rows, now = ledger.rows, ledger.clock()
    if rows.has_heard(code.conversation, f"done:{code.key}"):
        return False
    row = {
        "digest": code.digest,
        "conversation": code.conversation,
        "created_at": now,
        "expires_at": now + code.seconds,
        "used_key": "",
    }
    rows.save_code(row, now - KEPT)
    return True


def use(ledger: Ledger, home: int, digest: str, key: str) -> CodeAnswer:
    """What a code does in a conversation. Raises `Unlocked`."""
    rows = ledger.rows
    conversation = rows.conversation(home)
    if conversation is None:
        return "unknown"
    row = rows.code_row(digest)
    if row is not None and row["used_key"] and compare_digest(row["used_key"], key):
        return "ok"  # the attempt that used it, once more
    scopes = {f"conversation:{home}": TRIES, f"account:{conversation.channel}:{conversation.account}": TRIES_OF_ACCOUNT}
    if any(_count(ledger, scope) >= most for scope, most in scopes.items()):
        return "too_many"
    answer = _judge(ledger, row, digest, home)
    if answer == "ok" and row is not None:
        _follow(ledger, row["conversation"], conversation.client, home, conversation.channel, digest)
        rows.use_code(digest, key)
    elif answer != "same":
        for scope in scopes:
            _note_try(ledger, scope)
    return answer


def _judge(ledger: Ledger, row: Row | None, digest: str, home: int) -> CodeAnswer:
    """Found by its hash, compared in constant time: how long the answer takes says nothing about another code."""
    if row is None or not compare_digest(row["digest"], digest):
        return "unknown"
    if row["used_key"]:
        return "used"
    if row["expires_at"] <= ledger.clock():
        return "expired"
    return "same" if row["conversation"] == home else "ok"


def _follow(ledger: Ledger, origin: int, client: int, home: int, channel: str, digest: str) -> None:
    """The two are one client; the conversation that asked for the code gives its run away."""
    first = ledger.rows.conversation(origin)
    if first is None:
        raise LookupError(f"conversation {origin} is gone")
    ledger.rows.require_locked(sorted([origin, home]))
    if first.client != client:
        join(ledger, first.client, client, "code", "", f"{origin}>{home}")
    ledger.put_event(origin, MoveAsked(home, channel), f"code:{digest[:32]}")


# --- wrong codes -----------------------------------------------------------------------------------------------------


def _count(ledger: Ledger, scope: str) -> int:
    row = ledger.rows.tries(scope)
    return int(row["times"]) if row is not None and row["since"] > ledger.clock() - WINDOW else 0


def _note_try(ledger: Ledger, scope: str) -> None:
    now = ledger.clock()
    times = _count(ledger, scope)
    known = ledger.rows.tries(scope)
    since = known["since"] if times and known is not None else now
    ledger.rows.save_tries({"scope": scope, "times": times + 1, "since": since}, now - WINDOW)

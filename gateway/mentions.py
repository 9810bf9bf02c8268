"""Whom a note calls: names in its text and those picked from a list, as far as they may see the conversation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from core.access import Sight
from core.accounts import Accounts, User, operator_id
from handoff.access import access_conversations
from storage.rows import Row

# As names of accounts are written, after nothing that would make it an address of e-mail.
_NAME = re.compile(r"(?<![\w.+-])@([a-z0-9][a-z0-9._@+-]{0,63})", re.IGNORECASE)
_ENDS = ".@+-_"
MOST = 20  # people whom one note calls


class MayNotSee(Exception):
    """Somebody who is called does not see the conversation: their name."""


def names_in(text: str) -> list[str]:
    """The names that a text calls, as they may be accounts."""
    found = (match[1].lower().rstrip(_ENDS) for match in _NAME.finditer(text))
    return list(dict.fromkeys(name for name in found if name))[:MOST]


def sees(sight: Sight, session: Row) -> bool:
    """Whether a session is within a sight, as `storage.work.sessions.SEEN` says it in SQL."""
    if sight.everything or (session["line"] and session["line"] in sight.lines):
        return True
    mine = bool(sight.user) and session["operator"] == operator_id(sight.user)
    return mine or (not session["line"] and session["channel"] in sight.channels)


async def called(
    accounts: Accounts, channels: Mapping[str, str], session: Row, text: str, ids: Iterable[int]
) -> list[User]:
    """Those whom a note calls. A name that is nobody's is a word like others. Raises `MayNotSee`."""
    people = [(str(id), await accounts.user(id)) for id in ids]
    named = [(name, await accounts.user_named(name)) for name in names_in(text)]
    people += [(name, user) for name, user in named if user is not None]
    for name, user in people:
        if user is None or not sees(access_conversations(user.who, channels), session):
            raise MayNotSee(name)
    return list({user.id: user for _, user in people if user is not None}.values())

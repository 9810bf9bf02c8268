"""Who may see what: everything is denied but what a function here allows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from core.access import OF_LINES, Role, Sight, Who

NOTHING = Sight()
EVERYTHING = Sight(everything=True)


def access_lines(who: Who, role: Role = "operator") -> Sight:
    """The lines in which somebody works, or is at least of a role."""
    if not who.active:
        return NOTHING
    if who.role == "admin":
        return EVERYTHING
    if who.role not in OF_LINES:
        return NOTHING
    wanted = OF_LINES[OF_LINES.index(role) :] if role in OF_LINES else ()
    return Sight(lines=tuple(sorted(line for line, has in who.lines.items() if has in wanted)))


def access_conversations(who: Who, channels: Mapping[str, str] = MappingProxyType({})) -> Sight:
    """Conversations with all that clients said: those of one's lines, and those that one has in person.

    `channels` is channel → its default line: while the bot has a conversation, it belongs to that line.
    """
    seen = access_lines(who)
    if seen.everything or not who.active or who.role not in OF_LINES:
        return seen
    theirs = tuple(sorted(name for name, line in channels.items() if line in seen.lines))
    return Sight(lines=seen.lines, user=who.user, channels=theirs)


def access_numbers(who: Who) -> Sight:
    """Numbers without personal data: an analyst sees those of all lines, a supervisor those of theirs."""
    if who.active and who.role == "analyst":
        return EVERYTHING
    return access_lines(who, "supervisor")


def access_users(who: Who) -> Sight:
    """Accounts: a supervisor sees those of the people in their lines, everybody their own."""
    seen = access_lines(who, "supervisor")
    if seen.everything or not who.active:
        return seen
    return Sight(lines=seen.lines, user=who.user)


def access_tokens(who: Who) -> Sight:
    """API tokens: an admin sees all, everybody else their own."""
    if not who.active:
        return NOTHING
    return EVERYTHING if who.role == "admin" else Sight(user=who.user)


def access_audit(who: Who) -> Sight:
    """What was done by whom is for admins."""
    return EVERYTHING if who.active and who.role == "admin" else NOTHING

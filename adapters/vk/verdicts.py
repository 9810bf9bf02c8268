"""What VK's error codes mean for a row: data, one place (errors.json of the official schema, API 5.199)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from core.outbox import Sent

MOST_SECONDS = 60.0
REASON_LIMIT = 300


class Rule(NamedTuple):
    """What to make of a code. `seconds` until the next try, doubled with each up to `most`; `scope` whom it is about.

    `alarm`: people must look after the configuration.
    """

    verdict: Literal["retry", "unreachable", "rejected"]
    seconds: float = 0.0
    most: float = MOST_SECONDS
    scope: Literal["chat", "account"] = "chat"
    alarm: bool = False


AGAIN = Rule("retry", 1.0)
SETUP = Rule("retry", 60.0, scope="account", alarm=True)
GONE = Rule("unreachable")
OURS = Rule("rejected")

RULES: Mapping[int, Rule] = {
    1: AGAIN,  # unknown error
    2: SETUP,  # the application is disabled
    5: SETUP,  # the token is not valid
    6: Rule("retry", 1.0, most=5.0, scope="account"),  # too many requests per second
    7: OURS,  # no right for this method
    9: Rule("retry", 5.0, most=300.0),  # flood control: VK tells no time, so the pauses grow
    10: AGAIN,  # internal error
    14: SETUP,  # a captcha, which no bot can read
    15: OURS,  # access denied
    16: SETUP,
    17: SETUP,
    18: GONE,  # the user is deleted or banned
    27: SETUP,  # the community's token is not valid
    28: SETUP,
    29: Rule("retry", 60.0, most=3600.0, scope="account", alarm=True),  # the method's quota is used up
    32: AGAIN,
    36: AGAIN,  # the method took too long
    42: SETUP,  # our address is not allowed
    43: AGAIN,  # the section is closed for a while
    100: OURS,  # a parameter is wrong
    900: GONE,  # on our black list
    901: GONE,  # has not allowed messages; `message_allow` tells of the change
    902: GONE,  # privacy settings
    909: OURS,  # too old to be edited
    910: OURS,
    911: OURS,  # the keyboard is wrong
    912: OURS,  # buttons are switched off in the community's settings
    913: OURS,
    914: OURS,  # too long
    917: GONE,  # no access to the chat
    920: OURS,  # cannot be edited
    921: OURS,
    922: GONE,  # we have left the chat
    924: OURS,  # cannot be deleted for everybody
    925: GONE,
    927: GONE,
    932: GONE,
    936: GONE,  # there is no such contact
    940: OURS,
    945: GONE,
    946: GONE,
    950: GONE,  # the time for answers is over
    **dict.fromkeys(range(983, 989), GONE),
    1012: GONE,
}

UNANSWERABLE = frozenset((100, 15, 921))  # the message that is answered is gone; say what it said
UNEDITABLE = frozenset((909, 910, 920))  # send anew instead
UNDELETABLE = frozenset(
    (104, 924)
)  # gone already, or too old, which VK does not tell apart: `delete_seconds` keeps us from asking for what is
WITHOUT_BUTTONS = frozenset((911, 912))  # send again with the buttons as text
FLOOD = 9


class Refused(NamedTuple):
    """An error answer: VK's code and words."""

    code: int
    words: str = ""


def judge(refused: Refused, attempts: int) -> Sent:
    """The verdict for a row whose call was refused at its `attempts`-th repetition (0 at first)."""
    rule = RULES.get(refused.code, OURS)
    if rule.verdict != "retry":
        return Sent(rule.verdict, reason=reason(refused))
    after = min(rule.most, rule.seconds * 2.0 ** min(attempts, 12))
    return Sent("retry", reason=reason(refused), after=after, scope=rule.scope)


def is_alarm(code: int) -> bool:
    """Whether people must look after the configuration."""
    return code in RULES and RULES[code].alarm


def reason(refused: Refused) -> str:
    """VK's words with the code."""
    return f"{refused.code} {refused.words}".strip()[:REASON_LIMIT]

"""The actions of the flow language. A new one is a file here and a line in the tuple."""

from __future__ import annotations

from bot.actions.ask import Ask
from bot.actions.branch import If
from bot.actions.call import Call
from bot.actions.choose import Choose
from bot.actions.confirm import Confirm
from bot.actions.continuing import Continue
from bot.actions.end import End
from bot.actions.fail import Fail
from bot.actions.goto import Goto
from bot.actions.handoff import Handoff
from bot.actions.request import Request
from bot.actions.say import Say
from bot.actions.set import Set
from bot.actions.ticket import Ticket
from bot.model import Action

ACTIONS: tuple[type[Action], ...] = (
    Say,
    Ask,
    Confirm,
    Choose,
    If,
    Goto,
    Call,
    Set,
    Request,
    Ticket,
    Handoff,
    Continue,
    End,
    Fail,
)

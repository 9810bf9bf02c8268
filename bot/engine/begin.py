"""Nothing is running: find the flow that a message or an event starts."""

from __future__ import annotations

from typing import Any

from bot.compile import CompiledFlow
from bot.engine.digress import ask_which, tell
from bot.engine.hearing import Said
from bot.engine.runs import start_run
from bot.engine.walk import Walk
from core.rich import Rich

THANKS = frozenset(
    {
        "спасибо",
        "спасибо большое",
        "большое спасибо",
        "огромное спасибо",
        "спасибо вам",
        "благодарю",
        "спс",
        "thanks",
        "thank you",
        "thank you very much",
    }
)


def begin(walk: Walk, heard: Said, first: bool) -> None:
    """Find the flow that the message starts."""
    matches = walk.book.matcher.command(heard.command) if heard.command else []
    matches = matches or walk.book.matcher.match(heard, repair=True)
    flows = [walk.book.flows[id] for id in dict.fromkeys(m.flow for m in matches) if id in walk.book.flows]
    if len(flows) > 1:
        ask_which(walk, flows, matches, heard)
    elif flows:
        match = next(match for match in matches if match.flow == flows[0].id)
        tell(walk, match)
        start_run(walk, flows[0], match.trigger.word, match.fills, heard)
    elif heard.normal in THANKS and walk.talk.runs and not heard.attachments:
        thank(walk)
    elif not begin_by_event(walk, heard, first):
        fall_back(walk, heard)


def thank(walk: Walk) -> None:
    """«Спасибо» after the end restarts nothing."""
    thanks = walk.book.bot.policy.thanks
    walk.note("thanks")
    walk.say(walk.rich(thanks) if thanks is not None else Rich(walk.t("You are welcome!")))


def begin_by_event(walk: Walk, heard: Said, first: bool) -> bool:
    """The event triggers of a message: a file, a contact, the first ever, any."""
    names = ["file"] if heard.attachments else []
    names += ["contact"] if heard.contact is not None else []
    names += ["first_message"] if first else []
    return any(begin_by_name(walk, name, {}, heard) for name in [*names, "message"])


def begin_by_name(walk: Walk, name: str, data: dict[str, Any], heard: Said | None = None) -> bool:
    """Begin the first flow whose trigger awaits this event and whose `where` holds."""
    flow = find_by_event(walk, name, data)
    if flow is None:
        return False
    walk.note("trigger", trigger="event", flow=flow.id, why=name)
    start_run(walk, flow, f"event {name}", {}, heard, data)
    return True


def find_by_event(walk: Walk, name: str, data: dict[str, Any]) -> CompiledFlow | None:
    """The flow that the event would begin."""
    walk.event_data = data
    found = None
    for id, trigger in walk.book.matcher.event(name):
        flow = walk.book.flows.get(id)
        if flow is not None and (trigger.where is None or walk.truth(trigger.where)):
            found = flow
            break
    walk.event_data = {}
    return found


def fall_back(walk: Walk, heard: Said) -> None:
    """Nobody caught it: count it for the admin, and let the fallback flow answer."""
    uncaught(walk, heard)
    start_run(walk, walk.book.flows[walk.book.bot.fallback], "fallback", None, heard)


def uncaught(walk: Walk, heard: Said) -> None:
    walk.record("uncaught", text=heard.normal[:200])
    walk.note("uncaught")

"""L130: labels longer than a channel that is on can show; L114: two options of one question that read alike."""

from __future__ import annotations

from collections.abc import Iterator

from bot.actions.choose import Choose
from bot.actions.say import Say
from bot.check.places import key_at
from bot.check.walk import own_actions
from bot.model import Flow, Library
from bot.triggers import Button
from bot.triggers.button import label_key
from core.deployment import Deployment
from core.findings import Finding, Position
from core.locale import n_

Label = tuple[str, Position]


def check_buttons(library: Library, deployment: Deployment) -> Iterator[Finding]:
    """One finding for each label, for the channel that shows least."""
    if not deployment.channels:
        return
    name, channel = min(deployment.channels.items(), key=lambda item: item[1].button_limit)
    for flow in library.flows.values():
        for label, at in labels(flow, library):
            if len(label) > channel.button_limit:
                yield Finding(
                    at=at,
                    code="L130",
                    what=n_("the label has {length} characters, channel «{channel}» shows {limit}"),
                    mend=n_("shorten it"),
                    length=len(label),
                    values={"length": len(label), "channel": name, "limit": channel.button_limit},
                )


def check_twins(library: Library, deployment: Deployment) -> Iterator[Finding]:
    """Nobody can tell two options apart that differ in case, pictures or punctuation only, unless conditions part them."""
    for flow in library.flows.values():
        for action in own_actions(flow, library.bot.policy):
            seen: set[str] = set()
            for way in action.options if isinstance(action, Choose) else ():
                if way.condition is None and label_key(way.button) in seen:
                    yield Finding(
                        at=way.at,
                        code="L114",
                        what=n_("the option «{label}» is here twice"),
                        mend=n_("keep one of them"),
                        values={"label": way.button},
                        length=len(way.button),
                    )
                elif way.condition is None:
                    seen.add(label_key(way.button))


def labels(flow: Flow, library: Library) -> Iterator[Label]:
    """Every label that may stand on a button, and its place."""
    for trigger in flow.triggers:
        if isinstance(trigger, Button):
            yield trigger.label, trigger.at
    for field in flow.fields.values():
        yield from ((option.label, option.at) for option in field.options)
    for action in own_actions(flow, library.bot.policy):
        if isinstance(action, Choose):
            yield from ((way.button, way.at) for way in action.options)
        elif isinstance(action, Say):
            yield from ((label, key_at(action, "say", "links", label)) for label, _ in action.links)

"""L170 one phrase in two flows, L171 a phrase inside another of the same flow, L172 an option that is a system word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from bot.actions.choose import Choose
from bot.check.buttons import Label
from bot.check.walk import own_actions
from bot.matcher import phrase_key
from bot.model import Flow, Library, Trigger
from bot.triggers import Button, Command, EventTrigger, Exact, Link, PatternTrigger, Words
from bot.triggers.exact import exact_key
from core.deployment import Deployment
from core.findings import Finding, Position
from core.locale import n_
from core.normal import normal


@dataclass(frozen=True, slots=True)
class Phrase:
    """One thing that starts a flow: `key` is equal for what means the same."""

    flow: str
    key: tuple[str, object]
    text: str
    at: Position


def check_phrases(library: Library, deployment: Deployment) -> Iterator[Finding]:
    """L170 at every place of the phrase."""
    places: dict[tuple[str, object], list[Phrase]] = defaultdict(list)
    for flow in library.flows.values():
        for trigger in flow.triggers:
            for phrase in phrases(flow, trigger):
                places[phrase.key].append(phrase)
    for found in places.values():
        flows = sorted({phrase.flow for phrase in found})
        if len(flows) > 1:
            for phrase in found:
                yield Finding(
                    at=phrase.at,
                    code="L170",
                    what=n_("«{phrase}» starts several flows: {flows}"),
                    mend=n_("leave it in one of them"),
                    values={"phrase": phrase.text, "flows": ", ".join(flows)},
                    length=len(phrase.text),
                )


def phrases(flow: Flow, trigger: Trigger) -> Iterator[Phrase]:
    """What a trigger listens to."""
    if isinstance(trigger, Words):
        for text, at in _placed(trigger.phrases, trigger.phrase_at, trigger.at):
            yield Phrase(flow.id, ("words", phrase_key(text)), text, at)
    elif isinstance(trigger, Exact):
        for text, at in _placed(trigger.phrases, trigger.phrase_at, trigger.at):
            yield Phrase(flow.id, ("exact", exact_key(text)), text, at)
    else:
        key = _only_key(trigger)
        if key is not None:
            yield Phrase(flow.id, (trigger.word, key[0]), key[1], trigger.at)


def _only_key(trigger: Trigger) -> tuple[str, str] | None:
    if isinstance(trigger, Button):
        return trigger.key, trigger.label
    if isinstance(trigger, Command):
        return trigger.key, trigger.name
    if isinstance(trigger, Link):
        return trigger.key, trigger.payload
    if isinstance(trigger, PatternTrigger):
        return trigger.pattern.source, trigger.pattern.source
    if isinstance(trigger, EventTrigger) and trigger.where is None:
        return trigger.event, trigger.event
    return None


def _placed(texts: tuple[str, ...], places: tuple[Position, ...], at: Position) -> Iterator[tuple[str, Position]]:
    if len(places) != len(texts):
        places = (at,) * len(texts)
    return zip(texts, places, strict=True)


def check_inside(library: Library, deployment: Deployment) -> Iterator[Finding]:
    """L171: the longer phrase never decides anything, the shorter one is always found with it."""
    for flow in library.flows.values():
        found = [phrase for trigger in flow.triggers if isinstance(trigger, Words) for phrase in phrases(flow, trigger)]
        keyed = [(phrase, phrase_key(phrase.text)) for phrase in found]
        for n, (phrase, words) in enumerate(keyed):
            for m, (other, inner) in enumerate(keyed):
                if inner and (inner < words or (inner == words and m < n)):
                    yield Finding(
                        at=phrase.at,
                        code="L171",
                        what=n_("«{phrase}» is not needed: «{other}» is found in it"),
                        mend=n_("remove it"),
                        values={"phrase": phrase.text, "other": other.text},
                        level="warning",
                        length=len(phrase.text),
                    )
                    break


def check_system_words(library: Library, deployment: Deployment) -> Iterator[Finding]:
    """L172: where such an option is shown, the system word does not work."""
    system = {normal(text): word for word, texts in library.bot.words.items() for text in texts}
    for flow in library.flows.values():
        for label, at in _options(flow, library):
            if normal(label) in system:
                yield Finding(
                    at=at,
                    code="L172",
                    what=n_("the option «{label}» is also a system word and wins over it here"),
                    mend=n_("call it something else"),
                    values={"label": label},
                    level="warning",
                    length=len(label),
                )


def _options(flow: Flow, library: Library) -> Iterator[Label]:
    for field in flow.fields.values():
        for option in field.options:
            yield from ((text, option.at) for text in (option.label, *option.words))
    for action in own_actions(flow, library.bot.policy):
        if isinstance(action, Choose):
            for way in action.options:
                yield from ((text, way.at) for text in (way.button, *way.words))

"""A flow read aloud: what it does in sentences, for those who check it without knowing YAML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

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
from bot.model import Action, Block, Field, Flow, Library, Trigger
from bot.templates import Template
from bot.triggers import Button, Command, EventTrigger, Exact, Link, PatternTrigger, Words
from core.locale import Texts, texts

HOLE = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
Line = tuple[int, str]  # depth, sentence


def read_aloud(flow: Flow, library: Library, language: str) -> str:
    """The flow as prose: what starts it, what it asks, what happens step by step."""
    t = texts(language)
    parts = [flow.title, "=" * len(flow.title)]
    if flow.about:
        parts += [flow.about, ""]
    parts.append(_starts(flow, t))
    if flow.takes:
        parts.append(t("It takes: {names}.", names=", ".join(flow.takes)))
    if flow.gives:
        parts.append(t("It gives back: {names}.", names=", ".join(flow.gives)))
    parts.append("")
    parts += ["   " * depth + sentence for depth, sentence in _Reading(flow, library, t).block(flow.steps, 0)]
    return "\n".join(parts) + "\n"


def _starts(flow: Flow, t: Texts) -> str:
    if not flow.triggers:
        return t("It starts only when another flow calls it.")
    return "\n".join([t("It starts when the client:"), *(f"  - {_trigger(trigger, t)}" for trigger in flow.triggers)])


def spoken(text: Template) -> str:
    """A text as it is read aloud: `{{ name }}` is ‹name›."""
    return HOLE.sub(r"‹\1›", text.source.strip())


def _quoted(phrases: tuple[str, ...]) -> str:
    return ", ".join(f"«{phrase}»" for phrase in phrases)


def _trigger(trigger: Trigger, t: Texts) -> str:
    return STARTERS[type(trigger)](trigger, t)


def _event(trigger: EventTrigger, t: Texts) -> str:
    where = t(", if {test}", test=trigger.where.source) if trigger.where else ""
    return t("or something happens: {event}", event=trigger.event) + where


STARTERS: dict[type[Trigger], Callable[[Any, Texts], str]] = {
    Button: lambda trigger, t: t("presses «{label}»", label=trigger.label),
    Words: lambda trigger, t: t("writes something with the words {phrases}", phrases=_quoted(trigger.phrases)),
    Exact: lambda trigger, t: t("writes exactly {phrases}", phrases=_quoted(trigger.phrases)),
    PatternTrigger: lambda trigger, t: t(
        "writes something that fits the pattern `{pattern}`", pattern=trigger.pattern.source
    ),
    Command: lambda trigger, t: t("sends the command {name}", name=trigger.name),
    Link: lambda trigger, t: t("opens the link «{payload}»", payload=trigger.payload),
    EventTrigger: _event,
}


class _Reading:
    """One flow, sentence by sentence."""

    def __init__(self, flow: Flow, library: Library, t: Texts) -> None:
        self.flow = flow
        self.library = library
        self.t = t

    def block(self, block: Block, depth: int) -> Iterator[Line]:
        for n, action in enumerate(block, 1):
            name = f" [{action.step}]" if action.step else ""
            sentences = list(self.action(action, depth))
            yield depth, f"{n}.{name} {sentences[0][1]}"
            yield from sentences[1:]

    def action(self, action: Action, depth: int) -> Iterator[Line]:
        teller = TELLERS.get(type(action))
        if teller is not None:
            yield depth, teller(self, action)
        yield from self.inner(action, depth)

    def inner(self, action: Action, depth: int) -> Iterator[Line]:
        """The blocks of an action, each under its own heading; the first sentence of `if` is its first test."""
        t = self.t
        if isinstance(action, Ask):
            yield from (
                (depth + 1, self.field(self.flow.fields[name])) for name in action.fields if name in self.flow.fields
            )
        elif isinstance(action, If):
            yield from self.arms(action, depth)
        elif isinstance(action, Choose):
            yield from self.ways(action, depth)
        else:
            headings = {
                "missing": t("If there is nothing of the kind:"),
                "failed": t("If that fails:"),
                "closed": t("If the line is closed:"),
                "busy": t("If nobody takes it in time:"),
            }
            for event, block in action.blocks():
                yield depth + 1, headings[event]
                yield from self.block(block, depth + 2)

    def arms(self, action: If, depth: int) -> Iterator[Line]:
        for n, (test, block) in enumerate(action.arms):
            said = self.t("If {test}:", test=test.source) if n == 0 else self.t("Or if {test}:", test=test.source)
            yield depth, said if n == 0 else "   " + said
            yield from self.block(block, depth + 1)
        if action.otherwise is not None:
            yield depth, "   " + self.t("Otherwise:")
            yield from self.block(action.otherwise, depth + 1)

    def ways(self, action: Choose, depth: int) -> Iterator[Line]:
        for way in action.options:
            shown = self.t(", shown if {test}", test=way.condition.source) if way.condition else ""
            if way.then is None:
                yield depth + 1, self.t("«{label}»{shown}: go on.", label=way.button, shown=shown)
            else:
                yield depth + 1, self.t("«{label}»{shown}:", label=way.button, shown=shown)
                yield from self.block(way.then, depth + 2)

    def field(self, field: Field) -> str:
        t = self.t
        notes = [field.type]
        if field.options:
            notes.append(", ".join(option.label for option in field.options))
        if field.source:
            notes.append(t("not asked when {name} is known", name=field.source))
        if field.keep:
            notes.append(t("kept as {name}", name=field.keep))
        if field.optional:
            notes.append(t("may be skipped"))
        if field.private:
            notes.append(t("private"))
        return f"{field.label}: «{spoken(field.ask)}» ({'; '.join(notes)})"

    def labels(self, names: tuple[str, ...]) -> str:
        return ", ".join(self.flow.fields[name].label if name in self.flow.fields else name for name in names)

    def title(self, flow: str) -> str:
        called = self.library.flows.get(flow)
        return called.title if called else flow


def _say(reading: _Reading, action: Say) -> str:
    files = reading.t(" with {files}", files=reading.labels(action.attach)) if action.attach else ""
    return reading.t("Say: «{text}»{files}", text=spoken(action.text), files=files)


def _ask(reading: _Reading, action: Ask) -> str:
    return reading.t("Ask:")


def _confirm(reading: _Reading, action: Confirm) -> str:
    return reading.t(
        "Show what was collected and let the client mend it: {labels}.", labels=reading.labels(action.fields)
    )


def _choose(reading: _Reading, action: Choose) -> str:
    return reading.t("Let the client choose: «{text}»", text=spoken(action.question))


def _goto(reading: _Reading, action: Goto) -> str:
    return reading.t("Go on at «{step}».", step=action.target)


def _call(reading: _Reading, action: Call) -> str:
    given = ", ".join(f"{name} = {spoken(value)}" for name, value in action.inputs.items())
    handed = reading.t(", handing over {values}", values=given) if given else ""
    return reading.t("Run the flow «{title}»{handed}.", title=reading.title(action.flow), handed=handed)


def _set(reading: _Reading, action: Set) -> str:
    values = "; ".join(f"{name} = {spoken(value)}" for name, value in action.values.items())
    return reading.t("Remember: {values}.", values=values)


def _request(reading: _Reading, action: Request) -> str:
    given = ", ".join(f"{name} = {spoken(value)}" for name, value in action.params.items())
    saved = reading.t(", the answer is «{name}»", name=action.save) if action.save else ""
    return reading.t("Ask the service {call} ({values}){saved}.", call=action.call, values=given, saved=saved)


def _ticket(reading: _Reading, action: Ticket) -> str:
    said = reading.t("Create a ticket on the desk «{desk}»: «{title}».", desk=action.desk, title=spoken(action.title))
    fields = "; ".join(f"{label} = {spoken(value)}" for label, value in action.fields.items())
    return said + (" " + reading.t("Its fields: {fields}.", fields=fields) if fields else "")


def _handoff(reading: _Reading, action: Handoff) -> str:
    return reading.t("Give the conversation to people: line «{line}».", line=action.line)


def _continue(reading: _Reading, action: Continue) -> str:
    return reading.t("Send a code to go on in another messenger: «{text}»", text=spoken(action.text))


def _end(reading: _Reading, action: End) -> str:
    return reading.t("End: {outcome}.", outcome=action.outcome)


def _fail(reading: _Reading, action: Fail) -> str:
    return reading.t("End as a failure: {outcome}.", outcome=action.outcome)


TELLERS: dict[type[Action], Callable[[_Reading, Any], str]] = {
    Say: _say,
    Ask: _ask,
    Confirm: _confirm,
    Choose: _choose,
    Goto: _goto,
    Call: _call,
    Set: _set,
    Request: _request,
    Ticket: _ticket,
    Handoff: _handoff,
    Continue: _continue,
    End: _end,
    Fail: _fail,
}

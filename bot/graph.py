"""A flow as a Mermaid diagram."""

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
from bot.model import Action, Block, Flow, Library
from bot.prose import spoken
from core.locale import Texts, texts

WIDEST = 60  # characters of a text in a box
SHAPES = {
    "say": ("[", "]"),
    "ask": ("[/", "/]"),
    "confirm": ("[/", "/]"),
    "choose": ("{{", "}}"),
    "if": ("{", "}"),
    "call": ("[[", "]]"),
    "set": ("[", "]"),
    "request": ("[(", ")]"),
    "ticket": ("[(", ")]"),
    "handoff": ("[\\", "/]"),
    "continue": ("[", "]"),
    "end": ("([", "])"),
    "fail": ("([", "])"),
    "goto": (">", "]"),
}


def mermaid(flow: Flow, library: Library, language: str) -> str:
    """`flowchart TD` text. Policies are left out: they answer everywhere."""
    drawing = _Drawing(flow, library, texts(language))
    drawing.block(flow.steps, None)
    return "\n".join(["flowchart TD", *drawing.lines()]) + "\n"


class _Drawing:
    """Boxes and arrows of one flow."""

    def __init__(self, flow: Flow, library: Library, t: Texts) -> None:
        self.flow = flow
        self.library = library
        self.t = t
        self.boxes: dict[int, str] = {}
        self.arrows: list[tuple[int, int, str]] = []
        self.steps: dict[str, int] = {}
        self.gotos: list[tuple[int, str]] = []

    def lines(self) -> Iterator[str]:
        for source, step in self.gotos:
            if step in self.steps:
                self.arrows.append((source, self.steps[step], ""))
        yield f'  start(["{_escaped(self.flow.title)}"])'
        yield from (f"  n{n}{box}" for n, box in sorted(self.boxes.items()))
        if self.boxes:
            yield "  start --> n1"
        for source, target, label in sorted(self.arrows):
            yield f'  n{source} -->|"{_escaped(label)}"| n{target}' if label else f"  n{source} --> n{target}"

    def block(self, block: Block, after: int | None) -> int | None:
        """Draw a block that goes on at `after`; the box where it begins."""
        numbers = [self.box(action) for action in block]
        following = [*numbers[1:], after]
        for action, number, there in zip(block, numbers, following, strict=True):
            self.connect(action, number, there)
        return numbers[0] if numbers else after

    def box(self, action: Action) -> int:
        number = len(self.boxes) + 1
        left, right = SHAPES.get(action.word, ("[", "]"))
        self.boxes[number] = f'{left}"{_escaped(self.label(action))}"{right}'
        if action.step:
            self.steps.setdefault(action.step, number)
        return number

    def connect(self, action: Action, number: int, after: int | None) -> None:
        if isinstance(action, Goto):
            self.gotos.append((number, action.target))
        elif isinstance(action, If):
            self.connect_if(action, number, after)
        elif isinstance(action, Choose):
            for way in action.options:
                self.arrow(number, after if way.then is None else self.block(way.then, after), way.button)
        elif not isinstance(action, (End, Fail)):
            self.arrow(number, after, "")
            labels = {
                "missing": self.t("nothing found"),
                "failed": self.t("did not work"),
                "closed": self.t("line closed"),
                "busy": self.t("nobody free"),
            }
            for event, block in action.blocks():
                self.arrow(number, self.block(block, after), labels.get(event, event))

    def connect_if(self, action: If, number: int, after: int | None) -> None:
        for n, (test, block) in enumerate(action.arms):
            self.arrow(number, self.block(block, after), self.t("yes") if n == 0 else test.source)
        otherwise = after if action.otherwise is None else self.block(action.otherwise, after)
        self.arrow(number, otherwise, self.t("no") if len(action.arms) == 1 else self.t("otherwise"))

    def arrow(self, source: int, target: int | None, label: str) -> None:
        if target is not None:
            self.arrows.append((source, target, label))

    def label(self, action: Action) -> str:
        said = _short(self.said(action))
        return f"{action.step}: {said}" if action.step and not isinstance(action, Goto) else said

    def said(self, action: Action) -> str:
        teller = BOXES.get(type(action))
        return teller(self, action) if teller else action.word

    def labels(self, names: tuple[str, ...]) -> str:
        return ", ".join(self.flow.fields[name].label for name in names if name in self.flow.fields)

    def title(self, flow: str) -> str:
        called = self.library.flows.get(flow)
        return called.title if called else flow


BOXES: dict[type[Action], Callable[[_Drawing, Any], str]] = {
    Say: lambda drawing, action: spoken(action.text),
    Ask: lambda drawing, action: drawing.t("Ask: {labels}", labels=drawing.labels(action.fields)),
    Confirm: lambda drawing, action: drawing.t("Check: {labels}", labels=drawing.labels(action.fields)),
    Choose: lambda drawing, action: spoken(action.question),
    If: lambda drawing, action: action.arms[0][0].source,
    Goto: lambda drawing, action: action.target,
    Call: lambda drawing, action: drawing.title(action.flow),
    Set: lambda drawing, action: ", ".join(f"{name} = {spoken(value)}" for name, value in action.values.items()),
    Request: lambda drawing, action: action.call,
    Ticket: lambda drawing, action: drawing.t("Ticket: {title}", title=spoken(action.title)),
    Handoff: lambda drawing, action: drawing.t("Line: {line}", line=action.line),
    Continue: lambda drawing, action: spoken(action.text),
    End: lambda drawing, action: action.outcome,
    Fail: lambda drawing, action: action.outcome,
}


def _short(text: str) -> str:
    """One line that fits a box: of a hole only its name, of marked words only the words."""
    named = re.sub(r"‹([^‹›|]*?)\s*\|[^‹›]*›", r"‹\1›", text.replace("**", ""))
    flat = re.sub(r"\s+", " ", named).strip()
    return flat if len(flat) <= WIDEST else flat[: WIDEST - 1] + "…"


def _escaped(text: str) -> str:
    """Inside quotes Mermaid knows entities only: https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters"""
    for sign, entity in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("`", "#96;"), ("|", "#124;")):
        text = text.replace(sign, entity)
    return text

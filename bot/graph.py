"""A flow as a diagram: its boxes and arrows as data, and as Mermaid text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
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


@dataclass(frozen=True, slots=True)
class Box:
    """An action. `label` fits a box, `text` is all that is said there; `field` is the question of a box that asks for one
    field only."""

    number: int
    action: Action
    label: str
    text: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Diagram:
    """Boxes by number from 1, the first one is where the flow begins; arrows are (from, to, label)."""

    boxes: dict[int, Box]
    arrows: tuple[tuple[int, int, str], ...]


def draw(flow: Flow, library: Library, language: str, *, apart: bool = False) -> Diagram:
    """The boxes and arrows of a flow. Policies are left out: they answer everywhere.

    `apart`: a step without a name that asks for several fields is a box for each, as it is counted.
    """
    drawing = _Drawing(flow, library, texts(language), apart)
    drawing.block(flow.steps, None)
    arrows = [*drawing.arrows, *((at, drawing.steps[to], "") for at, to in drawing.gotos if to in drawing.steps)]
    return Diagram(drawing.boxes, tuple(sorted(arrows)))


def mermaid(flow: Flow, library: Library, language: str) -> str:
    """`flowchart TD` text. Policies are left out: they answer everywhere."""
    return "\n".join(["flowchart TD", *_lines(flow.title, draw(flow, library, language))]) + "\n"


def _lines(title: str, diagram: Diagram) -> Iterator[str]:
    yield f'  start(["{_escaped(title)}"])'
    for number, box in sorted(diagram.boxes.items()):
        left, right = SHAPES.get(box.action.word, ("[", "]"))
        yield f'  n{number}{left}"{_escaped(box.label)}"{right}'
    if diagram.boxes:
        yield "  start --> n1"
    for source, target, label in diagram.arrows:
        yield f'  n{source} -->|"{_escaped(label)}"| n{target}' if label else f"  n{source} --> n{target}"


class _Drawing:
    """Boxes and arrows of one flow."""

    def __init__(self, flow: Flow, library: Library, t: Texts, apart: bool) -> None:
        self.flow = flow
        self.library = library
        self.t = t
        self.apart = apart
        self.boxes: dict[int, Box] = {}
        self.arrows: list[tuple[int, int, str]] = []
        self.steps: dict[str, int] = {}
        self.gotos: list[tuple[int, str]] = []

    def block(self, block: Block, after: int | None) -> int | None:
        """Draw a block that goes on at `after`; the box where it begins."""
        placed = [self.place(action) for action in block]
        following = [*(first for first, _ in placed[1:]), after]
        for action, (_, last), there in zip(block, placed, following, strict=True):
            self.connect(action, last, there)
        return placed[0][0] if placed else after

    def place(self, action: Action) -> tuple[int, int]:
        """The boxes of an action: the first and the last of them."""
        if self.apart and isinstance(action, Ask) and not action.step:
            numbers = [self.box(action, self.asked((name,)), name) for name in action.fields]
            for before, number in pairwise(numbers):
                self.arrow(before, number, "")
            return numbers[0], numbers[-1]
        number = self.box(action, self.label(action))
        if action.step:
            self.steps.setdefault(action.step, number)
        return number, number

    def box(self, action: Action, label: str, field: str = "") -> int:
        number = len(self.boxes) + 1
        self.boxes[number] = Box(number, action, label, self.text(action, (field,) if field else ()), field)
        return number

    def asked(self, names: tuple[str, ...]) -> str:
        return self.t("Ask: {labels}", labels=self.labels(names))

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

    def text(self, action: Action, names: tuple[str, ...]) -> str:
        """All that a client is asked or told, whole."""
        if isinstance(action, Ask):
            asked = [self.flow.fields[name].ask for name in names or action.fields if name in self.flow.fields]
            return _bare("\n".join(spoken(template) for template in asked))
        if isinstance(action, Choose):
            return _bare("\n".join([spoken(action.question), *(f"• {way.button}" for way in action.options)]))
        return _bare(self.said(action))

    def labels(self, names: tuple[str, ...]) -> str:
        return ", ".join(self.flow.fields[name].label for name in names if name in self.flow.fields)

    def title(self, flow: str) -> str:
        called = self.library.flows.get(flow)
        return called.title if called else flow


BOXES: dict[type[Action], Callable[[_Drawing, Any], str]] = {
    Say: lambda drawing, action: spoken(action.text),
    Ask: lambda drawing, action: drawing.asked(action.fields),
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


def _bare(text: str) -> str:
    """Of a hole only its name, of marked words only the words."""
    return re.sub(r"‹([^‹›|]*?)\s*\|[^‹›]*›", r"‹\1›", text.replace("**", ""))


def _short(text: str) -> str:
    """One line that fits a box."""
    flat = re.sub(r"\s+", " ", _bare(text)).strip()
    return flat if len(flat) <= WIDEST else flat[: WIDEST - 1] + "…"


def _escaped(text: str) -> str:
    """Inside quotes Mermaid knows entities only: https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters"""
    for sign, entity in (("#", "#35;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("`", "#96;"), ("|", "#124;")):
        text = text.replace(sign, entity)
    return text

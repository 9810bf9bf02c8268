"""Lines' own rules `{ticket: desk}` as flows: ask for each need that is not known, create the ticket, say its number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from bot.actions.ask import Ask
from bot.actions.end import End
from bot.actions.ticket import Ticket
from bot.model import Action, Field, Flow, Library, Policy
from bot.show import shown
from bot.templates import parse_template
from core.deployment import Deployment
from core.events import CallDone
from core.findings import Position
from core.locale import Texts, texts
from core.rich import Rich

if TYPE_CHECKING:
    from bot.engine.ground import Ground
    from bot.engine.walk import Walk
    from core.conversation import Run

RULES = "_line/"
AT = Position("config.yaml")
CARD = {"имя": "name", "name": "name", "телефон": "phone", "phone": "phone", "почта": "email", "email": "email"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gather(Action):
    """Fill the needs from the client's card, then from what the run collected under the same label."""

    word: ClassVar[str] = "gather"

    def enter(self, walk: Walk) -> None:
        for field in walk.flow.flow.fields.values():
            known = card_value(walk, field) or collected(walk, field.label)
            if known:
                memory = walk.frame.memory
                memory["given"] = {**memory.get("given", {}), field.label: known}
                walk.frame.asked[field.name] = walk.node.index
        walk.go("next")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTicket(Action):
    """The ticket of a line's rule. `answer` is what the line said: `closed` or `busy`."""

    word: ClassVar[str] = "ticket"
    desk: str
    answer: str

    def policies(self) -> Iterator[str]:
        yield "failed"

    def enter(self, walk: Walk) -> None:
        fields = walk.flow.flow.fields.values()
        values, given = walk.frame.values, walk.frame.memory.get("given", {})
        key, outer = walk.create_ticket(
            desk=self.desk,
            title=walk.title(walk.run),
            text=note_of(walk.run),
            fields={f.label: given.get(f.label) or ticket_text(walk, f, values.get(f.name)) for f in fields},
            private=tuple(field.label for field in fields if field.private),
            line=walk.frame.flow.removeprefix(RULES).rpartition("/")[0],
        )
        walk.frame.memory["number"] = walk.facts.ticket_number + walk.tickets - 1
        if outer:
            walk.wait_for_call(key)
        else:
            walk.go("next")

    def again(self, walk: Walk) -> None:
        if not walk.resume_call():
            walk.go("next")

    def done(self, walk: Walk, result: CallDone) -> None:
        if result.status == "failed":
            walk.policy_failed()
        else:
            walk.go("next")


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce(Action):
    """The client is told the number: always registered, always under which number."""

    word: ClassVar[str] = "announce"
    answer: str

    def enter(self, walk: Walk) -> None:
        number = walk.frame.memory.get("number", 0)
        t = walk.t
        said = (
            t("We are closed now. Request {number} is registered, and we will answer in working hours.", number=number)
            if self.answer == "closed"
            else t(
                "Everybody is busy now. Request {number} is registered, and we will come back to you.", number=number
            )
        )
        walk.say(Rich(said))
        walk.go("next")


def ticket_text(walk: Ground, field: Field, value: Any) -> str:
    """A value as other systems read it: a phone as +79991234567, not as people like it."""
    return walk.show(field, value) if field.type in ("photo", "file") else shown(value, walk.book.language)


def card_value(walk: Ground, field: Field) -> str:
    """What the client's card knows under the field's `from`, `keep` or label."""
    for path in (field.source, field.keep, CARD.get(field.label.lower(), "")):
        value = walk.client.get(path.removeprefix("client.")) if path else None
        if value not in (None, ""):
            return ticket_text(walk, field, value)
    return ""


def collected(walk: Walk, label: str) -> str:
    """What the run, or the one it interrupted, collected under the label: the latest first."""
    for run in (walk.talk.run, walk.talk.suspended):
        text = walk.collected(run).get(label) if run is not None else None
        if text:
            return text
    return ""


def note_of(run: Run) -> str:
    """The note of the handoff that the line refused."""
    return next((str(f.memory["note"]) for f in reversed(run.frames) if f.memory.get("note")), "")


def build_rules(library: Library, deployment: Deployment) -> dict[str, Flow]:
    """A flow for each rule of each line: `_line/<line>/closed`, `_line/<line>/busy`."""
    t = texts(deployment.language)
    made: dict[str, Flow] = {}
    for id, line in deployment.lines.items():
        for answer, rule in (("closed", line.closed), ("busy", line.busy)):
            desk = deployment.desks.get(rule.ticket) if rule is not None else None
            if rule is not None and desk is not None:
                fields = dict(build_fields(desk.needs, library, rule.ticket, t))
                made[f"{RULES}{id}/{answer}"] = build_rule(
                    f"{RULES}{id}/{answer}", line.title, rule.ticket, answer, fields, t
                )
    return made


def build_rule(id: str, title: str, desk: str, answer: str, fields: dict[str, Field], t: Texts) -> Flow:
    asks: tuple[Action, ...] = (Ask(at=AT, fields=tuple(fields)),) if fields else ()
    return Flow(
        id=id,
        at=AT,
        title=title,
        fields=fields,
        policy=Policy(),
        steps=(
            Gather(at=AT),
            *asks,
            RuleTicket(at=AT, desk=desk, answer=answer),
            Announce(at=AT, answer=answer),
            End(at=AT, outcome=t("ticket created")),
        ),
    )


def build_fields(needs: Iterable[str], library: Library, desk: str, t: Texts) -> Iterator[tuple[str, Field]]:
    """A field for each label: the flows' own one of that label when there is one, else a plain text."""
    for n, label in enumerate(needs):
        name = f"need{n}"
        known = find_field(label, library, desk)
        ask = parse_template(t("Please tell us: {label}", label=label), AT, _ignore)
        assert ask is not None
        if known is None:
            yield name, Field(name=name, at=AT, label=label, ask=ask)
        else:
            own = known.ask if not known.ask.uses else ask
            wrong = tuple(template for template in known.wrong if not template.uses)
            yield (
                name,
                replace(
                    known,
                    name=name,
                    at=AT,
                    ask=own,
                    wrong=wrong,
                    check=(),
                    too_many=None,
                    attempts=None,
                    optional=False,
                ),
            )


def find_field(label: str, library: Library, desk: str) -> Field | None:
    """A field of any flow with this label: best one of a flow that files tickets on the desk, then one that knows the
    client's card."""
    found = [(flow, field) for flow in library.flows.values() for field in flow.fields.values() if field.label == label]
    best = max(found, key=lambda one: (files_on(one[0], desk), bool(one[1].source or one[1].keep)), default=None)
    return best[1] if best is not None else None


def files_on(flow: Flow, desk: str) -> bool:
    """Whether a flow creates tickets on the desk."""
    todo: list[Action] = list(flow.steps)
    while todo:
        action = todo.pop()
        if isinstance(action, Ticket) and action.desk == desk:
            return True
        todo += [inner for _, block in action.blocks() for inner in block]
    return False


def _ignore(finding: Any) -> None:
    """Our own texts hold no expressions."""

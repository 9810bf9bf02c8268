"""The fixed keys of the language: a flow, its fields, triggers, inputs and policy, `_bot.yaml` and `_texts`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from bot.fields import BY_TYPE
from bot.loader import Mapping, Node, Scalar, Sequence
from bot.model import Check, Field, Input, Option, Silence
from bot.shapes import (
    DURATION_SHAPE,
    EXPRESSION,
    LABEL,
    MISSING_KEY,
    NAME_SHAPE,
    PATTERN,
    PERHAPS,
    STEPS,
    TEMPLATE,
    TEXT,
    TEXTS,
    UNREAD,
    YES_NO,
    Anything,
    Integer,
    Key,
    ListOf,
    MapOf,
    Name,
    Number,
    OneOf,
    Owner,
    Reader,
    Record,
    Reference,
    Schema,
    Unread,
    keys_schema,
    read_keys,
    suggest,
    value_place,
)
from bot.templates import parse_template
from bot.triggers import TRIGGERS
from bot.triggers.button import label_key
from core.findings import Finding
from core.locale import n_

BY_TRIGGER = {kind.word: kind for kind in TRIGGERS}
GIVEN = frozenset({"client", "chat", "message", "event", "line", "now", "today", "question", "value"})


# --- fields ----------------------------------------------------------------------------------------------------------

OPTION = Record(
    "options",
    (
        Key("button", "label", TEXT, required=True, about=n_("the label; it is the value that is stored")),
        Key("words", "words", TEXTS, about=n_("phrases that mean it too")),
    ),
    lambda values, node: Option(at=node.at if isinstance(node, Scalar) else value_place(node, "button"), **values),
    short="button",
)
RULE = Record(
    "check",
    (
        Key("must", "must", EXPRESSION, required=True, about=n_("what is true of good answers; `value` is the answer")),
        Key("else", "otherwise", TEMPLATE, required=True, about=n_("what the client is told otherwise")),
    ),
    lambda values, node: Check(**values),
)


@dataclass(frozen=True, slots=True)
class OwnName:
    """A name that the author gives to something: not one of those that are given already."""

    told: ClassVar[str] = n_("name")

    def read(self, node: Node, reader: Reader) -> str | Unread:
        name = NAME_SHAPE.read(node, reader)
        if name in GIVEN:
            return reader.tell(
                node,
                "L114",
                n_("the name «{name}» is taken: it is given everywhere"),
                n_("choose another name"),
                name=name,
            )
        return name

    def schema(self) -> Schema:
        return NAME_SHAPE.schema()


CLIENT_NAME = Name(prefix="client", only_prefixed=True)
SHARED_FIELD_KEYS = (
    Key("label", "label", TEXT, required=True, about=n_("its name in summaries, tickets and reports")),
    Key("ask", "ask", TEMPLATE, required=True, about=n_("the question")),
    Key("type", "type", OneOf(tuple(BY_TYPE)), about=n_("what kind of answer it takes; text when absent")),
    Key("example", "example", LABEL, about=n_("an example of an answer, shown after a wrong one")),
    Key("check", "check", ListOf(RULE), about=n_("rules of your own on the answer")),
    Key(
        "wrong", "wrong", ListOf(TEMPLATE, single=True), about=n_("what a wrong answer gets; a list: the 1st, 2nd time")
    ),
    Key("from", "source", CLIENT_NAME, about=n_("the client's card: not asked when it is known there")),
    Key("keep", "keep", CLIENT_NAME, about=n_("store the answer on the client's card")),
    Key("optional", "optional", YES_NO, about=n_("adds the button «Skip»")),
    Key("private", "private", YES_NO, about=n_("masked in logs, reports and exports")),
    Key("attempts", "attempts", Integer(1, 20), about=n_("how many wrong answers before `too_many`")),
    Key("too_many", "too_many", STEPS, about=n_("what to do after too many wrong answers")),
)
OWN_FIELD_KEYS = (
    Key("pattern", "pattern", PATTERN, about=n_("the whole answer must match; the only group is what is stored")),
    Key("options", "options", ListOf(OPTION), about=n_("the answers to choose from")),
    Key("min", "min", Number(), about=n_("least number of characters, or least number")),
    Key("max", "max", Number(), about=n_("largest number of characters, or largest number")),
    Key("max_files", "max_files", Integer(1, 50), about=n_("how many files at most")),
    Key("max_mb", "max_mb", Number(), about=n_("how large a file may be, megabytes")),
    Key("formats", "formats", TEXTS, about=n_("file name endings that are taken")),
)
FIELD_KEYS = (*SHARED_FIELD_KEYS, *OWN_FIELD_KEYS)
OWN_NAMES = frozenset(key.name for key in OWN_FIELD_KEYS)


@dataclass(frozen=True, slots=True)
class FieldShape:
    """One field."""

    told: ClassVar[str] = n_("field")

    def read(self, node: Node, reader: Reader) -> Any:
        name = reader.key
        if not isinstance(node, Mapping):
            return reader.tell(node, "L112", n_("field «{name}» must be a map of `name: value`"), name=name)
        reader.place = name
        values, whole = read_keys(node, FIELD_KEYS, reader, Owner("field", name))
        reader.place = ""
        if not whole:  # go on with what can be known, so that one mistake is one finding
            values.setdefault("label", name)
            values.setdefault("ask", parse_template(name, node.at, lambda _: None))
        made = Field(name=name, at=node.at, node=node, **values)
        if "type" in values or "type" not in node.items:
            _check_keys_of_type(made, node, reader)
        _check_limits(made, node, reader)
        _check_options(made, reader)
        return made

    def schema(self) -> Schema:
        return keys_schema(FIELD_KEYS)


def _check_keys_of_type(made: Field, node: Mapping, reader: Reader) -> None:
    """Keys that only some types have; choices need options."""
    own = BY_TYPE[made.type].keys
    for name, (key, _) in node.items.items():
        if name in OWN_NAMES and name not in own:
            reader.key = name
            reader.tell(
                key,
                "L110",
                n_("field «{owner}»: type {type} has no key «{key}»"),
                n_("remove it"),
                owner=made.name,
                type=made.type,
            )
    if "options" in own and "options" not in node.items:
        reader.key = "options"
        reader.tell(node, "L111", MISSING_KEY["field"], owner=made.name)


def _check_limits(made: Field, node: Mapping, reader: Reader) -> None:
    limit = node.get("max")
    if limit is not None and made.min is not None and made.max is not None and made.min > made.max:
        reader.tell(limit, "L113", n_("field «{owner}»: `max` is less than `min`"), owner=made.name)


def _check_options(made: Field, reader: Reader) -> None:
    seen: set[str] = set()
    for option in made.options:
        if label_key(option.label) in seen:
            reader.report(
                Finding(
                    at=option.at,
                    code="L114",
                    what=n_("the option «{label}» is here twice"),
                    mend=n_("keep one of them"),
                    values={"label": option.label},
                    length=len(option.label),
                )
            )
        seen.add(label_key(option.label))


# --- inputs ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InputType:
    """The type of an input: a field type, or `service.call` for what a request gives."""

    told: ClassVar[str] = n_("field type or service.call")

    def read(self, node: Node, reader: Reader) -> str | Unread:
        text = node.text if isinstance(node, Scalar) else ""
        if text in BY_TYPE:
            return text
        if "." in text:
            return Reference("call").read(node, reader)
        close = suggest(text, [*BY_TYPE, *reader.known["call"]])
        return reader.tell(
            node,
            "L113",
            n_("«{key}» must be a field type or service.call"),
            PERHAPS if close else "",
            instead=close,
            close=close,
        )

    def schema(self) -> Schema:
        return {"anyOf": [{"enum": list(BY_TYPE)}, {"type": "string", "pattern": r"^[^.]+\.[^.]+$"}]}


INPUT_KEYS = (
    Key("type", "type", InputType(), required=True, about=n_("a field type, or service.call")),
    Key("default", "default", Anything(), about=n_("the value when the caller gives none")),
    Key("optional", "optional", YES_NO, about=n_("the caller may leave it out")),
)


@dataclass(frozen=True, slots=True)
class InputShape:
    """One of `takes`."""

    told: ClassVar[str] = n_("map")

    def read(self, node: Node, reader: Reader) -> Any:
        name = reader.key
        if not isinstance(node, Mapping):
            return reader.tell(node, "L112", n_("«{key}» must be a map of `name: value`"))
        values, _ = read_keys(node, INPUT_KEYS, reader, Owner("", name))
        return Input(name=name, at=node.at, **{"type": "text", **values})

    def schema(self) -> Schema:
        return keys_schema(INPUT_KEYS)


# --- triggers --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TriggerShape:
    """One trigger: a map with one trigger word."""

    told: ClassVar[str] = n_("trigger")

    def read(self, node: Node, reader: Reader) -> Any:
        if not isinstance(node, Mapping):
            return reader.tell(node, "L112", n_("a trigger is a map such as `button: text`"))
        words = [name for name in node.items if name in BY_TRIGGER]
        if len(words) != 1:
            return self._not_one(node, words, reader)
        kind = BY_TRIGGER[words[0]]
        values, whole = read_keys(node, kind.keys, reader, Owner("", kind.word))
        if not whole:
            return UNREAD
        if "phrases" in values:
            values["phrase_at"] = _phrase_places(node.get(kind.word))
        return kind(at=value_place(node, kind.word), node=node, **values)

    def _not_one(self, node: Mapping, words: list[str], reader: Reader) -> Unread:
        if words:
            return reader.tell(
                node.key(words[1]),
                "L120",
                n_("one trigger holds two: «{first}» and «{second}»"),
                n_("begin a new trigger with a dash"),
                first=words[0],
                second=words[1],
            )
        name = next(iter(node.items), "")
        close = suggest(name, BY_TRIGGER)
        return reader.tell(
            node.key(name),
            "L120",
            n_("there is no trigger «{name}»"),
            PERHAPS if close else n_("the triggers are: {words}"),
            instead=close,
            name=name,
            close=close,
            words=", ".join(BY_TRIGGER),
        )

    def schema(self) -> Schema:
        return {"anyOf": [keys_schema(kind.keys) for kind in TRIGGERS]}


def _phrase_places(node: Node | None) -> tuple[Any, ...]:
    return tuple(item.at for item in node.items) if isinstance(node, Sequence) else ()


# --- policy ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SilenceShape:
    """One rule of `silence`: after so long, exactly one of say, end and call."""

    told: ClassVar[str] = n_("map")
    keys: ClassVar[tuple[Key, ...]] = (
        Key("after", "after", DURATION_SHAPE, required=True, about=n_("how long after the question was delivered")),
        Key("say", "say", TEMPLATE, about=n_("a reminder; `question` is the question that waits")),
        Key("end", "end", TEXT, about=n_("end the run with this outcome")),
        Key("call", "call", Reference("flow"), about=n_("run a flow")),
    )

    def read(self, node: Node, reader: Reader) -> Any:
        if not isinstance(node, Mapping):
            return reader.tell(node, "L112", n_("«{key}» must be a map of `name: value`"))
        values, whole = read_keys(node, self.keys, reader, Owner("", "silence"))
        deeds = [name for name in node.items if name in ("say", "end", "call")]
        if len(deeds) != 1:
            place = node.key(deeds[1]) if deeds else node
            return reader.tell(place, "L120", n_("a rule of `silence` holds exactly one of: say, end, call"))
        at = value_place(node, "call") if "call" in values else node.at
        return Silence(at=at, **values) if whole else UNREAD

    def schema(self) -> Schema:
        return keys_schema(self.keys)


POLICY_KEYS = (
    Key("attempts", "attempts", Integer(1, 20), about=n_("how many wrong answers before `too_many`")),
    Key("wrong", "wrong", TEMPLATE, about=n_("what a wrong answer gets")),
    Key("too_many", "too_many", STEPS, about=n_("what to do after too many wrong answers")),
    Key("failed", "failed", STEPS, about=n_("what to do when a request, a ticket or a flow fails")),
    Key("silence", "silence", ListOf(SilenceShape()), about=n_("what to do when the client does not answer")),
    Key("pause", "pause", DURATION_SHAPE, about=n_("how long to wait for further pieces of a text; 0: not at all")),
    Key("thanks", "thanks", TEMPLATE, about=n_("the answer to thanks after the end")),
    Key("keep_old", "keep_old", DURATION_SHAPE, about=n_("how long an old version serves its runs")),
)


@dataclass(frozen=True, slots=True)
class PolicyShape:
    """The keys of a policy that are given; the others come from `_bot.yaml`."""

    told: ClassVar[str] = n_("map")

    def read(self, node: Node, reader: Reader) -> Any:
        if not isinstance(node, Mapping):
            return reader.tell(node, "L112", n_("«{key}» must be a map of `name: value`"))
        reader.place = "policy"
        values, _ = read_keys(node, POLICY_KEYS, reader, Owner("", "policy"))
        reader.place = ""
        return values

    def schema(self) -> Schema:
        return keys_schema(POLICY_KEYS)


POLICY = PolicyShape()

# --- files -----------------------------------------------------------------------------------------------------------

FLOW_KEYS = (
    Key("flow", "title", LABEL, required=True, about=n_("the title that people see")),
    Key("about", "about", TEXT, about=n_("one sentence on what it does")),
    Key("triggers", "triggers", ListOf(TriggerShape()), about=n_("what starts it; without it, only `call` does")),
    Key("takes", "takes", MapOf(OwnName(), InputShape()), about=n_("what a caller hands over")),
    Key("gives", "gives", ListOf(NAME_SHAPE), about=n_("names handed back to the caller")),
    Key("fields", "fields", MapOf(OwnName(), FieldShape()), about=n_("what can be asked")),
    Key("steps", "steps", STEPS, required=True, about=n_("what happens, step by step")),
    Key("policy", "policy", POLICY, about=n_("this flow's own rules for when things go wrong")),
    Key(
        "interrupts",
        "interrupts",
        OneOf(("at_once", "confirm", "never")),
        about=n_("whether it may interrupt another flow"),
    ),
)
SYSTEM_WORDS = ("cancel", "back", "operator", "menu", "skip", "continue")
BOT_KEYS = (
    Key("bot", "title", TEXT, required=True, about=n_("the name of the bot")),
    Key("welcome", "welcome", Reference("flow"), required=True, about=n_("the flow that greets and shows the menu")),
    Key("fallback", "fallback", Reference("flow"), required=True, about=n_("the flow for what nobody understood")),
    Key("operator", "operator", Reference("flow"), required=True, about=n_("the flow that calls a person")),
    Key(
        "words",
        "words",
        MapOf(OneOf(SYSTEM_WORDS), TEXTS),
        about=n_("what clients say for cancel, back, operator, menu, skip, continue"),
    ),
    Key("policy", "policy", POLICY, about=n_("what to do when things go wrong, for all flows")),
)
TEXT_KEYS = (
    Key("step", "step", TEXT, about=n_("where the text stands")),
    Key("source", "source", TEXT, required=True, about=n_("the text in the flow")),
    Key("text", "text", Anything(), about=n_("its translation")),
    Key("stale", "stale", YES_NO, about=n_("the flow no longer holds this text")),
)

"""L161 unknown names, L162 unknown attributes, L163 names that may be empty, L164 letters of two alphabets in one name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.actions.end import End
from bot.actions.set import Set
from bot.check.graph import Graph, Known, conditions, settle
from bot.check.places import value_at
from bot.check.scope import GIVEN, IN_CHECKS, IN_QUESTIONS, Attributes, Scopes, saved_names
from bot.check.walk import Words, action_words, field_words, own_actions
from bot.expressions import Use
from bot.loader import Mapping
from bot.model import Action, Flow, Library, Policy
from bot.patterns import Pattern
from bot.shapes import PERHAPS, suggest
from bot.triggers import EventTrigger, PatternTrigger
from core.deployment import Deployment
from core.findings import Finding, Position
from core.locale import n_

LATIN = "aceopxyABCEHKMOPTX"
CYRILLIC = "асеорхуАВСЕНКМОРТХ"
TO_CYRILLIC = str.maketrans(LATIN, CYRILLIC)
TO_LATIN = str.maketrans(CYRILLIC, LATIN)
PART = re.compile(r"[^\W\d_]+")
MIXED = n_("the name «{name}» mixes Latin and Cyrillic letters that look alike")
MIXED_MEND = n_("write «{instead}»")


@dataclass(slots=True)
class Names:
    """What the names of one file are checked against."""

    scope: dict[str, Attributes]
    client: dict[str, bool]
    deployment: Deployment

    def check(self, words: Words, extra: tuple[str, ...] = ()) -> Iterator[Finding]:
        """L161, L162, L164, L106 in one text or expression."""
        for use in words.uses:
            root = use.path[0]
            if root in self.scope:
                yield from self.attribute(use, self.scope[root])
            elif root == "client":
                yield from self.attribute(use, self.client)
            elif root == "line":
                yield from self.line(use)
            elif root in GIVEN:
                yield from self.attribute(use, GIVEN[root])
            elif root not in extra:
                yield self.unknown(use)

    def unknown(self, use: Use) -> Finding:
        name = use.path[0]
        if mixed(name):
            return mixed_finding(name, use.at)
        close = suggest(name, [*self.scope, *GIVEN])
        return Finding(
            at=use.at,
            code="L161",
            what=n_("the name «{name}» is not given anywhere"),
            mend=PERHAPS if close else "",
            values={"name": name, "close": close},
            length=len(name),
            instead=close,
        )

    def attribute(self, use: Use, attributes: Attributes) -> Iterator[Finding]:
        if attributes is None or len(use.path) < 2:
            return
        owner, name = use.path[0], use.path[1]
        if name in attributes:
            return
        at = Position(use.at.file, use.at.line, use.at.column + len(owner) + 1)
        if mixed(name):
            yield mixed_finding(name, at)
            return
        close = suggest(name, attributes)
        yield Finding(
            at=at,
            code="L162",
            what=n_("«{owner}» has no «{name}»"),
            mend=PERHAPS if close else "",
            values={"owner": owner, "name": name, "close": close},
            length=len(name),
            instead=close,
        )

    def line(self, use: Use) -> Iterator[Finding]:
        if len(use.path) < 2:
            return
        name = use.path[1]
        at = Position(use.at.file, use.at.line, use.at.column + 5)
        if name not in self.deployment.lines:
            close = suggest(name, self.deployment.lines)
            yield Finding(
                at=at,
                code="L106",
                what=n_("there is no line «{name}» in the config"),
                mend=PERHAPS if close else "",
                values={"name": name, "close": close},
                length=len(name),
                instead=close,
            )
        elif len(use.path) > 2 and use.path[2] not in ("open", "opens_at", "title"):
            close = suggest(use.path[2], ("open", "opens_at", "title"))
            yield Finding(
                at=Position(at.file, at.line, at.column + len(name) + 1),
                code="L162",
                what=n_("«{owner}» has no «{name}»"),
                mend=PERHAPS if close else "",
                values={"owner": f"line.{name}", "name": use.path[2], "close": close},
                length=len(use.path[2]),
                instead=close,
            )


def mixed(name: str) -> bool:
    """Whether one word of a name has letters of both alphabets."""
    return any(re.search("[A-Za-z]", part) and re.search("[А-Яа-яЁё]", part) for part in PART.findall(name))


def mixed_finding(name: str, at: Position) -> Finding:
    """L164, with the name in one alphabet, the one most of its letters are of."""
    cyrillic = len(re.findall("[А-Яа-яЁё]", name)) * 2 >= len(name)
    instead = name.translate(TO_CYRILLIC if cyrillic else TO_LATIN)
    return Finding(
        at=at,
        code="L164",
        what=MIXED,
        mend=MIXED_MEND,
        values={"name": name, "instead": instead},
        length=len(name),
        instead=instead,
    )


def check_names(flow: Flow, library: Library, names: Names) -> Iterator[Finding]:
    """Every name of a flow's own file, reached or not."""
    for field in flow.fields.values():
        for words, in_check in field_words(field):
            yield from names.check(words, (IN_CHECKS,) if in_check else ())
    for trigger in flow.triggers:
        if isinstance(trigger, EventTrigger) and trigger.where is not None:
            yield from names.check(trigger.where)
        elif isinstance(trigger, PatternTrigger):
            yield from _groups(trigger.pattern, trigger.at, flow)
    for action in own_actions(flow, library.bot.policy):
        for words in action_words(action):
            yield from names.check(words)
    yield from check_policy(flow.policy, library.bot.policy, names)
    yield from _given_back(flow, names)
    if flow.node is not None:
        yield from _declared(flow.node)


def check_policy(policy: Policy, base: Policy | None, names: Names) -> Iterator[Finding]:
    """The texts of a policy; those inherited from `base` are checked at their own place."""
    for text, inherited in ((policy.wrong, base and base.wrong), (policy.thanks, base and base.thanks)):
        if text is not None and text is not inherited:
            yield from names.check(text, (IN_QUESTIONS,))
    if base is None or policy.silence is not base.silence:
        for rule in policy.silence:
            if rule.say is not None:
                yield from names.check(rule.say, (IN_QUESTIONS,))


def _groups(pattern: Pattern, at: Position, flow: Flow) -> Iterator[Finding]:
    """Named groups of a trigger fill fields: there must be such fields."""
    for name in pattern.groups:
        if name not in flow.fields:
            close = suggest(name, flow.fields)
            yield Finding(
                at=at,
                code="L107",
                what=n_("there is no field «{name}» in this flow"),
                mend=PERHAPS if close else "",
                values={"name": name, "close": close},
                length=len(pattern.source),
                instead="",
            )


def _given_back(flow: Flow, names: Names) -> Iterator[Finding]:
    for n, name in enumerate(flow.gives):
        if name not in names.scope:
            close = suggest(name, names.scope)
            yield Finding(
                at=value_at(flow, "gives", n),
                code="L161",
                what=n_("the name «{name}» is not given anywhere"),
                mend=PERHAPS if close else "",
                values={"name": name, "close": close},
                length=len(name),
                instead=close,
            )


def _declared(root: Mapping) -> Iterator[Finding]:
    """L164 where a name is given: keys of fields, takes and set, and saved results."""
    for key in ("fields", "takes"):
        part = root.get(key)
        if isinstance(part, Mapping):
            yield from (mixed_finding(name.text, name.at) for name, _ in part.items.values() if mixed(name.text))
    for name in saved_names(root.get("steps")):
        if mixed(name.text):
            yield mixed_finding(name.text, name.at)


# --- what may be empty -----------------------------------------------------------------------------------------------


def check_empty(graph: Graph, names: Names, shared: Names) -> Iterator[Finding]:
    """L163: uses of names that not every way here has filled. `shared` are the names of `_bot.yaml`, whose policy may
    run here too."""
    flow = graph.flow
    known = settle(graph, entry(flow))
    for index in sorted(known):
        here, state = known[index], graph.states[index]
        if here is None or state.action is None:
            continue
        tests = {id(test) for test in conditions(state.action)}
        before = dict(_set_before(state.action))
        for words in state.words:
            if id(words) not in tests:
                inherited = words.at.file == graph.library.bot.at.file
                yield from _empty_uses(words, here | before.get(id(words), frozenset()), shared if inherited else names)
        if isinstance(state.action, End) and not state.policy:
            yield from _missing_gives(state.action, here, flow, names)


def _set_before(action: Action) -> Iterator[tuple[int, Known]]:
    """The values of a `set` see the names that stand before them in it."""
    known: Known = frozenset()
    for name, value in action.values.items() if isinstance(action, Set) else ():
        yield id(value), known
        if value.source.strip():
            known |= {tuple(name.split("."))}


def entry(flow: Flow) -> Known:
    """What is known when a flow begins."""
    begin = {(taken.name,) for taken in flow.takes.values() if not taken.optional or taken.default is not None}
    if flow.triggers and all(isinstance(trigger, EventTrigger) for trigger in flow.triggers):
        begin.add(("event",))
    return frozenset(begin)


def _empty_uses(words: Words, here: Known, names: Names) -> Iterator[Finding]:
    for use in words.uses:
        empty = "" if use.accepts_empty else _empty_part(use.path, here, names)
        if empty:
            yield Finding(
                at=use.at,
                code="L163",
                what=n_("«{name}» may still be empty here"),
                values={"name": empty},
                length=len(".".join(use.path)),
            )


def _empty_part(path: tuple[str, ...], here: Known, names: Names) -> str:
    """The part of a name that may be empty, "" when all of it is known."""
    root = path[0]
    if path in here:
        return ""
    if root in names.scope:
        if (root,) not in here:
            return root
        attributes = names.scope[root]
        optional = attributes is not None and len(path) > 1 and attributes.get(path[1], False)
        return ".".join(path) if optional and path[:2] not in here else ""
    if root == "client":
        return ".".join(path) if path[:2] not in here and (len(path) < 2 or path[1] in names.client) else ""
    return root if root == "event" and ("event",) not in here else ""


def _missing_gives(action: End, here: Known, flow: Flow, names: Names) -> Iterator[Finding]:
    for name in flow.gives:
        if name in names.scope and (name,) not in here:
            yield Finding(
                at=action.at,
                code="L163",
                what=n_("«{name}» is handed back, but may still be empty here"),
                values={"name": name},
                length=len(action.word),
            )


def bot_names(library: Library, scopes: Scopes, client: dict[str, bool]) -> Names:
    """What `_bot.yaml` may name: what its own blocks save, and what is given."""
    scope: dict[str, Attributes] = {}
    for block in (library.bot.policy.too_many, library.bot.policy.failed):
        scope |= dict(scopes.block_names(block or ()))
    return Names(scope, client, scopes.deployment)

"""YAML sources to a library of flows, with every mistake of form reported at its place."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from collections.abc import Mapping as Texts
from dataclasses import dataclass, field, replace
from typing import Any

from bot.actions import ACTIONS
from bot.keys import BOT_KEYS, FLOW_KEYS, TEXT_KEYS
from bot.loader import Mapping, Node, Scalar, Sequence, load
from bot.model import Action, Block, BotFile, Broken, Flow, Library, Policy
from bot.shapes import PERHAPS, TEXT, Key, Kind, Owner, Reader, Unread, read_keys, suggest, text_key, value_place
from core.deployment import Deployment
from core.findings import Finding, Position
from core.locale import n_

BOT = "_bot.yaml"
TEXTS = "_texts/"
TESTS = "tests/"
BY_WORD: dict[str, type[Action]] = {action.word: action for action in ACTIONS}
CHANNEL_KINDS = ("telegram", "vk", "max", "web", "email", "terminal")


def read(
    sources: Texts[str, str], deployment: Deployment, prefix: str = "flows/", translate: bool = True
) -> tuple[Library | None, list[Finding]]:
    """All of `flows/`: path relative to the folder → text. None when there is no `_bot.yaml` to begin with.

    A library that comes with errors may be checked for more of them, never compiled. With `translate`, texts that
    `_texts/<language of the deployment>.yaml` holds stand in place of the flows' own; without, for the export, as written.
    """
    reading = _Reading(dict(sources), deployment, prefix, translate)
    library = reading.library()
    return library, sorted(reading.findings, key=lambda finding: (finding.at, finding.code))


def flow_ids(sources: Texts[str, str]) -> list[str]:
    """Ids of the flows among the files."""
    return sorted(
        path.removesuffix(".yaml")
        for path in sources
        if path.endswith(".yaml") and path != BOT and not path.startswith((TEXTS, TESTS))
    )


@dataclass(slots=True)
class _Reading:
    """One reading of the whole folder."""

    sources: dict[str, str]
    deployment: Deployment
    prefix: str
    translate: bool = True
    findings: list[Finding] = field(default_factory=list)
    translations: dict[str, tuple[str, Position]] = field(default_factory=dict)

    def library(self) -> Library | None:
        found = {path[len(TEXTS) : -len(".yaml")]: self.texts(path) for path in self.sources if _is_texts(path)}
        if self.translate:
            self.translations = found.get(self.deployment.language, {})
        bot = self.bot()
        base = bot.policy if bot else Policy()
        flows = {}
        for name in flow_ids(self.sources):
            flow = self.flow(name, base)
            if flow is not None:
                flows[name] = flow
        texts = {language: {key: text for key, (text, _) in known.items()} for language, known in found.items()}
        hashes = {name: _hash(self.sources[f"{name}.yaml"]) for name in flows}
        return Library(bot=bot, flows=flows, texts=texts, hashes=hashes) if bot else None

    def reader(self, path: str, node: Mapping) -> Reader:
        steps, fields = names_in(node)
        known: dict[Kind, Any] = {
            "step": steps,
            "field": fields,
            "flow": frozenset(flow_ids(self.sources)),
            "line": self.deployment.lines,
            "desk": self.deployment.desks,
            "call": frozenset(f"{s}.{c}" for s, calls in self.deployment.services.items() for c in calls),
            "channel": {
                *CHANNEL_KINDS,
                *self.deployment.channels,
                *(c.kind for c in self.deployment.channels.values()),
            },
        }
        made = Reader(self.prefix + path, self.sources[path], self.findings.append, known, read_steps)
        made.flow, made.translations = path.removesuffix(".yaml"), self.translations
        return made

    def root(self, path: str) -> Mapping | None:
        count = len(self.findings)
        node = load(self.sources[path], self.prefix + path, self.findings.append)
        if isinstance(node, Mapping):
            return node
        if len(self.findings) == count:
            at = node.at if node else Position(self.prefix + path)
            what = n_("a file begins with a map of `name: value`") if node else n_("the file is empty")
            self.findings.append(Finding(at=at, code="L112", what=what, length=1))
        return None

    def bot(self) -> BotFile | None:
        if BOT not in self.sources:
            self.findings.append(
                Finding(
                    at=Position(self.prefix + BOT),
                    code="L111",
                    what=n_("the file _bot.yaml is missing"),
                    mend=n_("it names the flows `welcome`, `fallback` and `operator`"),
                )
            )
            return None
        node = self.root(BOT)
        if node is None:
            return None
        values, whole = read_keys(node, BOT_KEYS, self.reader(BOT, node), Owner("", "_bot.yaml"))
        values["policy"] = replace(Policy(), **values.get("policy", {}))
        return BotFile(at=node.at, node=node, **values) if whole else None

    def flow(self, name: str, base: Policy) -> Flow | None:
        path = f"{name}.yaml"
        node = self.root(path)
        if node is None:
            return None
        reader = self.reader(path, node)
        check_step_names(node, reader)
        values, _ = read_keys(node, FLOW_KEYS, reader, Owner("", name))
        values["policy"] = replace(base, **values.get("policy", {}))
        return Flow(id=name, at=node.at, node=node, **{"title": name, **values})

    def texts(self, path: str) -> dict[str, tuple[str, Position]]:
        """Translations by key, each with its place."""
        node = self.root(path)
        return dict(_translations(node, self.reader(path, node))) if node is not None else {}


def _translations(node: Mapping, reader: Reader) -> Iterator[tuple[str, tuple[str, Position]]]:
    for key, entries in node.items.values():
        reader.key = key.text
        if not isinstance(entries, Sequence):
            reader.tell(entries, "L112", n_("«{key}» must be a list"))
            continue
        for entry in entries.items:
            values = _text_entry(entry, reader)
            if values.get("text"):
                known = (str(values["text"]), value_place(entry, "text"))
                yield text_key(key.text, values.get("step", ""), values["source"]), known


def _is_texts(path: str) -> bool:
    return path.startswith(TEXTS) and path.endswith(".yaml")


def _text_entry(node: Node, reader: Reader) -> dict[str, Any]:
    if not isinstance(node, Mapping):
        reader.tell(node, "L112", n_("«{key}» must be a map of `name: value`"))
        return {}
    values, whole = read_keys(node, TEXT_KEYS, reader, Owner("", "_texts"))
    return values if whole else {}


# --- steps -----------------------------------------------------------------------------------------------------------


def read_steps(node: Node, reader: Reader) -> Block | Unread:
    """A block of steps; what cannot be read is there as `Broken`."""
    if not isinstance(node, Sequence) or not node.items:
        return reader.tell(node, "L112", n_("«{key}» must be a list of steps"))
    return tuple(read_step(item, reader) for item in node.items)


def read_step(node: Node, reader: Reader) -> Action:
    """One step: a map with exactly one action word."""
    if not isinstance(node, Mapping):
        reader.tell(node, "L112", n_("a step is a map such as `say: text`"))
        return Broken(at=node.at)
    words = [name for name in node.items if name in BY_WORD]
    if len(words) != 1:
        return _not_one_action(node, words, reader)
    kind = BY_WORD[words[0]]
    name, outer = node.get("step"), reader.place
    reader.place = name.text.strip() if isinstance(name, Scalar) else ""
    values, whole = read_keys(node, (*kind.keys, STEP_KEY), reader, Owner("step", kind.word))
    reader.place = outer
    at = node.key(kind.word).at
    if not whole:
        return Broken(at=at, step=values.get("step", ""), node=node)
    return kind.build({"at": at, "node": node, **values})


STEP_KEY = Key("step", "step", TEXT, about=n_("the name of the step, for `goto`, reports and translations"))


def _not_one_action(node: Mapping, words: list[str], reader: Reader) -> Broken:
    if words:
        reader.tell(
            node.key(words[1]),
            "L120",
            n_("one step holds two actions: «{first}» and «{second}»"),
            n_("begin a new step with a dash"),
            first=words[0],
            second=words[1],
        )
        return Broken(at=node.at, node=node)
    for name, (key, _) in node.items.items():
        close = suggest(name, BY_WORD) if name != "step" else ""
        if close:
            reader.tell(key, "L120", n_("there is no action «{name}»"), PERHAPS, instead=close, name=name, close=close)
            return Broken(at=key.at, node=node)
    reader.tell(node, "L120", n_("this step has no action"), n_("the actions are: {words}"), words=", ".join(BY_WORD))
    return Broken(at=node.at, node=node)


def names_in(root: Mapping) -> tuple[frozenset[str], frozenset[str]]:
    """Names of steps and of fields in a flow, as they are written, readable or not."""
    fields = root.get("fields")
    steps = frozenset(name.text for name in step_names(root))
    return steps, frozenset(fields.items) if isinstance(fields, Mapping) else frozenset()


def step_names(node: Node) -> Iterator[Scalar]:
    """Every value of a `step:` key below a node."""
    if isinstance(node, Mapping):
        for _, value in node.items.values():
            yield from step_names(value)
    elif isinstance(node, Sequence):
        for item in node.items:
            name = item.get("step") if isinstance(item, Mapping) else None
            if isinstance(name, Scalar):
                yield name
            yield from step_names(item)


def check_step_names(root: Mapping, reader: Reader) -> None:
    """Two steps of one name cannot both be gone to."""
    seen = set()
    for name in step_names(root):
        if name.text in seen:
            reader.tell(
                name, "L114", n_("there are two steps named «{name}»"), n_("rename one of them"), name=name.text
            )
        seen.add(name.text)


# --- versions --------------------------------------------------------------------------------------------------------


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def versions(library: Library, sources: Texts[str, str]) -> dict[str, str]:
    """The version of each flow: 12 hex digits over its text, the flows it may call, policy included, and shared files."""
    from bot.check.calls import call_graph

    shared = sorted(f"{path} {_hash(text)}" for path, text in sources.items() if path == BOT or _is_texts(path))
    calls = call_graph(library)
    made = {}
    for name in library.flows:
        parts = sorted(f"{each} {library.hashes[each]}" for each in _reach(name, calls) if each in library.hashes)
        made[name] = _hash("\n".join([name, *shared, *parts]))[:12]
    return made


def _reach(name: str, calls: Texts[str, Any]) -> set[str]:
    found = {name}
    todo = [name]
    while todo:
        for each in calls.get(todo.pop(), ()):
            if each not in found:
                found.add(each)
                todo.append(each)
    return found

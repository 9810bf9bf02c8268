"""The book: all flows that serve now, compiled, and older versions that still have runs."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from bot.check import check
from bot.compile import CompiledFlow, compile_flow
from bot.matcher import Matcher, build_matcher
from bot.model import BotFile, Flow, Library
from bot.reading import read, versions
from bot.rules import build_rules
from core.deployment import Deployment
from core.findings import Finding
from core.normal import normal

Version = tuple[str, str]  # flow id, version


@dataclass(frozen=True, slots=True)
class Book:
    """What the engine runs. `flows` is the current version of each flow, `versions` all that are served."""

    id: str
    bot: BotFile
    flows: dict[str, CompiledFlow]
    versions: dict[Version, CompiledFlow]
    matcher: Matcher
    deployment: Deployment
    library: Library
    words: dict[str, str] = field(default_factory=dict)  # what the client says → cancel, back, …, continue

    @property
    def language(self) -> str:
        return self.deployment.language

    def with_older(self, book: Book) -> Book:
        """This book, serving also the versions of an older one that it does not have itself."""
        return replace(self, versions={**book.versions, **self.versions})

    def without(self, gone: Collection[Version]) -> Book:
        """This book without some older versions: runs on them begin anew. Current versions stay."""
        current = {(flow.id, flow.version) for flow in self.flows.values()}
        kept = {key: flow for key, flow in self.versions.items() if key in current or key not in gone}
        return replace(self, versions=kept)


def load(
    sources: Mapping[str, str], deployment: Deployment, prefix: str = "flows/"
) -> tuple[Book | None, list[Finding]]:
    """The book of a folder's files (path → text), and all findings. No book while there are errors."""
    library, findings = read(sources, deployment, prefix)
    if library is not None:
        findings = sorted([*findings, *check(library, deployment)], key=lambda f: (f.at, f.code))
    if library is None or any(finding.level == "error" for finding in findings):
        return None, findings
    return build_book(library, deployment, versions(library, sources), bundle_id(sources)), findings


def bundle_id(sources: Mapping[str, str]) -> str:
    """The hash of all files: 16 hex digits."""
    whole = hashlib.sha256()
    for name in sorted(sources):
        whole.update(f"{name}\0{sources[name]}\0".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()[:16]


def build_book(library: Library, deployment: Deployment, made: Mapping[str, str], id: str) -> Book:
    """Compile a library that the checks passed. `made` are the versions of its flows."""
    rules = build_rules(library, deployment)
    flows = {name: compile_flow(flow, library, deployment, made[name]) for name, flow in library.flows.items()}
    for name, flow in rules.items():
        flows[name] = compile_flow(flow, library, deployment, rule_version(flow))
    for compiled in flows.values():
        compiled.family = flows
    return Book(
        id=id,
        bot=library.bot,
        flows=flows,
        versions={(flow.id, flow.version): flow for flow in flows.values()},
        matcher=build_matcher(library.flows),
        deployment=deployment,
        library=library,
        words=build_words(library.bot),
    )


def rule_version(flow: Flow) -> str:
    """The version of a line's rule: what it asks and where it goes."""
    parts = [flow.id, *(repr(step) for step in flow.steps), *(f"{f.label} {f.type}" for f in flow.fields.values())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


COMMANDS = ("cancel", "back", "operator", "menu", "skip", "continue")


def build_words(bot: BotFile) -> dict[str, str]:
    """Every phrase of a system word, normalised, and the commands `/cancel`, `/back`, …"""
    words = {normal(phrase): word for word, phrases in bot.words.items() for phrase in phrases}
    return {**{f"/{word}": word for word in COMMANDS}, **words}

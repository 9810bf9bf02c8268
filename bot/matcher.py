"""Which flow a message starts. All word forms are looked up at publish; a message costs a few dictionary reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.actions.choose import Choose
from bot.forms import base, forms
from bot.heard import Heard
from bot.model import Action, Flow, Trigger
from bot.options import learn
from bot.triggers.button import Button, label_key
from bot.triggers.command import Command, command_key
from bot.triggers.event import EventTrigger
from bot.triggers.exact import Exact, exact_key
from bot.triggers.link import Link, transliterate
from bot.triggers.pattern import PatternTrigger
from bot.triggers.words import Words
from core.normal import words

REPAIRED = 5  # letters a word must have for a typo in it to be forgiven


@dataclass(frozen=True, slots=True)
class Match:
    """A trigger that fits. `why` tells people the reason; `fills` are values found for fields, by name."""

    flow: str
    trigger: Trigger
    level: int
    why: dict[str, Any] = field(default_factory=dict)
    fills: dict[str, str] = field(default_factory=dict)


Numbers = frozenset[int]
Phrase = tuple[Numbers, tuple[int, ...], Match]  # its words, its rank (the greater wins), what it says
Shelf = tuple[Numbers, list[Phrase]]  # all words of the phrases on it, the phrases


NOTHING: Shelf = (frozenset(), [])


class Matcher:
    """Built by `build_matcher`; never changes afterwards."""

    def __init__(self) -> None:
        self._links: dict[str, list[Match]] = {}
        self._commands: dict[str, list[Match]] = {}
        self._buttons: dict[str, list[Match]] = {}
        self._exact: dict[str, list[Match]] = {}
        self._events: dict[str, list[tuple[str, EventTrigger]]] = {}
        self._patterns: list[tuple[str, PatternTrigger]] = []
        self._words = WordIndex([])

    def match(self, heard: Heard, repair: bool = True) -> list[Match]:
        """All equals of the best level among button, exact, pattern and words; one for a flow. `repair` forgives typos."""
        if not heard.text:
            return []
        found = (
            self._buttons.get(" ".join(heard.words) or heard.text)
            or self._exact.get(heard.normal or heard.text)
            or (self._search(heard.text) if self._patterns else None)
            or self._words.match(heard.words)
        )
        if not found and repair:
            found = self._words.repair(heard.words)
        return found or []

    def link(self, payload: str) -> list[Match]:
        """Flows of a deep link, in either alphabet."""
        return self._links.get(transliterate(payload), [])

    def command(self, name: str) -> list[Match]:
        """Flows of `/status`."""
        return self._commands.get(command_key(name), [])

    def button(self, label: str) -> list[Match]:
        """Flows of a menu button's label."""
        return self._buttons.get(label_key(label), [])

    def event(self, name: str) -> list[tuple[str, EventTrigger]]:
        """(flow id, trigger) of everything that waits for the event; whether `where` holds is the caller's to ask."""
        return self._events.get(name, [])

    def add(self, flow: str, trigger: Trigger) -> None:
        """Files one trigger; phrases of `words` are indexed together by `build_matcher`."""
        match = Match(flow, trigger, trigger.level, {"trigger": trigger.word})
        if isinstance(trigger, Link):
            _file(self._links, trigger.key, match)
        elif isinstance(trigger, Command):
            _file(self._commands, trigger.key, match)
        elif isinstance(trigger, Button):
            _file(self._buttons, trigger.key, match)
        elif isinstance(trigger, Exact):
            for phrase in trigger.phrases:
                _file(self._exact, exact_key(phrase), match)
        elif isinstance(trigger, PatternTrigger):
            self._patterns.append((flow, trigger))
        elif isinstance(trigger, EventTrigger):
            self._events.setdefault(trigger.event, []).append((flow, trigger))

    def _search(self, text: str) -> list[Match]:
        found: dict[str, Match] = {}
        for flow, trigger in self._patterns:
            if flow not in found and (fills := trigger.pattern.search(text)) is not None:
                found[flow] = Match(flow, trigger, trigger.level, {"trigger": "pattern", **fills}, fills)
        return list(found.values())


class WordIndex:
    """Phrases by the rarest of their words: a message looks only at phrases whose rarest word it holds."""

    def __init__(self, phrases: list[tuple[str, Words, str]]) -> None:
        split = [(flow, trigger, text, _by_base(text)) for flow, trigger, text in phrases]
        counted = Counter(word for *_, parts in split for word in parts)
        numbers = {word: n for n, word in enumerate(counted)}
        self._forms = _inverted((numbers[word], known) for *_, parts in split for word, known in parts.items())
        shelves: dict[int, list[Phrase]] = {}
        for flow, trigger, text, parts in split:
            if not parts:
                continue
            order = sorted(parts, key=lambda word: (counted[word], word))
            rank = (len(order), *(-counted[word] for word in order))
            match = Match(flow, trigger, trigger.level, {"trigger": "words", "phrase": text})
            phrase = (frozenset(numbers[word] for word in order), rank, match)
            shelves.setdefault(numbers[order[0]], []).append(phrase)
        self._by_rarest = {number: _shelf(number, shelf) for number, shelf in shelves.items()}
        self._typos = _deletions(self._forms)

    def match(self, said: list[str]) -> list[Match]:
        """The phrases that fit best: more words win, then rarer words."""
        known = self._forms
        here: set[int] = set()
        for word in said:
            if word in known:
                here.update(known[word])
        best: tuple[int, ...] = ()
        found: list[Match] = []
        for number in here:
            others, phrases = self._by_rarest.get(number, NOTHING)
            if others.isdisjoint(here):
                continue
            for parts, rank, match in phrases:
                if rank >= best and parts <= here:
                    found = [*found, match] if rank == best else [match]
                    best = rank
        return found if len(found) < 2 else _one_of_each(found)

    def repair(self, said: list[str]) -> list[Match]:
        """The same with one letter mended in every long word that is not known."""
        mended = {word: known for word in said if (known := self._mend(word)) is not None}
        if not mended:
            return []
        found = self.match([part for word in said for part in mended.get(word, (word,))])
        shown = {word: known[0] for word, known in mended.items()}
        return [Match(m.flow, m.trigger, m.level, {**m.why, "repaired": shown}) for m in found]

    def _mend(self, word: str) -> list[str] | None:
        """Known words one letter away (dropped, added, replaced, or two swapped), in order; None for short or known ones."""
        if len(word) < REPAIRED or word in self._forms:
            return None
        near = set(self._typos.get(word, ()))
        for shorter in _shorter(word):
            near.update(self._typos.get(shorter, ()))
            if shorter in self._forms and len(shorter) >= REPAIRED:
                near.add(shorter)
        return sorted(form for form in near if is_one_typo(word, form)) or None


def build_matcher(flows: Mapping[str, Flow]) -> Matcher:
    """The matcher of a set of flows. The first build of a process reads the dictionary of word forms (0.1 s)."""
    matcher = Matcher()
    phrases: list[tuple[str, Words, str]] = []
    for flow in flows.values():
        for trigger in flow.triggers:
            if isinstance(trigger, Words):
                phrases += [(flow.id, trigger, phrase) for phrase in trigger.phrases]
            else:
                matcher.add(flow.id, trigger)
        _learn_options(flow)
    matcher._words = WordIndex(phrases)
    return matcher


def _learn_options(flow: Flow) -> None:
    """Looks up the words of options now, so that no message has to wait for the dictionary of word forms."""
    offered = [option.words for made in flow.fields.values() for option in made.options]
    todo: list[Action] = list(flow.steps)
    while todo:
        action = todo.pop()
        todo += [inner for _, block in action.blocks() for inner in block]
        if isinstance(action, Choose):
            offered += [option.words for option in action.options]
    for phrases in offered:
        learn(phrases)


def phrase_key(phrase: str) -> frozenset[str]:
    """Two phrases with one key match the same messages; a key inside another means that one phrase contains the other."""
    return frozenset(base(word) for word in words(phrase))


def _file(table: dict[str, list[Match]], key: str, match: Match) -> None:
    """One entry for a flow: two labels of a flow that read alike are one."""
    known = table.setdefault(key, [])
    if all(other.flow != match.flow for other in known):
        known.append(match)


def _shelf(number: int, phrases: list[Phrase]) -> Shelf:
    """The phrases whose rarest word is `number`, and one of whose `others` must be there for any of them to fit."""
    others: set[int] = set()
    for parts, _, _ in phrases:
        others |= parts - {number} or parts
    return frozenset(others), phrases


def _one_of_each(matches: list[Match]) -> list[Match]:
    """One match for a flow, flows in a steady order."""
    by_flow: dict[str, Match] = {}
    for match in sorted(matches, key=lambda m: (m.flow, m.why["phrase"])):
        by_flow.setdefault(match.flow, match)
    return list(by_flow.values())


def _by_base(phrase: str) -> dict[str, frozenset[str]]:
    """The words of a phrase: dictionary form → all forms."""
    return {base(word): forms(word) for word in words(phrase)}


def _inverted(known: Iterable[tuple[int, frozenset[str]]]) -> dict[str, tuple[int, ...]]:
    """form → numbers of the words it may be a form of."""
    numbers: dict[str, set[int]] = {}
    for number, forms_of in known:
        for form in forms_of:
            numbers.setdefault(form, set()).add(number)
    return {form: tuple(sorted(ns)) for form, ns in numbers.items()}


def _deletions(known: Mapping[str, Any]) -> dict[str, list[str]]:
    """Every long form with one letter left out → the forms it may come from."""
    typos: dict[str, list[str]] = {}
    for form in known:
        if len(form) >= REPAIRED:
            for shorter in _shorter(form):
                typos.setdefault(shorter, []).append(form)
    return typos


def _shorter(word: str) -> Iterator[str]:
    """The word without one of its first 32 letters."""
    return (word[:n] + word[n + 1 :] for n in range(min(len(word), 32)))


def is_one_typo(said: str, form: str) -> bool:
    """Whether one letter dropped, added or replaced, or two neighbours swapped, makes one of the other."""
    if len(said) > len(form):
        said, form = form, said
    n = next((i for i, (a, b) in enumerate(zip(said, form, strict=False)) if a != b), len(said))
    if len(said) < len(form):
        return said[n:] == form[n + 1 :]
    swapped = said[n : n + 2] == form[n : n + 2][::-1] and said[n + 2 :] == form[n + 2 :]
    return said[n + 1 :] == form[n + 1 :] or swapped

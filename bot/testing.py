"""YAML tests of flows, played through the pure step: a simulated clock, mocked services, simulated lines. No network."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.book import Book
from bot.coverage import Coverage, Visit, measure
from bot.scene import Failed, Scene
from bot.testfiles import SUFFIX, Entry, TestCase, read_tests
from core.findings import Finding, Position
from core.locale import Texts, texts
from core.turn import LineFacts

OpenAt = Callable[[str, datetime], LineFacts]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a test failed: the place in its file, and what was expected against what was said, in the reader's words."""

    at: Position
    test: str
    what: str


@dataclass(frozen=True, slots=True)
class TestReport:
    """What the tests showed. `tested` are the (flow, outcome) that tests expect: L180 asks for the others."""

    tests: int
    failures: tuple[Failure, ...]
    findings: tuple[Finding, ...]
    coverage: Coverage
    tested: frozenset[tuple[str, str]] = field(default_factory=frozenset)

    __test__ = False

    @property
    def passed(self) -> bool:
        return not self.failures and not any(finding.level == "error" for finding in self.findings)


def run_tests(
    book: Book,
    sources: Mapping[str, str],
    only: Collection[str] | None = None,
    open_at: OpenAt | None = None,
    prefix: str = "flows/",
) -> TestReport:
    """Play the tests of the files (path → text). `only`: files whose name is one of these flow ids, and files that are
    named after no flow. `open_at` tells a line's hours; without it every line is open."""
    findings: list[Finding] = []
    cases = read_tests(sources, book.deployment, findings.append, prefix)
    failures: list[Failure] = []
    visits: set[Visit] = set()
    tested: set[tuple[str, str]] = set()
    chosen = [case for case in cases if is_chosen(case.file, book, only)]
    for case in chosen:
        scene = Scene(book, case, open_at)
        failure = play(scene, case)
        visits |= scene.visits
        if failure is not None:
            failures.append(failure)
        elif case.expect.outcome is not None:
            tested.update(one for one in scene.outcomes if one[1] == case.expect.outcome)
    flows = book.flows.values() if only is None else [book.flows[id] for id in only if id in book.flows]
    return TestReport(len(chosen), tuple(failures), tuple(findings), measure(list(flows), visits), frozenset(tested))


def is_chosen(file: str, book: Book, only: Collection[str] | None) -> bool:
    """`tests/billing.test.yaml` tests the flow `billing`; a file named after no flow always runs."""
    name = file.removesuffix(SUFFIX).removeprefix("tests/")
    return only is None or name in only or name not in book.flows


def play(scene: Scene, case: TestCase) -> Failure | None:
    """The talk line by line, then what is expected; the first disagreement ends the test."""
    t = texts(scene.book.language)
    at = case.at
    try:
        for n, entry in enumerate(case.talk):
            at = entry.at
            following = case.talk[n + 1] if n + 1 < len(case.talk) else None
            play_entry(scene, entry, following)
        scene.rest()
        for at, failed in check_expected(scene, case, t):
            return Failure(at, case.name, failed)
    except Failed as failed:
        return Failure(at, case.name, failed.what)
    return None


def play_entry(scene: Scene, entry: Entry, following: Entry | None) -> None:
    if entry.word in ("bot", "silent"):
        scene.rest()
        expect_said(scene, entry)
        return
    scene.act(entry)
    if following is None or following.word not in ("client", "send"):
        scene.rest()


def expect_said(scene: Scene, entry: Entry) -> None:
    """The next message with the text, among those since the client's last action; its buttons when they are given."""
    t = texts(scene.book.language)
    if entry.word == "silent":
        said = [one.text for one in scene.said[scene.cursor :]]
        if entry.value and said:
            raise Failed(t("the bot was to be silent, it said: {said}", said=" / ".join(said)))
        return
    found = scene.find(entry.value)
    if found is None:
        said = [one.text for one in scene.said] or [t("nothing")]
        raise Failed(t("expected “{text}”, the bot said: {said}", text=entry.value, said=" / ".join(said)))
    if entry.buttons is not None and list(entry.buttons) != found.labels:
        raise Failed(
            t(
                "expected the buttons {wanted}, there are {labels}",
                wanted=", ".join(entry.buttons),
                labels=", ".join(found.labels) or t("none"),
            )
        )


def check_expected(scene: Scene, case: TestCase, t: Texts) -> list[tuple[Position, str]]:
    """Everything that did not come out as expected, each at its key."""
    expect = case.expect
    wrong: list[tuple[str, str]] = []
    if expect.outcome is not None and expect.outcome not in scene.last_outcomes:
        got = scene.last_outcomes[-1] if scene.last_outcomes else t("none yet")
        wrong.append(("outcome", t("expected the outcome “{wanted}”, it is “{got}”", wanted=expect.outcome, got=got)))
    if expect.line is not None and expect.line not in scene.handed:
        got = ", ".join(scene.handed) or t("none")
        wrong.append(("line", t("expected the line {wanted}, the session went to: {got}", wanted=expect.line, got=got)))
    if expect.ticket is not None and (missing := scene.find_ticket(expect.ticket)):
        wrong.append(("ticket", missing))
    if expect.asked is not None and not scene.has_asked(expect.asked):
        got = ", ".join(scene.asked) or t("none")
        wrong.append(
            ("asked", t("expected the questions {wanted}, asked were: {got}", wanted=", ".join(expect.asked), got=got))
        )
    for name, value in (expect.client or {}).items():
        if str(scene.client.get(name)) != str(value):
            wrong.append(
                (
                    "client",
                    t(
                        "expected {name} = {wanted} on the client's card, it is {got}",
                        name=name,
                        wanted=value,
                        got=scene.client.get(name),
                    ),
                )
            )
    return [(expect.at.get(key, case.at), what) for key, what in wrong]

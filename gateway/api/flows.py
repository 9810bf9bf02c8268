"""Routes of flows: which serve, how they go, where clients get stuck, what nobody caught, and their YAML with findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING

from bot.snippet import quoted, trigger_line, trigger_word
from core.access import Role
from core.findings import Finding
from core.locale import n_, texts
from gateway.api.flowgraph import FlowGraph, trigger_view
from gateway.api.models import moment
from gateway.api.models_flows import (
    EditionList,
    EditionView,
    FindingView,
    FlowList,
    FlowRow,
    FlowView,
    LiveView,
    PeriodQuery,
    PhraseList,
    PhraseView,
    SourceQuery,
    SourceView,
    ThereList,
    ThereQuery,
    ThereView,
    UncaughtQuery,
    UrgentView,
)
from gateway.api.problems import Problem
from gateway.api.route import Call, Route
from gateway.api.showing import client_short
from gateway.edition import Edition, files_of
from gateway.flowbook import Editions
from gateway.flownumbers import Tally, finished, unfinished
from gateway.publish import Publisher, render_problems
from gateway.reporting import read_day
from handoff.access import access_numbers
from storage.codec import decode_dict
from storage.flows.reading import There, find_period, find_uncaught
from storage.work.sessions import seen_sessions

if TYPE_CHECKING:
    from bot.book import Book
    from bot.compile import CompiledFlow

NUMBERS: tuple[Role, ...] = ("supervisor", "analyst", "admin")  # who sees numbers …
BEHIND: tuple[Role, ...] = ("supervisor", "admin")  # … and what clients say, too
USUAL = timedelta(days=29)
MOST = 400  # sessions that are looked at for those that may be seen
FOLDER = "folder"
# The numbers of a step → the facts that they count.
FACTS = {"entered": "step_entered", "errors": "error", "started": "run_started", "ended": "run_ended"}


# --- what is asked for -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A period and the channels of it; None: all of them, with those that are configured no more."""

    first: date
    last: date
    channels: tuple[str, ...] | None


def _asked(call: Call, query: PeriodQuery) -> Asked:
    last = _day(query.last, "to") or call.floor.steps.today(call.people.now())
    return Asked(_day(query.first, "from") or last - USUAL, last, _channels(call, query.channel))


def _day(said: str, name: str) -> date | None:
    try:
        return read_day(said) if said else None
    except ValueError:
        raise Problem("invalid", errors=[{"pointer": name, "detail": n_("there is no such day")}]) from None


def _channels(call: Call, channel: str) -> tuple[str, ...] | None:
    """What the bot does belongs to the line of the channel where it does it."""
    if access_numbers(call.who).everything:
        return (channel,) if channel else None
    return tuple(name for name in _own_channels(call) if channel in ("", name))


def _own_channels(call: Call) -> list[str]:
    """Those that one may ask for."""
    sight, lines = access_numbers(call.who), call.floor.channel_lines
    return sorted(name for name, line in lines.items() if sight.everything or line in sight.lines)


async def _tally(call: Call, asked: Asked) -> Tally:
    try:
        return await call.floor.steps.tally(asked.first, asked.last, asked.channels, call.people.now())
    except (ValueError, OverflowError):
        raise _no_period() from None


def _no_period() -> Problem:
    wrong = n_("the first day is after the last one, or they are too far apart")
    return Problem("invalid", errors=[{"pointer": "from", "detail": wrong}])


def _book(call: Call) -> Book:
    book = call.floor.book()
    if book is None:
        raise Problem("not-found")
    return book


def _flow(call: Call) -> CompiledFlow:
    """A flow of a file; rules that lines bring are on no page."""
    book, name = _book(call), call.request.match_info["name"]
    if name not in book.library.flows:
        raise Problem("not-found")
    return book.flows[name]


async def _editions(call: Call) -> Editions:
    return Editions.of(await call.floor.store.bundles(), await call.floor.store.live_versions())


def _publisher(call: Call) -> Publisher:
    if call.floor.publisher is None:
        raise Problem("not-found")
    return call.floor.publisher


# --- editions and flows ----------------------------------------------------------------------------------------------


async def get_editions(call: Call) -> EditionList:
    publisher, editions = _publisher(call), await _editions(call)
    serving, refused = _book(call).id, publisher.refused
    folder = await _folder(publisher)
    return EditionList(
        items=[
            EditionView(
                id=it.id,
                published_at=moment(it.published_at),
                current=it.current,
                flows=len(it.versions),
                changed=list(it.changed),
                runs=it.runs,
                urgent=UrgentView(**it.urgent.plain()) if it.urgent is not None else None,
            )
            for it in editions.published()
        ],
        serving=serving,
        behind=publisher.behind,
        edited=folder is not None and folder.id != serving,
        problems=render_problems(refused, call.language) if refused is not None else [],
    )


async def _folder(publisher: Publisher) -> Edition | None:
    try:
        return await publisher.folder()
    except OSError:  # somebody is writing there just now
        return None


async def list_flows(call: Call) -> FlowList:
    asked, book = _asked(call, call.query), _book(call)
    tally, editions = await _tally(call, asked), await _editions(call)
    rows = [_row(book, book.flows[name], editions, tally) for name in book.library.flows]
    return FlowList(
        items=sorted(rows, key=lambda it: (-it.started, it.title)),
        channels=_own_channels(call),
        first=asked.first.isoformat(),
        last=asked.last.isoformat(),
    )


def _row(book: Book, compiled: CompiledFlow, editions: Editions, tally: Tally) -> FlowRow:
    flow, outcomes = compiled.flow, tally.outcomes(compiled.id)
    live = editions.runs.get(flow.id, {})
    entries = {book.bot.operator: "operator", book.bot.fallback: "fallback", book.bot.welcome: "welcome"}
    return FlowRow(
        id=flow.id,
        title=flow.title,
        about=flow.about,
        entry=entries.get(flow.id, ""),  # type: ignore[arg-type]
        triggers=[trigger_view(it) for it in flow.triggers],
        version=compiled.version,
        published_at=moment(editions.since(flow.id, compiled.version)),
        runs=sum(live.values()),
        older_runs=sum(n for version, n in live.items() if version != compiled.version),
        started=tally.of("run_started", flow.id),
        ended=sum(outcomes.values()),
        finished=finished(outcomes, unfinished(compiled)),
    )


async def get_flow(call: Call) -> FlowView:
    compiled, asked, book = _flow(call), _asked(call, call.query), _book(call)
    tally, editions = await _tally(call, asked), await _editions(call)
    graph = FlowGraph(compiled, book.library, call.language, tally)
    nodes = graph.nodes()
    live = {compiled.version: 0, **editions.runs.get(compiled.id, {})}
    return FlowView(
        **_row(book, compiled, editions, tally).model_dump(),
        edition=book.id,
        takes=list(compiled.flow.takes),
        gives=list(compiled.flow.gives),
        live=[
            LiveView(
                version=version,
                current=version == compiled.version,
                runs=runs,
                published_at=moment(editions.since(compiled.id, version)),
            )
            for version, runs in live.items()
        ],
        nodes=nodes,
        edges=graph.edges(),
        elsewhere=graph.elsewhere(),
        outcomes=graph.outcomes(unfinished(compiled)),
        channels=_own_channels(call),
        first=asked.first.isoformat(),
        last=asked.last.isoformat(),
    )


# --- what clients said -----------------------------------------------------------------------------------------------


async def get_there(call: Call) -> ThereList:
    """Only those sessions that the caller may open now."""
    query: ThereQuery = call.query
    compiled, asked = _flow(call), _asked(call, query)
    steps = {query.step} if query.step else set()
    steps |= {it.id for it in compiled.nodes.values() if query.step and it.step == query.step}
    kind = FACTS.get(query.measure, query.measure)
    try:
        span = (asked.first, asked.last)
        found = await call.floor.steps.there(span, asked.channels, kind, compiled.id, steps, MOST)
    except (ValueError, OverflowError):
        raise _no_period() from None
    seen = await _seen(call, found)
    items = [
        ThereView(
            conversation=it.conversation,
            session=it.session,
            client=client_short(it.client, it.card),
            channel=it.channel,
            at=moment(it.at),
            times=it.times,
        )
        for it in seen[: query.limit]
    ]
    return ThereList(items=items, more=len(found) > len(items))


async def _seen(call: Call, found: Sequence[There]) -> list[There]:
    sight = call.floor.sight(call.who)
    wanted = [(it.conversation, it.session) for it in found]
    open_to = await call.floor.units.ask(lambda reads: seen_sessions(reads, sight, wanted))
    return [it for it in found if (it.conversation, it.session) in open_to]


async def list_uncaught(call: Call) -> PhraseList:
    query: UncaughtQuery = call.query
    asked = _asked(call, query)
    try:
        since, until = call.floor.steps.period(asked.first, asked.last)
    except (ValueError, OverflowError):
        raise _no_period() from None
    period = await call.floor.units.ask(partial(find_period, since=since, until=until))
    ask = partial(find_uncaught, period=period, channels=asked.channels, limit=query.limit)
    said = [(str(decode_dict.decode(it.data).get("text", "")), it) for it in await call.floor.units.ask(ask)]
    return PhraseList(
        items=[
            PhraseView(
                text=text,
                times=it.times,
                people=it.people,
                last_at=moment(it.last_at),
                trigger=trigger_word(text),
                quoted=quoted(text),
                line=trigger_line([text]),
            )
            for text, it in said
            if text
        ],
        first=asked.first.isoformat(),
        last=asked.last.isoformat(),
    )


# --- YAML ------------------------------------------------------------------------------------------------------------


async def get_source(call: Call) -> SourceView:
    """A file of an edition. There are no secrets in flows: those stand in the configuration, which is never shown."""
    query: SourceQuery = call.query
    edition, current = await _edition(call, query.edition)
    name = call.request.match_info["name"] + ".yaml"
    text = files_of(edition.sources).get(name)
    if text is None:
        raise Problem("not-found")
    language = call.language
    mine = [it for it in edition.findings if it.at.file.endswith(name) and _file(edition, it) == name]
    return SourceView(
        file=name,
        text=text.encode("utf-8", "replace").decode(),
        edition=edition.id,
        current=current,
        findings=[_finding(it, language) for it in mine],
        elsewhere=len(edition.findings) - len(mine),
    )


async def _edition(call: Call, asked: str) -> tuple[Edition, bool]:
    """An edition with its findings, and whether it serves."""
    publisher, serving = _publisher(call), _book(call).id
    if asked == FOLDER:
        folder = await _folder(publisher)
        if folder is None:
            raise Problem("not-found")
        return folder, folder.id == serving
    editions = Editions.of(await call.floor.store.bundles(), {})
    bundle = editions.find(asked or serving) or editions.find(asked)
    if bundle is None:
        raise Problem("not-found")
    return await publisher.edition(bundle.sources), bundle.id == serving


def _file(edition: Edition, finding: Finding) -> str:
    """The file of the edition that a finding is about; findings name it with the folder before it."""
    names = [name for name in files_of(edition.sources) if finding.at.file.endswith("/" + name)]
    return max(names, key=len, default=finding.at.file)


def _finding(it: Finding, language: str) -> FindingView:
    t = texts(language)
    return FindingView(
        line=it.at.line,
        column=it.at.column,
        length=it.length,
        code=it.code,
        level=it.level,
        message=t(it.what, **it.values),
        hint=t(it.mend, **it.values) if it.mend else "",
        instead=it.instead,
    )


ROUTES: tuple[Route, ...] = (
    Route(
        *("GET", "/bot/editions", get_editions, "What was published, and what serves", NUMBERS),
        scope="reports:read",
        answer=EditionList,
        problems=("not-found",),
    ),
    Route(
        *("GET", "/bot/flows", list_flows, "The flows that serve, with the numbers of a period", NUMBERS),
        scope="reports:read",
        query=PeriodQuery,
        answer=FlowList,
        problems=("not-found",),
    ),
    Route(
        *("GET", "/bot/flows/{name}", get_flow, "A flow as a diagram with the numbers of each step", NUMBERS),
        scope="reports:read",
        query=PeriodQuery,
        answer=FlowView,
        problems=("not-found",),
    ),
    Route(
        *("GET", "/bot/flows/{name}/sessions", get_there, "The sessions behind a number of a step", BEHIND),
        scope="conversations:read",
        query=ThereQuery,
        answer=ThereList,
        problems=("not-found",),
    ),
    Route(
        *("GET", "/bot/flows/{name}/source", get_source, "The YAML of a flow with the findings of the check", NUMBERS),
        scope="reports:read",
        query=SourceQuery,
        answer=SourceView,
        problems=("not-found",),
    ),
    Route(
        *("GET", "/bot/uncaught", list_uncaught, "Messages that no flow caught, the most frequent first", BEHIND),
        scope="conversations:read",
        query=UncaughtQuery,
        answer=PhraseList,
        problems=("not-found",),
    ),
)

"""Routes of channels: how each fares, a test of one, what came to its webhook; and the house itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from adapters.examining import examine
from adapters.verdict import Verdict
from core.accounts import Deed
from core.locale import Texts, n_, texts
from gateway import version
from gateway.api.models import moment
from gateway.api.models_channels import (
    Arrivals,
    ArrivalsPage,
    ArrivalView,
    ChannelError,
    Channels,
    ChannelServer,
    ChannelStep,
    ChannelTest,
    ChannelTested,
    ChannelTrouble,
    ChannelView,
    FilesView,
    ProcessView,
    StoreView,
    SystemView,
)
from gateway.api.paging import HIGHEST, cut, read_cursor
from gateway.api.problems import Problem
from gateway.api.route import ADMIN, Call, Route
from gateway.channels import channel_settings
from gateway.floor import Floor
from gateway.watch.fares import Board, Failures, Fares, Trouble
from gateway.watch.house import files_free, store_bytes
from gateway.watch.words import cause_of, masked, secrets_of
from storage.watch.reading import arrivals_of, stored_files

TEST_SECONDS = 60.0  # that a test may take as a whole
Cover = Callable[[str], str]


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def cover(floor: Floor) -> Cover:
    """Covers every secret of the configuration in somebody's words."""
    secrets = secrets_of(floor.config)
    return lambda text: masked(text, secrets)


async def board_of(floor: Floor) -> Board:
    """What all processes have written down; this one writes first what it has not yet."""
    if floor.watch is not None:
        await floor.watch.step()
    now, shared = floor.now().timestamp(), floor.store.shared
    return await floor.units.ask(lambda reads: Board(reads, now, shared))


# --- how channels fare -----------------------------------------------------------------------------------------------


async def get_channels(call: Call) -> Channels:
    floor = call.floor
    board, covered = await board_of(floor), cover(floor)
    return Channels(items=[_channel(floor, name, board, covered) for name in floor.config.channels], at=floor.now())


def _channel(floor: Floor, name: str, board: Board, covered: Cover) -> ChannelView:
    settings, channel = floor.config.channels[name], floor.channels.get(name)
    fares = board.fares(name) if settings.on else Fares("off")
    return ChannelView(
        name=name,
        kind=settings.kind,
        account=channel.account if channel is not None and settings.on else "",
        mode=str(getattr(settings, "mode", "")),
        line=settings.line,
        state=fares.state,
        hook=f"/hooks/{name}" if channel is not None and _is_called(channel.routes()) else "",
        troubles=[_trouble(one, covered) for one in fares.troubles],
        heard_at=moment(fares.heard_at),
        sent_at=moment(fares.sent_at),
        waiting=fares.waiting,
        waiting_since=moment(fares.since),
        failed=fares.failed,
        errors=[_error(one, covered) for one in fares.errors],
        servers=[
            ChannelServer(process=process, hears=hears, polls=polls and settings_polls(settings), sends=sends)
            for process, (hears, polls, sends) in sorted(fares.servers.items())
        ],
    )


def settings_polls(settings: object) -> bool:
    """Whether a channel of these settings asks its messenger."""
    return getattr(settings, "mode", "") in {"polling", "longpoll", "both"}


def _is_called(routes: Sequence[tuple[str, str, object]]) -> bool:
    return any(method == "POST" and path.startswith("/hooks/") for method, path, _ in routes)


def _trouble(one: Trouble, covered: Cover) -> ChannelTrouble:
    return ChannelTrouble(
        way="in" if one.way == "in" else "out",
        cause=one.cause,
        words=covered(one.words),
        since=_at(one.since),
        until=moment(one.until),
        process=one.process,
    )


def _error(one: Failures, covered: Cover) -> ChannelError:
    return ChannelError(
        reason=covered(one.reason), cause=cause_of(one.reason), times=one.times, at=moment(one.at), unsure=one.unsure
    )


# --- a test ----------------------------------------------------------------------------------------------------------


def named_channel(call: Call) -> str:
    """The channel of the path. Raises `Problem` when there is none."""
    name = call.request.match_info["name"]
    if name not in call.floor.config.channels:
        raise Problem("not-found")
    return name


async def test_channel(call: Call) -> ChannelTested:
    """From the settings, beside whatever serves the channel: a process that does not run it can try it out, too."""
    body: ChannelTest = call.body
    name, floor = named_channel(call), call.floor
    settings = floor.config.channels[name]
    t = texts(call.language)
    await call.people.accounts.note(_deed(call, name, body.chat), call.people.now())
    if not settings.on:
        verdicts = [_off()]
    else:
        verdicts = await _examined(settings.kind, name, floor, body.chat.strip())
    covered = cover(floor)
    steps = [_step(one, t, covered) for one in verdicts]
    return ChannelTested(passed=not any(one.status == "failed" for one in steps), steps=steps)


def _deed(call: Call, name: str, chat: str) -> Deed:
    deed = call.deed("channel_tested", f"channel:{name}")
    return Deed(deed.by, deed.action, deed.object, {"chat": chat} if chat else {}, deed.address)


async def _examined(kind: str, name: str, floor: Floor, chat: str) -> list[Verdict]:
    title = n_("The settings")
    try:
        async with asyncio.timeout(TEST_SECONDS):
            return await examine(kind, name, channel_settings(floor.config, name), chat)
    except ValueError as wrong:
        mend = n_("mend the channel in `config.yaml`; `frontline check` names the place")
        return [Verdict("settings", title, "failed", "{words}", mend, {"words": str(wrong)})]
    except TimeoutError:
        mend = n_("try it again; when it stays so, look at the network between")
        return [Verdict("settings", title, "failed", n_("the messenger takes longer than a minute"), mend)]


def _off() -> Verdict:
    return Verdict(
        "settings",
        n_("The settings"),
        "failed",
        n_("the token is empty, so the channel is off"),
        n_("put the token into the environment, as `config.yaml` names it, and start the gateway again"),
    )


def _step(one: Verdict, t: Texts, covered: Cover) -> ChannelStep:
    values = {name: t(value) if name == "trouble" else value for name, value in one.values.items()}
    return ChannelStep(
        id=one.id,
        title=t(one.title),
        status=one.status,
        says=covered(t(one.what, **values)) if one.what else "",
        mend=covered(t(one.mend, **values)) if one.mend else "",
        seconds=round(one.seconds, 3),
    )


# --- what came to a webhook ------------------------------------------------------------------------------------------


async def get_arrivals(call: Call) -> Arrivals:
    page: ArrivalsPage = call.query
    name, before = named_channel(call), read_cursor(page.cursor) or HIGHEST
    if call.floor.watch is not None:
        await call.floor.watch.step()
    refused = page.only == "refused"
    found = await call.floor.units.ask(lambda reads: arrivals_of(reads, name, refused, before, page.limit + 1))
    items = [
        ArrivalView(
            id=row["id"],
            at=_at(row["at"]),
            verdict=row["verdict"],
            refused=bool(row["refused"]),
            status=row["status"],
            times=row["times"],
            seconds=round(row["seconds"] / row["times"], 4),
            slowest=round(row["slowest"], 4),
        )
        for row in found
    ]
    shown, cursor = cut(items, page.limit)
    return Arrivals(items=list(shown), next=cursor)


# --- the house -------------------------------------------------------------------------------------------------------


async def get_system(call: Call) -> SystemView:
    floor = call.floor
    board = await board_of(floor)
    book = floor.book()
    return SystemView(
        version=version(),
        edition=book.id if book is not None else "",
        processes=[
            ProcessView(
                name=name,
                roles=str(row["roles"]).split(),
                version=row["version"],
                edition=row["edition"],
                alive=board.alive(name),
                started_at=_at(row["started_at"]),
                seen_at=_at(row["beat_at"]),
            )
            for name, row in sorted(board.processes.items())
        ],
        store=await _store(floor),
        files=await _files(floor),
        at=floor.now(),
    )


async def _store(floor: Floor) -> StoreView:
    stats, (size, free) = await floor.store.stats(), await store_bytes(floor.store, floor.units)
    return StoreView(
        kind=floor.config.storage.url.partition(":")[0],
        healthy=await floor.store.healthy(),
        bytes=size,
        free=free,
        inbox_age=stats["inbox_age"],
        outbox_age=stats["outbox_age"],
        inbox=int(stats["inbox"]),
        outbox=int(stats["outbox"]),
        timers=int(stats["timers"]),
        queued=int(stats["queued"]),
        quarantine=int(stats["quarantine"]),
        dead=int(stats["dead"]),
    )


async def _files(floor: Floor) -> FilesView:
    kind, free = await files_free(floor.config)
    kept = await floor.units.ask(stored_files)
    return FilesView(kind=kind, count=int(kept["count"]), bytes=int(kept["bytes"]), free=free)


READ = "system:read"
ROUTES: tuple[Route, ...] = (
    Route("GET", "/channels", get_channels, "How every channel fares", ADMIN, READ, answer=Channels),
    Route(
        *("POST", "/channels/{name}/test", test_channel, "Try a channel out, step by step", ADMIN),
        body=ChannelTest,
        answer=ChannelTested,
        keyed=True,
        problems=("not-found",),
    ),
    Route(
        *("GET", "/channels/{name}/arrivals", get_arrivals, "What came to the webhook of a channel", ADMIN, READ),
        query=ArrivalsPage,
        answer=Arrivals,
        problems=("not-found",),
    ),
    Route(
        "GET",
        "/system",
        get_system,
        "The processes, the database and the place of files",
        ADMIN,
        READ,
        answer=SystemView,
    ),
)

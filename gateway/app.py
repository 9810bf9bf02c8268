"""The gateway as one object: builds every part, starts the roles of this process, stops them with nothing lost."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import signal
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from aiohttp import web

from adapters.desks import build_desk
from adapters.doors import door_of
from adapters.services import build_service
from adapters.services.settings import plain_settings
from bot.engine.codes import SERVICE
from core.ports import Channel, Hints, OuterDesk, Receipt, Service, StorageFull, Store
from gateway.accounts.build import build_people
from gateway.api.live.live import Live
from gateway.calls import Calls
from gateway.channels import at_once, build_channels
from gateway.clock import CATCH_UP_SECONDS, Clock, utc_now
from gateway.config.model import Config
from gateway.control import Answer, ControlServer, socket_path
from gateway.demo.place import FOREIGN, is_demo
from gateway.deployment import build_deployment, build_house
from gateway.desks import Opening, build_desks
from gateway.dispatch.dispatcher import TOPIC as ROUTING
from gateway.dispatch.dispatcher import Dispatcher
from gateway.failpoints import careful_seconds
from gateway.files import build_files
from gateway.flood import FloodShare
from gateway.floor import Floor
from gateway.front import Front
from gateway.hints import build_hints
from gateway.identity import Identity
from gateway.indexer import Indexer
from gateway.intake import Intake
from gateway.leases import Leases
from gateway.live import LivePages
from gateway.logs import logger
from gateway.menu import Menus
from gateway.metrics import Metrics
from gateway.office import Office
from gateway.outbox import Sender
from gateway.pressure import Pressure
from gateway.publish import Publisher
from gateway.roles import ROLES, build_roles
from gateway.roles.role import Loop
from gateway.server import SAFE, Route, build_server, problem
from gateway.tuning import tune
from gateway.wakeups import Wakeups
from gateway.watch.build import build_watch
from gateway.worker import FloodGuard, Worker
from storage import open_store

log = logger()
HEALTH_SECONDS = 3.0
FILES_SECONDS = 5.0  # that a start waits for the place of files, and between looks for one that is away
CLOSE_SECONDS = 1.0  # that a stop waits for a shared store
END_SECONDS = 0.5  # after which a loop that still runs is cancelled once more
STOP_SECONDS = 8.0  # of the 10 s between SIGTERM and the end (design §7, fault F17)


async def end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Returns when they have ended. A cancellation may be lost, once: `asyncio.wait_for` of Python 3.11 gives its result instead
    when what it waits for comes at the same moment (python/cpython#86296), also within libraries."""
    while waiting := [task for task in tasks if not task.done()]:
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting, timeout=END_SECONDS)


class Gateway:
    """The parts of a process and its roles. `start` returns when it serves; `stop` when nothing is under way any more.

    Raises ValueError when some of the roles are asked for over a store that one process owns.
    """

    def __init__(
        self,
        config: Config,
        *,
        store: Store | None = None,
        now: Callable[[], datetime] = utc_now,
        channels: dict[str, Channel] | None = None,
        roles: Collection[str] = ROLES,
        hints: Hints | None = None,
        demo: Config | None = None,
    ) -> None:
        self.config, self.now, self.demo = config, now, demo
        self.metrics = Metrics()
        self.hints = hints or build_hints(config, self.metrics)
        outer = frozenset(name for name, desk in config.desks.items() if desk.kind != "builtin")
        self.store = store or open_store(config.storage.url, clock=lambda: self.now().timestamp(), outer_desks=outer)
        self.files = build_files(config)
        self.people = build_people(self.store, config, self.hints, lambda: self.now().timestamp(), self.metrics)
        if not self.store.shared and set(roles) != set(ROLES):
            raise ValueError("one process serves this store, with all roles")
        self.channels = build_channels(config) if channels is None else channels
        self.deployment = build_deployment(config)
        self.publisher = self._publisher()
        self.house = build_house(config, {})
        lines = {name: channel.line for name, channel in config.channels.items()}
        self.opening = Opening(build_desks(config), lambda: self.house, lines)
        self.services = self._services()
        self.desks: dict[str, OuterDesk] = {
            name: build_desk(desk.kind, plain_settings(desk)) for name, desk in config.desks.items() if name in outer
        }
        self.worker = self._worker()
        self.floor = Floor(self.store, config, lambda: self.house, now, self.wake)
        self.floor.channels = self.channels
        self.floor.indexer = self.indexer = Indexer(self.store, lambda: self.now().timestamp())
        self.floor.book, self.floor.files = lambda: self.publisher.book, self.files
        self.floor.publisher = self.publisher
        self.floor.presence.changed = lambda: self.hints.tell(ROUTING)
        self.live = self.floor.live = Live(self.floor, lambda: self.people, self.hints, self.metrics)
        self.calls = self._calls()
        self.sender = self._sender()
        self.menus = Menus(self.channels, lambda: self.publisher.book, self.hands)
        self.store.relaxed = self.sender.backed_up
        self.leases = Leases(self.store, self.metrics, changed=self.sender.wake)
        self.dispatcher = Dispatcher(self.floor, self.leases, self.hints, now)
        self.wakeups = Wakeups(self.hints)
        self.pressure = Pressure(self.store, config.intake, self.metrics)
        self.intake = self._intake()
        self.intake.hears = self.intake.decides = False
        self.clock = Clock(self.store, self.worker, self.intake, now, fires=False, works=False)
        self.sends = False
        self.roles = build_roles(roles, self)
        self.watch = self.floor.watch = build_watch(self, roles)
        self.beside: dict[str, Loop] = {}  # what else runs until the end, by name
        self.port = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._front: Front | None = None
        self._ready = False

    def _calls(self) -> Calls:
        return Calls(
            self.store,
            self.services,
            self.desks,
            self.channels,
            self.files,
            self.metrics,
            self.config.storage.file_size,
            self.hands,
        )

    def _sender(self) -> Sender:
        return Sender(
            self.store,
            self.channels,
            self.calls,
            self.metrics,
            self._settled,
            at_once=at_once(self.config),
            hands=lambda channel: self.leases.holds(f"send:{channel}"),
        )

    def _intake(self) -> Intake:
        return Intake(
            self.store,
            self.worker,
            self.metrics,
            self.sender.offer,
            self.wake,
            files=self.files,
            pressure=self.pressure,
            poll=lambda channel: self.leases.turn(f"poll:{channel}"),
        )

    def _publisher(self) -> Publisher:
        return Publisher(
            self.store,
            self.demo or self.config,
            self.deployment,
            on_switch=self._switched,
            metrics=self.metrics,
            now=self.now,
            hints=self.hints,
        )

    def _services(self) -> dict[str, Service]:
        built = {
            name: build_service(one.kind, plain_settings(one), self.store) for name, one in self.config.services.items()
        }
        desks = {"language": self.config.language, "desks": build_desks(self.config)}
        built["tickets"] = build_service("tickets", desks, self.store)
        built[SERVICE] = Identity(self.store, self.channels, self.metrics)
        return built

    def _worker(self) -> Worker:
        flood = self.config.flood
        return Worker(
            house=lambda: self.house,
            book=lambda: self.publisher.book,
            channel_lines={name: channel.line for name, channel in self.config.channels.items()},
            timezone=self.config.timezone,
            metrics=self.metrics,
            flood=FloodGuard(flood.count if flood else 0, flood.seconds if flood else 1.0),
            opening=self.opening,
        )

    def _switched(self) -> None:
        """New flows are live: the lines' side reads their system words."""
        self.house = build_house(self.config, self.publisher.book.bot.words)
        self.menus.wake()

    def wake(self) -> None:
        """There may be pending events."""
        self.clock.wake()

    def hands(self, channel: str) -> bool:
        """Whether this process takes rows of the channel, by the lease of its sender; "" are calls, outer tickets, files."""
        return self.sends and (not channel or self.leases.holds(f"send:{channel}"))

    def _settled(self, receipts: Sequence[Receipt]) -> None:
        for receipt in receipts:
            if receipt.outbox:
                self.sender.offer(receipt.outbox)
            if not receipt.processed:
                self.wake()

    # --- start and stop ------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Store, files and flows are there; nothing runs yet. Raises ValueError for a demo's store, unless this is a demo."""
        await self.store.open()
        if self.demo is None and await is_demo(self.floor.units):
            raise ValueError(FOREIGN)
        await self.hints.open()
        await self._open_files()
        self._connect()
        await self.publisher.start()
        self._switched()
        await self.indexer.open()

    async def start(self) -> None:
        """Raises ValueError with a clear text when a part of the configuration cannot work."""
        await self.open()
        self._be_careful()
        for role in self.roles:
            await role.start()
        await self._listen()
        if any(role.channels for role in self.roles):
            await self._start_channels()
        loops = {name: loop for role in self.roles for name, loop in role.loops().items()}
        loops |= {"publisher": self.publisher.watch, "indexer": self.indexer.run, "watch": self.watch.run}
        for name, loop in (loops | self.beside).items():
            self._supervise(name, loop)
        self._ready = True

    async def _open_files(self) -> None:
        """Messages are taken without the files' place, too: what has to do with files waits until it can be reached."""
        try:
            async with asyncio.timeout(FILES_SECONDS):
                await self.files.open()
        except (StorageFull, TimeoutError) as error:
            log.error("files_unreachable", error=str(error) or "no answer in time")
            self._supervise("files", self._reach_files)

    async def _reach_files(self) -> None:
        while True:
            await asyncio.sleep(FILES_SECONDS)
            with contextlib.suppress(StorageFull):
                await self.files.open()
                log.info("files_reached")
                return

    def _connect(self) -> None:
        """A process alone wakes itself; others are told by hints."""
        self.store.on_feed = lambda: self.wakeups.tell("feed")
        if not self.store.shared:
            self.store.on_events = self.wake
            return
        self.store.hands = self.hands
        self.intake.hints = self.hints
        self.sender.told = LivePages(self.hints, self.channels).told
        self.wakeups.connect(self.store)
        if self.config.redis.url and self.config.flood:
            self.worker.flood.shared = share = FloodShare(self.hints, self.config.flood.seconds)
            self._supervise("flood", share.run)

    async def _start_channels(self) -> None:
        for name, channel in self.channels.items():
            if self.intake.hears:
                self.metrics.heard(name)
            await channel.start(self.intake)
            log.info("channel_started", channel=name, kind=channel.kind)

    async def run_clock(self) -> None:
        """The loop of worker and clock. Where another process polls, timers wait as long as a poller may need."""
        if self.intake.hears:
            await self.clock.run(self.channels.values())
        else:
            await self.clock.run([], patience=CATCH_UP_SECONDS if self.channels else 0.0)

    def _be_careful(self) -> None:
        """After an unclean stop, events wait in the inbox with their attempts counted before they are tried."""
        seconds = careful_seconds()
        if not (self.store.unclean and seconds):
            return
        log.warning("unclean_stop", seconds=seconds)
        self.intake.careful = True

        def trust() -> None:
            self.intake.careful = False

        asyncio.get_running_loop().call_later(seconds, trust)

    async def _listen(self) -> None:
        routes = [*self._own_routes(), *(route for role in self.roles for route in role.routes())]
        doors = {path: door for method, path, handler in routes if method == "POST" and (door := door_of(handler))}
        self._front = Front(doors, build_server(routes, self.config.http.trusted_proxies))
        self.port = await self._front.listen(self.config.http.host, self.config.http.port)
        log.info("listening", address=f"http://{self.config.http.host}:{self.port}")

    def _supervise(self, name: str, role: Loop) -> None:
        self._tasks.append(asyncio.create_task(self._keep_running(name, role), name=name))

    async def _keep_running(self, name: str, role: Loop) -> None:
        """A role that falls is started again; the others never notice."""
        pause = 0.1
        while True:
            began = time.monotonic()
            try:
                return await role()
            except Exception as error:
                log.error("role_failed", kind=name, error_type=type(error).__name__, exc_info=True)
            pause = 0.1 if time.monotonic() - began > 60 else min(pause * 2, 5.0)
            await asyncio.sleep(pause)

    async def stop(self) -> None:
        """Nothing lost: what waits stays in the store for the next start, or for other processes.

        The sender ends before the channels close their connections: a message whose connection is closed under it is
        one that may come twice. What clients write meanwhile is taken, and answered by the next start.
        """
        self._ready = False
        self.publisher.stop()
        for role in self.roles:
            await role.rest()
        for role in self.roles:
            await role.stop(STOP_SECONDS / 2)
        await asyncio.gather(*(self._stop_channel(channel) for channel in self.channels.values()))
        if self._front is not None:
            await self._front.close()
        await end(self._tasks)
        self.people.close()
        for service in self.services.values():
            await service.close()
        for desk in self.desks.values():
            await desk.close()
        self.wakeups.stop()
        await self.watch.leave()
        await self.leases.release()
        await self.hints.close()
        await self.indexer.close()
        await self._close_store()
        log.info("stopped")

    async def _close_store(self) -> None:
        """A database that does not answer keeps nobody from stopping: its transactions end with the connections."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS if self.store.shared else None):
                await self.store.close()
        except TimeoutError:
            log.warning("store_not_closed")

    async def _stop_channel(self, channel: Channel) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(channel.stop(), STOP_SECONDS / 4)

    # --- health --------------------------------------------------------------------------------------------------------

    def _own_routes(self) -> list[Route]:
        return [("GET", "/healthz", self.health), ("GET", "/readyz", self.ready), ("GET", "/metrics", self.measures)]

    async def health(self, _: web.Request) -> web.StreamResponse:
        """The process lives."""
        return web.json_response({"status": "alive"}, headers=SAFE)

    async def ready(self, _: web.Request) -> web.StreamResponse:
        """Messages can be taken: started, not stopping, and the store writes."""
        if self._ready and await self._is_healthy():
            return web.json_response({"status": "ready", "flows": self.publisher.book.id}, headers=SAFE)
        return problem(503, "not ready")

    async def _is_healthy(self) -> bool:
        """A store that does not answer in time is not there."""
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                return await self.store.healthy()
        except TimeoutError:
            return False

    async def measures(self, request: web.Request) -> web.StreamResponse:
        """Prometheus' page; guarded by a bearer token when one is configured."""
        secret = self.config.metrics.secret.get_secret_value()
        if secret and not hmac.compare_digest(
            request.headers.get("Authorization", "").encode("utf-8", "replace"), f"Bearer {secret}".encode()
        ):
            return problem(403, "wrong token")
        body = await self.metrics.page(self.store)
        return web.Response(body=body, content_type="text/plain", charset="utf-8", headers=SAFE)


async def run_gateway(
    config: Config,
    roles: Collection[str] = ROLES,
    *,
    told: Callable[[str], None] = lambda address: None,
    gateway: Gateway | None = None,
    more: Mapping[str, Answer] | None = None,
) -> int:
    """`frontline run`: serves until SIGTERM or SIGINT, commands of the control socket and `more` of them included. The exit
    code.

    `told` gets the address once messages are taken. Raises what `Gateway.start` raises.
    """
    gateway = gateway or Gateway(config, roles=roles)
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    path = socket_path(config)
    office = Office(gateway.store, gateway.publisher, gateway.people, config.webhooks)
    control = ControlServer(path, {**office.answers(), **(more or {})}) if path else None
    try:
        await gateway.start()
        if control is not None:
            await control.start()
        tune()
        told(f"http://{config.http.host}:{gateway.port}")
        await over.wait()
    finally:
        if control is not None:
            await control.stop()
        await gateway.stop()
    return 0

"""The live feed of a process: numbers what was committed, looks rights up again, and gives each change to who may see it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from core.accounts import operator_id
from core.ports import Hints, StorageFull
from gateway.accounts.people import People
from gateway.api.live import rows
from gateway.api.live.hub import Hub
from gateway.api.live.rights import Pass, Rights, keys_for
from gateway.api.live.signs import TYPING, Signs
from gateway.api.live.socket import AGAIN, RESTART, SIGNED_OUT, Socket
from gateway.floor import Floor
from gateway.logs import logger
from gateway.metrics import Metrics
from storage.feed.reading import PAGE
from storage.feed.store import Feed

log = logger()
BEAT = 1.0  # seconds: what no hint told of is looked for this often
BUSY = 0.005  # seconds until the next look while another process gives numbers
PLACE_SECONDS = 30.0  # how often an idle socket is told how far it is
TITLE_SECONDS = 60.0  # that a colleague's name is remembered
TRIM_SECONDS = 3600.0
SCOPE = "conversations:read"
LISTENERS = frozenset({"operator", "supervisor", "admin"})
Sign = tuple[str, int, int]  # what it is, the conversation, and a user or a place


class Live:
    """One for a process. `people` gives the people of the deployment; `run` is its loop."""

    def __init__(self, floor: Floor, people: Callable[[], People], hints: Hints, metrics: Metrics) -> None:
        settings = floor.config.live
        self.floor, self.people, self.metrics = floor, people, metrics
        self.hub, self.feed = Hub(settings.sockets), Feed(floor.units)
        self.rights = Rights(people, lambda user: floor.sight(user.who), SCOPE)
        self.signs = Signs(hints, time.monotonic, self._looked, lambda home, user: self.sign("answering", home, user))
        self._keep, self._hints = settings.keep, hints
        self.cursor: int | None = None  # up to which this process has given the feed out; None while nobody is here
        self.head: int | None = None  # up to which it knows the audit
        self.stopping = False
        self._more = asyncio.Event()
        self._suspects: set[int] = set()  # users whose rights may have changed
        self._signs: dict[Sign, None] = {}
        self._titles: dict[int, tuple[str, float]] = {}
        self._unlisten: list[Callable[[], None]] = []
        self._written = -1  # the last row of what clients write and are sent, as far as it is known
        self._placed = self._trimmed = self._beaten = 0.0

    # --- life ---

    def start(self) -> None:
        """From now on hints are heard."""
        self.signs.start()
        self._unlisten = [
            self._hints.listen("feed", lambda _: self.wake()),
            self.people().endings.subscribe(self._suspect),
            *(self._hints.listen(f"signs:{name}", self._client) for name in self.floor.config.channels),
        ]

    @staticmethod
    def clock() -> float:
        """Seconds of a clock that only goes forward."""
        return time.monotonic()

    def wake(self) -> None:
        """There may be something new."""
        self._more.set()

    async def stop(self) -> None:
        """Every socket is told to come again, and nobody is let in any more."""
        self.stopping = True
        for unlisten in self._unlisten:
            unlisten()
        self.signs.stop()
        sockets = self.hub.sockets
        for socket in sockets:
            socket.close(RESTART, "restart")
        await asyncio.gather(*(socket.stop() for socket in sockets))

    async def run(self) -> None:
        """Until cancelled; returns at once over a store without lists."""
        if not self.floor.units.lists:
            return
        while True:
            try:
                async with asyncio.timeout(BEAT):
                    await self._more.wait()
            except TimeoutError:
                pass
            self._more.clear()
            try:
                await self._round()
            except StorageFull:
                await asyncio.sleep(BEAT)

    async def _round(self) -> None:
        await self._trim()
        if not len(self.hub):
            self.cursor = self.head = None
        if self.cursor is None or self.head is None:
            return  # nobody is here, or the first one is just coming in
        done = await self.feed.number()
        while await self._give_out():
            pass
        await self._give_signs()
        await self._beat()
        if not done:
            asyncio.get_running_loop().call_later(BUSY, self.wake)

    async def _trim(self) -> None:
        now = time.monotonic()
        if self._trimmed and now - self._trimmed < TRIM_SECONDS:
            return
        self._trimmed = now
        await self.feed.trim(self.rights.now() - self._keep)

    # --- the feed ---

    async def _give_out(self) -> bool:
        """One page of the feed to everybody; whether there may be more."""
        if self.cursor is None or self.head is None:
            return False
        news = await self.feed.news(self.cursor, self.head)
        await self._look_again(news.users, news.tokens)
        self.head = max(self.head, news.head)
        current = await self.feed.rows(row["conversation"] for row in news.rows)
        for row in news.rows:
            self._give(rows.Made(row, current.get(row["conversation"])))
        if news.rows:
            self.cursor = news.rows[-1]["seq"]
        return len(news.rows) >= PAGE

    def _give(self, made: rows.Made) -> None:
        """A change to all who are live; encoded once, whoever many they are."""
        if made.person:
            self._give_person(made)
            return
        seeing = self.hub.seeing(made.now)
        for socket in seeing:
            self._send(socket, made.seq, made.full)
        left = self.hub.seeing(made.before) if made.before else {}
        gone = [socket for socket in left if socket not in seeing]
        frame = made.gone if gone else b""
        for socket in gone:
            self._send(socket, made.seq, frame)
            if socket.conversation == made.conversation:
                self.look_away(socket)

    def _give_person(self, made: rows.Made) -> None:
        seeing = self.hub.seeing(made.now)
        for socket in self.hub.of_operator(made.person):
            self._send(socket, made.seq, made.full if socket in seeing else made.bare)

    def _send(self, socket: Socket, seq: int, frame: bytes) -> None:
        if socket.live and seq > socket.at:
            socket.at = seq
            socket.put(frame)
            self.metrics.live_messages.inc()

    async def join(self, socket: Socket, after: int | None) -> None:
        """A socket says hello: it is sent what it has missed, then it is live. Raises `StorageFull`."""
        self.hub.join(socket)
        self.metrics.live_sockets.set(len(self.hub))
        if self.head is None:
            self.head = await self.feed.head()
        if not await self._renew(socket):  # what happened since it was let in
            return
        while not await self.feed.number():  # noqa: ASYNC110 - another process is at it
            await asyncio.sleep(BUSY)
        bounds = await self.feed.bounds()
        if self.cursor is None:
            self.cursor = bounds.last
        socket.at = bounds.last if after is None else after
        if after is not None and not bounds.reach(after):
            self.reset(socket, "future" if after > bounds.last else "old", bounds.last)
        await self._replay(socket, bounds.last)

    async def _replay(self, socket: Socket, upto: int) -> None:
        """What is behind its number, page by page, each with the rights of that moment, until nothing is. What others have
        been given meanwhile is read, too; from there on the socket is one of them."""
        while not socket.closed:
            if socket.at >= max(upto, self.cursor or 0):
                socket.live = True
                socket.put(rows.encode({"type": "ready", "seq": socket.at}))
                return
            await socket.settled()
            was = socket.at
            news = await self.feed.news(was, self.head or 0)
            if not await self._renew(socket):
                return
            if socket.at != was:
                continue
            if not news.rows:  # trimmed meanwhile
                self.reset(socket, "old", max(upto, self.cursor or 0))
                continue
            current = await self.feed.rows(row["conversation"] for row in news.rows)
            for row in news.rows:
                self._replay_one(socket, rows.Made(row, current.get(row["conversation"])))
            socket.at = news.rows[-1]["seq"]

    def _replay_one(self, socket: Socket, made: rows.Made) -> None:
        sees = self.hub.sees(socket, made.now)
        if made.person:
            if made.person == operator_id(socket.held.user.id):
                socket.put(made.full if sees else made.bare)
        elif sees:
            socket.put(made.full)
        elif made.before and self.hub.sees(socket, made.before):
            socket.put(made.gone)

    def reset(self, socket: Socket, why: str, seq: int) -> None:
        """What the socket has must be read anew."""
        socket.at = seq
        socket.put(rows.encode({"type": "reset", "seq": seq, "why": why}))

    def leave(self, socket: Socket) -> None:
        """A socket is gone."""
        if socket.conversation:
            self.look_away(socket)
        if self.hub.leave(socket) and socket.held.login is not None:
            self.floor.presence.gone(socket.held.user.id)
        self.metrics.live_sockets.set(len(self.hub))

    # --- rights ---

    def _suspect(self, user: int) -> None:
        """The rights of a user have changed, as a hint has it; 0: some may have been missed."""
        self._suspects |= {user} if user else set(self.hub.users)
        self.wake()

    async def _look_again(self, users: set[int] | None, tokens: set[int]) -> None:
        """Before anything is given out: whoever may have other rights by now."""
        suspects, self._suspects = self._suspects, set()
        if users is None:
            suspects.update(self.hub.users)
        else:
            suspects |= users
        ending = time.monotonic() - self._beaten >= BEAT / 2
        if not (suspects or tokens or ending):
            return
        now = self.rights.now()
        for socket in self.hub.sockets:
            held = socket.held
            machine = held.token is not None and held.token.id in tokens
            if held.user.id in suspects or machine or (ending and held.until <= now):
                await self._renew(socket)

    async def _renew(self, socket: Socket) -> bool:
        """Whether the socket may stay. One that sees other things than before begins anew."""
        try:
            held = await self.rights.again(socket.held)
        except StorageFull:
            socket.close(AGAIN, "come again")
            return False
        if held is None or held.user.role not in LISTENERS:
            socket.close(SIGNED_OUT, "signed out")
            self.leave(socket)
            return False
        self._change(socket, held)
        return not socket.closed

    def _change(self, socket: Socket, held: Pass) -> None:
        same = socket.held.same(held)
        self.hub.renew(socket, held)
        if same:
            return
        if socket.conversation:
            self.look_away(socket)
        if socket.at >= 0:
            self.reset(socket, "rights", max(socket.at, self.cursor or 0))

    # --- what lasts for seconds ---

    def look_away(self, socket: Socket) -> None:
        """The socket shows no conversation any more."""
        conversation, socket.conversation = socket.conversation, 0
        self.signs.unlook(conversation, socket.held.user.id)

    def sign(self, what: str, conversation: int, more: int = 0) -> None:
        """Something to be shown for seconds; the same twice at once is shown once."""
        if len(self.hub):
            self._signs[what, conversation, more] = None
            self.wake()

    def _looked(self, conversation: int) -> None:
        self.sign("looking", conversation)

    def _client(self, data: str) -> None:
        """A client types, or has seen everything up to a place: «<conversation>» or «<conversation> <place>»."""
        home, _, place = data.partition(" ")
        if home.isdecimal() and (not place or place.isdecimal()):
            self.sign("client_saw" if place else "client_types", int(home), int(place or 0))

    async def _give_signs(self) -> None:
        """Each to those who see the conversation now; what is about its window only to those who have it open."""
        signs, self._signs = self._signs, {}
        current = await self.feed.rows({conversation for _, conversation, _ in signs})
        for what, conversation, more in signs:
            row = current.get(conversation)
            if row is None:
                continue
            frame = await self._sign_frame(what, conversation, more)
            for socket in self.hub.seeing(keys_for(row["line"], row["operator"], row["channel"])):
                if what == "looking" or (socket.conversation == conversation and self._of_others(what, more, socket)):
                    socket.put(frame)

    @staticmethod
    def _of_others(what: str, more: int, socket: Socket) -> bool:
        return what != "answering" or socket.held.user.id != more

    async def _sign_frame(self, what: str, conversation: int, more: int) -> bytes:
        told: dict[str, object] = {"type": what, "conversation": conversation}
        if what == "looking":
            told["people"] = [await self._person(user) for user in self.signs.lookers(conversation)]
        elif what == "answering":
            told |= {"person": await self._person(more), "seconds": TYPING}
        elif what == "client_types":
            told["seconds"] = TYPING
        else:
            told["upto"] = more
        return rows.encode(told)

    async def _person(self, id: int) -> dict[str, object]:
        title, until = self._titles.get(id, ("", 0.0))
        if until <= time.monotonic():
            user = await self.people().accounts.user(id)
            title = user.title if user is not None else ""
            self._titles[id] = (title, time.monotonic() + TITLE_SECONDS)
        return {"id": id, "title": title}

    # --- once a second ---

    async def _beat(self) -> None:
        now = time.monotonic()
        if now - self._beaten < BEAT / 2:
            return
        self._beaten = now
        for user in self.hub.people:
            self.floor.presence.seen(user)
        self.signs.beat()
        if now - self._placed >= PLACE_SECONDS:
            self._placed = now
            self._tell_places()
        await self._tick()

    def _tell_places(self) -> None:
        """Whoever was told nothing for long needs no long replay after a lost connection."""
        frame = rows.encode({"type": "at", "seq": self.cursor})
        for socket in self.hub.sockets:
            if socket.live and self.cursor is not None and socket.at < self.cursor:
                socket.at = self.cursor
                socket.put(frame)

    async def _tick(self) -> None:
        """Talks with the bot are not in the feed: who watches them is told that there was something."""
        watching = [socket for socket in self.hub.sockets if "bot" in socket.lists]
        if not watching:
            return
        written = await self.feed.written()
        if written != self._written:
            self._written = written
            frame = rows.encode({"type": "tick", "list": "bot"})
            for socket in watching:
                socket.put(frame)

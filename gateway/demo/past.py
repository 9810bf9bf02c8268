"""The past of a demo: two weeks of clients, made by the same pipeline that serves, with a clock that is moved."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from core.accounts import Deed, User
from gateway.accounts.passwords import generate
from gateway.app import Gateway
from gateway.config.model import Config
from gateway.demo.cast import CREW, clients, stories
from gateway.demo.channel import past_channels
from gateway.demo.chat import Chat
from gateway.demo.place import MAKING, ORDERS, READY, clear, demo_config, folder_of, mark
from gateway.demo.scenes import FEATURED, Scenes
from gateway.demo.stage import PastStage, Time
from gateway.demo.tickets import TicketPlay
from gateway.demo.troupe import Troupe

DAYS = 14
SEED = 20260101
WORKDAY, WEEKEND = (13, 18), (5, 8)  # conversations of a day
HOURS = (
    0,
    0,
    0,
    0,
    0,
    0,
    1,
    2,
    5,
    9,
    12,
    13,
    11,
    10,
    11,
    12,
    11,
    9,
    7,
    6,
    5,
    4,
    2,
    1,
)  # how many clients come, by the hour
CONTAINED = 0.6  # of the conversations are the bot's alone
LAST = 1500.0  # seconds before now in which only the last scenes are played
FIELDS = ("номер", "телефон", "статус", "товары", "сумма", "доставлен", "дней_с_доставки", "примечание")
Progress = Callable[[float], None]


class Maker:
    """Makes the past of a demo beside the installation of a configuration. `progress` hears the part that is done, 0 to 1."""

    def __init__(self, config: Config, now: datetime, progress: Progress = lambda part: None, seed: int = SEED) -> None:
        self._real, self._config = config, demo_config(config)
        self._now, self._progress = now.timestamp(), progress
        self._dice = random.Random(seed)  # noqa: S311  (a story, not a secret)
        self._time = Time(self._now - (DAYS + 1) * 86_400)

    async def make(self) -> dict[str, str]:
        """Over an empty folder. The passwords of those who sign in, by their names."""
        clear(self._config)
        write_orders(self._config)
        gateway = Gateway(self._config, now=self._time.moment, channels=past_channels(self._config), demo=self._real)
        try:
            await gateway.open()
            await mark(gateway.floor.units, MAKING)
            passwords = await self._play(gateway)
            await mark(gateway.floor.units, READY)
        finally:
            await gateway.stop()
        return passwords

    async def _play(self, gateway: Gateway) -> dict[str, str]:
        gateway.intake.decides = gateway.clock.works = gateway.sends = True
        stage = PastStage(self._time)
        stage.watch(gateway)
        users, passwords = await hire(gateway)
        troupe = Troupe(gateway, stage, users, self._dice)
        troupe.takes = True
        troupe.act_as([member.name for member in CREW if member.role == "operator"])
        await TicketPlay(troupe).look()
        for moment in self._arrivals():
            stage.at(moment, partial(self._arrive, troupe))
        for place, chat in enumerate(chat for chat in troupe.chats.values() if chat.client.number in FEATURED):
            stage.at(self._now - (1.5 + place / 2) * 86_400, partial(self._feature, troupe, chat))
        await self._days(stage, gateway)
        scenes = Scenes(troupe, self._now)
        await scenes.play(stage)
        self._progress(1.0)
        return passwords

    async def _days(self, stage: PastStage, gateway: Gateway) -> None:
        begin, end = self._now - DAYS * 86_400, self._now - LAST
        steps = DAYS * 8
        for step in range(1, steps + 1):
            await stage.play(gateway, begin + (end - begin) * step / steps)
            self._progress(0.95 * step / steps)

    def _arrivals(self) -> list[float]:
        """When clients come, by the hour of the day in the zone of the house."""
        zone, found = ZoneInfo(self._config.timezone), []
        today = datetime.fromtimestamp(self._now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
        for back in range(DAYS, -1, -1):
            day = today - timedelta(days=back)
            most = self._dice.randint(*(WORKDAY if day.weekday() < 5 else WEEKEND))
            for hour in self._dice.choices(range(24), HOURS, k=most):
                found.append(day.timestamp() + hour * 3600 + self._dice.uniform(0, 3600))
        return sorted(at for at in found if self._now - DAYS * 86_400 < at < self._now - LAST - 1200)

    async def _feature(self, troupe: Troupe, chat: Chat) -> None:
        troupe.begin(chat, stories().named("заявка"))

    async def _arrive(self, troupe: Troupe) -> None:
        """Somebody who is not in the middle of something comes with something."""
        people = self._dice.random() > CONTAINED
        chats = list(troupe.chats.values())
        for chat in self._dice.sample(chats, len(chats)):
            if (await troupe.session(chat)).owner == "bot":
                troupe.begin(chat, stories().pick(self._dice, people))
                return


async def hire(gateway: Gateway) -> tuple[list[User], dict[str, str]]:
    """The accounts of the demo, and the passwords of those who sign in. The others have one that nobody knows."""
    users, passwords = [], {}
    for member in CREW:
        password = generate()
        made = User(0, member.name, member.title, member.role, member.lines, language="")
        user, _ = await gateway.people.add(made, password, Deed("demo", "user_added"))
        users.append(user)
        if member.signs_in:
            passwords[member.name] = password
    return users, passwords


def write_orders(config: Config) -> None:
    """The shipped orders and those of the invented clients."""
    shipped = config.root / "flows" / "data" / ORDERS
    rows = list(csv.reader(shipped.read_text("utf-8").splitlines())) if shipped.exists() else [list(FIELDS)]
    with (folder_of(config) / ORDERS).open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerows(rows)
        writer.writerows(client.row for client in clients())

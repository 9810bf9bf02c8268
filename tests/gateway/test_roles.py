"""Roles: each alone and all together, what a process leaves to others, who takes over when one ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from core.hold import Hold
from core.outbox import OutboxRow, Sent
from core.ports import Gate
from gateway import leases as leases_module
from gateway.app import Gateway
from gateway.clock import Clock
from gateway.config import read_config
from gateway.roles import ROLES
from storage.hints import LocalHints
from storage.memory import MemoryStore
from tests.gateway.house import Recorder, inbound
from tests.gateway.shared import SharedStore, Tables
from tests.gateway.test_app import CONFIG
from tests.smallest import FLOWS


@dataclass
class Account(Recorder):
    """One process's side of an account: it polls in its turn, and what it sends stands in the platform's list."""

    platform: list[str] = field(default_factory=list)
    hold_: Hold | None = None
    polling: asyncio.Task[None] | None = None

    async def start(self, gate: Gate) -> None:
        self.gate = gate
        self.polling = asyncio.create_task(self._poll(gate))

    async def _poll(self, gate: Gate) -> None:
        while True:
            hold = await gate.turn(self.name)
            self.hold_ = hold
            await hold.lost()
            self.hold_ = None

    @property
    def polls(self) -> bool:
        """Whether it is this process that asks the platform now."""
        return self.hold_ is not None and self.hold_.held

    async def stop(self) -> None:
        if self.polling is not None:
            self.polling.cancel()

    async def send(self, row: OutboxRow) -> Sent:
        sent = await super().send(row)
        assert row.message is not None
        self.platform.append(row.message.body.text)
        return sent


class Deployment:
    """Several processes over one set of tables; `platform` is what clients have been sent."""

    def __init__(self, folder: Path) -> None:
        (folder / "flows").mkdir()
        for name, text in FLOWS.items():
            (folder / "flows" / name).write_text(text, "utf-8")
        config, findings = read_config(CONFIG, folder / "config.yaml", {})
        assert config is not None, findings
        self.config = config
        self.tables = Tables(time.time)
        self.hints = LocalHints()
        self.platform: list[str] = []
        self.running: list[Gateway] = []
        self.number = 0

    async def start(self, *roles: str, **limits: object) -> Gateway:
        """One more process, with all roles when none is named."""
        account = Account(platform=self.platform)
        intake = self.config.intake.model_copy(update=limits)
        gateway = Gateway(
            self.config.model_copy(update={"intake": intake}),
            store=SharedStore(self.tables),
            channels={"telegram": account},
            roles=roles or ROLES,
            hints=self.hints,
        )
        await gateway.start()
        self.running.append(gateway)
        return gateway

    async def stop(self, gateway: Gateway) -> None:
        self.running.remove(gateway)
        await gateway.stop()

    async def say(self, gateway: Gateway) -> None:
        self.number += 1
        await gateway.intake.accept([inbound(self.number, "привет", str(self.number))])

    async def answered(self, count: int) -> None:
        await until(lambda: len(self.platform) >= count)
        await until(lambda: not list(self.tables.rows.all("outbox", state=0)))
        assert len(self.platform) == count


async def until(found: Callable[[], bool], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not found():
            await asyncio.sleep(0.002)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Deployment]:
    it = Deployment(tmp_path)
    yield it
    await asyncio.gather(*(gateway.stop() for gateway in it.running))


def account(gateway: Gateway) -> Account:
    channel = gateway.channels["telegram"]
    assert isinstance(channel, Account)
    return channel


async def get(gateway: Gateway, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{gateway.port}{path}") as answer:
        return answer.status, await answer.text()


def test_every_role_has_a_place() -> None:
    found = {path.stem for path in (Path(leases_module.__file__).parent / "roles").glob("*.py")}
    assert found == {*ROLES, "__init__", "role"}


async def test_every_role_alone_answers_for_its_health(house: Deployment) -> None:
    for role in ROLES:
        gateway = await house.start(role)
        assert (await get(gateway, "/healthz"))[0] == 200
        assert (await get(gateway, "/readyz"))[0] == 200
        assert "frontline_store" in (await get(gateway, "/metrics"))[1]


async def test_only_intake_opens_the_doors_of_other_systems(house: Deployment) -> None:
    intake, worker = await house.start("intake"), await house.start("worker")
    async with aiohttp.ClientSession() as http:
        for gateway, status in ((intake, 403), (worker, 404)):
            async with http.post(f"http://127.0.0.1:{gateway.port}/events/paid", data=b"{}") as answer:
                assert answer.status == status


async def test_a_message_goes_through_three_processes(house: Deployment) -> None:
    intake, _, sender = await house.start("intake"), await house.start("worker"), await house.start("sender")
    await until(lambda: sender.hands("telegram"))
    await house.say(intake)
    await house.answered(1)
    assert account(sender).texts == ["Здравствуйте"]


async def test_without_hints_a_message_takes_a_second(house: Deployment) -> None:
    house.hints.tell = lambda topic, data="": None  # type: ignore[method-assign]
    intake, _, sender = await house.start("intake"), await house.start("worker"), await house.start("sender")
    await until(lambda: sender.hands("telegram"))
    began = time.monotonic()
    await house.say(intake)
    await house.answered(1)
    assert time.monotonic() - began < 3.0, "an inbox and an outbox are looked into once a second"


async def test_intake_and_worker_together_need_one_commit(house: Deployment) -> None:
    gateway = await house.start("intake", "worker")
    (receipt,) = await gateway.intake.accept([inbound(1, "привет")])
    assert receipt.processed
    assert receipt.outbox == [], "who has no lease leaves it to others"
    alone = await house.start("intake")
    (receipt,) = await alone.intake.accept([inbound(2, "привет", "2")])
    assert not receipt.processed


async def test_one_polls_and_one_sends(house: Deployment) -> None:
    first = await house.start()
    await until(lambda: account(first).polls and first.hands("telegram"))
    second = await house.start()
    await house.say(second)
    await house.answered(1)
    assert account(first).texts == ["Здравствуйте"]
    assert not account(second).polls
    assert not second.hands("telegram")
    assert second.hands(""), "calls and files are everybody's"


async def test_a_rolling_upgrade_loses_and_doubles_nothing(house: Deployment) -> None:
    """The new process beside the old one, messages all the time; the leases change hands within a second."""
    old = await house.start()
    await until(lambda: account(old).polls and old.hands("telegram"))
    new = await house.start()
    over = asyncio.Event()

    async def write(gateway: Gateway) -> None:
        while not over.is_set():
            await house.say(gateway)
            await asyncio.sleep(0.002)

    writing = asyncio.create_task(write(new))
    await until(lambda: len(house.platform) > 20)
    began = time.monotonic()
    await house.stop(old)
    await until(lambda: account(new).polls and new.hands("telegram"))
    assert time.monotonic() - began < 2.0
    over.set()
    await writing
    await house.answered(house.number)


async def test_a_lost_lease_stops_the_sending_at_once(house: Deployment) -> None:
    sender = await house.start("sender", "worker", "intake")
    await until(lambda: sender.hands("telegram"))
    held = account(sender).hold = asyncio.Event()
    await house.say(sender)
    await until(lambda: len(account(sender).rows) == 1)
    await sender.intake.accept([inbound(99, "ещё", "1")])
    lease = sender.leases.want("send:telegram")
    house.tables.leases["send:telegram"] = ("another", 9, time.time() + 60)
    lease.drop()
    held.set()
    await until(lambda: not sender.sender._lanes)
    assert len(house.platform) == 1, "what was under way is finished, the next is another's"
    states = [row["state"] for row in house.tables.rows.all("outbox")]
    assert states == [1, 0]


async def test_what_a_sender_without_its_lease_had_not_begun_is_free_at_once(house: Deployment) -> None:
    sender = await house.start("sender", "worker", "intake")
    await until(lambda: sender.hands("telegram"))
    sender.sender._slots["telegram"] = asyncio.Semaphore(1)
    held = account(sender).hold = asyncio.Event()
    for _ in range(2):
        await house.say(sender)
    await until(lambda: len(account(sender).rows) == 1)
    lease = sender.leases.want("send:telegram")
    house.tables.leases["send:telegram"] = ("another", 9, time.time() + 60)
    lease.drop()
    held.set()
    await until(lambda: not sender.sender._lanes)
    assert [row["state"] for row in house.tables.rows.all("outbox")] == [1, 0]
    assert len(house.tables.ledger.leases) == 0, "another process may take it now"


async def test_what_has_waited_for_too_long_is_taken_anew(house: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease of a row ends after half a minute: another sender may have had it meanwhile."""
    monkeypatch.setattr("gateway.outbox.FRESH_SECONDS", -1.0)
    sender = await house.start()
    await until(lambda: sender.hands("telegram"))
    await house.say(sender)
    await until(lambda: not sender.sender._lanes)
    assert house.platform == []
    monkeypatch.setattr("gateway.outbox.FRESH_SECONDS", 25.0)
    await house.answered(1)


async def test_a_repeat_goes_through_the_store(house: Deployment) -> None:
    """Who sends may have changed when its time comes; nobody waits longer than told."""
    sender = await house.start()
    await until(lambda: sender.hands("telegram"))
    account(sender).answers = [Sent("retry", after=0.05)]
    await house.say(sender)
    await until(lambda: len(account(sender).rows) == 2, 1.0)
    assert [row.attempts for row in account(sender).rows] == [0, 1]
    await until(lambda: not list(house.tables.rows.all("outbox", state=0)))


async def test_what_a_stopping_sender_has_not_begun_is_free_at_once(house: Deployment) -> None:
    """The next sender need not wait for the end of the rows' leases, which is half a minute away."""
    old = await house.start()
    await until(lambda: old.hands("telegram"))
    old.sender._slots["telegram"] = asyncio.Semaphore(1)
    account(old).hold = asyncio.Event()
    await house.say(old)
    await until(lambda: len(account(old).rows) == 1)
    await house.say(old)
    stopping = asyncio.create_task(house.stop(old))
    new = await house.start()
    await stopping
    await until(lambda: house.platform == ["Здравствуйте"])
    assert account(new).rows[0].chat == "2", "the other one may be out: it waits for the end of its lease"


async def test_a_stopping_process_is_not_ready_and_gives_everything_back(house: Deployment) -> None:
    gateway = await house.start()
    await until(lambda: account(gateway).polls and gateway.hands("telegram"))
    held = account(gateway).hold = asyncio.Event()
    await house.say(gateway)
    await until(lambda: len(account(gateway).rows) == 1)
    stopping = asyncio.create_task(house.stop(gateway))
    await until(lambda: house.tables.owner("poll:telegram") == "")
    assert (await get(gateway, "/readyz"))[0] == 503
    assert (await get(gateway, "/healthz"))[0] == 200
    assert house.tables.owner("send:telegram"), "it is still sending"
    assert not gateway.hands("telegram"), "but takes nothing new"
    held.set()
    await stopping
    assert house.tables.owner("send:telegram") == ""
    assert len(house.platform) == 1


async def test_too_long_an_inbox_shuts_the_doors(house: Deployment) -> None:
    gateway = await house.start("intake", longest=2, retry_after=11.0)
    for _ in range(3):
        await house.say(gateway)
    await until(lambda: gateway.pressure.reason == "long")
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"http://127.0.0.1:{gateway.port}/events/paid", data=b"{}") as answer,
    ):
        assert (answer.status, answer.headers["Retry-After"]) == (503, "11")
    assert 'frontline_busy{reason="long"} 1.0' in (await get(gateway, "/metrics"))[1]
    await house.start("worker")
    await until(lambda: gateway.pressure.reason == "")
    await house.say(gateway)


async def test_roles_are_not_split_over_a_store_of_one_process(house: Deployment) -> None:
    with pytest.raises(ValueError, match="one process"):
        Gateway(house.config, store=MemoryStore(time.time), channels={}, roles=["worker"])


async def test_the_first_timers_of_a_cluster_wait_for_its_pollers(
    house: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that does not poll cannot know when those who do have caught up: it gives them the time they may need."""
    waited: list[float] = []

    async def run(clock: object, channels: object, patience: float = 0.0) -> None:
        waited.append(patience)

    monkeypatch.setattr(Clock, "run", run)
    await house.start("clock")
    await until(lambda: waited == [10.0])
    await house.start("intake", "clock")
    await until(lambda: waited == [10.0, 0.0])

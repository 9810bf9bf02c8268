"""Publishing where several processes serve one store: all switch together, none goes back by itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from core.ports import Hints, StorageFull, Store
from gateway.edition import URGENT, Urgency
from gateway.office import Office
from gateway.publish import Publisher, Unpublishable
from storage.hints.local import LocalHints
from storage.memory import MemoryStore
from tests.gateway.house import Clock
from tests.gateway.publish.test_publisher import CONFIG, ORDER, House, current
from tests.gateway.shared import SharedStore, Tables
from tests.smallest import HELLO

MANUAL = CONFIG + "publish: manual\n"
EDITED = ORDER.replace("Записал", "Внёс")
WITHIN = 1.5  # seconds: a second, and a moment for a busy machine


class AwayStore(SharedStore):
    """`away`: questions of those who follow others fail, as when the database is gone for a moment."""

    away = False

    async def current_bundle(self) -> tuple[str, float]:
        if self.away:
            raise StorageFull
        return await super().current_bundle()


class Machines:
    """Machines with a folder each, over one store."""

    def __init__(self, root: Path) -> None:
        self.clock = Clock()
        self.store = AwayStore(Tables(self.clock))
        self._root = root

    def machine(self, name: str) -> House:
        (self._root / name).mkdir()
        return House(self._root / name, self.store, self.clock)


@pytest.fixture
async def machines(tmp_path: Path) -> AsyncIterator[Machines]:
    made = Machines(tmp_path)
    await made.store.open()
    yield made
    await made.store.close()


def publisher(house: House, source: str = MANUAL, hints: Hints | None = None) -> Publisher:
    return Publisher(house.store, house.config(source), metrics=house.metrics, now=house.clock.now, hints=hints)


@asynccontextmanager
async def watching(*publishers: Publisher) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one.watch()) for one in publishers]
    try:
        yield
    finally:
        for one in publishers:
            one.stop()
        await asyncio.wait_for(asyncio.gather(*tasks), 10)


async def until(true: Callable[[], bool], within: float = WITHIN) -> float:
    """How long it took (seconds)."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.005)
    return loop.time() - began


async def test_all_processes_switch_within_a_second_without_hints(machines: Machines) -> None:
    a, b = machines.machine("a"), machines.machine("b")
    one, other = publisher(a), publisher(b)
    await one.start()
    await other.start()
    assert one.book.id == other.book.id
    async with watching(one, other):
        machines.clock.at += timedelta(minutes=1)
        a.write("order", EDITED)
        assert (await one.publish()).live
        await until(lambda: other.book.id == one.book.id)


async def test_all_processes_switch_at_once_with_hints(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.publish.FOLLOW_SECONDS", 60.0)
    a, b, hints = machines.machine("a"), machines.machine("b"), LocalHints()
    one, other = publisher(a, hints=hints), publisher(b, hints=hints)
    await one.start()
    await other.start()
    async with watching(one, other):
        await asyncio.sleep(0.1)  # they listen
        machines.clock.at += timedelta(minutes=1)
        a.write("order", EDITED)
        assert (await one.publish()).live
        await until(lambda: other.book.id == one.book.id, 10)


async def test_a_command_of_any_machine_publishes_for_all(machines: Machines) -> None:
    serving, office = machines.machine("serving"), machines.machine("office")
    one = publisher(serving)
    await one.start()
    async with watching(one):
        machines.clock.at += timedelta(minutes=1)
        office.write("order", EDITED)
        done = await Office(machines.store, publisher(office)).publish()
        assert (done["live"], done["changed"], done["tests"]) == (True, ["order"], 1)
        await until(lambda: one.book.id == done["id"])
        assert (await Office(machines.store, publisher(office)).publish())["changed"] == []


async def test_a_broken_edit_of_any_machine_reaches_nobody(machines: Machines) -> None:
    serving, office = machines.machine("serving"), machines.machine("office")
    one = publisher(serving)
    await one.start()
    first = await machines.store.current_bundle()
    office.write("order", ORDER.replace("ask: Что нужно?", "ask: Что хотите?"))  # its test fails
    done = await Office(machines.store, publisher(office)).publish(urgent=True, by="ann@pc", why="fire")
    assert not done["live"]
    assert done["problems"]
    assert await machines.store.current_bundle() == first


async def test_running_dialogues_keep_their_version_on_every_machine(machines: Machines) -> None:
    a, b = machines.machine("a"), machines.machine("b")
    one, other = publisher(a), publisher(b)
    await one.start()
    await other.start()
    await a.say(one, "сделать заказ")
    machines.clock.at += timedelta(minutes=1)
    a.write("order", EDITED)
    await one.publish()
    await other.catch_up()
    assert (await b.say(other, "чайник"))[0] == "Записал чайник"
    assert (await b.say(other, "сделать заказ", "d"), (await a.say(one, "стол", "d"))[0])[1] == "Внёс стол"


async def test_a_run_begun_by_a_process_that_is_late_keeps_its_version(machines: Machines) -> None:
    """The others had no runs on the old version when they switched: they compile it when they meet the run."""
    a, late = machines.machine("a"), machines.machine("late")
    one, other = publisher(a), publisher(late)
    await one.start()
    await other.start()
    machines.clock.at += timedelta(minutes=1)
    a.write("order", EDITED)
    await one.publish()
    assert (await late.say(other, "сделать заказ"))[0] == "Что нужно?"  # still on the old edition
    assert (await a.say(one, "чайник"))[0] == "Записал чайник"
    fresh = publisher(a)
    await fresh.start()
    assert (await late.say(other, "сделать заказ", "d"))[0] == "Что нужно?"
    assert (await a.say(fresh, "стол", "d"))[0] == "Записал стол"


async def test_an_urgent_edition_ends_old_versions_everywhere(machines: Machines) -> None:
    a, b = machines.machine("a"), machines.machine("b")
    one, other = publisher(a), publisher(b)
    await one.start()
    await other.start()
    await b.say(other, "сделать заказ")
    machines.clock.at += timedelta(minutes=1)
    a.write("order", EDITED)
    done = await Office(machines.store, one).publish(urgent=True, by="ann@pc", why="wrong price")
    assert done["live"]
    await other.catch_up()
    assert "Записал" not in " ".join(await b.say(other, "чайник"))
    status = await other.status()
    assert status["urgent"] == {"by": "ann@pc", "why": "wrong price"}


def test_an_urgent_edition_of_an_older_program_names_nobody() -> None:
    assert Urgency.read("") == Urgency()
    assert Urgency.read(Urgency("ann", "«why»").text()) == Urgency("ann", "«why»")


async def test_a_rollback_reaches_all_and_survives_a_restart(machines: Machines) -> None:
    a, b = machines.machine("a"), machines.machine("b")
    auto = publisher(a, CONFIG)
    await auto.start()
    first = auto.book.id
    machines.clock.at += timedelta(minutes=1)
    a.write("order", EDITED)
    await auto.publish()
    other = publisher(b, CONFIG)
    await other.start()
    assert other.book.id == auto.book.id != first
    machines.clock.at += timedelta(minutes=1)
    done = await Office(machines.store, publisher(b)).publish(rollback=first[:8])
    assert (done["live"], done["id"]) == (True, first)
    await auto.catch_up()
    assert auto.book.id == first
    again = publisher(a, CONFIG)  # its folder holds the edition that was rolled back
    await again.start()
    assert again.book.id == first
    assert (await machines.store.current_bundle())[0] == first


def age(house: House, seconds: float) -> None:
    """The files of the folder were changed so long after the clock's present."""
    at = house.clock.at.timestamp() + seconds
    for path in house.root.rglob("*.yaml"):
        os.utime(path, (at, at))


async def test_an_old_folder_never_goes_live_by_a_restart(machines: Machines) -> None:
    """Known to the store or not: a folder that nobody has touched since the last publishing stays where it is."""
    a, b = machines.machine("a"), machines.machine("b")
    await publisher(a, CONFIG).start()
    machines.clock.at += timedelta(minutes=1)
    b.write("order", EDITED)
    await publisher(b).publish()
    newest = (await machines.store.current_bundle())[0]
    age(a, 60)
    restarted = publisher(a, CONFIG)
    await restarted.start()
    assert restarted.book.id == newest  # it is known, and older
    a.write("hello", HELLO.replace("Здравствуйте", "Давно"))
    age(a, -60)
    unknown = publisher(a, CONFIG)
    await unknown.start()
    assert unknown.book.id == newest  # it is unknown, but was not touched since
    assert (await unknown.status())["edited"]
    assert (await machines.store.current_bundle())[0] == newest


async def test_a_new_folder_goes_live_by_a_start(machines: Machines) -> None:
    """A new image brings new flows: `publish: auto` takes them, as in development."""
    a, b = machines.machine("a"), machines.machine("b")
    await publisher(a, CONFIG).start()
    b.write("order", EDITED)
    age(b, 60)
    machines.clock.at += timedelta(minutes=2)
    fresh = publisher(b, CONFIG)
    await fresh.start()
    assert (await machines.store.current_bundle())[0] == fresh.book.id
    assert (await current(machines.store)).sources["order.yaml"] == EDITED


async def test_a_save_on_any_machine_is_live_on_all(machines: Machines) -> None:
    a, b = machines.machine("a"), machines.machine("b")
    one, other = publisher(a, CONFIG), publisher(b, CONFIG)
    await one.start()
    await other.start()
    first = one.book.id
    async with watching(one, other):
        machines.clock.at += timedelta(minutes=1)
        loop = asyncio.get_running_loop()
        deadline, n = loop.time() + 10, 0
        while one.book.id == first and loop.time() < deadline:  # the watcher may not be listening yet
            n += 1
            b.write("order", EDITED.replace("Внёс", f"Внёс {n}"))
            await asyncio.sleep(0.3)
        await until(lambda: one.book.id == other.book.id != first, 5)


async def test_flows_that_cannot_be_compiled_here_leave_the_old_ones(machines: Machines) -> None:
    """This machine's configuration lacks a desk that the new flows use, as an older program lacks an action."""
    a, behind = machines.machine("a"), machines.machine("behind")
    more = MANUAL.replace("  extra: {title: Э}\n", "  extra: {title: Э}\n  new: {title: Н}\n")
    one, other, hints = publisher(a, more), publisher(behind), LocalHints()
    await one.start()
    other = publisher(behind, hints=hints)
    await other.start()
    first = other.book.id
    machines.clock.at += timedelta(minutes=1)
    a.write("order", ORDER.replace("ticket: extra", "ticket: new"))
    assert (await one.publish()).live
    async with watching(other):
        await until(lambda: other.behind == one.book.id)
        assert other.book.id == first
        assert behind.metrics.registry.get_sample_value("frontline_flows_behind") == 1
        assert (await behind.say(other, "сделать заказ"))[0] == "Что нужно?"
        (process,) = (await other.status())["processes"]
        assert (process["edition"], process["behind"]) == (first, True)
        await until(lambda: any("behind" in key for key in hints._here))
        machines.clock.at += timedelta(minutes=1)
        a.write("order", EDITED)
        assert (await one.publish()).live
        await until(lambda: other.book.id == one.book.id)
        assert other.behind == ""
        assert behind.metrics.registry.get_sample_value("frontline_flows_behind") == 0
    restarted = publisher(behind)
    machines.clock.at += timedelta(minutes=1)
    a.write("order", ORDER.replace("ticket: extra", "ticket: new"))
    await one.publish()
    with pytest.raises(Unpublishable) as raised:  # nothing serves yet that could go on
        await restarted.start()
    assert raised.value.findings[0].code == "L109"


async def test_status_names_the_processes_of_all_machines(machines: Machines) -> None:
    a, hints = machines.machine("a"), LocalHints()
    one = publisher(a, hints=hints)
    await one.start()
    await hints.present("serves:other/7:0123456789abcdef:current", 60)
    await hints.present("serves:last/8:0123456789abcdef:behind", 60)
    for nonsense in ("serves:", "serves:a:b", "serves:a:b:c:d", "serves:\x1b[2J:0123456789abcdef:current"):
        await hints.present(nonsense, 60)
    asked = publisher(machines.machine("office"), hints=hints)  # a command: it serves nothing itself
    found = {it["process"]: (it["edition"], it["behind"]) for it in (await asked.status())["processes"]}
    assert found["other/7"] == ("0123456789abcdef", False)
    assert found["last/8"] == ("0123456789abcdef", True)
    assert (one.book.id, False) in found.values()
    assert len(found) == 3


async def test_a_store_that_is_away_is_asked_again(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.publish.FOLLOW_SECONDS", 0.02)
    a, b = machines.machine("a"), machines.machine("b")
    one, other = publisher(a), publisher(b)
    await one.start()
    await other.start()
    async with watching(other):
        machines.store.away = True
        await asyncio.sleep(0.1)
        machines.clock.at += timedelta(minutes=1)
        a.write("order", EDITED)
        await one.publish()
        machines.store.away = False
        await until(lambda: other.book.id == one.book.id, 10)


async def test_a_machine_without_a_folder_serves_what_others_publish(machines: Machines) -> None:
    a, bare = machines.machine("a"), machines.machine("bare")
    one = publisher(a)
    await one.start()
    for path in sorted((bare.root / "flows").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (bare.root / "flows").rmdir()
    other = publisher(bare)
    await other.start()
    assert other.book.id == one.book.id
    async with watching(other):
        machines.clock.at += timedelta(minutes=1)
        a.write("order", EDITED)
        await one.publish()
        await until(lambda: other.book.id == one.book.id)
    assert not (await other.status())["edited"]


async def test_one_process_alone_neither_asks_nor_looks(tmp_path: Path) -> None:
    """A store of one process has nothing to follow: no query a second, plain books."""
    clock = Clock()
    store: Store = MemoryStore(clock, frozenset())
    await store.open()
    (tmp_path / "one").mkdir()
    house = House(tmp_path / "one", store, clock)
    one = publisher(house, CONFIG)
    await one.start()
    assert type(one.book.versions) is dict
    assert URGENT not in (await current(store)).sources
    await store.close()

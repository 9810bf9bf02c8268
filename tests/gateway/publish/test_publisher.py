"""Publishing: only sound and tested flows go live, in one switch, and running dialogues keep the version they began with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.events import Inbound, Message
from core.locale import texts
from core.outbox import Sent, Settled
from core.ports import Bundle, Store
from gateway.config import Config, read_config
from gateway.deployment import build_deployment, build_house
from gateway.edition import Urgency
from gateway.metrics import Metrics
from gateway.publish import Publisher, Unpublishable
from gateway.worker import FloodGuard, Worker
from storage.memory import MemoryStore
from tests.gateway.house import Clock
from tests.smallest import BOT, HELLO

CONFIG = """\
storage: {url: "memory:"}
channels:
  site: {kind: web, line: support}
lines:
  support: {title: П, hours: {mon-sun: "00:00-24:00"}, closed: {ticket: general}, busy: {ticket: general}}
desks:
  general: {title: О}
  extra: {title: Э}
"""
ORDER = """\
flow: Заказ
triggers:
  - words: [сделать заказ]
fields:
  товар: {label: Товар, ask: Что нужно?}
steps:
  - ask: товар
  - say: Записал {{ товар }}
  - ticket: extra
    title: "{{ товар }}"
  - end: готово
"""
TEST = "- test: Заказ\n  talk:\n    - client: сделать заказ\n    - bot: Что нужно\n"


class House:
    """A folder of flows, a store that outlives publishers, and a clock that is moved by hand."""

    def __init__(self, root: Path, store: Store, clock: Clock) -> None:
        self.root, self.store, self.clock = root, store, clock
        self.switched = 0
        self.metrics = Metrics()
        (root / "flows" / "tests").mkdir(parents=True)
        for name, text in {"_bot": BOT, "hello": HELLO, "order": ORDER, "tests/order.test": TEST}.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        (self.root / "flows" / f"{name}.yaml").write_text(text, "utf-8")

    def config(self, source: str = CONFIG) -> Config:
        config, findings = read_config(source, self.root / "config.yaml", {})
        assert findings == []
        assert config is not None
        return config

    def publisher(self, source: str = CONFIG) -> Publisher:
        def switched() -> None:
            self.switched += 1

        return Publisher(self.store, self.config(source), on_switch=switched, metrics=self.metrics, now=self.clock.now)

    async def say(self, publisher: Publisher, text: str, chat: str = "c") -> list[str]:
        """A client writes; what the bot answers in the same transaction."""
        config = self.config()
        house = build_house(config, {})
        worker = Worker(
            lambda: house, lambda: publisher.book, {"site": "support"}, config.timezone, self.metrics, FloodGuard(0, 1)
        )
        count = (
            sum(1 for _ in await self.store.bundles())
            + int(self.clock.at.timestamp() * 1000)
            + hash((text, chat)) % 1000
        )
        inbound = Inbound("site", "site", f"m{count}", chat, Message(text=text), self.clock.at)
        rows = [row for one in await self.store.accept([inbound], worker.decide) for row in one.outbox]
        said = []
        while rows:
            row = rows.pop(0)
            said += [row.message.body.text] if row.message is not None else []
            receipts = await self.store.mark([Settled(row, Sent("sent", ("1",)))])
            rows += [more for one in receipts for more in one.outbox]
        return said


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    clock = Clock()
    store = MemoryStore(clock, frozenset())
    await store.open()
    yield House(tmp_path, store, clock)
    await store.close()


async def current(store: Store) -> Bundle:
    return next(bundle for bundle in await store.bundles() if bundle.current)


async def test_first_start_publishes_the_folder(house: House) -> None:
    publisher = house.publisher()
    with pytest.raises(LookupError):
        _ = publisher.book
    await publisher.start()
    assert set(publisher.book.flows) >= {"hello", "order"}
    bundle = await current(house.store)
    assert bundle.id == publisher.book.id
    assert set(bundle.sources) == {"_bot.yaml", "hello.yaml", "order.yaml"}
    assert house.switched == 1


async def test_start_without_any_sound_flow(house: House) -> None:
    house.write("order", "flow: Заказ\nsteps:\n  - goto: нигде\n")
    with pytest.raises(Unpublishable) as raised:
        await house.publisher().start()
    assert any(finding.code == "L104" for finding in raised.value.findings)


async def test_a_broken_edit_keeps_the_old_flows(house: House) -> None:
    publisher = house.publisher()
    await publisher.start()
    before = publisher.book
    house.write("order", ORDER.replace("ask: товар\n  - say", "sya: товар\n  - say"))
    outcome = await publisher.publish()
    assert not outcome.live
    assert publisher.book is before
    assert publisher.refused is outcome
    status = await publisher.status()
    assert status["edited"]
    assert any("order.yaml:7:" in line for line in status["problems"])
    assert house.metrics.registry.get_sample_value("frontline_publishes_total", {"result": "refused"}) == 1


async def test_a_broken_edit_does_not_stop_a_restart(house: House) -> None:
    first = house.publisher()
    await first.start()
    house.write("order", "flow: [")
    again = house.publisher()
    await again.start()
    assert again.book.id == first.book.id
    assert again.refused is not None


async def test_a_failing_test_keeps_the_old_flows(house: House) -> None:
    publisher = house.publisher()
    await publisher.start()
    before = publisher.book.id
    house.write("order", ORDER.replace("Что нужно?", "Чего желаете?"))
    outcome = await publisher.publish()
    assert not outcome.live
    assert outcome.tests == 1
    assert len(outcome.failures) == 1
    assert "tests/order.test.yaml:4:7" in outcome.failures[0]
    assert publisher.book.id == before


async def test_tests_of_callers_run(house: House) -> None:
    """The called flow changes; the test of its caller is asked, because its version is new too."""
    house.write("asking", "flow: Вопрос\nsteps:\n  - say: Что нужно\n  - end: готово\n")
    house.write(
        "order", "flow: Заказ\ntriggers:\n  - words: [сделать заказ]\nsteps:\n  - call: asking\n  - end: готово\n"
    )
    publisher = house.publisher()
    await publisher.start()
    house.write("asking", "flow: Вопрос\nsteps:\n  - say: Ничего\n  - end: готово\n")
    outcome = await publisher.publish()
    assert outcome.changed == ("asking", "order")
    assert not outcome.live


async def test_a_run_keeps_its_version_through_edits_and_restarts(house: House) -> None:
    publisher = house.publisher()
    await publisher.start()
    assert await house.say(publisher, "сделать заказ") == ["Что нужно?"]
    house.write("order", ORDER.replace("Записал", "Внёс"))
    assert (await publisher.publish()).live
    again = house.publisher()
    await again.start()
    for serving in (publisher, again):
        assert len([version for flow, version in serving.book.versions if flow == "order"]) == 2
    assert (await house.say(again, "чайник"))[0] == "Записал чайник"
    assert await house.say(again, "сделать заказ", "other") == ["Что нужно?"]
    assert (await house.say(again, "утюг", "other"))[0] == "Внёс утюг"


async def test_urgent_ends_old_versions_even_after_a_restart(house: House) -> None:
    publisher = house.publisher()
    await publisher.start()
    await house.say(publisher, "сделать заказ")
    house.write("order", ORDER.replace("Записал", "Внёс"))
    assert (await publisher.publish(urgent=Urgency("t", "w"))).live
    again = house.publisher()
    await again.start()
    for serving in (publisher, again):
        assert len([version for flow, version in serving.book.versions if flow == "order"]) == 1


async def test_urgent_without_an_edit_ends_old_versions(house: House) -> None:
    publisher = house.publisher()
    await publisher.start()
    await house.say(publisher, "сделать заказ")
    house.write("order", ORDER.replace("Записал", "Внёс"))
    await publisher.publish()
    assert len([flow for flow, _ in publisher.book.versions if flow == "order"]) == 2
    assert (await publisher.publish(urgent=Urgency("t", "w"))).live
    assert len([flow for flow, _ in publisher.book.versions if flow == "order"]) == 1


async def test_old_versions_are_let_go_in_time(house: House) -> None:
    publisher = house.publisher()
    await publisher.start()
    await house.say(publisher, "сделать заказ")
    house.write("order", ORDER.replace("Записал", "Внёс"))
    await publisher.publish()
    house.clock.at += timedelta(hours=71)
    await publisher.retire()
    assert len([flow for flow, _ in publisher.book.versions if flow == "order"]) == 2
    house.clock.at += timedelta(hours=2)
    await publisher.retire()
    assert len([flow for flow, _ in publisher.book.versions if flow == "order"]) == 1


async def test_old_versions_are_let_go_in_a_folder_that_never_rests(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table beside the flows may be written every minute: there is no quiet moment then."""
    publisher = house.publisher()
    await publisher.start()
    await house.say(publisher, "сделать заказ")
    house.write("order", ORDER.replace("Записал", "Внёс"))
    await publisher.publish()

    async def changes() -> AsyncIterator[set[tuple[int, str]]]:
        house.clock.at += timedelta(hours=73)
        yield {(1, "flows/data/orders.csv")}

    monkeypatch.setattr(publisher, "_changes", changes)
    await publisher.watch()
    assert len([flow for flow, _ in publisher.book.versions if flow == "order"]) == 1


async def test_rollback_publishes_an_older_edition(house: House) -> None:
    publisher = house.publisher()
    await publisher.start()
    first = publisher.book.id
    house.write("order", ORDER.replace("Записал", "Внёс"))
    house.clock.at += timedelta(minutes=1)
    await publisher.publish()
    assert publisher.book.id != first
    assert (await publisher.rollback(first[:6])).live
    assert publisher.book.id == first
    assert (await current(house.store)).id == first
    for unknown in ("", "zzz"):
        with pytest.raises(LookupError):
            await publisher.rollback(unknown)


async def test_only_some_bundles_are_kept(house: House) -> None:
    publisher = house.publisher()
    await publisher.start()
    for n in range(23):
        house.clock.at += timedelta(minutes=1)
        house.write("hello", HELLO.replace("Здравствуйте", f"Здравствуйте {n}"))
        assert (await publisher.publish()).live
    await publisher.retire()
    bundles = await house.store.bundles()
    assert len(bundles) == 20
    assert publisher.book.id in {bundle.id for bundle in bundles}


async def test_what_live_runs_need_cannot_vanish(house: House) -> None:
    publisher = house.publisher()
    await publisher.start()
    await house.say(publisher, "сделать заказ")
    house.write("order", ORDER.replace("ticket: extra", "ticket: general"))
    without = CONFIG.replace("  extra: {title: Э}\n", "")
    with pytest.raises(Unpublishable) as raised:
        await house.publisher(without).start()
    (finding,) = raised.value.findings
    assert finding.code == "C170"
    assert "extra" in finding.message("en")
    assert "«order»" in finding.message("en")
    assert " 1 live" in finding.message("en")
    house.write("order", ORDER.replace("ticket: extra", "ticket: general"))
    await house.publisher().start()


async def test_manual_serves_what_was_published(house: House) -> None:
    manual = CONFIG + "publish: manual\n"
    publisher = house.publisher(manual)
    await publisher.start()
    first = publisher.book.id
    house.write("order", ORDER.replace("Записал", "Внёс"))
    again = house.publisher(manual)
    await again.start()
    assert again.book.id == first
    assert (await again.status())["edited"]
    await again.publish()
    assert again.book.id != first


async def test_a_save_is_live_within_a_second(house: House) -> None:
    publisher = house.publisher()
    await publisher.start()
    first = publisher.book.id
    watching = asyncio.create_task(publisher.watch())
    loop = asyncio.get_running_loop()
    house.write("order", "flow: [")
    deadline = loop.time() + 5
    while publisher.refused is None and loop.time() < deadline:
        # The watcher may not be listening yet; a save is a save each time.
        house.write("order", "flow: [")
        await asyncio.sleep(0.05)
    assert publisher.refused is not None
    assert publisher.book.id == first
    saved = loop.time()
    house.write("order", ORDER.replace("Записал", "Внёс"))
    while publisher.book.id == first and loop.time() < saved + 5:
        await asyncio.sleep(0.01)
    took = loop.time() - saved
    publisher.stop()
    await asyncio.wait_for(watching, 5)
    assert publisher.book.id != first
    assert took < 1.0
    assert publisher.refused is None


def test_findings_are_said_in_both_languages() -> None:
    """The words of C170 exist as message ids."""
    from gateway.uses import GONE, MEND

    values = {"name": "n", "flow": "f", "version": "v", "runs": 2}
    for language in ("ru", "en"):
        for what in (*GONE.values(), MEND):
            assert texts(language)(what, **values)


def test_deployment_of_the_config(house: House) -> None:
    deployment = build_deployment(house.config())
    assert set(deployment.desks) == {"general", "extra"}
    assert deployment.channels["site"].line == "support"
    assert deployment.lines["support"].closed is not None
    assert "tickets" in deployment.services

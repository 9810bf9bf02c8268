"""The pages of flows over the API: numbers against a naive count on both engines, rights, editions, YAML with findings."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from bot.loader import Mapping, Scalar, Sequence, load
from core.access import Role
from core.conversation import Conversation
from gateway import flownumbers
from gateway.edition import read_edition
from storage.codec import decode_dict, encode
from storage.flows.reading import STEPS
from storage.migrate import migrate_postgres
from storage.tables import records
from tests.browser.console.hostile import CORPUS
from tests.gateway.api.house import CONFIG, Browser, House, open_house
from tests.gateway.house import FLOWS
from tests.postgres import Cluster, cluster

DAY = 86_400.0
CHANNELS = {"telegram": "support", "bills": "billing"}
TWO = CONFIG.replace(
    "line: support}}", 'line: support}, bills: {kind: web, line: billing, origins: ["https://a.example"]}}'
)
NUMBERS = (*STEPS, "entered", "errors")
RETURN = """
flow: Возврат
triggers:
  - words: [вернуть товар, возврат]
  - button: Вернуть
fields:
  номер: {label: Номер заказа, type: number, ask: Какой номер заказа?}
  причина: {label: Причина, type: text, ask: 'Почему? <b>Коротко</b>'}
  имя: {label: Имя, type: text, ask: Как вас зовут?}
steps:
  - ask: [номер, причина]
  - ask: имя
    step: знакомство
  - if: номер > 100
    then:
      - handoff: support
  - end: принято
"""
WARNED = """
flow: Редкий
triggers:
  - words:
      - редкий
      - очень редкий
steps:
  - say: Готово
  - end: готово
"""
BOT = FLOWS["_bot.yaml"].replace("words: {cancel: [отмена]}", "words: {cancel: [отмена], back: [назад]}")
BOOK = {**FLOWS, "_bot.yaml": BOT, "return.yaml": RETURN}


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def config(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return TWO
    server: Cluster = request.getfixturevalue("server")
    url = server.url(server.create())
    migrate_postgres(url)
    return TWO.replace("sqlite:///house.db", url)


@pytest.fixture
async def big(config: str) -> AsyncIterator[House]:
    """A log of ten days over two channels, filled once for an engine."""
    async for house in open_house(config=config, flows=BOOK):
        await fill(house)
        yield house


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async for made in open_house(flows=BOOK):
        yield made


async def fill(house: House) -> None:
    """Facts of a few thousand turns, up to minutes out of order, as several processes write them."""
    luck, now = random.Random(7), house.clock.at

    def write(ledger: Any) -> None:
        rows = ledger.rows
        for id in range(1, 41):
            channel = luck.choice(list(CHANNELS))
            state = Conversation(id, channel, "42", f"k{id}", 1)
            rows.insert("conversations", conversation_row(state, now))
        for n in range(4000):
            at = now - 10 * DAY + n * 10 * DAY / 4000 + luck.uniform(-900, 900)
            rows.insert("records", fact(luck, at))

    await house.store.locked([], write)  # type: ignore[attr-defined]


def conversation_row(state: Conversation, now: float) -> dict[str, Any]:
    names = {"id": state.id, "channel": state.channel, "account": state.account, "chat": state.chat, "client": 1}
    numbers = {"version": 0, "epoch": 0, "live": 0, "last_at": now, "created_at": now}
    return {**names, **numbers, "state": encode(state)}


def fact(luck: random.Random, at: float) -> dict[str, Any]:
    kind = luck.choice((*STEPS, "run_started", "run_ended", "uncaught", "field_given"))
    data: dict[str, Any] = {"flow": luck.choice(("return", "form", "hello"))}
    if kind in STEPS:
        data["step"] = luck.choice(("ask.номер", "ask.причина", "знакомство", "старый шаг"))
    if kind == "wrong":
        data["attempt"] = luck.randint(1, 3)
    if kind.startswith("run_"):
        data["run"] = luck.randint(1, 9)
    if kind == "run_ended":
        data["outcome"] = luck.choice(("принято", "отменено", "клиент замолчал"))
    if kind == "uncaught":
        data = {"text": luck.choice(("где мой заказ", "лыжи", "да, но: нет"))}
    return {"conversation": luck.randint(1, 40), "at": at, "kind": kind, "data": encode(data), "session": 0}


async def naive(house: House, first: str, last: str, channels: set[str]) -> Counter[tuple[str, str, str]]:
    """The same count, by reading everything: (kind, flow, step, outcome or text) → times."""
    every = select(records.c.conversation, records.c.at, records.c.kind, records.c.data)
    rows = await house.gateway.floor.units.ask(lambda reads: reads.all(every))
    states = {it: await house.store.conversation(it) for it in range(1, 41)}
    since = datetime.fromisoformat(first).replace(tzinfo=UTC) - timedelta(hours=3)  # the house lives in Moscow
    until = datetime.fromisoformat(last).replace(tzinfo=UTC) + timedelta(hours=21)
    found: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        state = states.get(row["conversation"])
        if since.timestamp() <= row["at"] < until.timestamp() and state is not None and state.channel in channels:
            said = decode_dict.decode(row["data"])
            detail = said.get("step", said.get("outcome", said.get("text", "")))
            found[row["kind"], said.get("flow", ""), detail] += 1
    return found


def days(house: House, first: int, last: int) -> tuple[str, str]:
    today = (house.clock.moment() + timedelta(hours=3)).date()
    return (today - timedelta(days=first)).isoformat(), (today - timedelta(days=last)).isoformat()


ASKED = [(30, 0, "", set(CHANNELS)), (7, 3, "", set(CHANNELS)), (5, 5, "bills", {"bills"}), (90, 40, "", set(CHANNELS))]


@pytest.mark.parametrize("whole", [200_000, 50])
async def test_numbers_are_those_of_a_naive_count(big: House, monkeypatch: pytest.MonkeyPatch, whole: int) -> None:
    """In one question and day by day; the second time from what was kept."""
    monkeypatch.setattr(flownumbers, "WHOLE", whole)
    await big.add("root", "admin")
    root = await big.browser("root")
    for first, last, channel, channels in [*ASKED, *ASKED]:
        begin, end = days(big, first, last)
        query = f"?from={begin}&to={end}&channel={channel}"
        counted = await naive(big, begin, end, channels)
        rows = {it["id"]: it for it in (await root.ask("GET", f"/bot/flows{query}")).body["items"]}
        for flow in ("return", "form", "hello"):
            assert rows[flow]["started"] == counted["run_started", flow, ""]
            assert rows[flow]["ended"] == sum(
                n for (kind, of, _), n in counted.items() if (kind, of) == ("run_ended", flow)
            )
            assert rows[flow]["finished"] == counted["run_ended", flow, "принято"]
        await same_steps(root, query, counted)


async def same_steps(root: Browser, query: str, counted: Counter[tuple[str, str, str]]) -> None:
    body = (await root.ask("GET", f"/bot/flows/return{query}")).body
    told = {it["step"]: it["numbers"] for it in (*body["nodes"], *body["elsewhere"]) if it["step"]}
    steps = {step for kind, flow, step in counted if flow == "return" and kind in STEPS}
    assert steps <= set(told)
    for step, numbers in told.items():
        for name, value in numbers.items():
            kind = {"entered": "step_entered", "errors": "error"}.get(name, name)
            if name != "lost":
                assert value == counted[kind, "return", step], (step, name)
    outcomes = {it["outcome"]: it["times"] for it in body["outcomes"]}
    assert outcomes == {what: n for (kind, flow, what), n in counted.items() if (kind, flow) == ("run_ended", "return")}


async def test_a_supervisor_sees_numbers_of_the_channels_of_their_lines(big: House) -> None:
    await big.add("boris", "supervisor", billing="supervisor")
    begin, end = days(big, 30, 0)
    counted = await naive(big, begin, end, {"bills"})
    boris = await big.browser("boris")
    await same_steps(boris, f"?from={begin}&to={end}", counted)
    told = (await boris.ask("GET", f"/bot/uncaught?from={begin}&to={end}")).body["items"]
    assert {it["text"]: it["times"] for it in told} == {
        t: n for (kind, _, t), n in counted.items() if kind == "uncaught"
    }
    assert [it["times"] for it in told] == sorted((it["times"] for it in told), reverse=True)
    others = (await boris.ask("GET", f"/bot/flows?from={begin}&to={end}&channel=telegram")).body["items"]
    assert {it["started"] for it in others} == {0}


# --- a client walks --------------------------------------------------------------------------------------------------


async def walk(house: House) -> None:
    """Two clients: one is wrong once, goes back and cancels; one comes to the end."""
    for said in ("хочу вернуть товар", "не помню", "12", "назад", "13", "не подошло", "отмена"):
        await house.client(said, "1")
    for said in ("вернуть", "14", "сломалось", "Анна"):
        await house.client(said, "2")


async def test_a_walk_is_counted_where_it_happened(house: House) -> None:
    await house.add("ada", "analyst")
    await walk(house)
    body = (await (await house.browser("ada")).ask("GET", "/bot/flows/return")).body
    boxes = {it["step"]: it for it in body["nodes"] if it["step"]}
    assert list(boxes) == ["ask.номер", "ask.причина", "знакомство", "handoff.support"]
    number, name = boxes["ask.номер"]["numbers"], boxes["знакомство"]["numbers"]
    assert (number["entered"], number["answered"], number["wrong"], number["back"]) == (2, 3, 1, 1)
    assert number["lost"] == 0
    assert (name["entered"], name["answered"], name["cancelled"], name["lost"]) == (2, 1, 1, 1)
    assert boxes["ask.причина"]["text"] == "Почему? <b>Коротко</b>"
    assert (body["started"], body["ended"], body["finished"], body["runs"]) == (2, 2, 1, 0)
    assert [it["ended"] for it in body["nodes"] if it["kind"] == "end"] == [1]
    arrows = {(it["source"], it["target"], it["label"]) for it in body["edges"]}
    assert arrows == {(1, 2, ""), (2, 3, ""), (3, 4, ""), (4, 6, "да"), (4, 5, "нет"), (6, 5, "")}
    assert body["elsewhere"] == []
    assert body["live"][0]["current"]


async def test_a_number_opens_to_sessions_that_one_may_see(house: House) -> None:
    await house.add("root", "admin")
    await house.add("boris", "supervisor", billing="supervisor")
    await house.add("ada", "analyst")
    await walk(house)
    root, boris, ada = [await house.browser(it) for it in ("root", "boris", "ada")]
    of = "/bot/flows/return/sessions?step=%D0%B7%D0%BD%D0%B0%D0%BA%D0%BE%D0%BC%D1%81%D1%82%D0%B2%D0%BE&measure="
    there = (await root.ask("GET", of + "entered")).body
    assert [(it["conversation"], it["session"], it["times"]) for it in there["items"]] == [(1, 1, 1), (2, 1, 1)]
    assert there["items"][0]["client"]["name"] == "Клиент"
    gone = (await root.ask("GET", of + "cancelled")).body
    assert [it["conversation"] for it in gone["items"]] == [1]
    ended = (await root.ask("GET", "/bot/flows/return/sessions?measure=ended")).body
    assert len(ended["items"]) == 2
    assert (await boris.ask("GET", of + "entered")).body == {"items": [], "more": False}
    assert (await ada.ask("GET", of + "entered")).kind == "not-allowed"


async def test_runs_and_versions(house: House) -> None:
    await house.add("root", "admin")
    await house.client("хочу вернуть товар", "1")
    root = await house.browser("root")
    rows = {it["id"]: it for it in (await root.ask("GET", "/bot/flows")).body["items"]}
    assert (rows["return"]["runs"], rows["return"]["older_runs"]) == (1, 0)
    assert (rows["hello"]["entry"], rows["people"]["entry"]) == ("welcome", "operator")
    assert rows["return"]["triggers"][0] == {"kind": "words", "texts": ["вернуть товар", "возврат"]}
    before = (await root.ask("GET", "/bot/editions")).body
    flows = house.gateway.config.flows
    (flows / "return.yaml").write_text(RETURN.replace("Какой номер", "Назовите номер"), "utf-8")
    assert (await root.ask("GET", "/bot/editions")).body["edited"]
    house.clock.at += 60
    assert (await house.gateway.publisher.publish()).live
    after = (await root.ask("GET", "/bot/editions")).body
    assert [it["current"] for it in after["items"]] == [True, False]
    assert after["items"][0]["changed"] == ["return"]
    assert after["items"][1]["id"] == before["items"][0]["id"]
    assert [it["runs"] for it in after["items"]] == [0, 1]
    assert not after["edited"]
    row = (await root.ask("GET", "/bot/flows/return")).body
    assert (row["runs"], row["older_runs"], [it["runs"] for it in row["live"]]) == (1, 1, [0, 1])


# --- what nobody caught, and YAML ------------------------------------------------------------------------------------


async def test_a_phrase_is_copied_into_yaml_as_it_was_said(house: House) -> None:
    """Whatever clients write: the line is read by the loader as the very same words, and the flow can be published."""
    await house.add("root", "admin")
    for n, hostile in enumerate(CORPUS, 1):
        await house.client(hostile, str(n))
    await house.client("🤷", "501")
    items = (await (await house.browser("root")).ask("GET", "/bot/uncaught?limit=500")).body["items"]
    assert len(items) > 150
    lines = ["triggers:"]
    for it in items:
        found: list[Any] = []
        node = load(f"triggers:\n  {it['line']}\n", "x.yaml", found.append)
        assert found == []
        assert phrases(node, it["trigger"]) == [it["text"]]
        lines.append(f"  {it['line']}")
    text = RETURN.replace("triggers:", "\n".join(lines), 1)
    edition = read_edition({**BOOK, "return.yaml": text}, house.gateway.deployment)
    assert [it.line("en") for it in edition.errors] == []


def phrases(node: Any, kind: str) -> list[str]:
    assert isinstance(node, Mapping)
    triggers = node.get("triggers")
    assert isinstance(triggers, Sequence)
    (one,) = triggers.items
    assert isinstance(one, Mapping)
    said = one.get(kind)
    assert isinstance(said, Sequence)
    return [it.text for it in said.items if isinstance(it, Scalar)]


async def test_the_yaml_stands_with_its_findings() -> None:
    async for house in open_house(flows={**BOOK, "rare.yaml": WARNED}):
        await house.add("ada", "analyst")
        ada = await house.browser("ada")
        body = (await ada.ask("GET", "/bot/flows/rare/source")).body
        assert (body["file"], body["text"], body["current"]) == ("rare.yaml", WARNED, True)
        (finding,) = body["findings"]
        assert (finding["line"], finding["column"], finding["level"]) == (6, 9, "warning")
        assert "очень редкий" in finding["message"]
        (house.gateway.config.flows / "rare.yaml").write_text(WARNED.replace("say:", "sag:"), "utf-8")
        broken = (await ada.ask("GET", "/bot/flows/rare/source?edition=folder")).body
        assert not broken["current"]
        (error,) = [it for it in broken["findings"] if it["level"] == "error"]
        assert (error["line"], error["column"], error["length"]) == (8, 5, 3)
        assert "say" in error["hint"] + error["instead"]
        assert (await ada.ask("GET", "/bot/flows/rare/source")).body["text"] == WARNED
        for place in ("nothing/source", "nothing", "..%2Fconfig/source", "rare/source?edition=0000"):
            assert (await ada.ask("GET", f"/bot/flows/{place}")).status == 404, place
        whole = (await ada.ask("GET", "/bot/flows/_bot/source")).body
        assert whole["text"] == BOT


@pytest.mark.parametrize("role", ["operator", "analyst"])
async def test_what_clients_wrote_is_for_supervisors(house: House, role: Role) -> None:
    await house.add("anna", role, support="operator")
    anna = await house.browser("anna")
    assert (await anna.ask("GET", "/bot/uncaught")).kind == "not-allowed"


@pytest.mark.parametrize("query", ["from=2026-13-01", "from=2026-03-05&to=2026-03-04", "from=2000-01-01&to=2026-01-01"])
async def test_a_period_that_is_none(house: House, query: str) -> None:
    await house.add("root", "admin")
    root = await house.browser("root")
    for place in ("flows", "flows/return", "uncaught", "flows/return/sessions"):
        assert (await root.ask("GET", f"/bot/{place}?{query}")).kind == "invalid", place

"""Channels as admins see them: health, reasons, tests, arrivals at webhooks, the house; never a secret in any answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer

from adapters.telegram.capabilities import UPDATE_BYTES
from core.accounts import User
from core.outbox import Sent
from gateway.api.build import build_api
from gateway.app import Gateway
from gateway.config import read_config
from gateway.server import build_server
from gateway.watch.beat import BEAT_SECONDS, SILENT_SECONDS
from gateway.watch.words import cause_of, masked, secrets_of
from storage.watch.reading import all_processes, arrivals_of
from storage.watch.writing import KEPT
from tests.emulators.fixtures import TOKEN, telegram
from tests.emulators.telegram import TelegramEmulator
from tests.gateway.api.house import CONFIG, FLOWS, PASSWORD, ROOT, Browser, Clock, House

__all__ = ["telegram"]
SECRET = "open-sesame-of-nobody"
HOOK = """\
channels:
  telegram: {kind: telegram, token: "%s", mode: webhook, secret: "%s", api_url: "%s", line: support, limits: off}
  empty: {kind: telegram, token: "", line: support}
"""


async def admin(house: House) -> Browser:
    await house.add("root", "admin")
    return await house.browser("root")


async def channel(browser: Browser, name: str = "telegram") -> dict[str, Any]:
    answer = await browser.ask("GET", "/channels")
    assert answer.status == 200, answer.body
    found: dict[str, Any] = next(it for it in answer.body["items"] if it["name"] == name)
    return found


# --- health ----------------------------------------------------------------------------------------------------------


async def test_a_channel_that_is_well(house: House) -> None:
    browser = await admin(house)
    before = await channel(browser)
    assert (before["state"], before["heard_at"], before["sent_at"]) == ("running", None, None)
    await house.client("привет")
    found = await channel(browser)
    assert (found["state"], found["troubles"], found["waiting"], found["failed"]) == ("running", [], 0, 0)
    assert found["heard_at"] == found["sent_at"] == house.clock.moment().isoformat().replace("+00:00", "Z")
    (server,) = found["servers"]
    assert (server["hears"], server["sends"]) == (True, True)


async def test_messages_that_cannot_go_say_why(house: House) -> None:
    browser = await admin(house)
    house.channel.answers = [Sent("retry", reason="401 Unauthorized", after=60.0)]
    await house.gateway.intake.accept([written(house, "привет")])
    await house.until(lambda: not house.channel.answers)
    found = await until_trouble(browser)
    (trouble,) = found["troubles"]
    assert found["state"] == "failing"
    assert (trouble["way"], trouble["cause"], trouble["words"]) == ("out", "token", "401 Unauthorized")
    assert found["waiting"] >= 1


async def until_trouble(browser: Browser) -> dict[str, Any]:
    async with asyncio.timeout(5):
        while not (found := await channel(browser))["troubles"]:
            await asyncio.sleep(0.02)
    return found


def written(house: House, said: str) -> Any:
    from tests.gateway.house import inbound

    house.said += 1
    return inbound(house.said, said, "1", house.clock.moment())


async def test_a_limit_is_no_failure(house: House) -> None:
    browser = await admin(house)
    house.channel.answers = [Sent("retry", reason="429 Too Many Requests: retry after 30", after=30.0)]
    await house.gateway.intake.accept([written(house, "привет")])
    await house.until(lambda: not house.channel.answers)
    found = await until_trouble(browser)
    assert (found["state"], found["troubles"][0]["cause"]) == ("waiting", "limit")


async def test_what_was_refused_is_gathered_by_its_reason(house: House) -> None:
    browser = await admin(house)
    house.channel.answers = [Sent("unreachable", reason="403 bot was blocked by the user")]
    await house.client("привет", "1")
    house.channel.answers = [Sent("unreachable", reason="403 bot was blocked by the user")]
    await house.client("привет", "2")
    found = await channel(browser)
    assert (found["state"], found["failed"]) == ("running", 2), "a client who blocks us says nothing of the channel"
    assert [(it["reason"], it["times"]) for it in found["errors"]] == [("403 bot was blocked by the user", 2)]
    house.clock.at += 2 * 86_400
    browser = await house.browser("root")
    assert (await channel(browser))["failed"] == 0


async def test_other_processes_are_seen_and_forgotten(house: House) -> None:
    """What another process of the deployment has written down counts, as long as it is heard of."""
    browser, units, now = await admin(house), house.gateway.floor.units, house.clock.now
    from gateway.watch.beat import Watch

    other = Watch(units, {"telegram": house.channel}, "other:1:x", ["intake", "sender"], "9", lambda: "flows", now)
    other.settled("telegram", Sent("retry", reason="Bad Gateway 502", after=5.0))
    house.channel.answers = [Sent("retry", reason="401 Unauthorized", after=600.0)]
    await other.step(now=True)
    found = await channel(browser)
    assert "other:1:x" in {it["process"] for it in found["servers"]}
    assert [it["words"] for it in found["troubles"]] == ["Bad Gateway 502"]
    house.clock.at += SILENT_SECONDS + 1
    found = await channel(browser)
    assert {it["process"] for it in found["servers"]} == {house.gateway.watch.process}
    assert found["troubles"] == []
    system = (await browser.ask("GET", "/system")).body
    assert {it["name"]: it["alive"] for it in system["processes"]} == {
        "other:1:x": False,
        house.gateway.watch.process: True,
    }
    house.clock.at += 3700
    await house.gateway.watch.step(now=True)
    assert {row["name"] for row in await units.ask(all_processes)} == {house.gateway.watch.process}


async def test_a_process_that_ends_leaves_nothing_to_wait_for(house: House) -> None:
    await house.gateway.watch.step(now=True)
    await house.gateway.watch.leave()
    assert await house.gateway.floor.units.ask(all_processes) == []


async def test_a_quiet_process_writes_seldom(house: House) -> None:
    watch, units = house.gateway.watch, house.gateway.floor.units
    await watch.step(now=True)

    async def beat() -> float:
        (row,) = await units.ask(all_processes)
        return float(row["beat_at"])

    before = await beat()
    house.clock.at += BEAT_SECONDS / 2
    await watch.step()
    assert await beat() == before
    house.clock.at += BEAT_SECONDS
    await watch.step()
    assert await beat() == house.clock.at


# --- webhooks: what came, and the test -------------------------------------------------------------------------------


class Hooked:
    """A gateway with an emulated Telegram before it, its webhook and its API."""

    def __init__(self, gateway: Gateway, browser: Browser) -> None:
        self.gateway, self.browser = gateway, browser
        self.url = f"http://127.0.0.1:{gateway.port}/hooks/telegram"

    async def post(self, body: bytes, secret: str = SECRET) -> int:
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret, "Content-Type": "application/json"}
        async with aiohttp.ClientSession() as http, http.post(self.url, data=BytesIO(body), headers=headers) as answer:
            return answer.status

    async def arrivals(self, only: str = "all") -> list[dict[str, Any]]:
        answer = await self.browser.ask("GET", f"/channels/telegram/arrivals?only={only}")
        assert answer.status == 200, answer.body
        found: list[dict[str, Any]] = answer.body["items"]
        return found


@pytest.fixture
async def hooked(telegram: TelegramEmulator, tmp_path: Any) -> AsyncIterator[Hooked]:
    text = CONFIG.replace('channels: {telegram: {kind: telegram, token: "42:x", line: support}}\n', HOOK)
    text = text.replace("http: {port: 0}", "http: {port: 0, public_url: 'https://desk.example.org'}")
    (tmp_path / "flows").mkdir()
    for name, flow in FLOWS.items():
        (tmp_path / "flows" / name).write_text(flow, "utf-8")
    settings, findings = read_config(text % (TOKEN, SECRET, telegram.url), tmp_path / "config.yaml", {})
    assert settings is not None, findings
    gateway = Gateway(settings, now=Clock().moment)
    await gateway.start()
    await gateway.people.add(User(0, "root", "Root", "admin", {}), PASSWORD, ROOT)
    try:
        async with TestClient(TestServer(build_server(build_api(gateway.people, gateway.floor, "")))) as client:
            browser = Browser(client)
            assert (await browser.sign_in("root")).status == 200
            yield Hooked(gateway, browser)
    finally:
        await gateway.stop()


def update(number: int, text: str = "тайные слова клиента") -> bytes:
    who = {"id": 7, "is_bot": False, "first_name": "Анна"}
    chat = {"id": 7, "type": "private", "first_name": "Анна"}
    message = {"message_id": number, "date": 1_800_000_000, "chat": chat, "from": who, "text": text}
    return msgspec.json.encode({"update_id": number, "message": message})


async def test_arrivals_and_their_ends(hooked: Hooked) -> None:
    assert await hooked.post(update(1)) == 200
    assert await hooked.post(update(1)) == 200, "a repeat"
    assert await hooked.post(update(2), "guessed") == 403
    assert await hooked.post(b" " * (UPDATE_BYTES + 1)) == 413
    assert await hooked.post(b"{") == 200, "kept aside"
    found = await hooked.arrivals()
    assert {it["verdict"]: (it["status"], it["times"], it["refused"]) for it in found} == {
        "taken": (200, 1, False),
        "repeated": (200, 1, False),
        "wrong_secret": (403, 1, True),
        "too_large": (413, 1, True),
        "set_aside": (200, 1, True),
    }
    assert all(0 <= it["seconds"] <= it["slowest"] < 60 for it in found)
    assert {it["verdict"] for it in await hooked.arrivals("refused")} == {"wrong_secret", "too_large", "set_aside"}
    said = msgspec.json.encode(found).decode()
    assert "тайные" not in said
    assert "guessed" not in said


async def test_many_arrivals_are_one_heap(hooked: Hooked) -> None:
    await hooked.gateway.watch.step()
    statuses = await asyncio.gather(*(hooked.post(update(9), "guessed") for _ in range(20)))
    assert set(statuses) == {403}
    found = [it for it in await hooked.arrivals() if it["verdict"] == "wrong_secret"]
    assert sum(it["times"] for it in found) == 20
    assert len(found) <= 3, "heaps, not rows"


async def test_the_log_is_bounded_and_refusals_outlive_what_was_taken(hooked: Hooked) -> None:
    watch = hooked.gateway.watch
    watch.doors.add("telegram", "wrong_secret", 403, 0.001)
    for _ in range(KEPT + 20):
        watch.doors.add("telegram", "taken", 200, 0.001)
        await watch.step()
    rows = await hooked.gateway.floor.units.ask(lambda reads: arrivals_of(reads, "telegram", False, 2**53, 10_000))
    assert sum(not row["refused"] for row in rows) == KEPT
    assert sum(row["refused"] for row in rows) == 1


async def test_pages_of_arrivals(hooked: Hooked) -> None:
    for _ in range(5):
        hooked.gateway.watch.doors.add("telegram", "taken", 200, 0.001)
        await hooked.gateway.watch.step()
    seen: list[int] = []
    path = "/channels/telegram/arrivals?limit=2"
    cursor = ""
    for _ in range(3):
        answer = await hooked.browser.ask("GET", path + (f"&cursor={cursor}" if cursor else ""))
        seen += [it["id"] for it in answer.body["items"]]
        cursor = answer.body["next"]
    assert cursor is None
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == 5
    assert (await hooked.browser.ask("GET", "/channels/nowhere/arrivals")).status == 404


async def test_a_channel_without_a_token_is_off_and_its_test_says_so(hooked: Hooked) -> None:
    found = await channel(hooked.browser, "empty")
    assert (found["state"], found["account"], found["servers"]) == ("off", "", [])
    tested = await hooked.browser.ask("POST", "/channels/empty/test", {})
    assert tested.body["passed"] is False
    assert tested.body["steps"][0]["mend"]


async def test_the_button_asks_the_messenger_and_is_in_the_audit(hooked: Hooked, telegram: TelegramEmulator) -> None:
    telegram.person(7)
    tested = await hooked.browser.ask("POST", "/channels/telegram/test", {"chat": "7"}, Idempotency_Key="once")
    assert tested.status == 200, tested.body
    assert [(it["id"], it["status"]) for it in tested.body["steps"]] == [
        ("token", "ok"),
        ("way-in", "ok"),
        ("message", "ok"),
    ]
    assert tested.body["passed"] is True
    again = await hooked.browser.ask("POST", "/channels/telegram/test", {"chat": "7"}, Idempotency_Key="once")
    assert again.body == tested.body
    assert len(telegram.texts(7)) == 1, "a repeat of the request writes to nobody again"
    rows = (await hooked.browser.ask("GET", "/audit?action=channel_tested")).body["items"]
    assert [(it["by"], it["object"], it["detail"]) for it in rows] == [("root", "channel:telegram", {"chat": "7"})]


async def test_a_telegram_that_answers_401_is_named(hooked: Hooked, telegram: TelegramEmulator) -> None:
    """A revoked token: the message waits, and the channel says why."""
    telegram.person(7)
    telegram.fail(method="sendMessage", kind="401", times=50)
    assert await hooked.post(update(1, "привет")) == 200
    found = await until_trouble(hooked.browser)
    assert found["state"] == "failing"
    assert found["troubles"][0]["cause"] in {"token", "platform"}


async def test_no_answer_holds_a_secret(hooked: Hooked) -> None:
    """Not even when a platform repeats it in its words."""
    watch = hooked.gateway.watch
    watch.settled("telegram", Sent("retry", reason=f"403 https://api.telegram.org/bot{TOKEN}/x {SECRET}", after=60.0))
    await watch.step(now=True)
    hooked.gateway.watch.doors.add("telegram", "wrong_secret", 403, 0.001)
    asked = []
    for path in ("/channels", "/system", "/hooks", "/channels/telegram/arrivals", "/audit"):
        asked.append(await hooked.browser.ask("GET", path))
    for name in ("telegram", "empty"):
        asked.append(await hooked.browser.ask("POST", f"/channels/{name}/test", {}))
    for answer in asked:
        said = msgspec.json.encode(answer.body).decode()
        assert answer.status == 200, said
        assert TOKEN not in said
        assert TOKEN.partition(":")[2] not in said
        assert SECRET not in said


# --- words, the house ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "cause"),
    [
        ("401 Unauthorized", "token"),
        ("5 User authorization failed: invalid access_token", "token"),
        ("429 Too Many Requests: retry after 7", "limit"),
        ("waits for the channel's limits", "limit"),
        ("waits as an error asked", "limit"),
        ("409 Conflict: terminated by other getUpdates request", "conflict"),
        ("ClientConnectorError", "network"),
        ("not sent: ConnectionTimeoutError", "network"),
        ("502 Bad Gateway", "platform"),
        ("storage full", "store"),
        ("a riddle", "other"),
    ],
)
def test_causes(words: str, cause: str) -> None:
    assert cause_of(words) == cause


def test_secrets_are_covered_the_longest_first(tmp_path: Any) -> None:
    config, _ = read_config(CONFIG.replace("42:x", "42:secret-word"), tmp_path / "config.yaml", {})
    assert config is not None
    assert secrets_of(config) == ("42:secret-word",)
    assert masked("at /bot42:secret-word/getMe", secrets_of(config)) == "at /bot•••/getMe"


async def test_the_house_itself(house: House) -> None:
    browser = await admin(house)
    await house.client("привет")
    found = (await browser.ask("GET", "/system")).body
    assert found["store"]["kind"] == "sqlite"
    assert found["store"]["healthy"] is True
    assert found["store"]["bytes"] > 10_000
    assert found["store"]["free"] > 0
    assert found["files"] == {"kind": "folder", "count": 0, "bytes": 0, "free": found["files"]["free"]}
    (process,) = found["processes"]
    assert process["roles"] == ["intake", "worker", "sender", "console", "clock"]
    assert process["edition"] == found["edition"] != ""

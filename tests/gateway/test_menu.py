"""The menu: collected from the flows that serve, told once by whoever sends, and again only when it changed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from bot.book import Book, load
from core.deployment import ChannelInfo, Deployment
from core.ports import Channel
from gateway.menu import Menus, collect_commands
from tests.gateway.house import Recorder

BOT = "bot: Б\nwelcome: a\nfallback: a\noperator: a\n"
FLOW = "flow: {title}\ntriggers:\n{triggers}\nsteps:\n  - say: Привет\n  - end: готово\n"


def flow(title: str, *triggers: str) -> str:
    return FLOW.format(title=title, triggers="\n".join(f"  - {one}" for one in triggers) or "  - exact: [x]")


def book(flows: Mapping[str, str]) -> Book:
    deployment = Deployment(
        language="ru", timezone="Europe/Moscow", lines={}, desks={}, services={},
        channels={"telegram": ChannelInfo("telegram", "")},
    )  # fmt: skip
    made, findings = load({"_bot.yaml": BOT, **{f"{name}.yaml": text for name, text in flows.items()}}, deployment)
    assert made is not None, [finding.line("en") for finding in findings]
    return made


def test_commands_carry_the_titles_of_their_flows() -> None:
    made = book({
        "a": flow("Главное меню", "command: /start"),
        "b": flow("Вернуть товар", "command: /return", "exact: [вернуть]"),
        "c": flow("Где мой заказ", "command: /Status", "command: /where"),
    })  # fmt: skip
    assert collect_commands(made) == (
        ("return", "Вернуть товар"), ("status", "Где мой заказ"), ("where", "Где мой заказ"),
    )  # fmt: skip


def test_what_a_messenger_would_refuse_stays_a_typed_command() -> None:
    made = book({
        "a": flow("Помощь", "command: /помощь", f"command: /{'x' * 33}", "command: /good_1"),
        "b": flow("д" * 300, "command: /long"),
        **{f"m{n:03}": flow(f"Меню {n}", f"command: /m{n}") for n in range(120)},
    })  # fmt: skip
    commands = collect_commands(made)
    assert commands[0] == ("good_1", "Помощь")
    assert commands[1] == ("long", "д" * 255 + "…")
    assert len(commands) == 100


class Counting(Recorder):
    """A channel that counts how often it was told."""

    told = 0

    async def menu(self, commands: object) -> None:
        self.told += 1
        await super().menu(commands)  # type: ignore[arg-type]


ONE = {"a": flow("Меню", "command: /one")}
SAME = {"a": flow("Меню", "command: /one", "exact: [ещё]")}
TWO = {"a": flow("Меню", "command: /one", "command: /two")}


async def test_it_is_told_at_the_start_and_when_it_changed() -> None:
    channel, serving = Counting(), [book(ONE)]
    menus = Menus({"telegram": channel}, lambda: serving[-1], lambda name: True)
    for _ in range(3):
        await menus.tell()
    serving.append(book(SAME))
    await menus.tell()
    assert (channel.told, channel.commands) == (1, (("one", "Меню"),))
    serving.append(book(TWO))
    await menus.tell()
    assert (channel.told, [name for name, _ in channel.commands]) == (2, ["one", "two"])


async def test_only_whoever_sends_for_a_channel_tells_it() -> None:
    mine, other = Counting(), Counting(name="other")
    channels: dict[str, Channel] = {"telegram": mine, "other": other}
    hands = {"telegram"}
    menus = Menus(channels, lambda: book(ONE), lambda name: name in hands)
    await menus.tell()
    assert (mine.told, other.told) == (1, 0)
    hands.clear()
    await menus.tell()
    hands.add("telegram")
    await menus.tell()
    assert mine.told == 2, "another may have told it meanwhile"


async def test_new_flows_are_told_without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.menu.LOOK_SECONDS", 60.0)
    channel, serving = Counting(), [book(ONE)]
    menus = Menus({"telegram": channel}, lambda: serving[-1], lambda name: True)
    task = asyncio.create_task(menus.run())
    async with asyncio.timeout(5):
        while channel.told < 1:
            await asyncio.sleep(0)
        serving.append(book(TWO))
        menus.wake()
        while channel.told < 2:
            await asyncio.sleep(0)
    task.cancel()
    assert len(channel.commands) == 2

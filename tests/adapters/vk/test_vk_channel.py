"""The channel as a whole over an emulated VK: events in, calls out."""

from __future__ import annotations

from adapters.vk.channel import Vk
from core.events import Message
from tests.adapters.telegram.gate import FakeGate
from tests.adapters.vk.conftest import row
from tests.emulators.vk import VkEmulator


async def test_a_message_comes_and_an_answer_goes(polling: Vk, gate: FakeGate, vk: VkEmulator) -> None:
    vk.say(7, "Здравствуйте")
    await gate.until(lambda: bool(gate.inbounds))
    (inbound,) = gate.inbounds
    assert inbound.event == Message("Здравствуйте")
    assert (inbound.chat, inbound.sender_name, inbound.message_id) == ("7", "Анна Иванова", "1")
    sent = await polling.send(row("Добрый день"))
    assert sent.verdict == "sent"
    assert vk.texts(7) == ["Добрый день"]

"""The built-in service `tickets`."""

from __future__ import annotations

from typing import Any, cast

from adapters.services import build_service, call_info
from core.deployment import Take
from core.locale import texts
from core.ports import Store, Ticket


def ticket(number: int, status: str = "new", done: bool = False, client: int = 7) -> Ticket:
    return Ticket(
        number=number,
        desk="general",
        title=f"Вопрос {number}",
        text="",
        fields={},
        files=(),
        priority="",
        status=status,
        done=done,
        client=client,
        conversation=1,
        created_at=0.0,
        updated_at=0.0,
    )


class Rows:
    """The tickets of a store."""

    def __init__(self, *tickets: Ticket) -> None:
        self.rows = tickets

    async def tickets(self, client: int | None = None, **other: Any) -> list[Ticket]:
        return [row for row in self.rows if row.client == client]


async def test_a_client_sees_their_own_tickets_open_ones_first() -> None:
    rows = Rows(ticket(1), ticket(2, "done", True), ticket(3, "Ждём склад"), ticket(4, client=8))
    service = build_service("tickets", {"language": "ru"}, cast(Store, rows))
    outcome = await service.call("mine", {"client": 8}, "k", 7)
    t = texts("ru")
    assert outcome.take == {
        "есть": True,
        "список": f"№ 3 · Вопрос 3 — Ждём склад\n№ 1 · Вопрос 1 — {t('new')}\n№ 2 · Вопрос 2 — {t('solved')}",
    }
    await service.close()


async def test_no_tickets_and_no_such_call() -> None:
    service = build_service("tickets", {}, cast(Store, Rows()))
    assert (await service.call("mine", {}, "k", 7)).take == {"есть": False, "список": ""}
    assert (await service.call("all", {}, "k", 7)).status == "failed"


async def test_a_long_list_is_cut() -> None:
    service = build_service("tickets", {}, cast(Store, Rows(*(ticket(n) for n in range(1, 30)))))
    lines = (await service.call("mine", {}, "k", 7)).take["список"].split("\n")
    assert len(lines) == 10
    assert lines[0].startswith("№ 29 ")


def test_what_flows_are_told() -> None:
    assert call_info({"kind": "tickets"})["mine"].take == {"список": Take("text"), "есть": Take("yes_no")}

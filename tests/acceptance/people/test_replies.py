"""Canned replies: kept by those who may, found by what is typed, filled in, and never sent with a hole in them."""

from __future__ import annotations

from typing import Any

from core.files import StoredFile
from tests.acceptance.people.desk import Desk
from tests.gateway.api.house import Answer, Browser

GREETING = {
    "scope": "own",
    "shortcut": "hi",
    "title": "Приветствие",
    "text": "Здравствуйте, {{ client.name }}! Это {{ operator.title }}.",
}


async def keep(browser: Browser, **more: Any) -> Answer:
    return await browser.ask("POST", "/replies", {**GREETING, **more})


async def shortcuts(browser: Browser, query: str = "") -> list[str]:
    answer = await browser.ask("GET", f"/replies{query}")
    assert answer.status == 200, answer.body
    return [it["shortcut"] for it in answer.body["items"]]


async def test_it_is_filled_in_and_sent(desk: Desk) -> None:
    made = (await keep(desk.browser)).body
    rendered = await desk.do(f"replies/{made['id']}/render", {})
    assert (rendered.body["text"], rendered.body["unfilled"]) == ("Здравствуйте, Клиент! Это Anna.", [])
    assert (await desk.do("reply", {"epoch": 2, "canned": made["id"]})).status == 200
    await desk.house.quiet()
    assert desk.house.channel.texts[-1] == "Здравствуйте, Клиент! Это Anna."
    kept = await desk.browser.ask("GET", f"/replies/{made['id']}")
    assert (kept.body["uses"], kept.body["used_at"] is not None) == (1, True)


async def test_a_hole_keeps_it_from_being_sent(desk: Desk) -> None:
    made = (await keep(desk.browser, text="Ваш заказ {{ Номер заказа }} в пути")).body
    rendered = await desk.do(f"replies/{made['id']}/render", {})
    assert (rendered.body["text"], rendered.body["unfilled"]) == (
        "Ваш заказ {{ Номер заказа }} в пути",
        ["Номер заказа"],
    )
    before = list(desk.house.channel.texts)
    for body in ({}, {"text": rendered.body["text"]}, {"text": "Заказ {{номер  заказа}} тут"}):
        answer = await desk.do("reply", {"epoch": 2, "canned": made["id"], **body})
        assert (answer.status, answer.kind) == (422, "unfilled")
        assert answer.body["errors"] == [{"pointer": "/text", "detail": "Номер заказа"}]
    await desk.house.quiet()
    assert desk.house.channel.texts == before
    assert (await desk.do("reply", {"epoch": 2, "canned": made["id"], "text": "Ваш заказ 42 в пути"})).status == 200


async def test_collected_fields_stand_by_their_label(desk: Desk) -> None:
    other = (await desk.house.client("заявка", chat="7")).conversation
    await desk.house.client("+7 999 123-45-67", chat="7")
    taken = await desk.browser.ask("POST", f"/conversations/{other}/take", {"epoch": 0})
    assert taken.status == 200, taken.body
    made = (await keep(desk.browser, text="Позвоним на {{ телефон }}")).body
    rendered = await desk.browser.ask("POST", f"/conversations/{other}/replies/{made['id']}/render", {})
    assert (rendered.body["unfilled"], "999" in rendered.body["text"]) == ([], True), rendered.body


async def test_what_a_client_says_is_never_a_template(desk: Desk) -> None:
    made = (await keep(desk.browser, text="Вы сказали: {{ client.name }}")).body

    async def name() -> str:
        rendered = await desk.do(f"replies/{made['id']}/render", {})
        return str(rendered.body["text"])

    def rename(ledger: Any) -> None:
        card = ledger.rows.card(1, own=True)
        ledger.rows.save_card(1, {**card, "name": "{{ operator.title }} {% if %}"})

    await desk.house.gateway.floor.units.write(rename)
    assert await name() == "Вы сказали: {{ operator.title }} {% if %}"
    assert (await desk.do("reply", {"epoch": 2, "canned": made["id"]})).status == 200, "it is data, not a hole"


async def test_a_default_fills_a_hole(desk: Desk) -> None:
    made = (await keep(desk.browser, text='Заказ {{ Номер заказа | default("без номера") }}')).body
    rendered = await desk.do(f"replies/{made['id']}/render", {})
    assert (rendered.body["text"], rendered.body["unfilled"]) == ("Заказ без номера", [])


async def test_broken_templates_are_not_kept(desk: Desk) -> None:
    for text in (
        "{{ client.name",
        "a }} b",
        "{% for x in y %}",
        "{{ 1 + 1 }}",
        "{{ x | upper }}",
        "{{ }}",
        "{{ a.__class__ }}",
    ):
        answer = await keep(desk.browser, text=text)
        pointers = [it["pointer"] for it in answer.body.get("errors", [])]
        ok = text == "{{ a.__class__ }}"  # a name like others: it has no value
        assert (answer.status, pointers) == ((201, []) if ok else (422, ["/text"])), text


async def test_who_sees_and_changes_which(desk: Desk) -> None:
    await desk.house.add("boss", support="supervisor")
    await desk.house.add("root", "admin")
    await desk.house.add("carl", billing="operator")
    boss, root, carl = [await desk.house.browser(name) for name in ("boss", "root", "carl")]
    assert (await keep(desk.browser, scope="line", line="support")).kind == "not-allowed"
    assert (await keep(boss, scope="line", line="billing")).kind == "not-allowed"
    assert (await keep(boss, scope="all")).kind == "not-allowed"
    assert (await keep(boss, scope="line", line="nowhere")).kind == "invalid"
    assert (await keep(boss, scope="line")).kind == "invalid"
    own = (await keep(desk.browser)).body["id"]
    line = (await keep(boss, scope="line", line="support", shortcut="line")).body["id"]
    everybody = (await keep(root, scope="all", shortcut="all")).body["id"]
    assert set(await shortcuts(desk.browser)) == {"hi", "line", "all"}
    assert await shortcuts(carl) == ["all"]
    assert (await carl.ask("GET", f"/replies/{own}")).status == 404
    assert (await carl.ask("DELETE", f"/replies/{line}")).status == 404
    for id, who, status in (
        (line, desk.browser, 403),
        (everybody, boss, 403),
        (own, boss, 404),
        (line, boss, 200),
        (everybody, root, 200),
    ):
        assert (await who.ask("PATCH", f"/replies/{id}", {"title": "Иначе"})).status == status
    assert (await desk.browser.ask("DELETE", f"/replies/{own}")).status == 204
    assert (await desk.browser.ask("GET", f"/replies/{own}")).status == 404


async def test_a_shortcut_is_once_in_its_scope(desk: Desk) -> None:
    first = (await keep(desk.browser)).body["id"]
    assert (await keep(desk.browser, shortcut="HI")).kind == "conflict"
    other = (await keep(desk.browser, shortcut="bye")).body["id"]
    assert (await desk.browser.ask("PATCH", f"/replies/{other}", {"shortcut": "hi"})).kind == "conflict"
    assert (await desk.browser.ask("PATCH", f"/replies/{first}", {"shortcut": "hi", "place": 3})).status == 200


async def test_found_by_what_is_typed(desk: Desk) -> None:
    for shortcut, title, text in (
        ("ret", "Возврат товара", "Оформим возврат"),
        ("return", "Срок", "14 дней"),
        ("hi", "Привет", "Добрый день"),
    ):
        await keep(desk.browser, shortcut=shortcut, title=title, text=text)
    assert await shortcuts(desk.browser, "?q=/ret") == ["ret", "return"]
    assert await shortcuts(desk.browser, "?q=возврат") == ["ret"]
    assert await shortcuts(desk.browser, "?q=нет такого") == []
    assert await shortcuts(desk.browser, f"?conversation={desk.home}") == ["ret", "return", "hi"]
    assert (await desk.browser.ask("GET", "/replies?conversation=999")).status == 404


async def test_its_files_go_with_it_and_a_client_s_never(desk: Desk) -> None:
    store = desk.house.store
    await store.add_file(StoredFile("ours", 0, "price.pdf", "application/pdf", 3, "file", sha256="a" * 64))
    await store.add_file(StoredFile("theirs", 999, "passport.jpg", "image/jpeg", 3, "photo", sha256="b" * 64))
    refused = await keep(desk.browser, files=["theirs"])
    assert refused.body["errors"][0]["pointer"] == "/files/0"
    made = (await keep(desk.browser, files=["ours"])).body
    assert (await desk.do("reply", {"epoch": 2, "canned": made["id"]})).status == 200
    await desk.house.quiet()
    assert desk.house.channel.rows[-1].message is not None
    assert desk.house.channel.rows[-1].message.files == ("ours",)


async def test_another_s_reply_cannot_be_sent(desk: Desk) -> None:
    await desk.house.add("boris", support="operator")
    theirs = (await keep(await desk.house.browser("boris"))).body["id"]
    assert (await desk.do("reply", {"epoch": 2, "canned": theirs, "text": "x"})).status == 404
    assert (await desk.do(f"replies/{theirs}/render", {})).status == 404

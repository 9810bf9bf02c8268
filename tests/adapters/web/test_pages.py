"""The page and its files: headers, languages, escaping, the widget's script."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from adapters import build_channel
from adapters.web.channel import Web
from adapters.web.pages import load_static, render_ancestors, render_page
from adapters.web.refusal import STATUSES, TEXTS, Refused
from adapters.web.settings import Settings
from adapters.web.words import WORDS, choose_language, widget_words, words
from core.messages import Outgoing
from core.outbox import OutboxRow
from core.rich import plain
from tests.adapters.web.conftest import Open
from tests.adapters.web.house import House

Client = TestClient[Any, Any]
STATIC = files("adapters.web") / "static"
DANGERS = (
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "eval(",
    "new Function",
    "srcdoc",
    'Timeout("',
)
SCRIPTS = sorted(each.name for each in STATIC.iterdir() if each.name.endswith(".js"))


async def test_the_page_lets_only_our_own_scripts_run(client: Client) -> None:
    answer = await client.get("/chat/site")
    assert answer.status == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'self';" in policy
    assert "trusted-types 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    body = await answer.text()
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=", body)


async def test_every_file_the_page_names_is_served(client: Client) -> None:
    body = await (await client.get("/chat/site")).text()
    for name in re.findall(r'(?:src|href)="static/([\w.]+)"', body) + SCRIPTS:
        answer = await client.get(f"/chat/static/{name}")
        assert answer.status == 200, name
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        again = await client.get(f"/chat/static/{name}", headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status == 304


@pytest.mark.parametrize(
    "name", ["page.html", "../channel.py", "..%2fchannel.py", "%2e%2e%2fchannel.py", "none.js", "js", ".js"]
)
async def test_nothing_else_is_served(client: Client, name: str) -> None:
    assert (await client.get(f"/chat/static/{name}")).status == 404


def test_static_names_are_only_names() -> None:
    assert load_static("../static/main.js") is None
    assert load_static("..\\static\\main.js") is None


async def test_the_widget_may_be_loaded_by_others_and_nothing_else_may(client: Client) -> None:
    widget = await client.get("/widget.js")
    assert widget.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "%TEXTS%" not in await widget.text()
    main = await client.get("/chat/static/main.js")
    assert main.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_listed_sites_may_embed(open_house: Open) -> None:
    _, client = await open_house(origins=("https://shop.example", "https://bad.example; script-src *"))
    policy = (await client.get("/chat/site")).headers["Content-Security-Policy"]
    assert "frame-ancestors 'self' https://shop.example;" in policy
    assert "script-src *" not in policy
    assert render_ancestors(("*",)) == "*"


async def test_the_page_speaks_the_visitors_language(client: Client) -> None:
    for header, language in (
        ("ru-RU,ru;q=0.9", "ru"),
        ("en-GB", "en"),
        ("de-DE,ru;q=0.5", "ru"),
        ("de", "en"),
        ("", "en"),
    ):
        body = await (await client.get("/chat/site", headers={"Accept-Language": header})).text()
        assert f'<html lang="{language}" ' in body
    assert '<html lang="ru" ' in await (await client.get("/chat/site?language=ru")).text()
    assert choose_language("xx", "xx", "ru") == "ru"


async def test_the_channel_may_say_language_and_looks_and_the_address_goes_first(open_house: Open) -> None:
    _, client = await open_house(page_language="ru", theme="dark")
    for query, language, theme in (
        ("", "ru", "dark"),
        ("?language=en&theme=light", "en", "light"),
        ("?theme=auto", "ru", "auto"),
        ("?language=xx&theme=%22%3E", "en", "dark"),
    ):
        answer = await client.get(f"/chat/site{query}", headers={"Accept-Language": "en"})
        assert f'<html lang="{language}" data-wish="{theme}">' in await answer.text()


def test_titles_and_greetings_are_texts() -> None:
    evil = "\"><script>pwned=1</script>'&$name${x}"
    page = render_page("site", Settings(title=evil, greeting=evil, color=evil), "en")
    assert "<script>pwned" not in page
    assert page.count("&quot;&gt;&lt;script&gt;pwned=1&lt;/script&gt;&#x27;&amp;$name${x}") == 5


def test_the_page_has_all_its_words() -> None:
    source = "".join((STATIC / name).read_text("utf-8") for name in SCRIPTS)
    used = {key for call in re.findall(r"word\(([^)]*)", source) for key in re.findall(r'"(\w+)"', call)}
    used -= {"client", "online"} - set(WORDS)
    assert used <= set(WORDS)
    placeholders = set(re.findall(r"\$(\w+)", (STATIC / "page.html").read_text("utf-8")))
    assert placeholders - {"language", "name", "title", "greeting", "color", "theme", "file_size", "words"} <= set(
        WORDS
    )
    named = {"bot", "operator", "notice", "open_chat", "close_chat", "chat", "unread"}
    assert set(WORDS) == used | named | placeholders & set(WORDS)


def test_words_of_both_languages_have_the_same_places() -> None:
    for key, message in WORDS.items():
        for language in ("ru", "en"):
            assert sorted(re.findall(r"{\w+}", words(language)[key])) == sorted(re.findall(r"{\w+}", message)), key
    assert set(widget_words()) == {"ru", "en"}
    assert json.dumps(widget_words())


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_never_make_markup_of_texts(name: str) -> None:
    source = (STATIC / name).read_text("utf-8")
    assert not [danger for danger in DANGERS if danger in source]
    hosts = set(re.findall(r"https?://([\w.-]+)", source)) - {"www.w3.org", "www.openstreetmap.org", "host"}
    assert hosts == set()


def test_every_refusal_has_words_and_a_status() -> None:
    assert set(STATUSES) <= set(TEXTS)
    for code in TEXTS:
        refused = Refused(code, limit=1, length=2, reason="x")
        assert refused.status >= 400
        for language in ("ru", "en"):
            assert "{" not in refused.body(language)["message"]


def test_the_channel_is_in_the_list() -> None:
    channel = build_channel("web", "site", {"title": "T", "line": "support"})
    assert isinstance(channel, Web)
    assert channel.capabilities.buttons == "inline"
    with pytest.raises(ValueError, match="title"):
        build_channel("web", "site", {"title": 5})


async def test_a_chat_cannot_take_our_own_path(house: House) -> None:
    with pytest.raises(ValueError, match="static"):
        await Web("static", house.settings).start(house)


def test_routes_shared_by_all_chats_are_the_same_handlers() -> None:
    one, two = (Web(name, Settings()).routes() for name in ("one", "two"))
    assert set(one) & set(two) == {route for route in one if not route[1].startswith("/chat/one")}


async def test_sending_tells_its_place_and_needs_nobody_to_listen(house: House) -> None:
    row = OutboxRow(7, 1, "send", "site", "site", "nobody", "k", seq=5, message=Outgoing(plain("x")))
    sent = await house.channel.send(row)
    assert (sent.verdict, sent.platform_ids) == ("sent", ("5",))
    gone = OutboxRow(8, 1, "delete", "site", "site", "nobody", "k2", target=7, target_ids=("5",))
    assert (await house.channel.send(gone)).platform_ids == ("5",)


async def test_a_row_whose_history_cannot_be_found_is_still_shown(house: House) -> None:
    listener = house.channel._room.hub.join("chat")
    row = OutboxRow(7, 99, "send", "site", "site", "chat", "k", seq=5, message=Outgoing(plain("x")))
    await house.channel.send(row)
    told = listener.frames.get_nowait()
    assert told is not None
    assert told["item"]["text"] == "x"
    gone = OutboxRow(8, 99, "delete", "site", "site", "chat", "k2", target=7, target_ids=("5",))
    await house.channel.send(gone)
    assert listener.frames.get_nowait() == {"type": "gone", "seq": 5}

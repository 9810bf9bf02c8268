"""Reading `config.yaml`: one finding per mistake at its exact place, never a traceback, and the values behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config import Config, read_config
from gateway.config.channels import TelegramSettings
from gateway.config.lines import HttpServiceSettings, TableSettings, WebhookDeskSettings
from gateway.config.values import Rate
from storage.files import Bucket

GOOD = """\
http: {host: 127.0.0.1, port: "${PORT:-8080}", public_url: "https://bot.example/"}
storage: {url: "sqlite:///var/a.db", files: var/files, file_size: 5MB}
flood: 20/10s
channels:
  tg: {kind: telegram, token: "${TOKEN:-}", mode: webhook, secret: "${SECRET:-}", line: support,
       limits: {total: 30/s, chat: off, group: 20/min}}
  site: {kind: web, title: Чат, line: support}
lines:
  support:
    title: Поддержка
    hours: {mon-fri: "09:00-18:00", sat: ["10:00-12:00", "13:00-15:00"]}
    holidays: [2026-01-01]
    max_wait: 10m
    first_reply: 3m
    closed: {ticket: general}
desks:
  general: {title: Общие, needs: [Вопрос]}
  outer: {kind: webhook, title: Внешний, url: "https://desk.example/in", secret: s3cret, statuses: {new: {title: Новая}}}
services:
  shop: {base: "https://api.example/v1", secret: "${SHOP:-}", timeout: 500ms,
         calls: {get_order: {path: "/orders/{number}", take: {номер: {type: text}}}}}
  table: {kind: table, file: orders.csv, key: [number, phone], take: {статус: {}}}
"""


def read(source: str, tmp_path: Path, **environ: str) -> tuple[Config | None, list[str]]:
    """The config and its findings as `line:column code`."""
    config, findings = read_config(source, tmp_path / "config.yaml", environ)
    return config, [f"{f.at.line}:{f.at.column} {f.code}" for f in findings]


def good(tmp_path: Path, **environ: str) -> Config:
    (tmp_path / "orders.csv").write_text("number,phone,статус\n", "utf-8")
    config, findings = read(GOOD, tmp_path, **environ)
    assert findings == []
    assert config is not None
    return config


def test_a_bucket_of_files(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("number,phone,статус\n", "utf-8")
    where = "s3://files-of-ours/prod/a?endpoint=https://s3.example:9000/&region=ru-central1&style=host"
    source = GOOD.replace("files: var/files", f'files: "{where}", s3: {{key: "${{KEY}}", secret: "${{SECRET}}"}}')
    config, findings = read(source, tmp_path, KEY="AK", SECRET="canary")
    assert config is not None, findings
    assert config.storage.files == Bucket("files-of-ours", "prod/a", "https://s3.example:9000", "ru-central1", "host")
    assert config.storage.s3.secret.get_secret_value() == "canary"
    assert "canary" not in repr(config)


def test_values(tmp_path: Path) -> None:
    config = good(tmp_path, PORT="9000")
    assert config.http.port == 9000
    assert config.http.public_url == "https://bot.example"
    assert config.storage.url == f"sqlite:///{tmp_path}/var/a.db"
    assert config.storage.files == tmp_path / "var/files"
    assert config.storage.file_size == 5 * 1024**2
    assert config.flood == Rate(20, 10)
    support = config.lines["support"]
    assert (support.max_wait, support.first_reply) == (600, 180)
    assert support.spans == {"mon-fri": "09:00-18:00", "sat": "10:00-12:00, 13:00-15:00"}
    assert isinstance(config.desks["outer"], WebhookDeskSettings)
    shop, table = config.services["shop"], config.services["table"]
    assert isinstance(shop, HttpServiceSettings)
    assert shop.timeout == 0.5
    assert isinstance(table, TableSettings)
    assert table.key == {"number": "number", "phone": "phone"}
    assert table.file == tmp_path / "orders.csv"


def test_limits_and_off(tmp_path: Path) -> None:
    telegram = good(tmp_path).channels["tg"]
    assert isinstance(telegram, TelegramSettings)
    assert telegram.limits != "off"
    assert telegram.limits.total == Rate(30, 1)
    assert telegram.limits.chat is None
    assert telegram.limits.group == Rate(20, 60)


def test_channel_without_token_is_off_and_asks_for_nothing(tmp_path: Path) -> None:
    assert not good(tmp_path).channels["tg"].on
    assert good(tmp_path).channels["site"].on


def test_environment_wins_over_dotenv(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=1111\nSHOP=from-file\n", "utf-8")
    config = good(tmp_path, PORT="2222")
    shop = config.services["shop"]
    assert config.http.port == 2222
    assert isinstance(shop, HttpServiceSettings)
    assert shop.secret.get_secret_value() == "from-file"


def test_secrets_are_never_shown(tmp_path: Path) -> None:
    config = good(tmp_path, SHOP="hunter2", TOKEN="123:ABC", SECRET="hush-hush")
    for shown in (repr(config), str(config), config.model_dump_json()):
        assert not any(secret in shown for secret in ("hunter2", "123:ABC", "hush-hush", "s3cret"))


def test_secrets_are_not_in_findings(tmp_path: Path) -> None:
    source = GOOD.replace("mode: webhook", "mode: webhuk")
    (tmp_path / "orders.csv").write_text("", "utf-8")
    _, findings = read_config(source, tmp_path / "config.yaml", {"TOKEN": "123:ABC", "SECRET": "x y"})
    assert findings
    assert not any(
        secret in f.message(lang) for f in findings for lang in ("ru", "en") for secret in ("123:ABC", "x y")
    )


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ('"https://bot.example/"', "ftp://u:canary@bot.example"),
        ('"sqlite:///var/a.db"', "postgresql://u:canary@h/db?connections=x"),
        ('"https://desk.example/in"', "desk:canary@x"),
        ("secret: s3cret", "secret: [canary]"),
        ('secret: "${SHOP:-}"', "secret: {a: canary}"),
        ('token: "${TOKEN:-}"', "token: {a: canary}"),
        ('token: "${TOKEN:-}"', "token: canary"),
        ('"${SECRET:-}"', "canary with space, token: '1:A'"),
    ],
)
def test_a_wrong_secret_is_not_repeated(place: str, value: str, tmp_path: Path) -> None:
    """What is shown of a mistake goes into logs of deployments and over people's shoulders."""
    (tmp_path / "orders.csv").write_text("", "utf-8")
    assert GOOD.count(place) == 1
    _, findings = read_config(GOOD.replace(place, value), tmp_path / "config.yaml", {})
    said = [
        finding.message(lang) + str(finding.values) + finding.instead for finding in findings for lang in ("ru", "en")
    ]
    assert said
    assert not [one for one in said if "canary" in one]


CASES = [
    # what is written in place of what, `^` stands where the finding must be; its code
    ("http: {host", "^htp: {host", "C110"),
    ("host: 127.0.0.1", "^hots: 127.0.0.1", "C110"),
    ('port: "${PORT:-8080}"', "port: ^eighty", "C112"),
    ('port: "${PORT:-8080}"', "port: ^70000", "C112"),
    ('port: "${PORT:-8080}"', 'port: ^"${PORT}"', "C120"),
    ('"https://bot.example/"', "^bot.example", "C116"),
    ('"sqlite:///var/a.db"', "^mysql://u:p@h/d", "C114"),
    ("file_size: 5MB", "file_size: ^big", "C113"),
    ("files: var/files", "files: ^s3://Bucket", "C119"),
    ("files: var/files", "files: ^gs://bucket/prefix", "C119"),
    ("files: var/files", 'files: ^"s3://key:canary@bucket"', "C119"),
    ("files: var/files", "files: var/files, s3: {ca: ^nowhere.pem}", "C160"),
    ("files: var/files", 'files: ^"s3://bucket?endpoint=http://h/path"', "C119"),
    ("flood: 20/10s", "flood: ^often", "C113"),
    ("flood: 20/10s", "flood: 20/10s\ntimezone: ^Mars/Base", "C115"),
    ("flood: 20/10s", "flood: 20/10s\nlanguage: ^de", "C112"),
    ("flood: 20/10s", 'flood: 20/10s\nredis: {url: ^"http://x"}', "C118"),
    ("flood: 20/10s", 'flood: 20/10s\nredis: {url: ^"redis://x:port"}', "C118"),
    ("flood: 20/10s", "flood: 20/10s\nredis: {prefix: ^a b}", "C117"),
    ("kind: telegram", "kind: ^telegrm", "C112"),
    ("mode: webhook", "mode: ^webhok", "C112"),
    ("line: support,", "line: ^suport,", "C130"),
    ("site: {kind", "^сайт: {kind", "C117"),
    ("line: support}", "^lin: support}", "C110"),
    ("site: {kind: web, ", "site: ^{", "C111"),
    ("    title: Поддержка\n", "    ^titel: Поддержка\n", "C110"),
    ("mon-fri: ", "mon-fry: ^", "C134"),
    ("[2026-01-01]", "[^2026-13-01]", "C112"),
    ("max_wait: 10m", "max_wait: ^10 minutes", "C113"),
    ("first_reply: 3m", "^stickier: 3d", "C110"),
    ("closed: {ticket: general}", "closed: {ticket: ^generl}", "C133"),
    ("secret: s3cret", 'secret: ^""', "C112"),
    ("needs: [Вопрос]", "needs: ^Вопрос", "C112"),
    ("needs: [Вопрос]", "needs: [Вопрос], line: ^suport", "C130"),
    ("needs: [Вопрос]", "needs: [Вопрос], statuses: {new: {title: x, means: ^opn}}", "C112"),
    ("needs: [Вопрос]", "needs: [Вопрос], resolve: ^8 hours", "C113"),
    ("timeout: 500ms", "timeout: ^30s", "C112"),
    ('path: "/orders/{number}"', "path: ^orders", "C112"),
    ("type: text", "type: ^txt", "C112"),
    ("file: orders.csv", "file: ^absent.csv", "C160"),
    ("key: [number, phone]", "key: ^[]", "C112"),
    ("  shop: {base", "  tickets: ^{base", "C161"),
    ("flood: 20/10s", "flood: 20/10s\n^flood: 30/10s", "Y102"),
    ("flood: 20/10s", "flood: ^[20/10s", "Y101"),
]


@pytest.mark.parametrize(("before", "after", "code"), CASES, ids=[f"{c[2]}-{n}" for n, c in enumerate(CASES)])
def test_one_finding_per_mistake(before: str, after: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("", "utf-8")
    assert GOOD.count(before) >= 1
    marked = GOOD.replace(before, after, 1)
    above = marked[: marked.index("^")]
    line, column = above.count("\n") + 1, len(above) - above.rfind("\n")
    config, findings = read(marked.replace("^", ""), tmp_path)
    assert findings == [f"{line}:{column} {code}"]
    assert config is None


def test_closed_line_without_an_answer(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("", "utf-8")
    config, findings = read(GOOD.replace("    closed: {ticket: general}\n", ""), tmp_path)
    assert findings == ["10:5 C132"]
    assert config is not None, "operators may answer there: it is a warning"


def test_all_at_once(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("", "utf-8")
    source = GOOD.replace("host:", "hots:").replace("flood: 20/10s", "flood: x").replace("max_wait: 10m", "max_wait: x")
    assert read(source, tmp_path)[1] == ["1:8 C110", "3:8 C113", "13:15 C113"]


def test_webhook_needs_a_secret_and_an_address(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("", "utf-8")
    source = GOOD.replace("https://bot.example/", "")
    assert read(source, tmp_path, TOKEN="123:ABC")[1] == ["1:60 C141", "5:68 C140"]
    assert read(GOOD, tmp_path, TOKEN="123:ABC", SECRET="with space")[1] == ["5:68 C142"]
    assert read(GOOD, tmp_path, TOKEN="not a token", SECRET="fine")[1] == ["5:31 C142"]


def test_line_behind_a_channel_that_is_off_may_be_empty(tmp_path: Path) -> None:
    source = """\
channels: {tg: {kind: telegram, line: empty}}
lines: {empty: {title: Пусто, hours: {}}}
"""
    assert read(source, tmp_path)[1] == []
    assert read(source.replace("line: empty", 'line: empty, token: "1:A"'), tmp_path)[1] == ["2:16 C132", "2:38 C131"]


def test_says_what_was_meant(tmp_path: Path) -> None:
    _, findings = read_config("lanuage: ru\n", tmp_path / "c.yaml", {})
    assert findings[0].instead == "language"
    assert findings[0].length == len("lanuage")
    assert "language" in findings[0].message("en")
    lines = "channels: {tg: {kind: web, line: suport}}\nlines: {support: {title: А, hours: {mon: '09:00-18:00'}}}\n"
    _, findings = read_config(lines, tmp_path / "c.yaml", {})
    assert (findings[0].code, findings[0].instead) == ("C130", "support")


@pytest.mark.parametrize(("source", "code"), [("", "C101"), ("- a\n", "C101"), ("just text", "C101")])
def test_not_a_map(source: str, code: str, tmp_path: Path) -> None:
    assert [one.split()[1] for one in read(source, tmp_path)[1]] == [code]


def test_missing_file(tmp_path: Path) -> None:
    from gateway.config import load_config

    config, findings = load_config(tmp_path / "none.yaml", {})
    assert config is None
    assert [finding.code for finding in findings] == ["C100"]


@pytest.mark.parametrize("url", ["memory:", "memory://"])
def test_a_store_in_memory_has_two_spellings(url: str, tmp_path: Path) -> None:
    config, findings = read(f"storage: {{url: '{url}'}}", tmp_path)
    assert findings == []
    assert config is not None
    assert config.storage.url == "memory:"


def test_hints_in_the_process_need_no_address(tmp_path: Path) -> None:
    """The shipped example names Redis with an address that is empty."""
    config, findings = read('redis: {url: "${REDIS_URL:-}"}', tmp_path)
    assert (config is not None, findings) == (True, [])


@pytest.mark.parametrize(
    "url", ["redis://h", "redis://u:pw@h:1/0", "rediss://h/0?ssl_ca_certs=ca.pem", "unix:///run/r.sock"]
)
def test_addresses_of_redis(url: str, tmp_path: Path) -> None:
    config, findings = read_config('redis: {url: "${REDIS_URL}"}', tmp_path / "c.yaml", {"REDIS_URL": url})
    assert findings == []
    assert config is not None
    assert (config.redis.url, config.redis.prefix) == (url, "frontline")


def test_an_address_of_redis_is_refused_without_its_password(tmp_path: Path) -> None:
    _, found = read_config('redis: {url: "${REDIS_URL}"}', tmp_path / "c.yaml", {"REDIS_URL": "http://u:pw@h"})
    assert "«h»" in found[0].message("en")
    assert "pw" not in found[0].message("en")


def test_not_utf8(tmp_path: Path) -> None:
    from gateway.config import load_config

    (tmp_path / "c.yaml").write_bytes("language: ру".encode("cp1251"))
    assert [finding.code for finding in load_config(tmp_path / "c.yaml", {})[1]] == ["C100"]


VK = """\
http: {public_url: "${URL:-}"}
channels:
  vk: {kind: vk, token: "${TOKEN:-}", group_id: "${GROUP:-0}", mode: "${MODE:-longpoll}", secret: "${SECRET:-}", line: support}
lines: {support: {title: Поддержка, hours: {mon-sun: "00:00-24:00"}, closed: {ticket: general}}}
desks: {general: {title: Общие}}
"""


@pytest.mark.parametrize(
    ("environ", "codes"),
    [
        ({}, []),
        ({"TOKEN": "k", "GROUP": "5"}, []),
        ({"TOKEN": "k"}, ["C143"]),
        ({"TOKEN": "k", "GROUP": "5", "MODE": "callback"}, ["C140", "C141"]),
        ({"TOKEN": "k", "GROUP": "5", "MODE": "both", "URL": "https://a"}, ["C140"]),
        ({"TOKEN": "k", "GROUP": "5", "MODE": "both", "URL": "https://a", "SECRET": "s"}, []),
    ],
)
def test_a_community_of_vk(tmp_path: Path, environ: dict[str, str], codes: list[str]) -> None:
    _, found = read(VK, tmp_path, **environ)
    assert sorted(finding.split()[1] for finding in found) == codes


MAX = """\
http: {public_url: "${URL:-}"}
channels:
  max: {kind: max, token: "${TOKEN:-}", mode: "${MODE:-webhook}", secret: "${SECRET:-}", ca: "${CA:-}", line: support}
lines: {support: {title: Поддержка, hours: {mon-sun: "00:00-24:00"}, closed: {ticket: general}}}
desks: {general: {title: Общие}}
"""


@pytest.mark.parametrize(
    ("environ", "codes"),
    [
        ({}, []),
        ({"TOKEN": "k", "MODE": "polling"}, []),
        ({"TOKEN": "k"}, ["C140", "C141"]),
        ({"TOKEN": "k", "URL": "https://a", "SECRET": "four"}, ["C142"]),
        ({"TOKEN": "k", "URL": "https://a", "SECRET": "a-long_one"}, []),
        ({"TOKEN": "k", "MODE": "polling", "CA": "none.pem"}, ["C160"]),
        ({"TOKEN": "k", "MODE": "polling", "CA": "ca.pem"}, []),
    ],
)
def test_a_bot_of_max(tmp_path: Path, environ: dict[str, str], codes: list[str]) -> None:
    (tmp_path / "ca.pem").write_text("", "utf-8")
    config, found = read(MAX, tmp_path, **environ)
    assert sorted(finding.split()[1] for finding in found) == codes
    if "CA" in environ and config is not None and not codes:
        assert config.channels["max"].ca == tmp_path / "ca.pem"  # type: ignore[union-attr]

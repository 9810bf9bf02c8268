"""`frontline channel-test`: the reference integrator passes, each broken one fails with the right words."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from adapters.api.conformance import back, checks
from gateway.cli import execute
from tests.emulators.api import ApiMessenger
from tests.emulators.api_secrets import OTHER, SECRET
from tests.ports import free_port


@contextmanager
def messenger(**how: Any) -> Iterator[ApiMessenger]:
    """A messenger on a loop of its own: the command has one, too."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    made = ApiMessenger(**how)
    asyncio.run_coroutine_threadsafe(made.start(), loop).result(10)
    try:
        yield made
    finally:
        asyncio.run_coroutine_threadsafe(stopped(made), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def stopped(made: ApiMessenger) -> None:
    """Stops it and what it left under way: a task that dies with its loop complains in some later test."""
    await made.stop()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def tried(capsys: pytest.CaptureFixture[str], url: str, *options: str, lang: str = "en") -> tuple[int, str]:
    code = execute(["--lang", lang, "channel-test", url, "--secret", SECRET, *options])
    return code, capsys.readouterr().out


def judged(capsys: pytest.CaptureFixture[str], url: str, *options: str) -> dict[str, dict[str, Any]]:
    _, out = tried(capsys, url, "--format", "json", *options)
    return {one["id"]: one for one in json.loads(out)["checks"]}


def test_the_reference_integrator_passes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    with messenger(rates=True) as api:
        code, out = tried(capsys, f"{api.url}/calls", "--report", str(report))
        assert api.world.violations == ["no call of_next_year"], "all but that one fit the schema"
        known = api.texts("frontline-test")
    assert code == 0, out
    assert f"{len(checks.CHECKS)} checks: {len(checks.CHECKS)} ok, 0 failed, 0 skipped." in out
    assert known.count("this must be shown once · это видно один раз") == 1
    value = json.loads(report.read_text("utf-8"))
    assert value["passed"]
    assert [one["id"] for one in value["checks"]] == [one.id for one in checks.CHECKS]


@pytest.mark.parametrize(
    ("flaw", "failing", "why", "mend"),
    [
        ("unsigned", {"signature.missing", "signature.wrong"}, "it was taken: the answer is 200", "webhook-signature"),
        (
            "any_signature",
            {"signature.wrong", "signature.body", "signature.time"},
            "it was taken",
            "401",
        ),
        ("any_time", {"signature.time"}, "it was taken", "five minutes"),
        ("first_signature", {"signature.two"}, "second of two signatures", "parted by spaces"),
        ("no_keys", {"repeat", "repeat.at_once"}, "made another message", "remember each `webhook-id`"),
        ("new_id", {"repeat"}, "made another message", "remember each `webhook-id`"),
        ("racing", {"repeat.at_once"}, "made another message", "before you show the message"),
        ("no_id", {"send", "order", "edit"}, "names no `message_id`", '{"message_id": "…"}'),
        ("html", {"send"}, "not a JSON object", '{"message_id": "…"}'),
        ("crash_on_junk", {"junk"}, "repeated again and again", "400 or 422"),
        ("crash_on_unknown", {"unknown.call"}, "the answer is 500", "400 or 422"),
        ("strict_fields", {"unknown.field"}, "answered by 422", "leave fields alone"),
        ("short_texts", {"text.long"}, "4096 characters is answered by 500", "text_limit"),
        ("crash_on_unicode", {"text.odd", "marks"}, "answered by 500", "code points"),
        ("no_edit", {"edit"}, "the answer is 500", "answer 200"),
        ("gone_is_410", {"edit.unknown", "delete"}, "answered by 410", '{"code": "message_not_found"}'),
        ("no_quote", {"quote"}, "the answer is 500", "answer 200"),
    ],
)
def test_a_broken_integrator_is_told_what_to_mend(
    capsys: pytest.CaptureFixture[str], flaw: str, failing: set[str], why: str, mend: str
) -> None:
    with messenger(flaws=(flaw,)) as api:
        found = judged(capsys, f"{api.url}/calls")
    failed = {id for id, one in found.items() if one["status"] == "failed"}
    assert failing <= failed
    one = found[sorted(failing)[-1]]
    assert any(why in found[id]["why"] and mend in found[id]["mend"] for id in failing), one


def test_too_fast_without_a_word_when_to_come_again(capsys: pytest.CaptureFixture[str]) -> None:
    with messenger(flaws=("no_retry_after",), rates=True) as api:
        found = judged(capsys, f"{api.url}/calls")
    assert found["pressure"]["status"] == "failed"
    assert "Retry-After" in found["pressure"]["why"]


def test_a_slow_integrator(capsys: pytest.CaptureFixture[str]) -> None:
    """Answers that do not come in time; when none comes at all, nothing more is asked."""
    with messenger(flaws=("slow",)) as api:
        found = judged(capsys, f"{api.url}/calls", "--timeout", "0.5")
    assert found["send"]["why"] == "there is no answer: no answer in time"
    assert {one["status"] for id, one in found.items() if id != "send"} == {"skipped"}


def test_nobody_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = tried(capsys, "http://127.0.0.1:9/calls", lang="ru")
    assert code == 1
    assert "почему: ответа нет: нет соединения, или оно оборвалось" in out
    assert "исправить: отвечайте за несколько секунд" in out


def test_the_answers_are_in_russian_too(capsys: pytest.CaptureFixture[str]) -> None:
    with messenger(flaws=("no_keys",)) as api:
        code, out = tried(capsys, f"{api.url}/calls", "--without", "menu", "--without", "typing", lang="ru")
    assert code == 1
    assert "повторный вызов создал ещё одно сообщение" in out
    assert "пропущено  menu" in out


def test_another_secret_fails_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    with messenger(secret=OTHER) as api:
        found = judged(capsys, f"{api.url}/calls")
    assert "401" in found["send"]["why"]


def speak(api: ApiMessenger, loop_port: int) -> None:
    """The messenger's client writes to the door that the command has opened."""
    api.connect(f"http://127.0.0.1:{loop_port}/hooks/test", SECRET)


def listened(capsys: pytest.CaptureFixture[str], *bodies: dict[str, Any], **how: Any) -> dict[str, dict[str, Any]]:
    """What is said of the way back, when these events are delivered."""
    port = free_port()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    made = ApiMessenger(**how)

    async def act() -> None:
        await made.start()
        speak(made, port)
        for body in bodies:
            made.push(body)

    asyncio.run_coroutine_threadsafe(act(), loop).result(10)
    try:
        return judged(capsys, f"{made.url}/calls", "--listen", str(port), "--wait", "5")
    finally:
        asyncio.run_coroutine_threadsafe(stopped(made), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


GOOD = {"type": "message", "id": "e1", "chat": "7", "text": "Привет"}


def test_the_way_back_of_the_reference(capsys: pytest.CaptureFixture[str]) -> None:
    found = listened(capsys, GOOD)
    assert [found[one.id]["status"] for one in back.CHECKS] == ["ok"] * len(back.CHECKS), found


@pytest.mark.parametrize(
    ("flaw", "body", "failing", "words"),
    [
        ("unsigned_back", GOOD, "back.signature", "is missing"),
        ("bad_events", GOOD, "back.schema", "/chat"),
        ("new_webhook_id", GOOD, "back.retry", "another webhook-id"),
        ("no_retry", GOOD, "back.retry", "did not come again"),
        ("early_retry", GOOD, "back.retry", "before `Retry-After`"),
        ("endless", GOOD, "back.once", "came again"),
    ],
)
def test_the_way_back_of_broken_ones(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    flaw: str,
    body: dict[str, Any],
    failing: str,
    words: str,
) -> None:
    monkeypatch.setattr(back, "AGAIN_SECONDS", 3.0)
    found = listened(capsys, body, flaws=(flaw,))
    assert found[failing]["status"] == "failed", found
    assert words in found[failing]["why"]


def test_nothing_comes(capsys: pytest.CaptureFixture[str]) -> None:
    with messenger() as api:
        found = judged(capsys, f"{api.url}/calls", "--listen", str(free_port()), "--wait", "0.2")
    assert found["back"]["why"] == "nothing came within 0.2 s"
    assert found["back.signature"]["status"] == "skipped"


CONFIG = """\
http: {{port: 0, public_url: "https://us.example"}}
channels:
  shop:
    {{kind: api, line: support, secret: {secret}, url: "{url}", capabilities: {{typing: false, text_limit: 1000}}}}
  site: {{kind: web, line: support}}
lines:
  support: {{title: П, hours: {{mon-sun: "00:00-24:00"}}, closed: {{ticket: general}}, busy: {{ticket: general}}}}
desks:
  general: {{title: Общие, needs: []}}
"""


def test_a_channel_of_the_configuration(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    with messenger() as api:
        config.write_text(CONFIG.format(secret=SECRET, url=f"{api.url}/calls"), "utf-8")
        code = execute(["--config", str(config), "--lang", "en", "channel-test", "shop", "--format", "json"])
        assert max(len(text) for text in api.texts("frontline-test")) == 1000
    found = {one["id"]: one["status"] for one in json.loads(capsys.readouterr().out)["checks"]}
    assert (code, found["menu"], found["typing"], found["edit"]) == (0, "skipped", "skipped", "ok")
    assert execute(["--config", str(config), "--lang", "en", "channel-test", "site"]) == 2
    assert "neither an address nor a channel" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "set CHANNEL_SECRET"),
        (("--secret", "hunter2"), "24 to 64 bytes"),
        (("--secret", SECRET, "--listen", "here"), "--listen is a port"),
        (("--secret", SECRET, "--listen", "1:99999"), "--listen is a port"),
    ],
)
def test_mistakes_on_the_command_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], words: str
) -> None:
    monkeypatch.delenv("CHANNEL_SECRET", raising=False)
    assert execute(["--lang", "en", "channel-test", "https://a.example", *options]) == 2
    assert words in capsys.readouterr().err


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["--lang", "en", "channel-schema", "--channel", "shop", "--url", "https://us.example/"]) == 0
    document = json.loads(capsys.readouterr().out)
    validate(document)
    assert (document["servers"], "/hooks/shop" in document["paths"]) == ([{"url": "https://us.example"}], True)
    assert execute(["--lang", "en", "channel-schema", "--format", "json-schema"]) == 0
    Draft202012Validator.check_schema(json.loads(capsys.readouterr().out))

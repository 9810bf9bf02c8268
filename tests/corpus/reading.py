"""The corpus: payloads as they came over the wire, one on each line of `<channel>.jsonl`, each with the file it is from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import orjson

HERE = Path(__file__).parent
CHANNELS = ("telegram", "vk", "max", "api", "web")
VK_TESTS = HERE.parent / "adapters/vk/fixtures/corpus.json"
TELEGRAM_TESTS = HERE.parent / "adapters/telegram/fixtures"
DATE = 1_700_000_000  # for what came without a time of its own


class Payload(NamedTuple):
    """`source` is `<owner>/<repository>@<commit>/<path>`, or `ours/<name>`; `raw` is what the adapter gets."""

    source: str
    raw: bytes

    @property
    def repository(self) -> str:
        return self.source.partition("@")[0] if "@" in self.source else "ours"

    @property
    def name(self) -> str:
        """Enough to find it by: the repository and the file without its folders."""
        return f"{self.repository.rpartition('/')[2]} {self.source.rpartition('/')[2]}"


@cache
def corpus(channel: str) -> tuple[Payload, ...]:
    """All payloads of a channel in the order of its file."""
    lines = (HERE / f"{channel}.jsonl").read_text("utf-8").splitlines()
    own = [_payload(channel, json.loads(line)) for line in lines]
    return (*own, *(FROM_TESTS[channel]() if channel in FROM_TESTS else ()))


def _payload(channel: str, line: dict[str, Any]) -> Payload:
    wrap = WRAPS.get(channel, {}).get(line.get("kind", ""))
    value = wrap(line["payload"]) if wrap else line["payload"]
    return Payload(line["source"], orjson.dumps(value))


# --- a message or an attachment alone, as the event that would have brought it from client 7 -----------------------------


def _telegram_message(message: dict[str, Any]) -> dict[str, Any]:
    return {"update_id": 881_000, "message": message}


def _vk_message(content: dict[str, Any]) -> dict[str, Any]:
    """Messages of API versions before 5.80 lack the peer: they stay as they are."""
    old = "body" in content
    fields = {} if old else {"peer_id": 7, "from_id": 7, "out": 0, "conversation_message_id": 5, "date": DATE}
    kept = {name: value for name, value in content.items() if name not in {"admin_author_id"}}
    body = {"message": {**kept, **fields}, "client_info": {"lang_id": 0}}
    return {"type": "message_new", "object": body, "event_id": "e1", "group_id": 1234, "v": "5.199"}


def _vk_attachment(attachment: dict[str, Any]) -> dict[str, Any]:
    return _vk_message({"attachments": [attachment]})


def _max_message(message: dict[str, Any]) -> dict[str, Any]:
    client = {"user_id": 7, "first_name": "Анна", "is_bot": False, "last_activity_time": DATE * 1000}
    recipient = {"chat_id": 70, "chat_type": "dialog", "user_id": 12_345}
    mine = {**message, "sender": client, "recipient": recipient}
    return {"update_type": "message_created", "timestamp": DATE * 1000, "message": mine, "user_locale": "ru"}


def _max_attachment(attachment: dict[str, Any]) -> dict[str, Any]:
    body = {"mid": "mid.1", "seq": 1, "text": "", "attachments": [attachment]}
    return _max_message({"timestamp": DATE * 1000, "body": body})


WRAPS: dict[str, dict[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "telegram": {"message": _telegram_message},
    "vk": {"message": _vk_message, "attachment": _vk_attachment},
    "max": {"message": _max_message, "attachment": _max_attachment},
}


# --- payloads that stand with the tests of an adapter ------------------------------------------------------------------


def _of_telegram() -> Iterator[Payload]:
    for path in sorted(TELEGRAM_TESTS.glob("*.json")):
        yield Payload(f"ours/{path.stem}", orjson.dumps(orjson.loads(path.read_bytes())["update"]))


def _of_vk() -> Iterator[Payload]:
    """Their repositories, commits and licences are in the README beside them."""
    for case in orjson.loads(VK_TESTS.read_bytes()):
        wrap = WRAPS["vk"].get(case["kind"])
        repository, _, path = case["source"].partition(" ")
        yield Payload(f"{repository}@/{path}", orjson.dumps(wrap(case["value"]) if wrap else case["value"]))


FROM_TESTS: dict[str, Callable[[], Iterator[Payload]]] = {"telegram": _of_telegram, "vk": _of_vk}

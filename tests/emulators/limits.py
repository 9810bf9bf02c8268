"""Limits of Telegram that no schema holds (sizes, counts, ranges), with the words the server uses for them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

TEXT = 4096
CAPTION = 1024
ENTITIES = 100
MARKUP_BYTES = 10 * 1024
BUTTONS, BUTTONS_PER_ROW = 100, 8
KEYS, KEYS_PER_ROW = 300, 12
ANSWER = 200
COMMANDS = 100


def check_limits(method: str, params: Mapping[str, Any]) -> list[str]:
    """Every limit that a call breaks, in the server's words where it has some; the call passed the schema already."""
    return [
        *_texts(method, params),
        *_entities(str(params.get("text", "")), params.get("entities") or []),
        *_entities(str(params.get("caption", "")), params.get("caption_entities") or []),
        *_markup(params.get("reply_markup")),
        *_media(params.get("media")),
        *_commands(params.get("commands") or []),
        *_rest(method, params),
    ]


def _texts(method: str, params: Mapping[str, Any]) -> Iterator[str]:
    text, caption = params.get("text"), params.get("caption")
    if method in {"sendMessage", "editMessageText"} and not str(text or "").strip():
        yield "message text is empty"
    if method in {"sendMessage", "editMessageText"} and text and len(text) > TEXT:
        yield "message is too long"
    if caption and len(caption) > CAPTION:
        yield "message caption is too long"
    for entities, mode in (("entities", "parse_mode"), ("caption_entities", "parse_mode")):
        if params.get(entities) and params.get(mode):
            yield f"{entities} and {mode} exclude each other"


def _entities(text: str, entities: list[Mapping[str, Any]]) -> Iterator[str]:
    """Offsets are in UTF-16 units, inside the text, and on the borders of symbols."""
    borders = {0}
    end = 0
    for symbol in text:
        end += len(symbol.encode("utf-16-le")) // 2
        borders.add(end)
    if len(entities) > ENTITIES:
        yield f"{len(entities)} entities, {ENTITIES} are shown"
    for entity in entities:
        start, stop = entity["offset"], entity["offset"] + entity["length"]
        if entity["length"] <= 0 or start not in borders or stop not in borders:
            yield f"entity {entity['type']} {start}..{stop} is out of the text of {end} units"
        if entity["type"] == "text_link" and not entity.get("url"):
            yield "entity text_link without url"


def _markup(markup: Any) -> Iterator[str]:
    if not markup:
        return
    if len(json.dumps(markup, ensure_ascii=False).encode()) > MARKUP_BYTES:
        yield "reply markup is too long"
    yield from _keyboard(markup.get("inline_keyboard"), BUTTONS, BUTTONS_PER_ROW)
    yield from _keyboard(markup.get("keyboard"), KEYS, KEYS_PER_ROW)
    for row in markup.get("inline_keyboard") or ():
        for button in row:
            yield from _inline(button)


def _keyboard(rows: Any, most: int, width: int) -> Iterator[str]:
    if rows is None:
        return
    if not rows or not all(rows):
        yield "a keyboard or a row of it is empty"
    if sum(map(len, rows)) > most or any(len(row) > width for row in rows):
        yield f"a keyboard has more than {most} buttons or {width} in a row"
    if any(not button["text"].strip() for row in rows for button in row):
        yield "a button without a text"


def _inline(button: Mapping[str, Any]) -> Iterator[str]:
    actions = [name for name in button if name not in {"text", "icon_custom_emoji_id", "style", "disabled"}]
    if len(actions) != 1:
        yield f"a button does {len(actions)} things: {actions}"
    data = button.get("callback_data")
    if data is not None and not 1 <= len(data.encode()) <= 64:
        yield "BUTTON_DATA_INVALID"
    if "url" in button and not button["url"].startswith(("http://", "https://", "tg://")):
        yield "BUTTON_URL_INVALID"


def _media(media: Any) -> Iterator[str]:
    if media is None:
        return
    if isinstance(media, list) and not 2 <= len(media) <= 10:
        yield f"a media group of {len(media)}"
    kinds = {item.get("type") for item in media} if isinstance(media, list) else set()
    if isinstance(media, list):
        for item in media:
            yield from _entities(str(item.get("caption", "")), item.get("caption_entities") or [])
            if len(item.get("caption") or "") > CAPTION:
                yield "message caption is too long"
    if len(kinds) > 1 and kinds & {"document", "audio"}:
        yield "documents and audio are not mixed with others"


def _commands(commands: list[Mapping[str, Any]]) -> Iterator[str]:
    if len(commands) > COMMANDS:
        yield f"{len(commands)} commands, at most {COMMANDS}"
    for command in commands:
        if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]):
            yield f"BOT_COMMAND_INVALID: {command['command']!r}"
        if not 1 <= len(command["description"]) <= 256:
            yield "BOT_COMMAND_DESCRIPTION_INVALID"


def _rest(method: str, params: Mapping[str, Any]) -> Iterator[str]:
    if method == "answerCallbackQuery" and len(params.get("text") or "") > ANSWER:
        yield "a callback answer of more than 200"
    if method == "setWebhook" and len(params.get("secret_token") or "") > 256:
        yield "secret token is too long"
    if method == "setWebhook" and not 1 <= params.get("max_connections", 40) <= 100:
        yield "max_connections is 1..100"
    if method == "sendMessage" and params.get("message_thread_id") == 1:
        yield "the general topic is not named"

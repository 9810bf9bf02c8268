"""JSON Schema and the reference of the flow language, both made from the same declarations that parse it."""

from __future__ import annotations

from typing import Any

from bot.actions import ACTIONS
from bot.keys import BOT_KEYS, FIELD_KEYS, FLOW_KEYS, INPUT_KEYS, POLICY_KEYS, TEXT_KEYS
from bot.reading import STEP_KEY
from bot.shapes import Key, Schema, keys_schema
from bot.testfiles import CASE
from bot.triggers import TRIGGERS
from core.locale import n_, texts


def json_schema(language: str = "en") -> dict[str, Any]:
    """One schema for all files of `flows/`: tests are lists, `_bot.yaml` has the key `bot`, all others are flows."""
    schema: Schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "frontline flows",
        "if": {"type": "array"},
        "then": {"$ref": "#/$defs/tests"},
        "else": {
            "if": {"required": ["bot"]},
            "then": {"$ref": "#/$defs/bot"},
            "else": {"$ref": "#/$defs/flow"},
        },
        "$defs": {
            "flow": keys_schema(FLOW_KEYS),
            "bot": keys_schema(BOT_KEYS),
            "steps": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/step"}},
            "step": {"anyOf": [_step_schema(action.keys, action.about) for action in ACTIONS]},
            "tests": {"type": "array", "items": keys_schema(CASE)},
        },
    }
    translated: dict[str, Any] = _translated(schema, language)
    return translated


def _step_schema(keys: tuple[Key, ...], about: str) -> Schema:
    return keys_schema((*keys, STEP_KEY)) | {"description": about}


def _translated(value: Any, language: str) -> Any:
    """Descriptions in the reader's language."""
    if isinstance(value, dict):
        return {
            key: texts(language)(item)
            if key == "description" and isinstance(item, str)
            else _translated(item, language)
            for key, item in value.items()
        }
    return [_translated(item, language) for item in value] if isinstance(value, list) else value


# --- the reference ---------------------------------------------------------------------------------------------------

SECTIONS: tuple[tuple[str, tuple[Key, ...]], ...] = (
    (n_("A flow"), FLOW_KEYS),
    (n_("Inputs (`takes`)"), INPUT_KEYS),
    (n_("A field"), FIELD_KEYS),
    (n_("Policy"), POLICY_KEYS),
    (n_("The file `_bot.yaml`"), BOT_KEYS),
    (n_("Translations (`_texts/<language>.yaml`)"), TEXT_KEYS),
)


def reference(language: str = "en") -> str:
    """The language as Markdown tables, one line for each key."""
    t = texts(language)
    parts = [_table(f"## {t(title)}", keys, language) for title, keys in SECTIONS]
    parts.append(f"## {t(n_('Triggers'))}")
    parts += [_table(f"### `{kind.word}`\n\n{t(kind.about)}", kind.keys, language) for kind in TRIGGERS]
    parts.append(f"## {t(n_('Actions'))}")
    parts += [_table(f"### `{kind.word}`\n\n{t(kind.about)}", kind.keys, language) for kind in ACTIONS]
    return "\n\n".join(parts) + "\n"


def _table(head: str, keys: tuple[Key, ...], language: str) -> str:
    t = texts(language)
    rows = [f"| {t(n_('key'))} | {t(n_('value'))} | {t(n_('meaning'))} |", "|---|---|---|"]
    for key in keys:
        needed = f" ({t(n_('required'))})" if key.required else ""
        rows.append(f"| `{key.name}`{needed} | {t(key.shape.told)} | {t(key.about)} |")
    return head + "\n\n" + "\n".join(rows)

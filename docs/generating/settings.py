"""The reference of `config.yaml`, from the models that read it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from docs.generating.markdown import MARK, sentence, table


def settings() -> str:
    """Every setting of `config.yaml`, from the models that read it."""
    from gateway.config.channels import ApiSettings, MaxSettings, TelegramSettings, VkSettings, WebSettings
    from gateway.config.lines import DeskSettings, HttpServiceSettings, LineSettings, TableSettings, WebhookDeskSettings
    from gateway.config.model import Config

    named = {
        "channels.<name>, kind: telegram": TelegramSettings,
        "channels.<name>, kind: vk": VkSettings,
        "channels.<name>, kind: max": MaxSettings,
        "channels.<name>, kind: web": WebSettings,
        "channels.<name>, kind: api": ApiSettings,
        "lines.<name>": LineSettings,
        "desks.<name>": DeskSettings,
        "desks.<name>, kind: webhook": WebhookDeskSettings,
        "services.<name>, kind: http": HttpServiceSettings,
        "services.<name>, kind: table": TableSettings,
    }
    parts = [section("config.yaml", Config)]
    parts += [section(f"`{title}`", model) for title, model in named.items()]
    return "\n".join(parts)


def section(title: str, model: Any) -> str:
    """A model's own settings, with those of the maps inside it."""
    rows = list(setting_rows(model, ""))
    return f"## {title}\n\n{sentence(model.__doc__ or '')}\n\n{table(('setting', 'default', 'meaning'), rows)}"


def setting_rows(model: Any, prefix: str) -> Iterator[tuple[str, str, str]]:
    from pydantic import BaseModel

    for name, field in model.model_fields.items():
        if name == "root":
            continue
        yield f"`{prefix}{name}`", default_of(field), " ".join((field.description or "").split())
        for kind in inner_models(field.annotation):
            if issubclass(kind, BaseModel) and not is_named(field.annotation):
                yield from setting_rows(kind, f"{prefix}{name}.")


def inner_models(kind: Any) -> list[Any]:
    """Settings classes inside a type, those of maps with free names with `<name>` left to sections of their own."""
    if isinstance(kind, type) and hasattr(kind, "model_fields"):
        return [kind]
    return [one for part in get_args(kind) for one in inner_models(part)]


def is_named(kind: Any) -> bool:
    """Whether it is a map of parts that have sections of their own."""
    return any(one.__name__ in SECTIONS for one in inner_models(kind))


SECTIONS = {
    "TelegramSettings",
    "VkSettings",
    "MaxSettings",
    "WebSettings",
    "ApiSettings",
    "LineSettings",
    "DeskSettings",
    "WebhookDeskSettings",
    "HttpServiceSettings",
    "TableSettings",
}


def default_of(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.default if field.default_factory is None else field.default_factory()
    if hasattr(type(value), "model_fields") or value in ({}, (), "", None):
        return "—"
    if hasattr(value, "get_secret_value"):
        return "—"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def settings_reference() -> str:
    head = (
        "# Settings\n\nEverything that `config.yaml` may hold. Relative paths count from its folder. `${NAME}` and "
        "`${NAME:-default}` are\nfilled from the environment and from a `.env` file beside it (the environment wins). "
        "Durations are written `30s`, `5m`,\n`8h`, `3d`; rates `30/s`, `20/min`, `20/10s` or `off`; sizes `512KB`, `20MB`. "
        "An unknown setting is a mistake.\nIn the tables durations are seconds and sizes bytes.\n"
    )
    return f"{head}\n{MARK}\n\n{settings()}"

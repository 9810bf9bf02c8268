"""What a messenger behind the webhooks can do: what its integrator declares in the settings, or these defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from core.ports import Capabilities

# A messenger of today. The numbers are ours: the protocol itself has no limit but the size of a request.
CAPABILITIES = Capabilities(
    text_limit=4096,
    caption_limit=4096,
    buttons="inline",
    buttons_per_row=8,
    button_rows=20,
    button_label=64,
    token_bytes=64,
    formatting=("bold", "italic", "code", "link"),
    files=True,
    file_bytes=50 * 1024**2,
    edit=True,
    delete=True,
    typing=True,
    quotes=True,
    reactions=True,
    idempotent=True,
)

EVENT_BYTES = 1024**2  # of one delivery to us
EVENTS = 100  # of one delivery
ANSWER_BYTES = 64 * 1024  # of an answer to us
FORM_BYTES = 8192  # that the form around an uploaded file may take


def declared(given: Mapping[str, Any]) -> Capabilities:
    """The defaults with what the settings say. Raises ValueError."""
    known = {name: value for name, value in given.items() if name in Capabilities.__struct_fields__}
    if "text_limit" in known:
        known["caption_limit"] = known["text_limit"]
    whole = msgspec.to_builtins(CAPABILITIES) | known | {"idempotent": True, "reactions": True}
    try:
        return msgspec.convert(whole, Capabilities)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None

"""What a terminal can do, as data."""

from __future__ import annotations

from core.ports import Capabilities

CAPABILITIES = Capabilities(
    text_limit=100_000,
    caption_limit=100_000,
    buttons="none",
    buttons_per_row=1,
    button_rows=100,
    button_label=200,
    token_bytes=64,
    formatting=("bold", "italic", "code", "link"),
    files=True,
    file_bytes=50 * 1024**2,
    contact_button=True,
    location_button=True,
    edit=True,
    idempotent=True,
)

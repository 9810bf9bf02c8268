"""What the web chat can do, as data."""

from __future__ import annotations

from core.ports import Capabilities

TEXT_LIMIT = 4096  # code points of one message of a client
FORMATTING = ("bold", "italic", "code", "link")


def capabilities(file_bytes: int) -> Capabilities:
    """The abilities of a web chat that takes files of at most `file_bytes` bytes."""
    return Capabilities(
        text_limit=TEXT_LIMIT,
        caption_limit=TEXT_LIMIT,
        buttons="inline",
        buttons_per_row=8,
        button_rows=20,
        button_label=64,
        token_bytes=64,
        formatting=FORMATTING,
        files=True,
        file_bytes=file_bytes,
        contact_button=True,
        location_button=True,
        edit=True,
        delete=True,
        typing=True,
        quotes=True,
        idempotent=True,
    )

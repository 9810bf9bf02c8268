"""What MAX can do, as data (Bot API 0.0.33, and the limits that only dev.max.ru names)."""

from __future__ import annotations

from core.ports import Capabilities

# Text: `NewMessageBody.text`. Buttons: dev.max.ru/docs-api, 210 in 30 rows of 7. Videos up to 250 MB, pictures 50 MB.
CAPABILITIES = Capabilities(
    text_limit=4000,
    caption_limit=4000,
    buttons="inline",
    buttons_per_row=7,
    button_rows=30,
    button_label=128,
    token_bytes=1024,
    formatting=("bold", "italic", "code", "link"),
    files=True,
    file_bytes=200 * 1024 * 1024,
    contact_button=True,
    location_button=True,
    edit=True,
    delete=True,
    edit_seconds=24 * 3600.0,
    delete_seconds=24 * 3600.0,
    typing=True,
    quotes=True,
    idempotent=False,
)

WIDE_PER_ROW = 3  # of buttons that are no plain callbacks: links, a phone, a place
PICTURES = 12  # attachments of one message
PICTURE_BYTES = 50 * 1024 * 1024  # a larger picture goes as a file
COMMANDS, COMMAND_NAME, COMMAND_WORDS = 32, 64, 128
UPDATE_BYTES = 1024 * 1024  # of one webhook delivery
# Kinds that are asked for. A cleared, muted or deleted dialog changes nothing for us: the next answer of MAX says so.
UPDATES = (
    "message_created", "message_callback", "message_edited", "message_removed", "bot_started", "bot_stopped", "bot_added",
)  # fmt: skip

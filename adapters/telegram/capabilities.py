"""What Telegram can do, as data (Bot API 10.3, and the limits that only its server knows)."""

from __future__ import annotations

from core.ports import Capabilities

# Text and captions are counted in code points after parsing, callback_data in bytes; 100 buttons in all, 8 in a row.
CAPABILITIES = Capabilities(
    text_limit=4096,
    caption_limit=1024,
    buttons="inline",
    buttons_per_row=8,
    button_rows=100,
    button_label=64,
    token_bytes=64,
    formatting=("bold", "italic", "code", "link"),
    files=True,
    file_bytes=50 * 1024 * 1024,
    contact_button=True,
    location_button=True,
    edit=True,
    delete=True,
    delete_seconds=48 * 3600.0,
    typing=True,
    quotes=True,
    reactions=True,
    idempotent=False,
)

BUTTONS = 100  # of one inline keyboard
MOST_ENTITIES = 100  # of one text; further ones stay plain
ALBUM = 10  # files of one album, at least two
ALBUM_BYTES = 50 * 1024 * 1024  # that are sent at once
COMMANDS = 100  # of the menu
PHOTO_BYTES = 10 * 1024 * 1024  # a larger picture goes as a document
DOWNLOAD_BYTES = 20 * 1024 * 1024  # getFile refuses more
UPDATE_BYTES = 1024 * 1024  # of one webhook delivery
UPDATES = ("message", "edited_message", "callback_query", "my_chat_member", "message_reaction")

"""What VK can do, as data (API 5.199, and the limits that only its documentation or its server knows)."""

from __future__ import annotations

from core.ports import Capabilities

# Text: the schema says 9000, error 914 comes from 4096 on. Buttons: dev.vk.com/api/bots/development/keyboard. A phone is
# never given out: there is no button that asks for it, so no phone of this channel is verified.
CAPABILITIES = Capabilities(
    text_limit=4096,
    caption_limit=4096,
    buttons="inline",
    buttons_per_row=5,
    button_rows=6,
    button_label=40,
    token_bytes=200,
    formatting=("bold", "italic", "link"),
    files=True,
    file_bytes=200 * 1024 * 1024,
    contact_button=False,
    location_button=True,
    edit=True,
    delete=True,
    edit_seconds=24 * 3600.0,
    delete_seconds=24 * 3600.0,
    typing=True,
    quotes=True,
    reactions=True,
    idempotent=True,
)

API_VERSION = "5.199"
INLINE_BUTTONS, INLINE_ROWS = 10, 6
KEYBOARD_BUTTONS, KEYBOARD_ROWS = 40, 10
ROW_BUTTONS = 5
PAYLOAD_BYTES = 255  # of one button
PAYLOADS_BYTES = 1000  # of a whole keyboard (vknet/vk#915)
ATTACHMENTS = 10  # of one message
PHOTO_BYTES = 50 * 1024 * 1024  # a larger picture goes as a document
EXECUTE_CALLS = 25  # methods in one `execute`
EVENT_BYTES = 1024 * 1024  # of one callback delivery
EVENTS = (
    "message_new",
    "message_reply",
    "message_edit",
    "message_allow",
    "message_deny",
    "message_event",
    "message_reaction_event",
)

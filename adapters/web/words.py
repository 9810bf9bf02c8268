"""What the page says itself, as message ids of the one catalogue."""

from __future__ import annotations

from core.locale import LANGUAGES, n_, texts

WORDS = {
    "write": n_("Write a message"),
    "send": n_("Send"),
    "attach": n_("Attach files"),
    "remove_file": n_("Remove the file {name}"),
    "drop": n_("Drop files here to send them"),
    "bot": n_("Assistant"),
    "operator": n_("Support agent"),
    "you": n_("You"),
    "notice": n_("Notice"),
    "today": n_("Today"),
    "yesterday": n_("Yesterday"),
    "bot_typing": n_("The assistant is typing"),
    "operator_typing": n_("The support agent is typing"),
    "sending": n_("Sending"),
    "delivered": n_("Delivered"),
    "failed": n_("Not sent"),
    "retry": n_("Try again"),
    "offline": n_("No connection. What you write is kept and goes out by itself."),
    "connecting": n_("Connecting"),
    "online": n_("Online"),
    "earlier": n_("Show earlier messages"),
    "latest": n_("New messages below"),
    "messages": n_("Messages of the chat"),
    "too_long": n_("At most {limit} characters fit into one message."),
    "file_too_large": n_("{name} is too large: at most {limit} MB."),
    "file_empty": n_("{name} is empty."),
    "file_failed": n_("{name} could not be sent: {reason}"),
    "too_many_files": n_("At most {limit} files fit into one message."),
    "uploading": n_("Uploading"),
    "download": n_("Download"),
    "open_picture": n_("Open the picture {name}"),
    "close": n_("Close"),
    "phone_label": n_("Your phone number"),
    "phone_hint": n_("+1 202 555 0147"),
    "share_phone": n_("Send the number"),
    "cancel": n_("Cancel"),
    "reply": n_("Reply"),
    "replying": n_("Reply to: {text}"),
    "no_reply": n_("Do not reply to this message"),
    "reply_keys": n_("Alt and the up arrow: reply to an earlier message"),
    "quoted": n_("Show the message that this one replies to"),
    "a_file": n_("File"),
    "edited": n_("edited"),
    "gone": n_("The message was deleted"),
    "dark": n_("Dark appearance"),
    "wait": n_("Goes on in {time}"),
    "busy_start": n_("Too many chats were opened at once. Wait a little."),
    "locating": n_("Finding where you are…"),
    "no_location": n_("The browser did not tell where you are. Please write the address."),
    "place": n_("Place on the map"),
    "new_chat": n_("This browser's earlier chat is no longer known, so a new one was opened."),
    "open_chat": n_("Open the chat"),
    "close_chat": n_("Close the chat"),
    "chat": n_("Chat"),
    "unread": n_("Unread messages: {n}"),
    "starting": n_("One moment, the chat is opening…"),
    "no_script": n_("The chat needs JavaScript."),
}


def words(language: str) -> dict[str, str]:
    """All texts of the page in one language; `{places}` are filled by the page."""
    t = texts(language)
    return {key: t(message) for key, message in WORDS.items()}


def widget_words() -> dict[str, dict[str, str]]:
    """The few texts of the widget's bubble in all languages: it is one script for every site."""
    keys = {"open": "open_chat", "close": "close_chat", "unread": "unread", "frame": "chat"}
    return {language: {name: words(language)[key] for name, key in keys.items()} for language in LANGUAGES}


def choose_language(asked: str, accepted: str, default: str) -> str:
    """The language of the page: asked for in the address, else the browser's first that we speak, else the channel's."""
    if asked in LANGUAGES:
        return asked
    wishes = [part.partition(";")[0].strip().lower()[:2] for part in accepted[:400].split(",")]
    return next((wish for wish in wishes if wish in LANGUAGES), default)

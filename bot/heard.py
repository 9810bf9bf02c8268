"""What a client's message says, cleaned once and split into words only when somebody asks."""

from __future__ import annotations

from core.events import Message
from core.messages import Attachment, Contact, Location
from core.normal import clean, normal, words


class Heard:
    """A message as triggers and fields read it. `text` is plain: no control or direction-turning characters."""

    __slots__ = ("_normal", "_words", "attachments", "contact", "location", "text")

    def __init__(
        self,
        text: str,
        attachments: tuple[Attachment, ...] = (),
        contact: Contact | None = None,
        location: Location | None = None,
    ) -> None:
        self.text = text
        self.attachments = attachments
        self.contact = contact
        self.location = location
        self._normal: str | None = None
        self._words: list[str] | None = None

    @property
    def normal(self) -> str:
        """Lower case, ё as е, single spaces, no punctuation at the ends."""
        if self._normal is None:
            self._normal = normal(self.text)
        return self._normal

    @property
    def words(self) -> list[str]:
        """The first 64 words, normalised."""
        if self._words is None:
            self._words = words(self.text)
        return self._words


def heard(message: Message) -> Heard:
    """The message read; half of a character pair, which no text may hold, becomes «?»."""
    text = clean(message.text).strip()
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    return Heard(text, message.attachments, message.contact, message.location)

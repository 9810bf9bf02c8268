"""`say`: send a text and go on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from bot.model import Action
from bot.shapes import CHANNEL, FIELDS, TEMPLATE, TEXT, Key, MapOf, Record
from bot.templates import Template
from core.locale import n_
from core.messages import Button

if TYPE_CHECKING:
    from bot.engine.walk import Walk

SAYING = Record(
    "say",
    (
        Key("text", "text", TEMPLATE, required=True, about=n_("the text")),
        Key("per_channel", "per_channel", MapOf(CHANNEL, TEMPLATE), about=n_("another text for a kind of channel")),
        Key("attach", "attach", FIELDS, about=n_("fields with files")),
        Key("links", "links", MapOf(TEXT, TEMPLATE), about=n_("buttons that open an address, label: address")),
    ),
    lambda values, node: values | {"links": tuple(values.get("links", {}).items())},
    short="text",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Say(Action):
    """`links` are (label, address) buttons; `attach` names fields of files."""

    word: ClassVar[str] = "say"
    about: ClassVar[str] = n_("send a text and go on")
    keys: ClassVar[tuple[Key, ...]] = (
        Key("say", "", SAYING, required=True, about=n_("the text, or a map with `text`")),
    )
    text: Template
    per_channel: dict[str, Template] = field(default_factory=dict)
    attach: tuple[str, ...] = ()
    links: tuple[tuple[str, Template], ...] = ()

    def enter(self, walk: Walk) -> None:
        names = walk.names()
        links = tuple((Button(label, url=walk.text(address)),) for label, address in self.links)
        walk.say(
            walk.rich(self.text, names),
            links,
            walk.files(self.attach),
            {kind: walk.rich(text, names) for kind, text in self.per_channel.items()},
        )
        walk.go("next")

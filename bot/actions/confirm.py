"""`confirm`: show what was collected, let the client mend it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bot.model import Action
from bot.options import match_option
from bot.shapes import FIELDS, Key
from core.locale import n_
from core.messages import Button
from core.rich import Rich

if TYPE_CHECKING:
    from bot.engine.walk import Refusal, Walk
    from bot.heard import Heard


YES = ("да", "верно", "все верно", "правильно", "yes", "correct")
NO = ("нет", "исправить", "неверно", "неправильно", "no", "wrong")


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm(Action):
    """Buttons «Всё верно» / «Исправить»."""

    word: ClassVar[str] = "confirm"
    about: ClassVar[str] = n_("show what was collected and let the client mend it")
    keys: ClassVar[tuple[Key, ...]] = (
        Key("confirm", "fields", FIELDS, required=True, about=n_("the fields of the summary")),
    )
    fields: tuple[str, ...]

    def policies(self) -> Iterator[str]:
        yield "too_many"
        yield "timeout"

    def enter(self, walk: Walk) -> None:
        """The end of mending, if any: from here on questions are asked as ever."""
        walk.stop_mending()
        walk.frame.memory.pop("choosing", None)
        walk.record("step_entered", flow=walk.frame.flow, step=walk.node.step)
        self.again(walk)

    def again(self, walk: Walk) -> None:
        if walk.frame.memory.get("choosing"):
            labels = [walk.flow.flow.fields[name].label for name in self.mendable(walk)]
            walk.ask(Rich(walk.t("What shall we correct?")), tuple((Button(label),) for label in labels))
            return
        fields = [(walk.flow.flow.fields[name], walk.frame.values.get(name)) for name in self.fields]
        lines = [f"{field.label}: {walk.show(field, value)}" for field, value in fields if value is not None]
        body = Rich("\n".join([walk.t("Please check:"), *lines]))
        buttons = [Button(walk.t("All correct"))]
        if self.mendable(walk):
            buttons.append(Button(walk.t("Correct it")))
        walk.ask(body, tuple((button,) for button in buttons))

    def mendable(self, walk: Walk) -> list[str]:
        """Fields of the summary that this flow asks for."""
        return list(dict.fromkeys(name for name, _ in walk.node.mends))

    def hear(self, walk: Walk, heard: Heard) -> Refusal | None:
        if walk.frame.memory.get("choosing"):
            return self._hear_choice(walk, heard)
        labels = (walk.t("All correct"), walk.t("Correct it"))[: 2 if self.mendable(walk) else 1]
        found = match_option(heard, labels, (YES, NO)[: len(labels)])
        if found is None:
            return walk.refuse(True)
        walk.answered()
        if found == 0:
            walk.note("accepted", state=walk.frame.state)
            walk.go("next")
        elif len(self.mendable(walk)) == 1:
            self._mend(walk, self.mendable(walk)[0])
        else:
            walk.frame.memory["choosing"] = 1
            self.again(walk)
        return None

    def _hear_choice(self, walk: Walk, heard: Heard) -> Refusal | None:
        names = self.mendable(walk)
        found = match_option(heard, tuple(walk.flow.flow.fields[name].label for name in names))
        if found is None:
            return walk.refuse(True)
        walk.answered()
        walk.frame.memory.pop("choosing", None)
        self._mend(walk, names[found])
        return None

    def _mend(self, walk: Walk, name: str) -> None:
        """Go to the question that gave the answer, the first one when it came from elsewhere."""
        mends = walk.node.mends
        stored = walk.frame.asked.get(name)
        places = [n for n, (field, _) in enumerate(mends) if field == name]
        at = next((n for n in places if walk.flow.nodes[mends[n][1]].index == stored), places[0])
        walk.start_mending(name)
        walk.note("mend", field=name)
        walk.go(f"pick{at}")

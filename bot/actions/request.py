"""`request`: call a service of the config and wait for the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from bot.model import Action, Block
from bot.shapes import NAME_SHAPE, STEPS, VALUE, Key, MapOf, Reference
from bot.templates import Template
from core import effects
from core.events import CallDone
from core.locale import n_

if TYPE_CHECKING:
    from bot.engine.walk import Walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Action):
    """`call` is `service.call`; `missing` is 404 or an empty answer."""

    word: ClassVar[str] = "request"
    about: ClassVar[str] = n_("call a service of the config and wait for the answer")
    keys: ClassVar[tuple[Key, ...]] = (
        Key("request", "call", Reference("call"), required=True, about=n_("service.call of the config")),
        Key("with", "params", MapOf(NAME_SHAPE, VALUE), about=n_("what the call needs")),
        Key("save", "save", NAME_SHAPE, about=n_("the name of the answer")),
        Key("missing", "missing", STEPS, about=n_("what to do when there is nothing of the kind")),
        Key("failed", "failed", STEPS, about=n_("what to do when the service does not answer")),
    )
    call: str
    params: dict[str, Template] = field(default_factory=dict)
    save: str = ""
    missing: Block | None = None
    failed: Block | None = None

    def blocks(self) -> Iterator[tuple[str, Block]]:
        for event, block in (("missing", self.missing), ("failed", self.failed)):
            if block is not None:
                yield event, block

    def policies(self) -> Iterator[str]:
        if self.failed is None:
            yield "failed"

    def enter(self, walk: Walk) -> None:
        params = {name: walk.value(template) for name, template in self.params.items()}
        if walk.is_mending() and walk.done_before(params):
            walk.go("next")
            return
        service, _, call = self.call.partition(".")
        info = walk.book.deployment.services.get(service, {}).get(call)
        if info is None or not info.safe:
            walk.forget_back()
        walk.record("step_entered", flow=walk.frame.flow, step=walk.node.step)
        walk.frame.memory["params"] = params
        key = walk.wait_for_call()
        walk.effects.append(effects.Call(key, service, call, params))

    def again(self, walk: Walk) -> None:
        """Back from a digression: the answer may have come meanwhile."""
        if not walk.resume_call():
            self.enter(walk)

    def done(self, walk: Walk, result: CallDone) -> None:
        params = walk.frame.memory.pop("params", {})
        if result.status == "ok":
            if self.save:
                walk.frame.values[self.save] = {**self._empty(walk), **result.take}
            walk.done_now(params)
            walk.go("next")
        elif result.status == "missing" and self.missing is not None:
            walk.go("missing")
        else:
            walk.policy_failed()

    def _empty(self, walk: Walk) -> dict[str, Any]:
        """All names the call may give: an optional one that is absent is empty, not unknown."""
        service, _, call = self.call.partition(".")
        info = walk.book.deployment.services.get(service, {}).get(call)
        return dict.fromkeys(info.take) if info is not None else {}

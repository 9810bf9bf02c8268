"""Actions of the engine's own, which no YAML names: they join policy blocks to the steps they answer for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bot.model import Action
from core.effects import ToLine

if TYPE_CHECKING:
    from bot.engine.walk import Walk


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyHub(Action):
    """`yes`: the policy's block. `no`: inside the operator flow policies cannot recurse, so people are called."""

    word: ClassVar[str] = "policy"

    def enter(self, walk: Walk) -> None:
        walk.go("no" if walk.with_operator() else "yes")


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceHub(Action):
    """Leads to the stage of `policy.silence` that came due."""

    word: ClassVar[str] = "silence"

    def enter(self, walk: Walk) -> None:
        stage = walk.frame.memory.pop("stage", 0)
        calls = bool(walk.flow.policy.silence[stage].call)
        walk.go("no" if calls and walk.with_operator() else f"pick{stage}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Again(Action):
    """After `too_many`: back to the question, with fresh attempts. `picks` is state → number of the edge."""

    word: ClassVar[str] = "again"
    picks: dict[str, int]

    def enter(self, walk: Walk) -> None:
        state = walk.unstack("again")
        if state not in self.picks:
            walk.break_off("nothing to ask again")
            return
        walk.forgive(state)
        walk.frame.memory["force"] = state
        walk.go(f"pick{self.picks[state]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Onward(Action):
    """After `failed`: on with the step after the one that failed, or to the end when the whole flow had failed."""

    word: ClassVar[str] = "onward"
    picks: dict[str, int]

    def enter(self, walk: Walk) -> None:
        state = walk.unstack("onward")
        if state in self.picks:
            walk.go(f"pick{self.picks[state]}")
        else:
            walk.close(walk.frame.memory.get("outcome", walk.t("failed")), failed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelLine(Action):
    """The last resort: queue the client on the channel's own line."""

    word: ClassVar[str] = "handoff"
    line: str = ""

    def enter(self, walk: Walk) -> None:
        line = walk.facts.line
        walk.forget_back()
        if not line:
            walk.close(walk.t("nobody to help"), failed=True)
            return
        walk.record("handed", line=line)
        walk.note("handoff", line=line, why="policy inside the operator flow")
        walk.effects.append(ToLine(line=line, note=walk.summary(), run=walk.run.number))
        walk.rest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Off(Action):
    """The flow's last step ran off its end."""

    word: ClassVar[str] = "off"

    def enter(self, walk: Walk) -> None:
        walk.end(walk.t("finished"))

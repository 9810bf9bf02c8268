"""Silence: one timer per conversation, set with each question, void when the question is answered."""

from __future__ import annotations

from typing import Any

from bot.engine.runs import cancel_all
from bot.engine.walk import Walk
from bot.model import Silence
from core.effects import StartTimer, StopTimer
from core.events import TimerFired

KEY = "silence"


def set_timer(walk: Walk) -> None:
    """At the end of a step: a question sets the timer anew, a run that waits for nothing stops it."""
    run = walk.talk.run
    armed = bool(walk.talk.memory.get("timer"))
    if walk.asked and run is not None and run.question and walk.flow.policy.silence and not walk.mute:
        arm(walk, 0, walk.flow.policy.silence[0].after, True)
    elif armed and (run is None or not run.question or walk.asked):
        walk.talk.memory["timer"] = 0
        walk.effects.append(StopTimer(KEY))


def arm(walk: Walk, stage: int, seconds: float, from_delivery: bool) -> None:
    run = walk.run
    walk.talk.memory["timer"] = 1
    data = {"run": run.number, "question": run.question["id"], "stage": stage, "asked": walk.now.timestamp()}
    walk.effects.append(StartTimer(KEY, seconds, data, from_delivery))


def on_silence(walk: Walk, event: TimerFired) -> None:
    """The client has been silent. A timer of another question, or of a session people own, is void."""
    run = walk.talk.run
    data = event.data
    if walk.mute or run is None or run.number != data.get("run") or run.question.get("id") != data.get("question"):
        walk.note("void", timer=KEY)
        return
    stages = walk.flow.policy.silence
    stage = due_stage(walk, stages, data)
    if stage >= len(stages):
        return
    walk.talk.memory["timer"] = 0
    walk.record("silent", flow=walk.frame.flow, step=walk.node.step, stage=stage)
    walk.note("silence", stage=stage)
    act(walk, stages, stage, data)


def due_stage(walk: Walk, stages: tuple[Silence, ...], data: dict[str, Any]) -> int:
    """After a start only the latest overdue stage counts."""
    stage = int(data.get("stage", 0))
    if walk.facts.starting:
        passed = walk.now.timestamp() - float(data.get("asked", walk.now.timestamp()))
        while stage + 1 < len(stages) and stages[stage + 1].after <= passed:
            stage += 1
    return stage


def act(walk: Walk, stages: tuple[Silence, ...], n: int, data: dict[str, Any]) -> None:
    stage = stages[n]
    if stage.say is not None:
        walk.say(walk.rich(stage.say))
        if n + 1 < len(stages):
            arm_next(walk, n + 1, stages[n + 1].after - stage.after, data)
    else:
        move(walk, n)
        if stage.end:  # nobody is there to come back to
            cancel_all(walk, stage.end)


def move(walk: Walk, stage: int) -> None:
    """`end` and `call` move the run along its machine."""
    walk.stack("again", walk.frame.state)
    walk.frame.memory["stage"] = stage
    walk.run.question = {}
    walk.go("timeout")
    walk.advance()


def arm_next(walk: Walk, stage: int, seconds: float, data: dict[str, Any]) -> None:
    walk.talk.memory["timer"] = 1
    walk.effects.append(StartTimer(KEY, max(seconds, 0.0), {**data, "stage": stage}))

"""The state machine knows legal moves only."""

from __future__ import annotations

import pytest

from core.machine import Illegal, Machine

LAMP = Machine(["off", "on", "broken"], [("press", "off", "on"), ("press", "on", "off"), ("hit", "on", "broken")])


def test_moves() -> None:
    assert LAMP.fire("off", "press") == "on"
    assert LAMP.fire("on", "hit") == "broken"
    assert LAMP.target("on", "hit") == "broken"
    assert LAMP.target("off", "hit") is None


@pytest.mark.parametrize(("state", "event"), [("off", "hit"), ("broken", "press"), ("off", "sing")])
def test_illegal_moves_raise(state: str, event: str) -> None:
    with pytest.raises(Illegal, match=f"{event} from {state}"):
        LAMP.fire(state, event)


def test_a_state_named_like_code_is_only_a_name() -> None:
    machine = Machine(["os.system", "x"], [("subprocess.run", "os.system", "x")])
    assert machine.fire("os.system", "subprocess.run") == "x"

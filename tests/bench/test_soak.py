"""What the soak calls flat."""

from __future__ import annotations

from bench.soak import Sample, drift, early_and_late, judge


def lived(memory: list[float], files: int = 30, tasks: int = 12) -> list[Sample]:
    """A process that was never killed."""
    return [Sample(5.0 * n, 0, 0, 5.0 * n, value, files, tasks, 1.0) for n, value in enumerate(memory)]


def killed(memory: list[float]) -> list[Sample]:
    """A process that reached these values again and again, each time a little later in its life."""
    return [
        Sample(60.0 * life + age, 0, life, age, value + age / 100, 30, 12, 1.0)
        for life, value in enumerate(memory)
        for age in (30.0, 55.0)
    ]


def test_the_first_quarter_is_warming_up() -> None:
    assert early_and_late([1, 1, 10, 10, 10, 10, 12, 12]) == (10, 12)


def test_memory_that_stays_is_flat() -> None:
    memory, files, tasks = judge(lived([50, 90, 100, 100, 100, 100, 101, 102]), 0)
    assert (memory.holds, files.holds, tasks.holds) == (True, True, True)
    assert memory.measured == "100 → 102 MB"


def test_memory_that_grows_is_not() -> None:
    assert judge(lived([100, 100, 100, 100, 110, 110, 120, 120]), 0)[0].holds is False


def test_lives_are_compared_at_their_ends() -> None:
    assert drift(killed([100] * 8), lambda it: it.memory) == (100.55, 100.55)
    assert judge(killed([100, 100, 100, 100, 120, 120, 130, 140, 150]), 0)[0].holds is False
    assert "killed 7 times" in judge(killed([100] * 8), 0)[0].promise


def test_descriptors_that_leak_are_seen() -> None:
    samples = [Sample(n, 0, 0, n, 100, 30 + 10 * n, 12, 1.0) for n in range(8)]
    assert [bar.holds for bar in judge(samples, 0)] == [True, False, True]


def test_nobody_seen_is_nobody_judged() -> None:
    assert [bar.holds for bar in judge([], 0)] == [None, None, None]

"""Times that pytest-benchmark did not take itself: taken in turns, or in another process, and then entered into its statistics."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

_now = 0.0


def recorded_time() -> float:
    """The clock of a case whose times are entered: ``@pytest.mark.benchmark(timer=recorded_time)``."""
    return _now


def enter(benchmark: Any, seconds: Sequence[float]) -> None:
    """Make each of these times a round of the case.  Raises RuntimeError if the case has another clock than `recorded_time`."""
    rounds = iter(seconds)

    def start() -> None:
        global _now
        _now = 0.0

    def stop() -> None:
        global _now
        _now = next(rounds)

    benchmark.pedantic(stop, setup=start, rounds=len(seconds))
    if benchmark.enabled and list(benchmark.stats.stats.data) != list(seconds):
        raise RuntimeError("times were entered into a case without @pytest.mark.benchmark(timer=recorded_time)")


def in_turns(calls: Mapping[str, Callable[[], Any]], budget_seconds: float, least: int = 5) -> dict[str, list[float]]:
    """Time several calls in turns, each round beginning with the next of them, until the time is up.   -> name -> seconds of each round

    Whatever the machine does meanwhile it does to all of them.  Each is called once untimed before.
    """
    for call in calls.values():
        call()
    names, seconds = list(calls), {name: list[float]() for name in calls}
    end = time.perf_counter() + budget_seconds
    while time.perf_counter() < end or len(seconds[names[0]]) < least:
        for name in names:
            start = time.perf_counter()
            calls[name]()
            seconds[name].append(time.perf_counter() - start)
        names = names[1:] + names[:1]
    return seconds


def medians(seconds: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The median of each series, its name ending in its unit.   {"dense": [...]} -> {"dense_seconds": ...}"""
    return {f"{name}_seconds": median(values) for name, values in seconds.items()}

"""Clocks beside pytest-benchmark's own: one timed call, calls timed alternately, and times from elsewhere entered as rounds.

It imports nothing beyond NumPy: a program that times how long importing takes has imported this module before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

_now = 0.0


def timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """A function's value and the seconds that this one call took."""
    start = time.perf_counter()
    value = function(*arguments)
    return value, time.perf_counter() - start


def interleaved(
    calls: Mapping[str, Callable[[], Any]],
    budget_seconds: float,
    least_rounds: int = 5,
    before: Mapping[str, Callable[[], Any]] | None = None,
) -> dict[str, list[float]]:
    """Time several calls alternately until the budget is spent.   -> name -> seconds of each round

    A disturbance by the machine hits all of them alike.  Each round begins with the next call, and each call runs once untimed before
    the first round.  What is to be done ``before`` a call, under its name, is in no time; the budget is for both.
    """
    before = before or {}
    for name, call in calls.items():
        before.get(name, _nothing)()
        call()
    names, seconds = list(calls), {name: list[float]() for name in calls}
    end = time.perf_counter() + budget_seconds
    while time.perf_counter() < end or len(seconds[names[0]]) < least_rounds:
        for name in names:
            before.get(name, _nothing)()
            start = time.perf_counter()
            calls[name]()
            seconds[name].append(time.perf_counter() - start)
        names = names[1:] + names[:1]
    return seconds


BLOCKS, REST_SECONDS = 3, 0.1
"""Of `in_blocks`.  OpenBLAS's threads spin for 2^26 ticks of the processor after a call, some 0.03 s, before they sleep."""


def in_blocks(
    calls: Mapping[str, Callable[[], Any]],
    budget_seconds: float,
    before: Mapping[str, Callable[[], Any]] | None = None,
    rest_seconds: float = REST_SECONDS,
) -> dict[str, list[float]]:
    """As `interleaved`, but each call many times on end and then a rest, before the next call is timed; the rests are in no budget.

    For calls whose threads go on spinning after them: call by call, they would take the CPUs of the next one.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(BLOCKS):
        for name, call in calls.items():
            time.sleep(rest_seconds)
            seconds[name] += interleaved({name: call}, budget_seconds / (BLOCKS * len(calls)), before=before)[name]
    return seconds


def _nothing() -> None:
    """What is done before a call that nothing has to be done before."""


def medians(seconds: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The median of each series, its name ending in its unit.   {"dense": [...]} -> {"dense_seconds": ...}"""
    return {f"{name}_seconds": float(np.median(values)) for name, values in seconds.items()}


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

"""Numbers for people: three significant digits and a prefix.  The JSON keeps raw SI; rounding happens here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor, isclose, log10


def significant(value: float, digits: int = 3) -> str:
    """A number with this many significant digits, never with an exponent.   1234.5 -> '1,230'; 0.012345 -> '0.0123'; 0 -> '0'"""
    if value == 0:
        return "0"
    decimals = digits - 1 - floor(log10(abs(value)))
    rounded = round(value, decimals)
    # Rounding can add a digit: 0.9996 becomes 1.00, not 1.000.
    decimals = digits - 1 - floor(log10(abs(rounded)))
    return f"{rounded:,.{max(decimals, 0)}f}"


def seconds(value: float) -> str:
    """0.00123 -> '1.23 ms'"""
    rounded = float(f"{value:.3g}")  # first, as rounding can make 1,000 of 999.5
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if rounded * factor >= 1 - 1e-9:
            return f"{significant(rounded * factor)} {unit}"
    return f"{significant(rounded * 1e9)} ns"


def time_left(seconds: float, how: str) -> str:
    """'less than 1 min left', and from a minute on with a word in front.   170, 'about ' -> 'about 3 min left'"""
    return "less than 1 min left" if seconds < 60 else f"{how}{seconds / 60:.0f} min left"


def size(value: float) -> str:
    """Bytes, or a difference of bytes, with a binary prefix.   261624 -> '255 KiB'"""
    for factor, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if abs(value) >= factor:
            return f"{significant(value / factor)} {unit}"
    return f"{value:,.0f} B"


def flops_per_second(value: float) -> str:
    """1.31e10 -> '13.1 GFLOP/s'"""
    for factor, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= 0.9995 * factor:
            return f"{significant(value / factor)} {prefix}FLOP/s"
    return f"{significant(value)} FLOP/s"


def count(value: float) -> str:
    """1310160 -> '1,310,160'"""
    return f"{value:,.0f}"


def counted(number: int, noun: str) -> str:
    """1, 'epoch' -> '1 epoch'; 30, 'epoch' -> '30 epochs'; 2, 'process' -> '2 processes'"""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count(number)} {noun if number == 1 else plural}"


def percent(share: float) -> str:
    """0.9533 -> '95.3 %'"""
    return f"{100 * share:.1f} %"


def times(ratio: float, low: float | None = None, high: float | None = None) -> str:
    """A ratio, and its interval if it has one.   3.456 -> '3.46 x'; 3.456, 3.2, 3.71 -> '3.46 x [3.20, 3.71]'"""
    interval = "" if low is None or high is None else f" [{ratio_end(low)}, {ratio_end(high)}]"
    return f"{significant(ratio)} x{interval}"


def ratio_end(value: float) -> str:
    """An end of a ratio's interval, with as many digits as it takes not to look like 1: on which side of 1 it lies is what it is read for.

    1.0375 -> '1.04'; 1.0027 -> '1.003'; 1 -> '1.00'
    """
    return _beside(value, (1,), significant)


ROUNDING = 1e-9
"""The share by which two ratios may differ that are equal but for the rounding of floats."""


def fine_ratio(threshold: float) -> Unit:
    """A ratio of which the third decimal counts, and on which side it lies of this relative change, up or down.

    threshold 0.02: 1.0199 -> '1.0199'; 1.02 -> '1.020'; 1.0256 -> '1.026'
    """

    def show(value: float) -> str:
        return _beside(value, (1 + threshold, 1 / (1 + threshold)), lambda value, digits: f"{value:.{digits}f}")

    return Unit(show, show)


def _beside(value: float, others: Sequence[float], write: Callable[[float, int], str]) -> str:
    """A number with 3 digits, or as many more as it takes to see on which side of each of some others it lies."""
    digits = 3
    while digits < 15 and any(_side(float(write(value, digits).replace(",", "")), one) != _side(value, one) for one in others):
        digits += 1
    return write(value, digits)


def _side(value: float, other: float) -> int:
    """1 above the other, -1 below it, 0 where the two are equal."""
    return 0 if isclose(value, other, rel_tol=ROUNDING) else 1 if value > other else -1


def times_within(ratio: float, low: float, high: float) -> str:
    """A ratio whose interval stands behind it: it does not look like 1 where the interval leaves that out.   1.0044, 1.0041, 1.0047 -> '1.004 x'"""
    return f"{significant(ratio) if low <= 1 <= high else ratio_end(ratio)} x"


@dataclass(frozen=True)
class Unit:
    """How the values of one kind are written."""

    show: Callable[[float], str]
    """The value itself, with its sign of unit."""
    end: Callable[[float], str]
    """An end of the interval behind the value, where the sign of unit may be left out."""
    within: Callable[[float, float, float], str] | None = None
    """The value where its interval stands behind it, if that makes a difference."""


SECONDS = Unit(seconds, seconds)
MINUTES = Unit(lambda value: f"{value / 60:.1f} min", lambda value: f"{value / 60:.1f}")
"""Of seconds."""
BYTES = Unit(size, size)
EXACT_BYTES = Unit(count, count)
COUNT = Unit(count, count)
SHARE = Unit(percent, lambda share: f"{100 * share:.1f}")
POINTS = Unit(lambda share: f"{100 * share:+.1f}", lambda share: f"{100 * share:+.1f}")
"""A difference of two shares, in percentage points."""
RATIO = Unit(times, ratio_end, times_within)
CPUS = Unit(lambda cpus: f"{significant(cpus, 2)} CPUs", lambda cpus: significant(cpus, 2))
"""Processor time divided by the time that passed."""
SPEED = Unit(flops_per_second, flops_per_second)
NATS = Unit(lambda loss: f"{significant(loss)} nats", significant)
FINE_SHARE = Unit(lambda share: f"{100 * share:.2f} %", lambda share: f"{100 * share:.2f}")
"""A share near 0, of which the second decimal counts."""
FINE_POINTS = Unit(lambda share: f"{round(100 * share, 2) + 0.0:.2f} points", lambda share: f"{round(100 * share, 2) + 0.0:.2f}")
"""A small difference of two shares, or a spread of shares, of which the second decimal counts."""
BOUND = Unit(lambda share: f"{100 * share:g} %", lambda share: f"{100 * share:g}")
"""A share that was chosen, not measured: no digit more than it has."""

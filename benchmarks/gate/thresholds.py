"""Which change of a time counts: what stands behind --threshold, for all cases or for those that an expression selects."""

from __future__ import annotations

import math
from collections.abc import Sequence

from benchmarks.sessions import expressions
from lenet5.errors import InputError

DEFAULT = "2%"

Thresholds = tuple[tuple[str, float], ...]
"""Expressions as for ``pytest -k``, and the shares that count in the cases that they select: of several the last."""


def read(words: Sequence[str]) -> tuple[float, Thresholds]:
    """What several --threshold say.   ["5%", "predict and torch=0.03"] -> 0.05, (("predict and torch", 0.03),)

    Without a share for all cases that is `DEFAULT`.  Raises InputError, one line, for what is neither SHARE nor EXPR=SHARE.
    """
    everywhere, by_case = share(DEFAULT), dict[str, float]()
    for word in words:
        expression, separator, text = word.rpartition("=")
        found = share(text, word)
        if separator:
            selects(expression, "")
            by_case.pop(expression, None)  # the last counts, also of two that are alike
            by_case[expression] = found
        else:
            everywhere = found
    return everywhere, tuple(by_case.items())


def share(text: str, word: str = "") -> float:
    """A share, or a percentage.   "0.05" or "5%" -> 0.05

    Raises InputError, one line that names the ``word`` it is part of, unless it is above 0 and below 1.
    """
    number, percent, rest = text.partition("%")
    try:
        found = float(number) / (100 if percent else 1)
    except ValueError:
        found = math.nan
    if rest.strip() or not 0 < found < 1:
        hint = f"; {text} is {100 * found:g} %" if found >= 1 else ""
        raise InputError(f"--threshold {word or text}: expected a threshold above 0 and below 1, such as 0.05 or 5%{hint}")
    return found


def selects(expression: str, case: str) -> bool:
    """Whether an expression selects a case, as `expressions.selects` says.  Raises InputError, one line, for what is no expression."""
    try:
        return expressions.selects(expression, case)
    except expressions.Unreadable as error:
        raise InputError(
            f'--threshold "{expression}=...": no expression as for pytest -k ({error}), such as "predict and not torch=3%"'
        ) from None

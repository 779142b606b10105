"""Which change of a time counts: what stands behind --threshold, for all cases or for those that an expression selects."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

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
    """Whether an expression selects a case, as ``pytest -k`` would: by parts of its id in any case, with and, or, not and brackets.

    Raises InputError, one line, for what is no expression.
    """
    found = _Expression(expression, case.casefold())
    value = found.any_of()
    if found.tokens:
        raise found.error(f"unexpected {found.tokens[0]}")
    return value


class _Expression:
    """What is left of an expression while it is read from left to right; a method reads one rule of its grammar, and says if it is true."""

    def __init__(self, expression: str, case: str) -> None:
        self.text, self.case = expression, case
        self.tokens = re.findall(r"[()]|[^\s()]+", expression)

    def error(self, why: str) -> InputError:
        return InputError(
            f'--threshold "{self.text}=...": no expression as for pytest -k ({why}), such as "predict and not torch=3%"'
        )

    def any_of(self) -> bool:
        found = self.all_of()
        while self._comes("or"):
            found = self.all_of() or found
        return found

    def all_of(self) -> bool:
        found = self.one()
        while self._comes("and"):
            found = self.one() and found
        return found

    def one(self) -> bool:
        if self._comes("not"):
            return not self.one()
        if self._comes("("):
            found = self.any_of()
            if not self._comes(")"):
                raise self.error("a bracket is open")
            return found
        if not self.tokens or self.tokens[0] in ("and", "or", ")"):
            raise self.error("a name is missing")
        return self.tokens.pop(0).casefold() in self.case

    def _comes(self, token: str) -> bool:
        if self.tokens[:1] != [token]:
            return False
        del self.tokens[0]
        return True

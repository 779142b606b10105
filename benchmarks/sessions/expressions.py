"""Expressions as for ``pytest -k``, read before a process is started: whether one selects a case, and what is wrong with it."""

from __future__ import annotations

import re

from lenet5.errors import InputError


class Unreadable(ValueError):
    """Why a text is no expression, in a few words."""


def selects(expression: str, case: str) -> bool:
    """Whether an expression selects a case, as ``pytest -k`` would: by parts of its id in any case, with and, or, not and brackets.

    Raises Unreadable for what is no expression.
    """
    found = _Expression(expression, case.casefold())
    value = found.any_of()
    if found.tokens:
        raise Unreadable(f"unexpected {found.tokens[0]}")
    return value


def check(expression: str | None) -> None:
    """Raise InputError, one line, for a text behind -k that no pytest can read.  One that is empty selects everything."""
    try:
        if expression and not expression.isspace():
            selects(expression, "")
    except Unreadable as error:
        raise InputError(f'-k {expression}: no expression as for pytest -k ({error}), such as "predict and not torch"') from None


class _Expression:
    """What is left of an expression while it is read from left to right; a method reads one rule of its grammar, and says if it is true."""

    def __init__(self, expression: str, case: str) -> None:
        self.case = case
        self.tokens = re.findall(r"[()]|[^\s()]+", expression)

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
                raise Unreadable("a bracket is open")
            return found
        if not self.tokens or self.tokens[0] in ("and", "or", ")"):
            raise Unreadable("a name is missing")
        return self.tokens.pop(0).casefold() in self.case

    def _comes(self, token: str) -> bool:
        if self.tokens[:1] != [token]:
            return False
        del self.tokens[0]
        return True

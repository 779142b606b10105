"""Literals that a file says of itself, read from its source without importing it, and checked: a wrong one is one line that names the file.

Unchecked, a wrong literal becomes nonsense far from its cause: a text where a tuple of texts is wanted is taken for its letters.  Nothing here
loads more than the standard library.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

from lenet5.errors import InputError

Rule = Callable[[Any], str]
"""What would be right instead of a value: a few words for a message; "" if the value is right."""


def parsed(file: str, source: bytes) -> ast.Module:
    """The syntax tree of a file's source.  Raises InputError where it is none of Python's."""
    try:
        return ast.parse(source)
    except SyntaxError as error:
        raise InputError(f"{file}, line {error.lineno or 1}: {error.msg}; mend it or take the file away") from None
    except ValueError as error:  # of a null byte, before Python 3.12
        raise InputError(f"{file}: {error}; mend it or take the file away") from None


def assigned(statements: Iterable[ast.stmt]) -> dict[str, ast.expr]:
    """Name -> what is assigned to it by these statements, the last one; an annotation alone assigns nothing."""
    found: dict[str, ast.expr] = {}
    for statement in statements:
        if isinstance(statement, ast.Assign):
            found.update({target.id: statement.value for target in statement.targets if isinstance(target, ast.Name)})
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
            found[statement.target.id] = statement.value
    return found


def is_literal(source: ast.expr) -> bool:
    """Whether an expression is written out, so that its value can be read."""
    try:
        ast.literal_eval(source)
    except (ValueError, TypeError):  # a TypeError of a list as a key
        return False
    return True


def checked(file: str, name: str, source: ast.expr, rule: Rule, where: str = "") -> Any:
    """The value of a literal.  Raises InputError unless it is one, and right."""
    if not is_literal(source):
        raise InputError(f"{file}: {name} = {ast.unparse(source)}{where} is not a literal; write the value out")
    value = ast.literal_eval(source)
    if right := rule(value):
        raise InputError(f"{file}: {name} is {value!r}; {right}")
    return value


def text(example: str) -> Rule:
    """Some text."""
    return lambda value: "" if isinstance(value, str) and value else f"use a string, such as {example!r}"


def texts(example: str, fits: Callable[[str], bool] = bool, what: str = "no empty one", least: int = 0) -> Rule:
    """A tuple of strings that fit, each once; ``what`` says in a message which do."""

    def right(value: Any) -> str:
        if not isinstance(value, tuple) or len(value) < least or not all(isinstance(each, str) for each in value):
            return f"use a tuple of strings, such as {_as_tuple(value) or (example,)!r}"
        if not all(map(fits, value)):
            return f"use {what}, such as {(example,)!r}"
        return "use each once" if len({*value}) < len(value) else ""

    return right


def _as_tuple(value: Any) -> tuple[str, ...]:
    """The tuple that was probably meant."""
    meant = (value,) if isinstance(value, str) else value
    return tuple(meant) if isinstance(meant, (list, tuple)) and all(isinstance(each, str) and each for each in meant) else ()


def text_by_text(example: dict[str, str]) -> Rule:
    """A dict of string to string."""

    def right(value: Any) -> str:
        both = [*value, *value.values()] if isinstance(value, dict) else [None]
        return (
            "" if all(isinstance(each, str) and each for each in both) else f"use a dict of string to string, such as {example!r}"
        )

    return right


def packages(example: str) -> Rule:
    """A tuple of packages, by the names that an import statement has for them: under another one no package is ever found."""
    return texts(example, lambda each: all(map(str.isidentifier, each.split("."))), "names as they are imported")


def variables(example: str) -> Rule:
    """A tuple of environment variables."""
    return texts(example, str.isidentifier, "names of environment variables")

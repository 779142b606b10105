"""The line that gives a command its options again: printed to go on after an interruption, and kept beside what was counted."""

from __future__ import annotations

import argparse
import shlex
from typing import Any


def command_line(options: argparse.Namespace, **changed: Any) -> str:
    """The shell command that parses to these options, but for those that are ``changed`` (by their names in the namespace).

    ``options.parser`` is the parser that they come from, ``options.pytest`` what stands behind ``--`` if the command runs pytest.
    """
    return shlex.join([*options.parser.prog.split(), *words(options, **changed)])


def words(options: argparse.Namespace, **changed: Any) -> list[str]:
    """The same behind the command's name, word by word."""
    values = {**vars(options), **changed}
    found = [word for action in options.parser._actions for word in _words(action, values.get(action.dest))]
    behind = values.get("pytest", ())
    return [*found, *(["--", *behind] if behind else [])]


def _words(action: argparse.Action, value: Any) -> list[str]:
    """One option with its value, once for each value of a list; nothing for an option that is off or was not given."""
    if value is None or value is False:
        return []
    if not action.option_strings:
        return list(map(str, value))
    if isinstance(value, list):
        return [word for one in value for word in _words(action, one)]
    option = action.option_strings[-1]
    if value is True:
        return [option]
    joined = option.startswith("--") or str(value).startswith("-")  # as two words, the value would be taken for an option
    return [f"{option}={value}"] if joined else [option, str(value)]

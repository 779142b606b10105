"""What is raised where the fault lies outside this code: bad input, an absent package, a device or a task out of reach.

These live in a module of their own, which loads nothing but the standard library: the report and the gate, which know no network, raise
`InputError` too.
"""

from __future__ import annotations


class InputError(ValueError):
    """Input from outside is wrong: one line that names it, its value and what would be right.

    The message stays on one line for any name and value in it: characters that do not print are written as escapes.
    """

    def __init__(self, message: str) -> None:
        super().__init__("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in message))


class NotSupported(InputError):
    """This framework or mode cannot do what was asked, on any machine or on this one; others can."""


class NoDevice(NotSupported):
    """The device that was asked for is out of this framework's reach: on this machine, or at all."""


class NotHonoured(RuntimeError):
    """A network did not compute as its mode's name, or the contract, says: no number of it would be what it is called."""


class NotInstalled(ImportError):
    """A framework (or a compiler that one of its modes needs) is not on this machine."""


def shown(value: object) -> str:
    """A value as it stands in a message: as it is if it prints on one line, else in quotes with escapes."""
    return str(value) if str(value).isprintable() else repr(str(value))


def reason(error: Exception) -> str:
    """What an exception of another library says, on one line."""
    return shown(getattr(error, "strerror", None) or str(error) or type(error).__name__)

"""The commands beside pytest.  Each room has its own in a module ``command``; here they are put together."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from benchmarks.report.printing import unexpected
from benchmarks.saved.provenance import PROJECT, ROOT
from benchmarks.sessions.signals import handle, restore
from lenet5.errors import INTERRUPTED, InputError, complain, finish, prepare

# No room is imported here that needs more than the standard library: an import that fails would end Python with 1, which says "slower".
# A Python that is too old for the rest ends at the first import of lenet5.errors, with 2.

DESCRIPTION = """\
What can be done beside `pytest benchmarks`, which measures in one process:
measure in many, render what was saved, compare two versions of the code, and
count how often intervals and verdicts are wrong."""

EXAMPLES = """\
examples:
  python -m benchmarks run -k predict
  python -m benchmarks gate --base origin/main
  python -m benchmarks report

python -m benchmarks COMMAND --help says more about a command."""


class Parser(argparse.ArgumentParser):
    """Its errors are one line, and its texts keep their lines."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "formatter_class": argparse.RawDescriptionHelpFormatter, "add_help": False})
        self.add_argument("-h", "--help", action="help", help="Print this help and exit.")

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


CANNOT = 2
"""The exit code where what was asked cannot be done.  Python's own for an exception is 1, which is a gate's "slower"."""

GATE_NEEDS = ("numpy", "scipy", "tqdm", "pytest")
"""What the gate of another project imports beside the standard library, if its sides have interpreters of their own."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command: 0 if it did what was asked, 1 if a case failed, 2 if what was asked cannot be done, 130 if interrupted.

    A verdict is 1 if head is slower and 3 if that is undecided.
    """
    prepare()
    before = handle(_interrupt)  # SIGTERM too: what a command has begun to write, and its temporary folders, go with it
    try:
        options = _going_on(parse(sys.argv[1:] if arguments is None else arguments))
        return int(options.function(options))
    except InputError as error:
        complain(str(error))
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except Exception as error:
        complain(unexpected(error, f", for the gate of another project pip install {' '.join(GATE_NEEDS)}"))
    finally:
        restore(before)
        finish()
    return CANNOT


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _going_on(options: argparse.Namespace) -> argparse.Namespace:
    """The options of a command; with --resume what it was asked for when it began is among them."""
    from benchmarks.sessions.asked import as_it_began

    return as_it_began(options) if getattr(options, "resume", False) else options


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of a command; if it runs pytest, ``pytest`` are those behind ``--``, and ``typed`` the words before it.

    Ends the program with a line if they are wrong.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    ours, behind = list(arguments[:end]), tuple(arguments[end + 1 :])
    options, unknown = _parser().parse_known_args(ours)
    runs_pytest = hasattr(options, "pytest")
    if unknown and runs_pytest and unknown[0].startswith("-"):
        right = shlex.join(["python", "-m", "benchmarks", *_without(ours, unknown), "--", *unknown, *behind])
        options.parser.error(f"{shlex.join(unknown)}: unknown here; if it is an option of pytest, it belongs behind --: {right}")
    if unknown:
        options.parser.error(f"unrecognized arguments: {shlex.join(unknown)}")
    if runs_pytest:
        options.pytest, options.typed = behind, ours[1:]
    elif behind:
        options.parser.error(f"runs no pytest; leave out -- {shlex.join(behind)}")
    return options


def _without(words: Sequence[str], unknown: Sequence[str]) -> list[str]:
    """All words but the unknown ones; both are in the order of the command line."""
    left = list(unknown)
    return [word for word in words if not (left and word == left[0] and left.pop(0))]


def _parser() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = Parser(prog="python -m benchmarks", description=DESCRIPTION, epilog=EXAMPLES)
    parser.add_argument("--version", action="version", version=f"{PROJECT} {_version()}", help="Print the version and exit.")
    parser.set_defaults(function=_help, parser=parser)
    from benchmarks.gate import bisect_command as bisect
    from benchmarks.gate import command as gate
    from benchmarks.gate import verdict_command as verdict
    from benchmarks.proof import command as proof
    from benchmarks.report import command as report
    from benchmarks.report.history import command as history
    from benchmarks.sessions import command as sessions
    from benchmarks.sessions import commits_command as commits

    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    sessions.add(commands, show=report.show)
    commits.add(commands)
    report.add(commands)
    history.add(commands)
    gate.add(commands)
    verdict.add(commands)
    bisect.add(commands)
    proof.add(commands)
    return parser


def _help(options: argparse.Namespace) -> int:
    options.parser.print_help()
    return 0


def _version() -> str:
    """The project's version.  These commands run from its folder, so its own file says it."""
    found = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else "unknown"


if __name__ == "__main__":
    sys.exit(main())

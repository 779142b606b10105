"""The commands of the package: train a network on images, predict with it, look at it.  Each is a module ``command_...``."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any, NoReturn

from lenet5.errors import INTERRUPTED, TRACEBACK, InputError, NotInstalled, complain, finish, prepare
from lenet5.packages import imported

# No command is imported here: they need NumPy, and where that is absent one line says so.

PROGRAM = "python -m lenet5"

DESCRIPTION = "LeNet-5 without the harness: train it on images, predict with it, look at it."

EXAMPLES = """\
examples:
  python -m lenet5 train imagefolder:photos --epochs 12 --save net.safetensors
  python -m lenet5 predict net.safetensors photo.jpg
  python -m lenet5 show net.safetensors

python -m lenet5 COMMAND --help says more about a command."""

COMMANDS = ("train", "predict", "show")

CANNOT = 2


class Parser(argparse.ArgumentParser):
    """Its errors are one line, and its texts keep their lines."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "formatter_class": argparse.RawDescriptionHelpFormatter, "add_help": False})
        self.add_argument("-h", "--help", action="help", help="Print this help and exit.")

    def error(self, message: str) -> NoReturn:
        self.exit(CANNOT, f"{InputError(f'{self.prog}: {message}')}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command: 0 if it did what was asked, 2 if that cannot be done, 130 if interrupted."""
    prepare()
    try:
        options = parse(arguments)
        return int(options.function(options))
    except (InputError, NotInstalled) as error:
        complain(error)
    except KeyboardInterrupt:
        complain("interrupted")
        return INTERRUPTED
    except Exception as error:
        if os.environ.get(TRACEBACK):
            traceback.print_exception(error)
        what = f"internal error: {type(error).__name__}: {error}"
        complain(f"{what}; please report it ({TRACEBACK}=1 shows where)")
    finally:
        finish()
    return CANNOT


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of a command.  Ends the program with a line if they are wrong; raises NotInstalled where a package is absent that all need."""
    parser: argparse.ArgumentParser = Parser(prog=PROGRAM, description=DESCRIPTION, epilog=EXAMPLES)
    parser.set_defaults(function=_help, parser=parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name in COMMANDS:
        imported(PROGRAM, f"lenet5.command_{name}").add(commands)
    return parser.parse_args(arguments)


def _help(options: argparse.Namespace) -> int:
    options.parser.print_help()
    return 0


if __name__ == "__main__":
    sys.exit(main())

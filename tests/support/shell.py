"""What a shell script would run, found by running it in bash with programs that only write down their words.

Loops, variables, braces and continued lines are bash's own work, so that nothing of a shell is imitated here.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.support.copies import PROJECT

PROGRAMS = ("python", "python3", "pip", "pytest", "pytest-benchmark", "tox", "ruff", "mypy", "pre-commit", "git", "dask")

STAND_IN = """#!{bash}
printf '%s\\037' "$0" "$@" >>'{calls}'
printf '\\n' >>'{calls}'
"""


def commands(script: str, folder: Path) -> list[list[str]]:
    """The words of every program that a script starts, in order; ``folder`` is empty.  Raises ValueError where bash stops.

    It stops at a mistake in the script and at a program that is neither one of PROGRAMS nor a script of .ci.
    """
    bash, calls = shutil.which("bash"), folder / "calls"
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "activate").touch()
    calls.touch()
    own = [f".ci/{path.name}" for path in (PROJECT / ".ci").iterdir()]
    _write((folder / name for name in (*(f"bin/{name}" for name in PROGRAMS), *own)), STAND_IN.format(bash=bash, calls=calls))

    done = subprocess.run(
        [str(bash), "-eu", "-c", script],
        cwd=folder,
        env={"PATH": str(folder / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ValueError(f"bash ends with {done.returncode} ({done.stderr.strip()}) in\n{script}")
    found = [line.split("\037")[:-1] for line in calls.read_text(encoding="utf-8").splitlines()]
    return [[name.removeprefix(f"{folder}/bin/"), *words] for name, *words in found]


def _write(paths: Iterable[Path], text: str) -> None:
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

"""What a number depends on beside the machine: the code that was measured, and the versions of what it stands on."""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = "lenet5-benchmarks"
CODE = (
    "conftest.py",
    "benchmarks/*.py",
    "benchmarks/arrange/**/*.py",
    "benchmarks/isolated/**/*.py",
    "benchmarks/sessions/baton.py",
    "lenet5/**/*.py",
)
"""What a time can depend on.  The other rooms only read what was measured: they may change between two processes of a run."""

READER = "benchmarks/__main__.py"
"""Likewise."""

NO_MEASURING = re.compile(r"""extra == ['"](test|dev|cluster)['"]""")
"""What a requirement says in the project's metadata that tests, linters and a cluster alone need."""


def code_sha256(project: Path = ROOT) -> str:
    """One digest of every file of a project that a time can depend on: names and contents."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in CODE for path in project.glob(pattern)):
        if path == project / READER:
            continue
        content = path.read_bytes()
        digest.update(f"{path.relative_to(project).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def packages() -> list[str]:
    """The packages that measuring needs or can use; none where this project is not installed."""
    try:
        requirements = metadata.requires(PROJECT) or []
    except metadata.PackageNotFoundError:
        requirements = []
    names = {match[0] for match in (re.match(r"[\w.-]+", line) for line in requirements if not NO_MEASURING.search(line)) if match}
    return sorted(names - {PROJECT})  # an extra of the project's can name others of its own


def versions(names: Sequence[str] | None = None) -> dict[str, str]:
    """Python's version and that of every one of `packages`, or of these, that this environment has.  Imports none of them."""
    found = {"python": platform.python_version()}
    for name in packages() if names is None else names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found

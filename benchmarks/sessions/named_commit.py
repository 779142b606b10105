"""A plug-in of pytest: a saved file names a commit only if that holds the code that was measured, and why it names none is said.

pytest-benchmark names that of whatever repository the working directory lies in, and says nothing where git refuses.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.saved.provenance import ROOT
from benchmarks.sessions import worktrees

NO_COMMIT = {"id": "unversioned", "time": None, "author_time": None, "dirty": False, "branch": "(unknown)"}
"""As the plug-in has it where there is no repository."""


class NamedCommit:
    """What is done when the plug-in has found a commit, and at the session's end."""

    def __init__(self, code: Path = ROOT / "lenet5") -> None:
        self._code = code.resolve()
        self._why = ""
        """Why git names no commit."""

    @pytest.hookimpl(wrapper=True)
    def pytest_benchmark_generate_commit_info(self) -> Generator[None, dict[str, Any], dict[str, Any]]:
        found = yield
        here = Path()
        if "error" in found:
            self._why = worktrees.refusal(worktrees.git(here, "describe", "--always")) or str(found["error"])
            return {**found, "error": self._why}
        # What was unpacked within somebody else's repository is in none of its commits.
        return {**found, **NO_COMMIT} if found.get("time") and not worktrees.holds(here, self._code) else found

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._why:
            terminalreporter.write_line(f"The commit is unknown: {self._why}", red=True)

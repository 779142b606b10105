"""A plug-in of pytest that leaves out cases by their exact ids: ``--deselect`` leaves out every case whose id begins alike, too.

The ids come in a file, for a command line could be too short for them.

This file needs nothing but pytest: it is given to processes that run whatever code.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

PLUGIN = "lenet5_left_out"
VARIABLE = "LENET5_LEFT_OUT"
"""Tells a process the file with the ids, a list in JSON."""


class LeftOut:
    """Leaves out the cases with these ids."""

    def __init__(self, ids: Collection[str]) -> None:
        self._ids = frozenset(ids)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        if left_out := [item for item in items if item.nodeid in self._ids]:
            items[:] = [item for item in items if item.nodeid not in self._ids]
            config.hook.pytest_deselected(items=left_out)


def pytest_configure(config: pytest.Config) -> None:
    """Read the ids.  No process that this one starts leaves anything out."""
    if file := os.environ.pop(VARIABLE, None):
        config.pluginmanager.register(LeftOut(json.loads(Path(file).read_text(encoding="utf-8"))), "lenet5-left-out")


# The side of the process that starts such processes


def variables(ids: Collection[str], environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The environment of a process that leaves these cases out, from what it would be otherwise.

    The plug-in and the ids are put into a folder of their own inside ``folder``.
    """
    home = folder / "left-out"
    home.mkdir()
    shutil.copyfile(__file__, home / f"{PLUGIN}.py")
    (home / "ids.json").write_text(json.dumps(sorted(ids)), encoding="utf-8")
    path = os.pathsep.join([*filter(None, [environment.get("PYTHONPATH")]), str(home)])
    plugins = ",".join([*filter(None, [environment.get("PYTEST_PLUGINS")]), PLUGIN])
    return {**environment, "PYTHONPATH": path, "PYTEST_PLUGINS": plugins, VARIABLE: str(home / "ids.json")}

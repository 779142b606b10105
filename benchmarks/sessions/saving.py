"""A plug-in of pytest: what a session measures is saved whole, or there is one line.  Whether it can be saved is tried before it is measured.

pytest-benchmark opens its files when all is measured, writes over what was there, and leaves half of it behind on a full disk.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.storage.file import FileStorage
from pytest_benchmark.utils import safe_dumps

from benchmarks.saved.files import check_writable, write_whole
from benchmarks.sessions.stops import measures
from lenet5.errors import InputError, reason

JSON, STORAGE = "--benchmark-json", "--benchmark-storage"
SAVED = "*/*.json"
"""What pytest-benchmark keeps in its storage: a folder a platform."""


class Saving:
    """What is done before a session measures, and when it saves."""

    def __init__(self) -> None:
        self._before: set[Path] = set()
        """What the storage held."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        if measures(session):
            plugin = session.config._benchmarksession  # type: ignore[attr-defined]
            try:
                for option, path in _places(plugin):
                    check_writable(path, option)
            except InputError as error:
                pytest.exit(str(error), returncode=2)
            self._before = set(_stored(plugin))
            plugin.save_json = lambda document: _save_json(plugin, document)
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        try:
            return (yield)
        except InputError as error:
            line = str(error)
        except OSError as error:
            line = f"{error.filename or session.config._benchmarksession.storage}: cannot be written ({reason(error)}); name another {STORAGE}"  # type: ignore[attr-defined]
            for path in {*_stored(session.config._benchmarksession)} - self._before:  # type: ignore[attr-defined]
                if not _is_whole(path):
                    path.unlink()
        pytest.exit(f"Nothing is saved: {line}", returncode=2)


def _places(plugin: Any) -> Iterator[tuple[str, Path]]:
    """The option and the path of each file that a session will write."""
    if plugin.json:
        yield JSON, Path(plugin.json)
    if (plugin.save or plugin.autosave) and isinstance(plugin.storage, FileStorage):
        yield STORAGE, plugin.storage.path / str(plugin.machine_id) / "0001.json"


def _stored(plugin: Any) -> list[Path]:
    """The saved runs in the session's storage; none where that is a data base."""
    return list(plugin.storage.path.glob(SAVED)) if isinstance(plugin.storage, FileStorage) else []


def _save_json(plugin: Any, document: Any) -> None:
    """In place of the plug-in's own, which begins by emptying the file that is there."""
    text = safe_dumps(document, ensure_ascii=True, indent=4)  # type: ignore[no-untyped-call]
    write_whole(Path(os.path.realpath(plugin.json)), text, JSON)
    plugin.logger.info(f"Wrote benchmark data in: {plugin.json}", purple=True)


def _is_whole(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    return True

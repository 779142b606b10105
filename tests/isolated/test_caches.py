"""Each session has empty folders of its own for compiled code, where the user has code loaded from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.isolated import caches
from lenet5 import InputError

COMPILED, *OTHERS = caches.variables()


@pytest.fixture(autouse=True)
def _variables(monkeypatch, tmp_path):
    monkeypatch.setenv(COMPILED, str(tmp_path / "theirs" / "of mine"))
    for variable in OTHERS:
        monkeypatch.delenv(variable, raising=False)


def test_in_the_users_folder(tmp_path):
    """They are made in there, empty, and go without leaving anything."""
    made = caches.own_folder()
    assert Path(made.name).parent == tmp_path / "theirs" / "of mine"
    assert [os.listdir(os.environ[variable]) for variable in caches.variables()] == [[]] * (1 + len(OTHERS))
    assert {Path(os.environ[variable]).parent for variable in caches.variables()} == {Path(made.name)}
    made.cleanup()
    assert os.listdir(tmp_path / "theirs" / "of mine") == []


@pytest.mark.parametrize("said", [None, ""])
def test_in_the_systems_folder(monkeypatch, tmp_path, said):
    """Where the user says nothing, the system says where."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv(COMPILED)
    if said is not None:
        monkeypatch.setenv(COMPILED, said)
    assert caches.place() is None
    with caches.own_folder() as made:
        assert Path(made).parent == tmp_path
        assert Path(caches.place()).parent == Path(made)


def test_nowhere(tmp_path):
    """A place where there can be no folder is one line that names the variable."""
    (tmp_path / "theirs").touch()
    with pytest.raises(InputError, match=rf"^{COMPILED}: no folder can be made there \(.+\); set it to a place where one can$"):
        caches.own_folder()

"""What several tests of sessions share: a repository of a project that costs nothing, and a folder for temporary files."""

from __future__ import annotations

import tempfile

import pytest

from tests.support import fake_project
from tests.support.fake_project import commit


@pytest.fixture
def own_temporary_folder(tmp_path, monkeypatch):
    """What a comparison leaves for a while lies in a folder of this test's own."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))


@pytest.fixture
def repository(tmp_path):
    """Two commits, in which the case "one" takes 1 ms and 2 ms."""
    project = fake_project.write(tmp_path / "project", {"one": 1e-3})
    commit(project, "first")
    fake_project.write(project, {"one": 2e-3})
    commit(project, "second")
    return project

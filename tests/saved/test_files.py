"""A file is written whole or not at all."""

from __future__ import annotations

import pytest

from benchmarks.saved.files import write_whole
from lenet5 import InputError


def test_nothing_is_left(tmp_path):
    """Where the place is taken by a folder, one line names the option, and no half of a file stays behind."""
    (tmp_path / "report.html").mkdir()

    with pytest.raises(InputError, match=r"^\S+: cannot be written \(.+\); name another --plots$"):
        write_whole(tmp_path / "report.html", "text", "--plots")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]

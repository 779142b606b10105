"""Cases are left out by their exact ids, whatever is in them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from benchmarks.sessions import left_out

CASES = """
import os

import pytest

ODD = ("10", "1] x", "a b", "x::y", "[", "é", "\\\\", "-k", "'", "$HOME")


def test_parse():
    assert "LENET5_LEFT_OUT" not in os.environ


def test_parse_n_more():
    pass


@pytest.mark.parametrize("n", ODD)
def test_parse_n(n):
    pass


@pytest.mark.parametrize("n", range(int(os.environ.get("MANY", 0))))
def test_many(n):
    pass


class TestParse:
    def test_parse(self):
        pass
"""


@pytest.fixture
def ran(tmp_path):
    """ran(ids, **variables) -> the ids of the cases that run without these, and what pytest says last."""
    (tmp_path / "test_odd.py").write_text(CASES)
    (tmp_path / "pytest.ini").write_text("[pytest]\ndisable_test_id_escaping_and_forfeit_all_rights_to_community_support = true\n")
    usual = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}

    def run(ids, **variables):
        scratch = tmp_path / f"scratch-{len(list(tmp_path.iterdir()))}"
        scratch.mkdir()
        environment = {**usual, **variables, "PYTHONUTF8": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-vv", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "test_odd.py"],
            cwd=tmp_path,
            env=left_out.variables(ids, environment, scratch) if ids else environment,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        lines = done.stdout.splitlines()
        return [line.rpartition(" PASSED")[0] for line in lines if " PASSED" in line], lines[-1]

    return run


@pytest.mark.slow
def test_each_alone(ran):
    """Of cases whose ids begin with each other's, or hold brackets, spaces, colons and letters of any kind, only the one that was meant goes."""
    everything, _ = ran([])
    assert len(everything) == 13
    for node_id in everything:
        left, last = ran([node_id])
        assert left == [other for other in everything if other != node_id]
        assert "1 deselected" in last


def test_very_many(ran):
    """More ids than a command line can hold; one that is of no case does nothing."""
    ids = [f"test_odd.py::test_many[{n}]" for n in range(1, 4000)]
    left, last = ran([*ids, f"test_odd.py::test_many[{'x' * 3_000_000}]"], MANY="4000")
    assert [node_id for node_id in left if "many" in node_id] == ["test_odd.py::test_many[0]"]
    assert "3999 deselected" in last

"""The file of accepted changes: each line is understood, or named with its number."""

from __future__ import annotations

import pytest

from benchmarks.report.history import accepted
from benchmarks.report.history.accepted import Accepted, read
from lenet5 import InputError

CASE = "benchmarks/test_predict.py::test_predict[numpy-fused-batch64]"


def test_lines(tmp_path):
    """Case, commit and reason; what begins with # and blank lines say nothing."""
    path = tmp_path / "accepted.txt"
    path.write_text(f"# why\n\n{CASE}   67FA1DC views are made once\n* 0eaba4e1 tests/a b[c d] is slower\n", encoding="utf-8")
    assert read(path) == [
        Accepted(f"{path}:3", CASE, "67fa1dc", "views are made once"),
        Accepted(f"{path}:4", "*", "0eaba4e1", "tests/a b[c d] is slower"),
    ]


def test_a_case_with_spaces(tmp_path):
    """The commit is the first word of seven digits or more behind it."""
    path = tmp_path / "accepted.txt"
    path.write_text("tests/a.py::test[x and y] 67fa1dcc because abcdef0 says so\n", encoding="utf-8")
    (one,) = read(path)
    assert (one.case, one.commit, one.reason) == ("tests/a.py::test[x and y]", "67fa1dcc", "because abcdef0 says so")


@pytest.mark.parametrize("line", [CASE, f"{CASE} 67fa1dc", f"{CASE} 67fa1 short", f"{CASE} later because", "67fa1dc because"])
def test_a_wrong_line(tmp_path, line):
    """File, number and what would be right, in one line."""
    path = tmp_path / "accepted.txt"
    path.write_text(f"# first\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"accepted\.txt:2: .*expected CASE COMMIT REASON") as error:
        read(path)
    assert "\n" not in str(error.value)


def test_twice(tmp_path):
    """The second line is named, and the first."""
    path = tmp_path / "accepted.txt"
    path.write_text(f"{CASE} 67fa1dc one\n{CASE} 67fa1dc other\n", encoding="utf-8")
    with pytest.raises(InputError, match=r":2: accepts again what .*:1 accepts"):
        read(path)


def test_no_file(tmp_path, monkeypatch):
    """One that was named has to be there; the one in docs need not."""
    monkeypatch.chdir(tmp_path)
    assert read(None) == []
    with pytest.raises(InputError, match=r"--accepted nosuch\.txt"):
        read(tmp_path.relative_to(tmp_path) / "nosuch.txt")
    (tmp_path / "docs").mkdir()
    (tmp_path / accepted.FILE).write_text(f"{CASE} 67fa1dc one\n", encoding="utf-8")
    assert len(read(None)) == 1


def test_what_it_holds_for():
    """That case, or all; a commit that begins so."""
    one = Accepted("a:1", CASE, "67fa1dc", "why")
    assert one.holds(CASE, "67fa1dc" + 33 * "0")
    assert not one.holds(CASE, "67fa1dd" + 33 * "0")
    assert not one.holds("other", "67fa1dc" + 33 * "0")
    assert not one.holds(CASE, "")
    assert Accepted("a:1", "*", "67fa1dc", "why").holds("other", "67fa1dc" + 33 * "0")

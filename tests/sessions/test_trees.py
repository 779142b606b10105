"""Two folders have the same word exactly if they hold the same code."""

from __future__ import annotations

import os

import pytest

from benchmarks.sessions import trees
from tests.support.fake_project import commit, git
from tests.support.rows import one_quick


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "project"
    (folder / "package").mkdir(parents=True)
    (folder / "package" / "one.py").write_text("1")
    (folder / "README.md").write_text("words")
    (folder / ".gitignore").write_text("*.so\n_version.py\n__pycache__/\n.venv/\n*.log\n")
    commit(folder, "first")
    return folder


def word(folder):
    return trees.tree_of_checkout(folder, git(folder, "rev-parse", "HEAD"))


@pytest.mark.parametrize("ignored", [True, False], ids=["ignored by git", "not ignored"])
def test_a_clean_checkout(checkout, ignored):
    """It has git's name for the tree of its commit, whatever a gate, an interpreter or an editor left there that is no code."""
    left = [
        ".benchmarks/run/process-001.json",
        "package/__pycache__/one.pyc",
        "__pycache__/two.pyc",
        ".pytest_cache/v/lastfailed",
        ".hypothesis/a",
    ]
    if ignored:
        left += [".venv/lib/site-packages/other.py", "a.log"]
    else:
        (checkout / ".gitignore").unlink()
        commit(checkout, "nothing is ignored")
    for name in left:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("anything")

    assert word(checkout) == trees.tree_of_commit(checkout, "HEAD") == git(checkout, "rev-parse", "HEAD^{tree}")
    assert not trees.is_changed(checkout)


@pytest.mark.parametrize(
    "name", one_quick(["package/_version.py", "package/one.py", "README.md", "new.py", "data.bin", "package/fast.so"]), ids=str
)
def test_another_file(checkout, name):
    """A file that is changed, new, or ignored by git and yet code makes another word, the same for the same content."""
    before = word(checkout)
    (checkout / name).write_text("2")
    changed = word(checkout)
    (checkout / name).write_text("3")
    again = word(checkout)
    (checkout / name).write_text("2")

    assert len({before, changed, again}) == 3
    assert word(checkout) == changed


def test_the_index_stays(checkout):
    """A file that was only touched is as it was, and git's index is not written to."""
    before = word(checkout), (checkout / ".git" / "index").read_bytes()
    os.utime(checkout / "package" / "one.py", (1, 1))

    assert (word(checkout), (checkout / ".git" / "index").read_bytes()) == before
    assert not trees.is_changed(checkout)


def test_a_file_less(checkout):
    """A file that is gone makes another word, and so does one that is a link instead."""
    before = word(checkout)
    (checkout / "package" / "one.py").unlink()
    gone = word(checkout)
    (checkout / "package" / "one.py").symlink_to("../README.md")

    assert len({before, gone, word(checkout)}) == 3


def test_without_git(checkout, tmp_path):
    """A folder that git does not know has a word as well: that of its files."""
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        (folder / "package").mkdir(parents=True)
        (folder / "package" / "one.py").write_text("1")
    assert trees.tree_of_folder(one) == trees.tree_of_folder(other)
    for name in (".venv/other.py", "package/__pycache__/one.pyc", "node_modules/other.py"):
        (other / name).parent.mkdir(parents=True, exist_ok=True)
        (other / name).write_text("no code of its own")
    assert trees.tree_of_folder(one) == trees.tree_of_folder(other)
    (other / "package" / "two.py").write_text("")
    assert trees.tree_of_folder(one) != trees.tree_of_folder(other)


def test_a_renamed_file_and_a_copy(checkout):
    """A file that has moved is not one that was copied, though git may take both for the same new file."""
    (checkout / "package" / "two.py").write_text("1")
    git(checkout, "add", "--all")
    copied = word(checkout)
    (checkout / "package" / "one.py").unlink()
    git(checkout, "add", "--all")
    assert word(checkout) != copied


def test_digest(tmp_path):
    """Names count and so do contents and links, the order in which files are listed does not."""
    for name, text in (("a", "1"), ("b", "1"), ("c", "2")):
        (tmp_path / name).write_text(text)
    assert trees.digest(tmp_path, ["a"]) != trees.digest(tmp_path, ["b"])
    assert trees.digest(tmp_path, ["a", "c"]) == trees.digest(tmp_path, iter(["c", "a", "c"]))

    (tmp_path / "link").symlink_to("a")
    before = trees.digest(tmp_path, ["link"])
    (tmp_path / "link").unlink()
    (tmp_path / "link").symlink_to("b")
    assert trees.digest(tmp_path, ["link"]) != before


def test_sources(checkout):
    """While a directory is measured its code must not change; its words may."""
    before = trees.sources_of(checkout)
    (checkout / "README.md").write_text("other words")
    assert trees.sources_of(checkout) == before
    (checkout / "package" / "two.py").write_text("2")
    assert trees.sources_of(checkout) != before

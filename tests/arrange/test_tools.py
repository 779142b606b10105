"""A tool is one file that says what it is: found by its name, read without being imported."""

from __future__ import annotations

import sys

import pytest

import lenet5
from benchmarks.arrange import counters, tools

SORTS = [("benchmarks.isolated", "prune_"), ("benchmarks.isolated", "quantize_"), ("benchmarks.isolated", "original_")]
SORTS += [("benchmarks.arrange.counters", "count_")]
SOURCE = """
import package_that_nobody_has

TITLE = "a tool"
FRAMEWORK = "numpy"
PACKAGES = ("json", "package_that_nobody_has")
OTHER = package_that_nobody_has.something()
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """module(source, name) -> the module of that name in a project that consists of it."""
    monkeypatch.setattr(tools, "ROOT", tmp_path)
    folder = tmp_path / "some" / "folder"
    folder.mkdir(parents=True)

    def write(source, name="sort_tool"):
        (folder / f"{name}.py").write_text(source)
        return f"some.folder.{name}"

    return write


def test_a_tool_is_read_and_not_imported(module):
    """What the literals say, whatever the file imports and computes."""
    tool = tools.read(module(SOURCE))
    assert tool == tools.Tool("some.folder.sort_tool", "a tool", "numpy", ("json", "package_that_nobody_has"))
    assert "some.folder.sort_tool" not in sys.modules


def test_a_further_tool_is_a_further_file(module):
    """Every file with the prefix of the sort, in alphabetical order, and no other file."""
    for name in ("sort_b", "sort_a", "sort", "other_a"):
        module(SOURCE.replace("a tool", name), name)
    assert [tool.module for tool in tools.found("some.folder", "sort_")] == ["some.folder.sort_a", "some.folder.sort_b"]


def test_a_file_that_does_not_say_what_it_is(module):
    """A tool without a title is an error that names the file."""
    with pytest.raises(ValueError, match=r"^some\.folder\.sort_tool: does not say what the tool in it is \(.*title"):
        tools.read(module(SOURCE.replace("TITLE", "NAME")))


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("PACKAGES = 'scipy'", "PACKAGES is 'scipy'; use a tuple of strings, such as ('scipy',)"),
        ("TITLE = 3", "TITLE is 3; use a string, such as 'LiteRT'"),
        ("KINDS = ('one',)", "KINDS is ('one',); use a dict of string to string, such as {'full': 'full integer'}"),
        ("FRAMEWORK = 'nunpy'", f"FRAMEWORK is 'nunpy'; choose one of {', '.join(lenet5.frameworks())}"),
        ("EXTRA = TITLE", "EXTRA = TITLE is not a literal; write the value out"),
    ],
)
def test_wrong(module, said, right):
    """A wrong literal is one line that names the file, the value and what would be right."""
    with pytest.raises(lenet5.InputError) as caught:
        tools.read(module(SOURCE + said))
    assert str(caught.value) == f"some.folder.sort_tool: {right}"


def test_two_of_one_title(module):
    """Neither replaces the other unsaid."""
    for name in ("sort_a", "sort_b"):
        module(SOURCE, name)
    with pytest.raises(lenet5.InputError) as caught:
        tools.found("some.folder", "sort_")
    assert str(caught.value) == "some.folder.sort_b: TITLE is 'a tool', as in some.folder.sort_a; use a title of its own"


def test_a_part_of_an_absent_package(module):
    """It is not installed, which is no error."""
    line = tools.read(module(SOURCE.replace('"json", ', '"absent_package.part", '))).missing()
    assert line.startswith("a tool: the package 'absent_package.part' is not installed; ")


@pytest.mark.parametrize(
    ("extra", "wanted"), [("", "package_that_nobody_has"), ("EXTRA = 'beside'", "-e '.[beside]'")], ids=["package", "extra"]
)
def test_missing(module, extra, wanted):
    """The first package that is not installed, and what installs it; nothing where all are there."""
    line = f"a tool: the package 'package_that_nobody_has' is not installed; pip install {wanted}"
    assert tools.read(module(SOURCE + extra)).missing() == line
    assert tools.read(module(SOURCE.replace('"json", "package_that_nobody_has"', '"json",'))).missing() is None


@pytest.mark.parametrize(("package", "prefix"), SORTS, ids=lambda value: value)
def test_ours(package, prefix):
    """Every tool of the project says what it is, under a title of its own and for a framework that there is."""
    found = tools.found(package, prefix)
    assert found
    assert len({tool.title for tool in found}) == len(found)
    assert {tool.framework for tool in found} <= set(lenet5.frameworks())


def test_every_counter_has_one():
    """The file of each counter that can be imported here holds a Counter."""
    for tool in counters.found().values():
        if tool.missing() is None:
            assert isinstance(counters.counter_of(tool), counters.Counter)

"""What a framework's file declares is checked where it is read: a wrong literal is one line that names the file, and measures nothing."""

from __future__ import annotations

import importlib
import sys

import pytest

import lenet5
from lenet5 import InputError, packages
from tests.support.copies import copy_of_project, run_python

INVENTED = "invented"
FILE = f"with_{INVENTED}.py"
COLOURS = "blue, orange, green, purple, olive, grey"
EVERY = "modes, variants, gpu_only, dynamic, trained_in, colour, reference, ladder, trains, packages, caches, thread_variables"  # in the contract's order
RIGHT = "    modes = ('plain', 'fancy')\n"


@pytest.fixture
def file(monkeypatch, tmp_path):
    """file(source, name) puts a framework's file where lenet5 looks for them."""
    monkeypatch.setattr(lenet5, "__path__", [*lenet5.__path__, str(tmp_path)])

    def add(source, name=FILE):
        (tmp_path / name).write_bytes(source if isinstance(source, bytes) else source.encode())
        importlib.invalidate_caches()

    return add


def said(read, *arguments):
    """The line with which a reader refuses."""
    with pytest.raises(InputError) as caught:
        read(*arguments)
    return str(caught.value)


@pytest.mark.parametrize(
    ("declared", "right"),
    [
        ("caches = 'MY_CACHE'", "caches is 'MY_CACHE'; use a tuple of strings, such as ('MY_CACHE',)"),
        ("caches = ['A', 'B']", "caches is ['A', 'B']; use a tuple of strings, such as ('A', 'B')"),
        ("caches = ('A=B',)", "caches is ('A=B',); use names of environment variables, such as ('MY_CACHE',)"),
        ("thread_variables = ('A', 2)", "thread_variables is ('A', 2); use a tuple of strings, such as ('MY_THREADS',)"),
        ("packages = ('numpy')", "packages is 'numpy'; use a tuple of strings, such as ('numpy',)"),
        ("packages = ('a-b',)", "packages is ('a-b',); use names as they are imported, such as ('numpy',)"),
        ("packages = ('.numpy',)", "packages is ('.numpy',); use names as they are imported, such as ('numpy',)"),
        ("variants = {'fancy'}", "variants is {'fancy'}; use a tuple of strings, such as ('eager',)"),
        ("variants = ('fncy',)", "variants is ('fncy',); 'fncy' is no mode, choose one of plain, fancy"),
        ("variants = ('plain',)", "variants is ('plain',); 'plain' is the default mode, which is never left out"),
        ("gpu_only = None", "gpu_only is None; use a tuple of strings, such as ('eager',)"),
        ("ladder = ('plain', 'plain')", "ladder is ('plain', 'plain'); use each once"),
        (
            "dynamic = ('fancy', 'plain')",
            "dynamic is ('fancy', 'plain'); use a dict of string to string, such as {'graph': 'eager'}",
        ),
        ("dynamic = {'fancy': 1}", "dynamic is {'fancy': 1}; use a dict of string to string, such as {'graph': 'eager'}"),
        ("dynamic = {'fancy': 'eager'}", "dynamic is {'fancy': 'eager'}; 'eager' is no mode, choose one of plain, fancy"),
        ("trained_in = 2", "trained_in is 2; use a string, such as 'eager'"),
        ("trained_in = 'quick'", "trained_in is 'quick'; 'quick' is no mode, choose one of plain, fancy"),
        ("colour = 'red'", f"colour is 'red'; choose one of {COLOURS}"),
        ("colour = ['blue']", f"colour is ['blue']; choose one of {COLOURS}"),
        ("trains = 'no'", "trains is 'no'; use True or False"),
        ("trains = 0", "trains is 0; use True or False"),
        ("train = False", "'train' is no declaration; did you mean 'trains'?"),
        ("variant: tuple = ('fancy',)", "'variant' is no declaration; did you mean 'variants'?"),
        ("own = colours = 'blue'", f"'own' is no declaration; choose one of {EVERY}, or let what is the class's own begin with _"),
        ("colours = 'blue'", "'colours' is no declaration; did you mean 'colour'?"),
    ],
)
def test_wrong(file, declared, right):
    """Whichever declaration is asked for, the file with a wrong one is named, with the value and what would be right."""
    file(f"class LeNet5:\n{RIGHT}    {declared}\n")
    for read in (lenet5.modes, lenet5.trains, lenet5.missing):
        assert said(read, INVENTED) == f"{FILE}: {right}"


@pytest.mark.parametrize(
    ("modes", "right"),
    [
        ("('im2col')", "modes is 'im2col'; use a tuple of strings, such as ('im2col',)"),
        ("()", "modes is (); use a tuple of strings, such as ('eager',)"),
        ("('plain', '')", "modes is ('plain', ''); use no empty one, such as ('eager',)"),
        ("('plain', 'plain')", "modes is ('plain', 'plain'); use each once"),
    ],
)
def test_wrong_modes(file, modes, right):
    """A text is not taken for its letters, and a mode has one name of its own."""
    file(f"class LeNet5:\n    modes = {modes}\n")
    assert said(lenet5.modes, INVENTED) == f"{FILE}: {right}"


def test_what_is_the_classs_own(file):
    """What begins with _, and what is no literal, declares nothing; nor does a name in a method or in another class."""
    own = "    _train = False\n    train = property()\n    def method(self):\n        trained = 1\nclass Other:\n    train = 1\n"
    file(f"train = 1\nclass LeNet5:\n{RIGHT}{own}")
    assert lenet5.modes(INVENTED) == ("plain", "fancy")
    assert lenet5.trains(INVENTED)


@pytest.mark.parametrize(
    ("source", "right"),
    [
        ("\nclass LeNet5\n    modes = ('plain',)\n", "line 2: expected ':'"),
        ("x = = 1\n", "line 1: invalid syntax"),
        (b"x = '\xff'\n", "line 1: (unicode error) 'utf-8' codec can't decode byte"),
    ],
    ids=["colon", "equals", "no text"],
)
def test_not_python(file, source, right):
    """A file that Python cannot read is named with the line."""
    file(source)
    line = said(lenet5.modes, INVENTED)
    assert line.startswith(f"{FILE}, {right}")
    assert line.endswith("; mend it or take the file away")


def test_a_byte_order_mark(file):
    """Python imports such a file, so it is read here too."""
    file(f"\ufeffclass LeNet5:\n{RIGHT}")
    assert lenet5.modes(INVENTED) == ("plain", "fancy")


@pytest.mark.parametrize("name", ["my-framework", "2nd", ""])
def test_a_name_that_cannot_be_imported(file, name):
    """The file is named, and not answered with a list in which it stands."""
    file(f"class LeNet5:\n{RIGHT}", f"with_{name}.py")
    right = "call the file by letters, digits and _, such as with_mine.py"
    wanted = f"with_{name}.py: {name!r} cannot be the name of a framework; {right}"
    assert said(lenet5.frameworks) == wanted
    assert said(lenet5.modes, name) == wanted


def test_a_part_of_a_package(file):
    """A part is absent where its package is or lacks it; to look for it imports nothing."""
    sys.modules.pop("xml.dom", None)
    assert packages.is_installed("xml.dom.minidom")
    assert "xml.dom" not in sys.modules
    assert not packages.is_installed("xml.absent")
    for absent in ("numpy.absent.part", "absent_package.part", "numpy.version.part"):
        whole = absent.partition(".")[0]
        file(f"class LeNet5:\n{RIGHT}    packages = ('numpy.linalg', {absent!r})\n")
        assert lenet5.missing(INVENTED) == f"{INVENTED}: the package {absent!r} is not installed; pip install {whole}"


def test_a_session_and_a_command_end_with_the_line(tmp_path):
    """One line and exit 2, before a case is collected or anything is trained."""
    project = copy_of_project(tmp_path / "project")
    (project / "lenet5" / FILE).write_text(f"class LeNet5:\n{RIGHT}    caches = 'MY_CACHE'\n")
    line = f"{FILE}: caches is 'MY_CACHE'; use a tuple of strings, such as ('MY_CACHE',)\n"

    session = run_python(project, "-m", "pytest", "benchmarks", "--collect-only", "-q", "-p", "no:cacheprovider")
    assert (session.returncode, session.stdout + session.stderr) == (2, f"Exit: {line}")

    for command in ("show", "train"):
        done = run_python(project, "-m", "lenet5", command, "--help")
        assert (done.returncode, done.stdout, done.stderr) == (2, "", line)

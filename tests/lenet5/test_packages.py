"""What a package needs is imported whatever the user has set for plots, and without looking for garbage while it comes."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

import pytest

from lenet5 import NotInstalled, packages
from tests.support.copies import PROJECT

NO_TEXT = b"\xff\xfe\x80 no text\n"
WANTED = "import lenet5.packages; print(lenet5.packages.matplotlib('plot').__name__); import matplotlib.pyplot"


def imported(folder, **variables):
    """A fresh process in a folder that imports matplotlib, and after it the part that names a backend."""
    usual = {name: value for name, value in os.environ.items() if name not in ("MPLBACKEND", "MATPLOTLIBRC")}
    environment = {**usual, "PYTHONPATH": str(PROJECT), **variables}
    return subprocess.run([sys.executable, "-c", WANTED], cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("backend", ["nosuch", "module://no.such", ""])
def test_settings_that_cannot_be_read(tmp_path, backend):
    """A backend that is not there, or a file that is no text, or both: it is imported without them."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "matplotlibrc").write_bytes(NO_TEXT)

    done = imported(tmp_path, MATPLOTLIBRC=str(tmp_path / "mine"), MPLBACKEND=backend)

    assert (done.returncode, done.stdout) == (0, "matplotlib\n"), done.stderr


def test_settings_of_the_working_directory(tmp_path):
    """There matplotlib looks before all else: one line says which file is to be mended."""
    (tmp_path / "matplotlibrc").write_bytes(NO_TEXT)

    done = imported(tmp_path)

    assert done.stderr.splitlines()[-1] == (
        f"lenet5.errors.InputError: {tmp_path}/matplotlibrc: is no UTF-8 text (invalid start byte), so matplotlib cannot begin; mend it"
    )


def test_settings_that_can_be_read_count(tmp_path):
    """A user who draws beside the networks keeps the style and the backend of their own."""
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 9\n")
    code = "import lenet5.packages as p; m = p.matplotlib('plot'); print(m.rcParams['lines.linewidth'], m.rcParams['backend'])"
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "MPLBACKEND": "svg"}

    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)

    assert done.stdout == "9.0 svg\n"


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import lenet5.packages as p; p.matplotlib('plot')", id="with one's settings"),
        pytest.param("import benchmarks.report.no_backend", id="as it comes", marks=pytest.mark.slow),  # it looks for fonts
    ],
)
def test_a_home_that_cannot_be_written(tmp_path, code):
    """It draws all the same, and says nothing of where it keeps its files; its other warnings are heard afterwards."""
    usual = {name: value for name, value in os.environ.items() if not name.startswith(("MPL", "XDG_"))}
    environment = {**usual, "PYTHONPATH": str(PROJECT), "HOME": "/dev/null/such"}
    code += "; import logging; print(logging.getLogger('matplotlib').level)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")


COMES = """
import gc
collects = gc.isenabled()
made = [[] for _ in range(10_000)]
"""


@pytest.fixture(params=[True, False], ids=["collects", "does not"])
def collects(request):
    """Whether Python looks for garbage before an import, and therefore after it."""
    before = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if before else gc.disable)()
    gc.unfreeze()


def test_no_garbage_while_it_comes(collects, tmp_path, monkeypatch):
    """Nor later among what came; a second call changes nothing."""
    (tmp_path / "comes.py").write_text(COMES)
    monkeypatch.syspath_prepend(tmp_path)
    gc.unfreeze()

    module = packages.imported("this test", "comes")

    assert (module.collects, gc.isenabled()) == (False, collects)
    assert (frozen := gc.get_freeze_count()) > 10_000
    more = [[] for _ in range(1000)]
    assert packages.imported("this test", "comes") is module
    assert gc.get_freeze_count() <= frozen, len(more)
    del sys.modules["comes"]


def test_broken_while_it_comes(collects, tmp_path, monkeypatch):
    """Its own error, and nothing is changed; nor by a package that is not there."""
    (tmp_path / "breaks.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    gc.unfreeze()
    with pytest.raises(ZeroDivisionError):
        packages.imported("this test", "breaks")
    with pytest.raises(NotInstalled):
        packages.imported("this test", "no_such_package")
    assert (gc.isenabled(), gc.get_freeze_count()) == (collects, 0)


def test_the_block_in_which_keras_comes(collects, monkeypatch):
    """The same while Keras is imported, and no more once it is there."""
    packages.matplotlib("this test")
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    gc.unfreeze()
    with packages.importing_keras():
        assert not gc.isenabled()
    assert gc.isenabled() is collects
    assert gc.get_freeze_count() > 0

    monkeypatch.setitem(sys.modules, "keras", gc)
    gc.unfreeze()
    with packages.importing_keras():
        assert gc.isenabled() is collects
    assert gc.get_freeze_count() == 0

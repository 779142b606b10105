"""Exit code 1 of a gate means slower and nothing else: whatever is no verdict is 2 with one line, never a traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.gate import gate
from benchmarks.saved.provenance import ROOT
from lenet5.errors import TRACEBACK
from tests.support import fake_project
from tests.support.copies import hidden
from tests.support.fake_project import commit
from tests.support.gates import DRIVER
from tests.support.rows import one_quick

RUN = ROOT / "tests" / "data" / "run"
FOREIGN = ("PYTEST", "PYTHON", "GITHUB_STEP_SUMMARY")
USUAL = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}


def driver(repository, tmp_path):
    (tmp_path / "tmp").mkdir(exist_ok=True)
    return [sys.executable, "-c", DRIVER, str(repository), str(tmp_path / "tmp"), "gate"]


@pytest.fixture
def judged(repository, slower, tmp_path):
    """judged(*arguments, shell, **environment) -> how a gate ends that goes on where all is measured, and says that head is slower.

    ``shell`` is what follows the command in a line of bash.
    """
    shutil.copytree(slower.folder / "raw", tmp_path / "raw")
    go_on = ["--base", "base", "--head", "slower", "-k", "case", "--output", "raw", "--resume"]

    def run(*arguments, shell="", **environment):
        line = ["bash", "-c", f'set -o pipefail; "$@" {shell}', "-", *driver(repository, tmp_path), *go_on, *arguments]
        variables = {**USUAL, "PYTHONPATH": str(ROOT), **environment}
        return subprocess.run(line, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=120, check=False)

    return run


SIDES = 2
"""Lines on standard error that say what is compared."""


@pytest.mark.parametrize(
    ("how", "code", "said", "line"),
    [
        ({}, 1, True, None),
        pytest.param({"PYTHONIOENCODING": "ascii"}, 1, True, None, marks=pytest.mark.slow),
        pytest.param({"shell": "| true"}, 1, False, None, marks=pytest.mark.slow),
        pytest.param({"shell": "| head -n 1"}, 1, True, None, marks=pytest.mark.slow),
        ({"shell": ">/dev/full"}, 2, False, "standard output: cannot be written (No space left on device); send it elsewhere"),
        pytest.param({"shell": ">&-"}, 1, False, None, marks=pytest.mark.slow),
        pytest.param({"shell": "2>&-"}, 1, True, None, marks=pytest.mark.slow),
        pytest.param({"shell": "2>/dev/full"}, 2, False, None, marks=pytest.mark.slow),
        pytest.param({"shell": "2>&1 | true"}, 2, False, None, marks=pytest.mark.slow),
        pytest.param(
            {"GITHUB_STEP_SUMMARY": "/nowhere/summary"},
            1,
            True,
            "Warning: $GITHUB_STEP_SUMMARY /nowhere/summary: cannot be written (No such file or directory); the job has no summary",
            marks=pytest.mark.slow,
        ),
        (
            {"arguments": ["--json", "/dev/full"]},
            2,
            True,
            "/dev/full: cannot be written (No space left on device); name another --json",
        ),
        pytest.param({"MPLBACKEND": "garbage"}, 1, True, None, marks=pytest.mark.slow),
    ],
    ids=lambda value: " ".join(map(str, next(iter(value.items()), ["usual"]))) if isinstance(value, dict) else "",
)
def test_slower(judged, tmp_path, how, code, said, line):
    """The verdict is on standard output before anything else can fail; it is believed if it could be written where it was asked for."""
    how = dict(how)
    done = judged(*how.pop("arguments", []), "--markdown", "gate.md", **how)

    assert done.returncode == code, done.stderr
    assert done.stdout.startswith("# Gate: head is slower (1 slower, 1 same)\n") == said
    assert done.stderr.splitlines()[SIDES:][-1:] == ([line] if line else done.stderr.splitlines()[SIDES:][-1:])
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    # One extra that fails keeps no other from being written.
    assert (tmp_path / "gate.md").exists() == ("2>" not in how.get("shell", "") or code == 1)


@pytest.mark.parametrize(
    ("shell", "line"), [("| true", ""), (">/dev/full", "<stdout>: cannot be written (No space left on device)\n")]
)
def test_help_that_cannot_be_written(shell, line):
    """Help to a reader that has left is no error, and to a full disk one line."""
    command = f"set -o pipefail; {sys.executable} -m benchmarks gate --help {shell}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, env=USUAL, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, line)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--json", "file/gate.json"], "file/gate.json: cannot be written (Not a directory); name another --json"),
        (["-k", "("], "-k (: no expression as for pytest -k (a name is missing), such as "),
        (["--markdown", "folder"], "folder: is a folder; name another --markdown"),
        (
            ["--json", "both", "--markdown", "./folder/../both"],
            "--markdown folder/../both: is the file of --json, too; name another one",
        ),
        (["--base", "~nosuchuser/x"], "--base ~nosuchuser/x: neither a revision of "),
        (["--base", "HEAD@~nosuchuser/x"], "--base HEAD@~nosuchuser/x: "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_before_measuring(repository, tmp_path, monkeypatch, capsys, arguments, line):
    """What cannot work is one line before anything is measured."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()

    code = main(["gate", "--base", "HEAD", "--output", "raw", *arguments])

    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.startswith(line)
    assert err.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.slow
def test_a_path_that_is_not_ascii(tmp_path):
    """Neither a project's path nor a locale of ASCII keeps it from being measured."""
    project = fake_project.write(tmp_path / "projét ü")
    commit(project, "one")
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    line = [*driver(project, tmp_path), "--base", "HEAD", "--head", str(project), "-k", "case", "--output", str(project / "raw")]

    done = subprocess.run(
        [*line, "--markdown", str(tmp_path / "gate-ü.md")],
        cwd=tmp_path,
        env={**USUAL, "PYTHONPATH": str(ROOT), **ascii_only},
        capture_output=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"# Gate: head is not slower")
    assert (tmp_path / "gate-ü.md").exists()


@pytest.mark.parametrize("package", ["numpy", pytest.param("scipy", marks=pytest.mark.slow), "benchmarks.gate.verdicts"])
def test_what_cannot_be_imported(tmp_path, package):
    """A package that is absent, or a module of this project, is one line and exit 2 too."""
    if package.startswith("benchmarks"):
        code = f"import sys; sys.modules[{package!r}] = None; "
    else:
        hidden(tmp_path / "hide", package)
        code = f"import hide_{package}; "
    code += "import sys; from benchmarks.__main__ import main; sys.exit(main(['gate', '--base', 'HEAD']))"
    variables = {**USUAL, "PYTHONPATH": f"{tmp_path / 'hide'}{os.pathsep}{ROOT}"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert package in done.stderr
    assert "install what this project needs" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ZeroDivisionError("two\nlines"), "internal error: ZeroDivisionError: two\\nlines; please report it"),
        (PermissionError(13, "Permission denied", "x"), "cannot go on: [Errno 13] Permission denied: 'x'"),
        (OSError(28, "No space left on device", "/nosuch/x"), "/nosuch: cannot be written (No space left on device); make room"),
    ],
    ids=["unforeseen", "denied", "full"],
)
@pytest.mark.parametrize("shown", one_quick([True, False]), ids=["traceback", ""])
def test_internal_error(repository, tmp_path, monkeypatch, capsys, error, line, shown):
    """An error that no code foresaw is one line, with its traceback before it where the environment asks for that."""

    def fails(*_):
        raise error

    monkeypatch.setattr(gate, "run", fails)
    monkeypatch.chdir(tmp_path)
    if shown:
        monkeypatch.setenv(TRACEBACK, "1")

    code = main(["gate", "--base", str(repository), "--head", str(repository)])

    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.splitlines()[-1] == f"{line} ({TRACEBACK}=1 shows where)"
    assert ("Traceback" in err) == shown
    assert len(err.splitlines()) == SIDES + 1 or shown


@pytest.mark.slow
def test_the_users_drawing_settings(tmp_path):
    """The report draws the same picture whatever backend and styles the user has for their own plots."""
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\nlines.linewidth: 9\nfigure.facecolor: red\n")
    pages = []
    for name, mine in (("one", {}), ("other", {"MPLBACKEND": "module://no.such", "MATPLOTLIBRC": str(tmp_path)})):
        line = [sys.executable, "-m", "benchmarks", "report", str(RUN), "--output", str(tmp_path / name)]
        subprocess.run(line, cwd=ROOT, env={**USUAL, **mine}, capture_output=True, check=True)
        pages.append(Path(tmp_path / name / "report.html").read_bytes())
    assert pages[0] == pages[1]

"""One small measurement under each of a list of hostile settings: the same figures under the same circumstances, or one line and no number.

The list is data.  A line more is a test more.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import lenet5
from tests.support.by_hand import FAST, FRAMEWORK
from tests.support.copies import PROJECT, copy_of_project

resource = pytest.importorskip("resource", reason="limits and signals are set as on Unix")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="limits and signals are set as on Unix")]

CASE = f"benchmarks/test_predict.py::test_predict[{FRAMEWORK}-{FAST}-batch1]"

EVERY = tuple(
    f"benchmarks/test_predict.py::test_predict[{framework}-{lenet5.modes(framework)[0]}-batch1]"
    for framework in lenet5.frameworks()
    if not lenet5.missing(framework)
)
"""The same of every framework that is installed, in the mode that it has by default."""

WIDEST = 20.0
"""Two medians of the same case agree within this factor on any machine that also does other work: a case that measures something else does not."""

WITNESSED = {
    *("first_call_seconds", "watched_seconds", "process_cpu_seconds", "involuntary_switches", "runqueue_wait_seconds"),
    *("load_1min", "others_cpu_seconds", "steal_seconds", "first_call_watched_seconds", "first_call_others_cpu_seconds"),
}
"""What of a case depends on the clock, or on the other programs."""


TAKEN_AWAY = (
    "PYTEST",
    "PYTHON",
    "LENET5",
    "OMP_",
    "GOMP_",
    "OPENBLAS_",
    "MKL_",
    "BLIS_",
    "VECLIB_",
    "TORCHINDUCTOR_",
    "KERAS_",
    "TF_",
)
"""How variables begin that this session of pytest, or its tests, may have set."""


@dataclass(frozen=True)
class Setting:
    """One line of the list.  ``{here}`` in a text is the setting's own folder, in which its files lie."""

    name: str
    variables: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    options: Sequence[str] = ()
    """Of pytest."""
    shell: str = "{command}"
    """How a shell starts it."""
    before: Callable[[], object] | None = None
    """What the process does before it becomes Python."""
    recorded: Sequence[str] = ()
    """Those of its variables that have to stand in the file: they steer a library."""
    differs: Sequence[str] = ()
    """Facts that have to be recorded otherwise than without the setting: framework.fact, or a field of the case."""
    line: str = ""
    """What has to be said, on either output."""
    code: int = 0
    saves: bool = True
    """Whether there is a number."""
    cases: Sequence[str] = (CASE,)


NO_BYTECODE = {"PYTHONDONTWRITEBYTECODE": "1"}
"""Where no file can be large: Python would leave half of a module's bytecode in the project, which every later process then fails to load."""


def refused(name: str, line: str, code: int = 2, **how: Any) -> Setting:
    """A setting under which nothing is measured: one line says why."""
    return Setting(name, line=line, code=code, saves=False, **how)


def ignoring(*numbers: int) -> Callable[[], None]:
    def ignore() -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)

    return ignore


def limited(limit: str, value: int) -> Callable[[], None]:
    number = getattr(resource, f"RLIMIT_{limit}")
    return lambda: resource.setrlimit(number, (value, resource.getrlimit(number)[1]))


DECOY = "raise ImportError('this is the code of another project')\n"
IMPORTS = "import {module}\n"
UNREADABLE = b"\xff\xfe\x80 no text\n"
WITHOUT = """
import sys


class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in {names}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)


sys.meta_path.insert(0, Absent())
for name in {names}:
    sys.modules.pop(name, None)
"""
"""Lets Python start as on a system without these modules."""

SHUFFLES = """
import random


def pytest_configure():
    random.seed(7)


def pytest_collection_modifyitems(items):
    random.shuffle(items)
"""
WHERE = """
import os


def pytest_runtest_setup():
    here = os.path.dirname(__file__)
    session, _ = os.path.split(os.environ["TORCHINDUCTOR_CACHE_DIR"])
    assert os.path.dirname(session) == os.path.join(here, "made")
"""
FEW = {
    **dict.fromkeys(("val.txt", "test.txt"), "a.png 0\n"),
    "train.txt": "a.png 0\nb.png 1\n",
    **{
        name: bytes.fromhex(
            "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
            "0000000a49444154789c6360000000020001e221bc330000000049454e44ae426082"
        )
        for name in ("a.png", "b.png")
    },
}
"""An image list of two grey images of one pixel."""

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
HOME = {
    ".keras/keras.json": '{"floatx": "float64", "backend": "torch", "image_data_format": "channels_first"}',
    ".config/matplotlib/matplotlibrc": UNREADABLE,
    ".config/pip/pip.conf": "[global]\nno-index = true\nrequire-virtualenv = true\n",
    **{
        ".condarc": "channels: [nowhere]\n",
        ".pythonrc.py": "raise SystemExit(1)\n",
        ".numpy-site.cfg": "[openblas]\nlibraries = none\n",
    },
    **{"pytest.ini": "[pytest]\naddopts = --no-such-option\n", "tox.ini": "[pytest]\naddopts = --no-such-option\n"},
    **{".pdbrc": "quit\n", ".coveragerc": "[run]\nbranch = maybe\n", ".gitconfig": "[core]\n\tpager = false\n[oops\n"},
}

SETTINGS = (
    # What Python reads
    Setting("locale-c", ASCII),
    Setting("locale-that-is-not-there", {"LC_ALL": "xx_YY.nosuch", "LANG": "xx_YY.nosuch"}),
    Setting("output-in-ascii", {"PYTHONIOENCODING": "ascii"}),
    Setting("output-in-utf-16", {"PYTHONIOENCODING": "utf-16"}),
    Setting("time-zone-that-is-not-there", {"TZ": "Nosuch/Zone"}),
    Setting("hash-seed", {"PYTHONHASHSEED": "1"}),
    Setting("start-up-file", {"PYTHONSTARTUP": "{here}/start.py"}, {"start.py": DECOY}),
    Setting("safe-path", {"PYTHONSAFEPATH": "1", "PYTHONPATH": str(PROJECT)}),
    Setting("unbuffered", {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONFAULTHANDLER": "1"}),
    Setting("other-code-on-the-path", {"PYTHONPATH": "{here}"}, {"benchmarks/__init__.py": DECOY, "lenet5/__init__.py": DECOY}),
    Setting("warnings-are-errors", {"PYTHONWARNINGS": "error"}),
    Setting("memory-that-is-checked", {"PYTHONMALLOC": "debug"}, recorded=["PYTHONMALLOC"]),
    Setting("development-mode", {"PYTHONDEVMODE": "1"}, recorded=["PYTHONDEVMODE"]),
    refused("no-assertions", "PYTHONOPTIMIZE is set (or python -O)", variables={"PYTHONOPTIMIZE": "1"}),
    refused("no-doc-strings", "PYTHONOPTIMIZE is set (or python -O)", variables={"PYTHONOPTIMIZE": "2"}),
    # What pytest reads
    Setting("options-by-variable", {"PYTEST_ADDOPTS": "-q --tb=line -p no:randomly --color=yes"}),
    Setting("plug-ins-that-are-not-loaded", {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}),
    Setting(
        "plug-in-loads-numpy",
        {"PYTEST_PLUGINS": "early", "PYTHONPATH": "{here}", "OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"},
        {"early.py": IMPORTS.format(module="numpy")},
    ),
    Setting("plug-in-shuffles", {"PYTHONPATH": "{here}"}, {"shuffles.py": SHUFFLES}, options=["-p", "shuffles"]),
    Setting("cache-that-cannot-be-written", options=["-o", "cache_dir=/dev/null/cache"]),
    Setting("side-by-side", {"PYTEST_ADDOPTS": "-n 1"}, line="Benchmarks are automatically disabled", saves=False),
    Setting("disabled", {"PYTEST_ADDOPTS": "--benchmark-disable"}, saves=False),
    refused("plug-in-that-is-not-there", 'Error importing plugin "nosuch"', code=4, variables={"PYTEST_PLUGINS": "nosuch"}),
    refused("dataset-that-is-not-there", "--dataset 'nosuch' is not known; choose one of", options=["--dataset=nosuch"]),
    refused("few-images", "2 training images; 64 or more", options=["--dataset=imagelist:{here}"], files=FEW),
    # What the libraries read
    Setting("threads-for-threads", {"OMP_NUM_THREADS": "2,1"}),
    Setting("threads-in-words", {"OMP_NUM_THREADS": "two", "MKL_NUM_THREADS": "-1"}),
    Setting("threads-of-blas", {"OPENBLAS_NUM_THREADS": "64", "GOTO_NUM_THREADS": "64"}, recorded=["GOTO_NUM_THREADS"]),
    Setting("threads-that-are-bound", {"OMP_PROC_BIND": "true", "OMP_PLACES": "cores"}, recorded=["OMP_PROC_BIND", "OMP_PLACES"]),
    Setting("threads-that-spin", {"OMP_WAIT_POLICY": "active"}, recorded=["OMP_WAIT_POLICY"]),
    Setting("memory-of-glibc", {"MALLOC_ARENA_MAX": "1", "MALLOC_PERTURB_": "3"}, recorded=["MALLOC_ARENA_MAX", "MALLOC_PERTURB_"]),
    Setting("library-before-all", {"LD_PRELOAD": "/dev/null/such.so"}, recorded=["LD_PRELOAD"]),
    Setting("numpy-without-some-features", {"NPY_DISABLE_CPU_FEATURES": "NOSUCH"}, recorded=["NPY_DISABLE_CPU_FEATURES"]),
    refused(
        "numpy-with-and-without",
        "Exit: NumPy cannot be loaded: ",
        variables={"NPY_DISABLE_CPU_FEATURES": "SSE2 SSE3", "NPY_ENABLE_CPU_FEATURES": "AVX2"},
    ),
    Setting("compiler-that-is-not-there", {"CXX": "/dev/null/such/c++", "CC": "/dev/null/such/cc"}, recorded=["CXX", "CC"]),
    Setting(
        "compiled-before",
        {"TORCHINDUCTOR_CACHE_DIR": "{here}/made", "JAX_COMPILATION_CACHE_DIR": "{here}/jax", "PYTHONPATH": "{here}"},
        {"where.py": WHERE},
        options=["-p", "where"],
        recorded=[
            "JAX_COMPILATION_CACHE_DIR"
        ],  # without effect, for the network keeps nothing on disk (tests/lenet5/test_with_jax.py)
    ),
    refused(
        "compiled-nowhere",
        "TORCHINDUCTOR_CACHE_DIR: no folder can be made there",
        variables={"TORCHINDUCTOR_CACHE_DIR": "{here}/file"},
        files={"file": ""},
    ),
    Setting("keras-on-another-framework", {"KERAS_BACKEND": "jax"}, recorded=["KERAS_BACKEND"]),
    # Folders and files
    Setting(
        "home-that-is-not-there",
        {"HOME": "/dev/null/such", "XDG_CONFIG_HOME": "/dev/null/config", "XDG_CACHE_HOME": "/dev/null/cache"},
    ),
    Setting("home-full-of-settings", {"HOME": "{here}", "XDG_CONFIG_HOME": "{here}/.config", "KERAS_HOME": "{here}/.keras"}, HOME),
    Setting(
        "every-framework",  # importing all takes long, so that these settings share a session
        {
            **{"HOME": "{here}", "XDG_CONFIG_HOME": "{here}/.config", "KERAS_HOME": "{here}/.keras", "TMPDIR": "{here}/a b é 'c"},
            **{"OMP_NUM_THREADS": "2,1", "PJRT_NPROC": "7", "TZ": "Nosuch/Zone", "OMP_DYNAMIC": "true"},
            **{"JAX_ENABLE_X64": "1", "JAX_DEFAULT_MATMUL_PRECISION": "bfloat16", "MPLBACKEND": "nosuch", **ASCII},
        },
        {**HOME, ".keras/keras.json": '{"floatx": "float64", "image_data_format": "channels_first"}', "a b é 'c/file": ""},
        cases=EVERY,
        recorded=["OMP_DYNAMIC", "JAX_ENABLE_X64", "JAX_DEFAULT_MATMUL_PRECISION"],
        differs=["jax.settings"],
    ),
    Setting("no-temporary-folder", {"TMPDIR": "/dev/null/such"}),
    Setting("temporary-folder-with-blanks", {"TMPDIR": "{here}/a b é 'c"}, {"a b é 'c/file": ""}),
    Setting("nothing-on-the-path", {"PATH": "/dev/null/such"}),
    Setting("no-environment", shell="env -i {command}"),
    Setting("git-that-knows-nothing", {"GIT_DIR": "/dev/null/such", "GIT_CEILING_DIRECTORIES": "/"}),
    Setting("elsewhere", shell="cd {here} && {command}"),
    Setting("files-for-the-owner-only", before=partial(os.umask, 0o077)),
    refused(
        "result-that-cannot-be-written",
        "cannot be written (Not a directory); name another --benchmark-json",
        options=["--benchmark-json=/dev/null/saved.json"],
    ),
    refused(
        "storage-that-cannot-be-written",
        "/0001.json: cannot be written (Not a directory); name another --benchmark-storage",
        options=["--benchmark-autosave", "--benchmark-storage=file://{here}/file"],
        files={"file": ""},
    ),
    refused(
        "disk-that-is-full",
        "Nothing is saved: {here}/saved.json: cannot be written (File too large)",
        variables=NO_BYTECODE,
        before=limited("FSIZE", 8192),
    ),
    refused(
        "disk-of-the-storage-that-is-full",
        "Nothing is saved: ",
        variables=NO_BYTECODE,
        options=["--benchmark-autosave", "--benchmark-storage=file://{here}/storage"],
        before=limited("FSIZE", 8192),
    ),
    # Output, signals and limits
    Setting("terminal-that-is-narrow", {"COLUMNS": "10", "LINES": "2", "TERM": "dumb"}),
    Setting("terminal-with-colours", {"FORCE_COLOR": "1", "TERM": "xterm-256color", "CI": "true", "GITHUB_ACTIONS": "true"}),
    Setting("reader-that-leaves", shell="set -o pipefail; {command} | head -c 1"),
    Setting(
        "output-on-a-full-disk", shell="{command} >/dev/full", line="standard output: cannot be written (No space left on device)"
    ),
    Setting("no-input", shell="{command} <&-"),
    Setting("no-errors", shell="{command} 2>&-"),
    Setting("signals-that-are-ignored", before=ignoring(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)),
    Setting("children-that-are-ignored", before=ignoring(signal.SIGCHLD)),
    Setting("pipes-that-kill", before=partial(signal.signal, signal.SIGPIPE, signal.SIG_DFL)),
    Setting("few-open-files", before=limited("NOFILE", 40)),
    Setting("small-stack", before=limited("STACK", 512 * 1024)),
    Setting("no-core", before=limited("CORE", 0)),
    Setting("low-priority", shell="nice -n 5 {command}"),
)


@dataclass(frozen=True)
class Ended:
    """How a session ended."""

    code: int
    output: str
    here: Path

    @property
    def saved(self) -> Any:
        return json.loads((self.here / "saved.json").read_text(encoding="utf-8"))


def session(setting: Setting, here: Path, project: Path = PROJECT, report: bool = False) -> Ended:
    """Measure under a setting; the result is to lie in the setting's own folder."""

    def put(text: str) -> str:
        return text.replace("{here}", str(here))

    for name, content in setting.files.items():
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    words = [sys.executable, "-m", "pytest", "-c", f"{project}/pyproject.toml", f"--rootdir={project}"]
    words += [f"{project}/{case}" for case in setting.cases]
    words += ["--threads=1", "--dataset=digits", "--benchmark-max-time=0.02", *["--no-report"] * (not report)]
    words += [] if any("cache_dir" in option for option in setting.options) else ["-p", "no:cacheprovider"]
    words += [] if "--benchmark-autosave" in setting.options else [f"--benchmark-json={here}/saved.json"]
    words += map(put, setting.options)
    usual = {name: value for name, value in os.environ.items() if not name.startswith(TAKEN_AWAY)}
    done = subprocess.run(
        ["/bin/bash", "-c", put(setting.shell).replace("{command}", f"{shlex.join(words)}")],
        cwd=project,
        env={**usual, **{name: put(value) for name, value in setting.variables.items()}},
        preexec_fn=setting.before,
        capture_output=True,
        check=False,
        timeout=600,
    )
    return Ended(done.returncode, (done.stdout + done.stderr).decode(errors="replace"), here)


def facts(saved: Any) -> dict[str, Any]:
    """What a file says that does not depend on a clock, place -> value; but for the variables."""
    ours = dict(saved["machine_info"]["lenet5"])
    for name in ("variables", "frameworks"):
        ours.pop(name)
    frameworks = saved["machine_info"]["lenet5"]["frameworks"].items()
    found = {**ours, **{f"{framework}.{name}": value for framework, says in frameworks for name, value in says.items()}}
    for case in saved["benchmarks"]:
        rides = {name: value for name, value in case["extra_info"].items() if name not in WITNESSED}
        found |= {f"{case['fullname']}: {name}": value for name, value in {**rides, "group": case["group"]}.items()}
    return found


def medians(saved: Any) -> dict[str, float]:
    return {case["fullname"]: case["stats"]["median"] for case in saved["benchmarks"]}


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Sequence[str]], Any]:
    """usual(cases) -> what a session of these cases saves where nothing is set."""
    known: dict[tuple[str, ...], Any] = {}

    def measured(cases: Sequence[str]) -> Any:
        if tuple(cases) not in known:
            ended = session(Setting("usual", cases=cases), tmp_path_factory.mktemp("usual"))
            assert ended.code == 0, ended.output
            known[tuple(cases)] = ended.saved
        return known[tuple(cases)]

    return measured


def check(ended: Ended, setting: Setting, usual: Any) -> None:
    """The same figures under the same circumstances, with what has to be recorded; or the line, and no number."""
    assert ended.code == setting.code, ended.output
    assert "Traceback" not in ended.output or setting.name == "children-that-are-ignored", ended.output
    assert setting.line.replace("{here}", str(ended.here)) in ended.output
    if not setting.saves:
        left = [path for path in ended.here.rglob("*") if path.is_file() and str(path.relative_to(ended.here)) not in setting.files]
        assert left == []
        return
    saved, then = facts(ended.saved), facts(usual)
    assert sorted(name for name in {*saved, *then} if saved.get(name) != then.get(name)) == sorted(setting.differs)
    variables, before = (one["machine_info"]["lenet5"]["variables"] for one in (ended.saved, usual))
    expected = {name: setting.variables[name].replace("{here}", str(ended.here)) for name in setting.recorded}
    if "env -i" in setting.shell:
        before = {name: value for name, value in before.items() if name in variables}
    if "OMP_WAIT_POLICY" in setting.variables:  # the session leaves it to the user then
        before = {name: value for name, value in before.items() if name != "GOMP_SPINCOUNT"}
    assert variables == {**before, **expected}
    assert medians(ended.saved).keys() == medians(usual).keys()
    for name, seconds in medians(usual).items():
        assert 1 / WIDEST < medians(ended.saved)[name] / seconds < WIDEST


REPORT_SETTINGS = (
    ("streams", {"PYTHONIOENCODING": "ascii", "COLUMNS": "10", "TERM": "dumb", "TZ": "Nosuch/Zone"}, {}),
    (
        "locale",
        {
            **ASCII,
            "LANG": "xx_YY.nosuch",
            "PYTHONOPTIMIZE": "2",
            "PYTHONWARNINGS": "error",
            "GITHUB_STEP_SUMMARY": "/dev/null/such",
        },
        {},
    ),
    (
        "backend",
        {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "MATPLOTLIBRC": "{here}"},
        {"matplotlibrc": UNREADABLE},
    ),
    ("styles", {"MATPLOTLIBRC": "{here}"}, {"matplotlibrc": "backend: nosuch\ntext.usetex: True\nfont.size: many\nno line\n"}),
    ("home", {"HOME": "{here}", "XDG_CONFIG_HOME": "{here}/.config", "XDG_CACHE_HOME": "/dev/null/such"}, HOME),
    ("no fcntl", {"PYTHONPATH": "{here}"}, {"sitecustomize.py": WITHOUT.format(names=("fcntl", "resource", "termios", "pwd"))}),
)
"""Name, variables and files: settings that could change what a report looks like.  Each line is one process, so several share it."""


def rendered(folder: Path, variables: Mapping[str, str], files: Mapping[str, str | bytes]) -> tuple[str, list[bytes]]:
    """What the command prints, and the files that it writes."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    environment = {name: value for name, value in os.environ.items() if not name.startswith(TAKEN_AWAY)}
    environment |= {name: value.replace("{here}", str(folder)) for name, value in variables.items()}
    command = [sys.executable, "-m", "benchmarks", "report", "tests/data/run", "--output", str(folder / "page")]
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    return done.stdout.decode(), [path.read_bytes() for path in sorted((folder / "page").iterdir())]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The files of a report where nothing is set."""
    return rendered(tmp_path_factory.mktemp("page"), {}, {})[1]


@pytest.mark.parametrize(("variables", "files"), [row[1:] for row in REPORT_SETTINGS], ids=[row[0] for row in REPORT_SETTINGS])
def test_a_report(tmp_path: Path, page: list[bytes], variables: Mapping[str, str], files: Mapping[str, str | bytes]) -> None:
    """The same bytes under each of them, and the lines of what is printed stay lines."""
    printed, found = rendered(tmp_path, variables, files)
    assert found == page
    assert len(printed.splitlines()) > 20


def test_without_fcntl(tmp_path: Path) -> None:
    """A system without it cannot keep two runs out of one folder: one line says so, and what to do."""
    (tmp_path / "sitecustomize.py").write_text(WITHOUT.format(names=("fcntl",)))
    command = [sys.executable, "-m", "benchmarks", "run", "--processes", "1", "--output", str(tmp_path / "run")]
    done = subprocess.run(
        command, cwd=PROJECT, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    line = f"{tmp_path}/run: this system has no fcntl, which keeps two runs out of one folder; measure with pytest benchmarks\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", line)
    assert not (tmp_path / "run").exists()


def test_the_report_of_a_session(tmp_path: Path) -> None:
    """In a folder with an odd name, where standard output is not UTF-8: the report at the end is printed line by line."""
    project = copy_of_project(tmp_path / "pröjet ü (1) 'a")
    setting = Setting("report", {**ASCII, "PYTHONIOENCODING": "ascii", "MPLBACKEND": "module://no.such", "MATPLOTLIBRC": "{here}"})
    (tmp_path / "matplotlibrc").write_bytes(UNREADABLE)
    ended = session(setting, tmp_path, project, report=True)
    assert ended.code == 0, ended.output
    assert "The whole report: report/report.md, report/report.html" in ended.output.splitlines()
    assert ended.output.isascii()
    assert (project / "report" / "report.html").exists()


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_setting(setting: Setting, usual: Callable[[Sequence[str]], Any], tmp_path: Path) -> None:
    """It changes nothing, or is recorded, or ends the session with one line and no number."""
    check(session(setting, tmp_path), setting, usual(setting.cases))
    if setting.name == "compiled-before":
        assert list((tmp_path / "made").iterdir()) == []  # the session's own folder was in there, and is gone
    if setting.name == "files-for-the-owner-only":
        assert (tmp_path / "saved.json").stat().st_mode & 0o777 == 0o600

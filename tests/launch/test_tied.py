"""A process that was started through `tied` does not outlive the one that started it, and is otherwise as if it had been started directly."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys

import psutil
import pytest

from benchmarks.launch import tied
from tests.support.copies import PROJECT
from tests.support.processes import appeared, gone, mentioning, until

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with the one that started it")

SLEEPER = """
import os, pathlib, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", sys.argv[1]])
pathlib.Path(sys.argv[1]).write_text("sleeps")
time.sleep(600)
"""
"""A program that starts another one, as a compiler is started, says so in a file, and sleeps; both have the file in their command lines."""

PARENT = f"""
import sys
from benchmarks.launch import tied
tied.{{how}}([sys.executable, "-c", {SLEEPER!r}, sys.argv[1]]){{then}}
"""


@linux
@pytest.mark.parametrize(("how", "then"), [("start", ".wait()"), ("run", "")])
def test_it_ends_with_its_parent(tmp_path, how, then):
    """Even if the parent is killed and can clean up nothing: the process ends, and what it has started itself."""
    command = [sys.executable, "-c", PARENT.format(how=how, then=then), str(tmp_path / "file")]
    parent = subprocess.Popen(command, cwd=PROJECT)
    until(lambda: appeared(tmp_path / "file"))
    assert len(mentioning(str(tmp_path))) == 4

    parent.kill()
    parent.wait()

    assert until(lambda: not mentioning(str(tmp_path)))


@linux
def test_what_ties_it_is_killed(tmp_path):
    """The process between the two is not there to be killed; should it be, the program ends too."""
    process = tied.start([sys.executable, "-c", "import sys; sys.stdin.read()", str(tmp_path)], stdin=subprocess.PIPE)
    child = until(lambda: [child for child in psutil.Process(process.pid).children() if "tie.py" not in " ".join(child.cmdline())])

    process.kill()
    process.communicate()

    assert gone(*child)


@linux
def test_a_parent_that_ended_early():
    """If the parent ended before the process could ask to end with it, it ends at once."""
    command = tied.tied(["sleep", "60"])
    place = command.index(str(os.getpid()))
    command[place] = str(os.getppid())  # some other process, so that the parent seems to be gone
    assert subprocess.run(command, start_new_session=True).returncode == -signal.SIGKILL
    assert not [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("code", [0, 3, -signal.SIGTERM, -signal.SIGKILL, -signal.SIGSEGV])
def test_it_ends_as_the_program_ends(code):
    """With the program's exit code, or by the signal that ended the program."""
    ends = f"exit {code}" if code >= 0 else f"ulimit -c 0; kill -{-code} $$"
    assert tied.run(["sh", "-c", ends]).returncode == code


@linux
def test_as_if_started_directly():
    """The program reads and writes the files that it was given, and ignores no other signals than if it had been started directly."""
    command = ["sh", "-c", "cat; grep SigIgn /proc/self/status; echo error >&2"]
    directly = subprocess.run(command, input="words\n", capture_output=True, text=True)
    process = tied.start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.communicate("words\n") == (directly.stdout, directly.stderr)
    assert directly.stdout.startswith("words\nSigIgn")


def test_open_files(tmp_path):
    """A process has the files that it is given and those that are shared within the block, and no others."""
    files = [os.open(tmp_path, os.O_RDONLY) for _ in range(3)]
    code = "import os, sys; print(*[os.path.exists(f'/dev/fd/{number}') for number in sys.argv[1:]])"
    command = [sys.executable, "-c", code, *map(str, files)]

    def seen(*inherits):
        return tied.start(command, inherits, stdout=subprocess.PIPE, text=True).communicate()[0].split()

    with tied.shared(files[0]):
        assert seen() == ["True", "False", "False"]
        assert seen(files[1]) == ["True", "True", "False"]
    assert seen() == ["False", "False", "False"]
    for number in files:
        os.close(number)


def test_elsewhere(monkeypatch):
    """On a system without such a thing the process is started as it is."""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert tied.tied(["echo", "word"]) == ["echo", "word"]
    assert tied.run(["echo", "word"], text=True).stdout == "word\n"


def test_no_such_program(tmp_path):
    """The caller gets Python's own error; what is no program after all ends like a command that a shell cannot run."""
    with pytest.raises(FileNotFoundError):
        tied.run([str(tmp_path / "none")])
    (tmp_path / "program").write_bytes(b"\0")
    (tmp_path / "program").chmod(0o755)
    if sys.platform == "linux":
        done = tied.run([str(tmp_path / "program")], text=True)
        assert (done.returncode, done.stderr) == (127, f"{tmp_path / 'program'}: Exec format error\n")


@pytest.mark.parametrize("how", ["time", "signal"])
def test_run_leaves_nothing(tmp_path, how):
    """When `run` raises, because the time is up or because a signal came, the process has ended."""
    tells = f"import os, signal; os.kill({os.getpid()}, signal.SIGALRM); " if how == "signal" else ""
    command = [sys.executable, "-c", tells + SLEEPER, str(tmp_path / "pid")]

    def stop(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, stop)
    try:
        with pytest.raises(KeyboardInterrupt if how == "signal" else subprocess.TimeoutExpired):
            tied.run(command, timeout=None if how == "signal" else 0.5)
    finally:
        signal.signal(signal.SIGALRM, before)

    assert until(lambda: not mentioning(str(tmp_path)))


STARTS = {("subprocess", name) for name in ("Popen", "run", "call", "check_call", "check_output", "getoutput", "getstatusoutput")}
STARTS |= {("os", name) for name in ("system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp")}


def starts_a_process(source: str) -> list[str]:
    """Every place of a source that starts a process without `tied`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if (node.value.id, node.attr) in STARTS or (node.value.id == "os" and node.attr.startswith("spawn")):
                found.append(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.ImportFrom) and node.module in ("subprocess", "os"):
            found += [f"{node.module}.{alias.name}" for alias in node.names if (node.module, alias.name) in STARTS]
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
            found += [name for name in names if name.split(".")[0] == "multiprocessing" or name == "ProcessPoolExecutor"]
    return found


BY_ITSELF = "benchmarks/sessions/errand.py"
"""It is sent to other machines as text, without any other file of this project, and ends what it starts by itself."""


def test_every_process_is_started_so():
    """Nothing else in the product starts one."""
    paths = [PROJECT / "conftest.py", *(PROJECT / "lenet5").rglob("*.py"), *(PROJECT / "benchmarks").rglob("*.py")]
    found = {path.relative_to(PROJECT).as_posix(): starts_a_process(path.read_text(encoding="utf-8")) for path in paths}
    assert {path for path, places in found.items() if places} == {
        "benchmarks/launch/tied.py",
        "benchmarks/launch/tie.py",
        BY_ITSELF,
    }


@pytest.mark.parametrize(
    "source",
    [
        "import subprocess\nsubprocess.run([])",
        "from subprocess import Popen",
        "import os\nos.system('')",
        "import multiprocessing.pool",
    ],
)
def test_a_new_start_is_seen(source):
    """The check itself."""
    assert starts_a_process(source)


@pytest.mark.skipif(os.name != "posix", reason="there is no such signal")
@pytest.mark.parametrize("how", ["start", "run"])
def test_where_the_ends_of_children_are_ignored(how):
    """A shell can start a program so, and subprocess then takes every end for a success; here a failure is one."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        command = [sys.executable, "-c", "raise SystemExit(3)"]
        code = tied.start(command).wait() if how == "start" else tied.run(command).returncode
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert code == 3

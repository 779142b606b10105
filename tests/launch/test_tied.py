"""A process that was started through `tied` does not outlive the one that started it, and is otherwise as if it had been started directly."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from benchmarks.launch import tied
from tests.support.copies import PROJECT
from tests.support.processes import appeared, gone, mentioning, until

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with the one that started it")

SLEEPER = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1]).write_text(str(os.getpid())); time.sleep(600)"
"""A program that writes its number into a file and then sleeps."""

PARENT = f"""
import sys
from benchmarks.launch import tied
tied.{{how}}([sys.executable, "-c", {SLEEPER!r}, sys.argv[1]]){{then}}
"""


@linux
@pytest.mark.parametrize(("how", "then"), [("start", ".wait()"), ("run", "")])
def test_it_ends_with_its_parent(tmp_path, how, then):
    """Even if the parent is killed and can clean up nothing."""
    command = [sys.executable, "-c", PARENT.format(how=how, then=then), str(tmp_path / "pid")]
    parent = subprocess.Popen(command, cwd=PROJECT)
    until(lambda: appeared(tmp_path / "pid"))
    child = psutil.Process(int((tmp_path / "pid").read_text()))

    parent.kill()
    parent.wait()

    assert gone(child)


@linux
def test_a_parent_that_ended_early(tmp_path):
    """If the parent ended before the process could ask to end with it, the program is not started at all."""
    (start, *rest) = tied.tied(["touch", str(tmp_path / "started")])
    assert rest[3] == str(os.getpid())
    rest[3] = str(os.getppid())  # some other process
    assert subprocess.run([start, *rest]).returncode == 1
    assert not (tmp_path / "started").exists()


@linux
def test_the_same_process(tmp_path):
    """Its number is the one that the caller knows, and it ignores no other signals than if it had been started directly."""
    command = ["sh", "-c", "echo $$; grep SigIgn /proc/self/status"]
    process = tied.start(command, stdout=subprocess.PIPE, text=True)
    number, ignored = process.communicate()[0].splitlines()

    assert int(number) == process.pid
    assert ignored == subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[1]


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

    assert mentioning(str(tmp_path)) == []


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


def test_every_process_is_started_so():
    """Nothing else in the product starts one."""
    paths = [PROJECT / "conftest.py", *(PROJECT / "lenet5").rglob("*.py"), *(PROJECT / "benchmarks").rglob("*.py")]
    found = {str(path.relative_to(PROJECT)): starts_a_process(path.read_text(encoding="utf-8")) for path in paths}
    assert {path: places for path, places in found.items() if places} == {
        str(Path("benchmarks/launch/tied.py")): ["subprocess.Popen", "subprocess.Popen", "subprocess.Popen"]
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

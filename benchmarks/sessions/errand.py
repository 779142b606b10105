"""What a worker of Dask is sent to do: unpack code, run one command of it, give back the files that this left, and remove everything.

It goes there as text, since compiled code of one Python does not run in another and the worker has no file of ours; so it imports the
standard library only.  In the worker's process `work` starts this file again as a program of its own.  That one does the rest, and cleans
up too when the worker is killed: Linux tells it that its parent has ended.

The worker's Python and its packages are those that measure.  Its environment is the worker's, without what Dask's nanny has put there.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

PREFIX = "lenet5-errand-"
"""How the temporary folder of an errand begins."""

PR_SET_PDEATHSIG = 1
"""Of Linux's prctl: which signal to send to this process when its parent ends."""

HASH_SEED = {"PYTHONHASHSEED": "6640"}
"""What Dask's nanny sets beside what its configuration says: every process would have the same hash seed, and none of ours may."""

LONGEST_SECONDS_TO_END = 20.0
"""How long a killed command may take until nothing of it writes any more."""


# In the worker's process


def work(source: str, token: str, request: str, bundle: bytes) -> str:
    """Run this file, whose text is ``source``, on a request.   -> what `main` prints, or the same for an errand that broke"""
    command = [sys.executable, "-I", "-S", "-c", source, str(os.getpid()), token]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment())
    out, err = process.communicate(request.encode() + b"\n" + bundle)
    if process.returncode:
        said = err.decode(errors="replace").strip().splitlines()
        return json.dumps({"code": process.returncode, "said": (said or ["it was ended"])[-1], "files": {}, "home": ""})
    return out.decode()


def _environment() -> dict[str, str]:
    """That of the worker, without the number of threads and the hash seed that its nanny has set."""
    import dask

    nanny = {name: str(value) for name, value in (dask.config.get("distributed.nanny.pre-spawn-environ", None) or {}).items()}
    added = {**nanny, **HASH_SEED}
    return {name: value for name, value in os.environ.items() if added.get(name) != value}


def stop(token: str) -> int:
    """End the errands of this worker that were sent with a token, and wait until they have cleaned up.   -> how many they were"""
    import psutil

    errands = [child for child in psutil.Process().children() if token in child.cmdline()]
    for errand in errands:
        with suppress(psutil.Error):
            errand.terminate()
    psutil.wait_procs(errands, timeout=2 * LONGEST_SECONDS_TO_END)
    return len(errands)


# In a process of its own


def main(parent: int) -> None:
    """Do what the request on standard input asks, and print what came of it, as JSON."""
    signal.signal(signal.SIGTERM, _end)
    _end_with(parent)
    request = json.loads(sys.stdin.buffer.readline())
    bundle = sys.stdin.buffer.read()
    _remove_stale()
    home = _home()
    try:
        done = _run(home, request, bundle)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _remove(home)
    print(json.dumps(done))


def _end(*_: object) -> NoReturn:
    sys.exit(1)


def _end_with(parent: int) -> None:
    """Get SIGTERM when the worker ends, however it ends."""
    with suppress(OSError, AttributeError):  # a system without it
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGTERM))
    if os.getppid() != parent:
        _end()


def _run(home: Path, request: dict[str, Any], bundle: bytes) -> dict[str, Any]:
    """Unpack, run the command, and read what it left in the folder of its results."""
    code, results, said = home / "code", home / "results", home / "said.txt"
    for folder in (code, results, home / "tmp"):
        folder.mkdir()
    fault = _unpack(home, code, request, bundle)
    if fault:
        return {"code": 2, "said": fault, "files": {}, "home": str(home)}
    (home / "request.json").write_text(json.dumps(request["asked"]), encoding="utf-8")
    ours = code / request["runs"]
    path = os.pathsep.join([str(ours), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", request["module"], str(home / "request.json"), str(code), str(results)]
    with said.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(ours / "benchmarks" / "launch" / "tie.py"), str(os.getpid()), *command],
            cwd=ours,
            env={**os.environ, "PYTHONPATH": path, "TMPDIR": str(home / "tmp")},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            ended = process.wait()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    lines = said.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    files = {
        path.relative_to(results).as_posix(): path.read_text(encoding="utf-8", errors="replace")
        for path in sorted(results.rglob("*"))
        if path.is_file()
    }
    return {"code": ended, "said": (lines or ["it printed nothing"])[-1], "files": files, "home": str(home)}


def _unpack(home: Path, code: Path, request: dict[str, Any], bundle: bytes) -> str:
    """Check the folders of a bundle out.   -> what git says against it, empty if it is done"""
    repository = home / "repository"
    (home / "code.bundle").write_bytes(bundle)
    # Without hooks and templates of this machine's.
    steps = [["init", "--quiet", "--bare", "--template=", str(repository)]]
    here = [f"--git-dir={repository}"]
    steps.append([*here, "bundle", "unbundle", str(home / "code.bundle")])
    for name, (commit, files) in request["folders"].items():
        steps.append([*here, "worktree", "add", "--detach", "--quiet", str(code / name), commit])
        steps.append(["-C", str(code / name), "read-tree", "--reset", "-u", files])
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    variables["LC_ALL"] = "C"  # its lines stand in ours
    for number, step in enumerate(steps):
        try:
            done = subprocess.run(["git", *step], env=variables, stdin=subprocess.DEVNULL, capture_output=True)
        except (FileNotFoundError, NotADirectoryError):
            return "git is not installed"
        if done.returncode:
            said = done.stderr.decode(errors="replace").split("\n")  # not splitlines, which ends lines within names of files too
            words = [line for line in said if line.strip()]
            errors = [line for line in words if line.startswith(("error: ", "fatal: "))]
            return f"git cannot unpack the code: {[*errors, *words[-1:], 'it says nothing'][0]}"  # the first is the cause of the others
        if number == 0:
            (repository / "shallow").write_text("".join(f"{commit}\n" for commit, _ in request["folders"].values()))
    return ""


# The temporary folder, and what is left of earlier ones


def _home() -> Path:
    """A new folder, which is locked for as long as this process lives."""
    while True:
        home = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
        if _is_locked(os.open(home, os.O_RDONLY)) and home.exists():
            return home
        # Another errand took it for one that was left behind.


def _is_locked(folder: int) -> bool:
    """Lock an open folder.   -> whether that could be done"""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_stale() -> None:
    """Remove the folders of errands that were killed before they could do so: no process holds their lock."""
    for home in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            held = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
            if _is_locked(held):
                shutil.rmtree(home, ignore_errors=True)
            os.close(held)


def _remove(home: Path) -> None:
    """Remove the folder of an errand; what was killed a moment ago may still write there."""
    end = time.monotonic() + LONGEST_SECONDS_TO_END
    while home.exists():
        shutil.rmtree(home, ignore_errors=True)
        if time.monotonic() > end:
            return
        time.sleep(0.05)


if __name__ == "__main__":
    main(int(sys.argv[1]))

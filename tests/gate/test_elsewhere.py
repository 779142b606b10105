"""`gate --scheduler`: pairs on real workers are judged as pairs of this machine, also when a worker dies and when the gate goes on."""

from __future__ import annotations

import json
import os
import sys
import threading

import pytest

from benchmarks.__main__ import main
from tests.support import dask, fake_project
from tests.support.fake_project import commit, git
from tests.support.gates import commanding
from tests.support.processes import until

HOLD = f"exec({dask.WAIT!r})"
"""What a case of a side does first: it waits as long as a test says."""

SHARED = f"2 workers share the machine {os.uname().nodename}: what they measure at the same time disturbs each other"


@pytest.fixture
def cluster(tmp_path):
    with dask.cluster(tmp_path / "cluster") as started:
        yield started


@pytest.fixture
def waiting(tmp_path):
    """A repository whose cases wait: the tag "base", and "slower"."""
    project = fake_project.write(tmp_path / "waiting", check=HOLD)
    commit(project, "base")
    git(project, "tag", "base")
    fake_project.write(project, {"one": 1e-3, "two": 2.2e-3}, check=HOLD)
    commit(project, "slower")
    git(project, "tag", "slower")
    return project


@pytest.fixture
def gate(waiting, tmp_path, capsys):
    """gate(*arguments) -> exit code, standard output, lines of standard error; over the repository that waits."""
    with commanding(waiting, tmp_path) as call:

        def gated(*arguments):
            code = call(*arguments)
            said = capsys.readouterr()
            return code, said.out, said.err.splitlines()

        yield gated


def judged_again(folder, json_file):
    """The verdict of a folder -> exit code, facts."""
    code = main(["verdict", str(folder), "--json", str(json_file)])
    return code, json.loads(json_file.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--project", "."], "--scheduler: measures this project only; leave --project out, or measure on this machine"),
        (["--head", "same", "--wait", "0.2"], "--scheduler tcp://127.0.0.1:1: no scheduler answers within 0.2 s"),
    ],
    ids=["another project", "no scheduler"],
)
def test_cannot_begin(command, arguments, line):
    """One line, and exit 2."""
    code, out, err = command("--base", "base", "--scheduler", "tcp://127.0.0.1:1", *arguments)
    assert (code, out, err.splitlines()) == (2, "", [line])


@pytest.mark.slow
def test_as_on_this_machine(cluster, command, slower, repository, tmp_path, capsys):
    """Two workers give the verdict that this machine gives, `verdict` gives it again, and nothing is left anywhere."""
    workers = [cluster.add(), cluster.add()]
    before = git(repository, "status", "--porcelain"), git(repository, "for-each-ref"), git(repository, "count-objects", "-v")
    code, out, err = command("--base", "base", "--head", "slower", "--scheduler", cluster.address, "--json", "gate.json")

    assert code == slower.code == 1, err
    found = json.loads((tmp_path / "gate.json").read_text(encoding="utf-8"))
    local = slower.outcome
    assert found["cases"] == local["cases"]
    assert err.splitlines()[0] == SHARED
    assert f"{SHARED}." in out
    assert (
        git(repository, "status", "--porcelain"),
        git(repository, "for-each-ref"),
        git(repository, "count-objects", "-v"),
    ) == before
    noted = json.loads((tmp_path / "raw" / "run.json").read_text(encoding="utf-8"))["noted"]
    assert noted["measured_by"].keys() == {"pair 1", "pair 2", "pair 3"}
    assert [until(lambda worker=worker: not worker.errands()) for worker in workers] == [True, True]

    assert judged_again(tmp_path / "raw", tmp_path / "again.json") == (code, found)
    assert capsys.readouterr().out.partition("\nRaw values in")[0] == out.partition("\nRaw values in")[0]

    code, out, err = command("--base", "base", "--head", "wrong", "--scheduler", cluster.address, "--output", "wrong")
    assert code == 2
    last = err.splitlines()[-1]
    assert last.startswith("worker tcp://127.0.0.1:")
    assert ": --head wrong: benchmarks/test_cases.py::test_case[two] failed: 3 == 4" in last
    log = last.partition("; see ")[2].partition(",")[0]
    assert log == "wrong/head/process-001.log"
    assert "3 == 4" in (tmp_path / log).read_text(encoding="utf-8")

    (tmp_path / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tmp_path / "python").chmod(0o755)
    code, out, err = command("--base", "base@./python", "--head", "same", "--scheduler", cluster.address)
    assert code == 2
    assert "names an interpreter of this machine; with --scheduler each worker measures with its own" in err


@pytest.mark.slow
def test_two_machines(cluster, command, tmp_path, capsys):
    """Each pair counts within its machine, and the folder, judged again, gives the same."""
    cluster.add(FAKE_NODE="here")
    cluster.add(FAKE_NODE="elsewhere")

    asked = ("--base", "base", "--head", "slower", "--scheduler", cluster.address, "--pairs", "6", "--json", "gate.json")
    code, out, err = command(*asked)

    found = json.loads((tmp_path / "gate.json").read_text(encoding="utf-8"))
    measured_by = json.loads((tmp_path / "raw" / "run.json").read_text(encoding="utf-8"))["noted"]["measured_by"]
    assert len(set(measured_by.values())) == 2, err
    assert code in (1, 3), out  # which of them measures which pair is chance
    assert "Machine by machine" in out
    assert judged_again(tmp_path / "raw", tmp_path / "again.json") == (code, found)


@pytest.mark.slow
def test_a_worker_dies(cluster, gate, waiting, tmp_path):
    """Its pair is measured elsewhere; when the last worker dies, later pairs that have come are kept, and are not measured again.

    The other worker joins when the first pair is under way, and gets the next one at once.  One side is a directory that is not what was
    committed: it travels as it is.
    """
    fake_project.write(waiting, {"one": 1e-3, "two": 1.7e-3}, check=HOLD)
    (waiting / "new.txt").write_text("new")
    state = git(waiting, "status", "--porcelain"), git(waiting, "for-each-ref"), git(waiting, "count-objects", "-v")
    cases = tmp_path / "cases.log"
    dying = cluster.add("--no-nanny", *dask.AS_DOCUMENTED)
    dying.hold()

    def kill_both():
        until(dying.holds)
        other = cluster.add("--no-nanny", *dask.AS_DOCUMENTED, CASE_LOG=str(cases))
        until(lambda: cases.exists() and not other.errands())  # it has measured one
        other.hold()
        dying.kill()
        until(other.holds)  # it was free for this one, so its first had come
        other.kill()

    thread = threading.Thread(target=kill_both, daemon=True)
    thread.start()
    asked = ("--base", "base", "--head", str(waiting), "--scheduler", cluster.address, "--wait", "5", "--pairs", "4")
    code, _, err = gate(*asked)
    thread.join()
    assert code == 2
    assert err[-1].startswith(f"--scheduler {cluster.address}: no worker is left within 5 s")
    assert err.count(SHARED) == 1
    kept = {path: path.read_bytes() for path in (tmp_path / "raw").glob("*/process-*.json")}
    assert len(kept) in (2, 4, 6)
    assert all(until(lambda worker=worker: not worker.errands()) for worker in cluster.workers)

    cluster.add("--no-nanny", *dask.AS_DOCUMENTED)
    code, out, err = gate("--resume")
    assert code == 0, err
    assert "(1 faster, 1 same)" in out
    assert f"{SHARED}." in out  # those that are gone did
    assert {path: path.read_bytes() for path in kept} == kept
    assert len(list((tmp_path / "raw").glob("*/process-*.json"))) == 8
    assert judged_again(tmp_path / "raw", tmp_path / "again.json")[0] == code
    assert (git(waiting, "status", "--porcelain"), git(waiting, "for-each-ref"), git(waiting, "count-objects", "-v")) == state

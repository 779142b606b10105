"""`run --scheduler`: a real scheduler, real workers, and what is left when one of them differs, dies, or was never there.

They are slow, since each starts workers and pytest there; bad input, and what needs no worker, is tried in every run.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import partial

import pytest

from benchmarks.__main__ import main
from benchmarks.saved import results
from benchmarks.saved.provenance import ROOT
from benchmarks.sessions import command
from benchmarks.sessions.cluster import connected
from benchmarks.sessions.plan import Plan
from benchmarks.sessions.signals import Signals
from tests.support import dask
from tests.support.processes import until

WAITING = "tests/data/cases_that_wait.py"
FAILING = "tests/data/cases_that_fail.py"
QUICK = ("--", "--threads", "1")
ALONE = ("--no-nanny", *dask.AS_DOCUMENTED)
"""Options of a worker that is one process and is not started again."""


@pytest.fixture
def cluster(tmp_path):
    with dask.cluster(tmp_path / "cluster") as started:
        yield started


@pytest.fixture
def run(tmp_path, monkeypatch, capsys, request):
    """run(*arguments) -> exit code, lines of standard error; of a run into tmp_path/run."""
    monkeypatch.setattr(command, "Plan", partial(Plan, cases=getattr(request, "param", WAITING)))

    def call(*arguments):
        code = main(["run", "--output", str(tmp_path / "run"), *map(str, arguments)])
        return code, capsys.readouterr().err.splitlines()

    return call


@contextmanager
def meanwhile(act):
    """Act in another thread.  An exception of it is raised at the end."""
    failed = []

    def safely():
        try:
            act()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=safely)
    thread.start()
    yield
    thread.join()
    for error in failed:
        raise error


def clean(worker):
    """Nothing of an errand is left in a worker's temporary folder, at once or after a moment."""
    return until(lambda: not worker.errands())


# ------------------------------------------------------------------------------------------------ without a cluster


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["host:8786"], "--scheduler host:8786: is no address; expected tcp://HOST:PORT or tls://HOST:PORT"),
        (["tcp://host"], "--scheduler tcp://host: is no address; expected tcp://HOST:PORT or tls://HOST:PORT"),
        (["tcp://127.0.0.1:1", "--wait", "0"], "--wait 0: use a number of seconds above 0"),
        (["tcp://127.0.0.1:1", "--wait", "0.2"], "--scheduler tcp://127.0.0.1:1: no scheduler answers within 0.2 s"),
    ],
    ids=["no scheme", "no port", "wait", "no scheduler"],
)
def test_no_scheduler(run, tmp_path, arguments, line):
    """One line, exit 2, and no folder."""
    assert run("--scheduler", *arguments) == (2, [line])
    assert not (tmp_path / "run").exists()


def test_not_installed(run, monkeypatch):
    """What is missing is one line with the command that brings it."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    code, err = run("--scheduler", "tcp://127.0.0.1:1")
    assert (code, err) == (2, ["--scheduler: the package 'distributed' is not installed; pip install -e '.[cluster]'"])


def test_not_imported():
    """A run on this machine does not load it."""
    code = "import sys; from benchmarks.__main__ import parse; parse(['run']); sys.exit('distributed' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


# ---------------------------------------------------------------------------------------------------- on its workers


@pytest.mark.slow
def test_two_workers(cluster, run, tmp_path, capsys):
    """The folder is that of a local run; it says that the workers share a machine, and nothing is left on them."""
    workers = [cluster.add(), cluster.add()]
    code, err = run("--scheduler", cluster.address, "--processes", 3, *QUICK)

    assert code == 0, err
    host = os.uname().nodename
    assert err[0] == f"2 workers share the machine {host}: what they measure at the same time disturbs each other"
    assert [line.split(" of 3: done")[0] for line in err if "done" in line] != []
    assert sorted(path.name for path in (tmp_path / "run").glob("*.json") if path.name != "report.json") == [
        *(f"process-00{number}.json" for number in (1, 2, 3)),
        "run.json",
    ]
    assert not list((tmp_path / "run").glob("*.log")) + list((tmp_path / "run").glob("*.part"))
    noted = json.loads((tmp_path / "run" / "run.json").read_text())["noted"]
    assert noted["shared_machines"] == [host]
    assert noted["measured_by"].keys() == {"process-001", "process-002", "process-003"}
    saved = [json.loads(path.read_text()) for path in sorted((tmp_path / "run").glob("process-*.json"))]
    assert [document["machine_info"]["lenet5"]["shuffle"] for document in saved] == ["0.1", "0.2", "0.3"]
    assert results.load_many([tmp_path / "run"]).processes == 3
    assert all(map(clean, workers))

    # It goes on as any other, with what it was asked for, and needs no worker for what is there.
    (tmp_path / "run" / "process-002.json").unlink()
    before = (tmp_path / "run" / "process-001.json").read_bytes()
    assert main(["run", "--output", str(tmp_path / "run"), "--resume"]) == 0
    assert (tmp_path / "run" / "process-001.json").read_bytes() == before
    assert results.load_many([tmp_path / "run"]).processes == 3
    capsys.readouterr()
    assert main(["report", str(tmp_path / "run"), "--output", str(tmp_path / "report")]) == 0


@pytest.mark.slow
def test_a_worker_dies(cluster, run, tmp_path):
    """A killed worker changes nothing but time, and leaves nothing; when the last one dies, what is measured is kept."""
    dying, other = cluster.add(*ALONE), cluster.add(*ALONE)
    dying.hold()

    def kill():
        until(dying.holds)
        dying.kill()

    with meanwhile(kill):
        code, err = run("--scheduler", cluster.address, "--processes", 3, *QUICK)
    assert code == 0, err
    (line,) = [line for line in err if "elsewhere" in line]
    assert line.startswith("worker tcp://127.0.0.1:")
    assert " is gone; process " in line
    measured_by = json.loads((tmp_path / "run" / "run.json").read_text())["noted"]["measured_by"]
    assert len(measured_by) == 3
    assert len(set(measured_by.values())) == 1
    assert clean(dying)
    assert clean(other)

    def kill_the_last():
        until(other.holds)
        other.kill()

    other.hold()
    with meanwhile(kill_the_last):
        code, err = run("--resume", "--processes", 4, "--wait", 5)
    assert code == 2
    assert err[-1].startswith(f"--scheduler {cluster.address}: no worker is left within 5 s; start one with dask worker")
    assert len(list((tmp_path / "run").glob("process-*.json"))) == 3
    assert clean(other)

    cluster.add()
    assert run("--resume", "--processes", 4)[0] == 0
    assert results.load_many([tmp_path / "run"]).processes == 4


@pytest.mark.slow
def test_a_worker_that_differs(cluster, run, tmp_path):
    """Other versions, or a git that changes the code on its way out: refused by name, and not used; if none is left, exit 2."""
    (tmp_path / "shadow" / "threadpoolctl-0.1.dist-info").mkdir(parents=True)
    (tmp_path / "shadow" / "threadpoolctl-0.1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: threadpoolctl\nVersion: 0.1\n"
    )
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".gitconfig").write_text("[core]\n\tautocrlf = true\n")
    altered = cluster.add(*ALONE, HOME=str(tmp_path / "home"))

    code, err = run("--scheduler", cluster.address, "--processes", 1, *QUICK)
    assert code == 2
    assert err[0].startswith("worker tcp://127.0.0.1:")
    assert f" on {os.uname().nodename} is not used: code_sha256 of harness is " in err[0]
    assert err[1:] == [
        f"--scheduler {cluster.address}: every worker was refused; give them what the others, and this code, ask for"
    ]
    assert not (tmp_path / "run").exists()

    other = cluster.add(*ALONE, PYTHONPATH=str(tmp_path / "shadow"))
    good = [cluster.add(*ALONE), cluster.add(*ALONE)]
    code, err = run("--scheduler", cluster.address, "--processes", 2, *QUICK)
    assert code == 0, err
    refused = [line for line in err if "is not used" in line]
    assert len(refused) == 2
    assert [("threadpoolctl is 0.1, not " in line, "code_sha256" in line) for line in sorted(refused, key=len)] == [
        (True, False),
        (False, True),
    ]
    assert all(map(clean, [altered, other, *good]))


@pytest.mark.slow
def test_a_worker_is_seen_at_every_look(cluster):
    """Also while the client's own thread asks the scheduler for facts that leave the workers out."""
    cluster.add(*ALONE)
    with dask.restless(), Signals() as signals, connected(cluster.address, None, signals, print) as found:
        assert {len(found.there()) for _ in range(500)} == {1}


@pytest.mark.slow
def test_no_fitting_worker(cluster, run, tmp_path):
    """A worker without the resource does not count."""
    cluster.add("--nthreads", "1")
    code, err = run("--scheduler", cluster.address, "--wait", "5")
    start = f"dask worker {cluster.address} --nthreads 1 --resources process=1"
    assert (code, err) == (
        2,
        [f"--scheduler {cluster.address}: no worker with the resource 'process' within 5 s; start one with {start}"],
    )
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("run", [FAILING], indirect=True)
def test_a_failing_case(cluster, run, tmp_path):
    """The same lines as on this machine, with the worker's name; the log comes along, and nothing is left there."""
    worker = cluster.add()
    code, err = run("--scheduler", cluster.address, "--processes", 1, *QUICK)
    name = next(iter(json.loads((tmp_path / "run" / "run.json").read_text())["noted"]["measured_by"].values()))
    assert code == 1
    assert f"process-001: {FAILING}::test_wrong failed ({name})" in err
    assert "assert sum([1, 2]) == 4" in (tmp_path / "run" / "process-001.log").read_text(encoding="utf-8")

    code, err = run("--scheduler", cluster.address, "--processes", 1, "--output", tmp_path / "other", "--", "--no-such-option")
    assert code == 2
    log = tmp_path / "other" / "process-001.log"
    assert err[-1].startswith(f"{name}: process-001 could not measure (exit code 4): ")
    assert err[-1].endswith(f"; see {log}")
    assert "--no-such-option" in log.read_text(encoding="utf-8")
    assert clean(worker)


@pytest.fixture
def running(cluster, tmp_path):
    """A worker that holds its first case, and the run in a process of its own that has sent it there."""
    worker = cluster.add(*ALONE)
    worker.hold()
    driver = f"""
import sys
from functools import partial
from benchmarks.__main__ import main
from benchmarks.sessions import command
command.Plan = partial(command.Plan, cases={WAITING!r})
sys.exit(main(sys.argv[1:]))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", driver, "run", "--scheduler", cluster.address, "--output", str(tmp_path / "run"), *QUICK],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        # A script that runs these tests in the background ignores Ctrl-C, and so would the run.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    until(worker.holds)
    yield worker, process
    process.kill()
    process.communicate()


@pytest.mark.slow
def test_interrupted(cluster, running):
    """Ctrl-C ends what the workers do at once, and says how to go on."""
    worker, process = running
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=300)

    assert process.returncode == 130
    assert not worker.errands()  # it waited for that
    first, go_on = err.splitlines()
    assert first == "SIGINT: 0 of 10 processes are kept; go on with"
    assert f"--scheduler={cluster.address}" in shlex.split(go_on)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "ended"])
def test_the_scheduler_ends(cluster, running, number):
    """While a worker measures: one line, with nothing of Dask's own, and exit 2."""
    _, process = running
    cluster.scheduler.send_signal(number)
    _, err = process.communicate(timeout=300)

    line = f"--scheduler {cluster.address}: the scheduler is gone; what is measured is kept"
    assert (process.returncode, err.splitlines()) == (2, [line])


@pytest.mark.slow
def test_tls(tmp_path):
    """Dask's own settings let a run reach a scheduler that speaks TLS; without them it is one line."""
    openssl = partial(subprocess.run, cwd=tmp_path, check=True, capture_output=True)
    key = ["-newkey", "rsa:2048", "-nodes", "-days", "2"]
    openssl(["openssl", "req", "-x509", *key, "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem"])
    openssl(["openssl", "req", *key[:3], "-subj", "/CN=cluster", "-keyout", "key.pem", "-out", "request.pem"])
    sign = ["-req", "-days", "2", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "cert.pem"]
    openssl(["openssl", "x509", *sign])
    files = {name: str(tmp_path / f"{name}.pem") for name in ("ca", "cert", "key")}
    protocol = ("--protocol", "tls", "--tls-ca-file", files["ca"], "--tls-cert", files["cert"], "--tls-key", files["key"])
    settings = {"CA_FILE": "ca", "CLIENT__CERT": "cert", "CLIENT__KEY": "key"}
    environment = {**os.environ, **{f"DASK_DISTRIBUTED__COMM__TLS__{name}": files[what] for name, what in settings.items()}}
    with dask.cluster(tmp_path / "cluster", *protocol) as cluster:
        cluster.add()
        assert cluster.address.startswith("tls://")
        line = [sys.executable, "-m", "benchmarks", "run", "--scheduler", cluster.address, "--processes", "1"]
        line += ["--output", str(tmp_path / "run"), "-k", "nonsense"]
        plain = subprocess.run([*line, "--wait", "1"], cwd=ROOT, capture_output=True, text=True)
        secure = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, env=environment)

    assert plain.returncode == 2
    assert plain.stderr.startswith(f"--scheduler {cluster.address}: ")
    assert plain.stderr.count("\n") == 1
    # It came as far as the worker, which has no such case.
    assert secure.returncode == 2
    assert "-k nonsense: selects no case" in secure.stderr
    assert secure.stderr.startswith("worker tls://")

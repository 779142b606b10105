"""Runs of several processes, for real: what they leave behind when they end, are killed, go on, or cannot begin."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import pytest

from benchmarks.__main__ import main
from benchmarks.report.report import write
from benchmarks.saved import results
from benchmarks.saved.provenance import ROOT
from benchmarks.sessions import command, plan, processes
from benchmarks.sessions.plan import Plan, Session
from benchmarks.sessions.process import Place
from lenet5 import InputError
from tests.support.processes import alive
from tests.support.rows import slow

FAST = ("-k", "test_predict and numpy and im2col")
QUICK = ("--", "--threads", "1", "--dataset", "digits", "--benchmark-max-time", "0.01")
FAILING = "tests/data/cases_that_fail.py"
RUN = Path(__file__).parents[1] / "data" / "run"


def line(*arguments):
    return [sys.executable, "-m", "benchmarks", *map(str, arguments)]


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def structure(folder, output):
    """The report of a run without what differs from one run to the next: figures, their units, how wide the columns are for them.

    And without what other programs did meanwhile, which would mark cases of one run and not of another.
    """
    output.mkdir()
    for path in folder.glob("process-*.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        for case in document["benchmarks"]:
            case["extra_info"].pop("others_cpu_seconds", None)
        (output / path.name).write_text(json.dumps(document), encoding="utf-8")
    report = write([output], output).text
    report = re.sub(r"\*\*Warning: .*\n\n|^The machine .*\n\n|^The control stayed .*\n\n", "", report, flags=re.MULTILINE)
    report = re.sub(r"\d[\d.,:T+-]*( (ns|µs|ms|s|%))?", "#", report)
    return re.sub(r"-+|[ :]+", " ", report)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The folder of a run of two processes that nothing interrupted, and what it said."""
    folder = tmp_path_factory.mktemp("uninterrupted") / "run"
    done = subprocess.run(
        line("run", "--processes", 2, "--output", folder, *FAST, *QUICK), cwd=ROOT, capture_output=True, text=True
    )
    return folder, done


def test_uninterrupted(uninterrupted):
    """Every process leaves one file, and together they make one report with intervals."""
    folder, done = uninterrupted
    run = results.load_many([folder])

    assert done.returncode == 0, done.stderr
    assert files(folder) == sorted(["process-001.json", "process-002.json", "run.json", *files_of_a_report(folder)])
    assert done.stderr.splitlines()[-1].startswith("process-002 of 2: done; ")
    assert run.processes == 2
    assert [case.extra["batch"] for case in run.group("predict")] == [1, 64, 450]
    assert [case.mode for case in run.group("control")] == ["product first", "product last", "no network"]
    assert all(len(case.medians) == 2 for case in run.cases)
    assert "of the medians of 2 processes" in (folder / "report.md").read_text(encoding="utf-8")


def files_of_a_report(folder):
    return [name for name in files(folder) if name.startswith("report.")]


def test_every_process_has_its_own_order(uninterrupted):
    """The orders come from the seed and the number of the process; the files list their cases alike in any order."""
    folder, _ = uninterrupted
    saved = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("process-*.json"))]

    assert [document["machine_info"]["lenet5"]["shuffle"] for document in saved] == ["0.1", "0.2"]
    assert len({tuple(case["name"] for case in document["benchmarks"]) for document in saved}) == 1


@pytest.mark.parametrize("signum", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM])
def test_killed_and_resumed(uninterrupted, tmp_path, signum):
    """A run that is killed keeps what had finished, leaves no child, says how to go on, and then ends like any other."""
    folder = tmp_path / "run"
    # The first process is there already, so that the kill falls into the second.
    folder.mkdir()
    for name in ("run.json", "process-001.json"):
        shutil.copy(uninterrupted[0] / name, folder)
    arguments = line("run", "--output", folder, "--resume")  # what was asked is in the folder
    running = subprocess.Popen(
        arguments,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A script that runs these tests in the background ignores Ctrl-C, and so would the run.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    children = first_children(running.pid)
    os.kill(running.pid, signum)
    _, err = running.communicate(timeout=300)

    assert running.returncode == 130
    assert files(folder) == ["process-001.json", "run.json"]
    assert not [child for child in children if alive(child)]
    assert f"{signal.Signals(signum).name}: 1 of 2 processes are kept; go on with" in err

    if signum == signal.SIGINT:  # to go on is the same after either
        go_on = shlex.split(err.splitlines()[-1])
        done = subprocess.run([sys.executable, *go_on[1:]], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert str(folder / "report.md") in done.stdout
        assert structure(folder, tmp_path / "one") == structure(uninterrupted[0], tmp_path / "other")


def first_children(pid):
    """The processes that a run has started, as soon as there is one."""
    for _ in range(3000):
        children = psutil.Process(pid).children(recursive=True)
        if children:
            time.sleep(0.5)
            return psutil.Process(pid).children(recursive=True)
        time.sleep(0.1)
    raise AssertionError("the run started no process")


def test_finished_run_needs_no_process(uninterrupted, tmp_path, capsys):
    """To resume a run that has all its processes measures nothing."""
    folder = tmp_path / "run"
    shutil.copytree(uninterrupted[0], folder)
    before = {name: (folder / name).read_bytes() for name in files(folder)}

    assert main(["run", "--output", str(folder), "--resume"]) == 0
    assert {name: (folder / name).read_bytes() for name in files(folder)} == before


@pytest.mark.parametrize(
    ("arguments", "difference"),
    [
        ((*FAST, "--seed", "1", *QUICK), "seed was 0, now it is 1"),
        (("-k", "test_predict", *QUICK), "expression was"),
        ((*FAST, *QUICK[:-1], "0.3"), "options was"),
    ],
    ids=["seed", "cases", "options"],
)
def test_other_settings(uninterrupted, capsys, arguments, difference):
    """A run cannot go on with other settings than it began with."""
    folder, _ = uninterrupted
    before = files(folder)

    assert main(["run", "--processes", "3", "--output", str(folder), "--resume", *arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"{folder / 'run.json'}: {difference}")
    assert err.count("\n") == 1
    assert files(folder) == before


@pytest.mark.parametrize("change", ["versions", "code_sha256"])
def test_other_circumstances(uninterrupted, monkeypatch, change):
    """Nor with another version of a package, nor with other code."""
    folder, _ = uninterrupted
    monkeypatch.setattr(plan, change, lambda: {"numpy": "0.1"} if change == "versions" else "1" * 64)
    asked = Plan(expression=FAST[1], options=QUICK[1:])

    with pytest.raises(InputError, match=r"run\.json: (versions\.numpy|code_sha256) was "):
        processes.run(asked, 3, folder, resume=True)


def test_results_are_not_overwritten(uninterrupted, capsys):
    """A folder that has results takes no second run."""
    folder, _ = uninterrupted

    assert main(["run", "--output", str(folder), *FAST, *QUICK]) == 2
    assert capsys.readouterr().err == f"{folder}: has 2 finished processes; go on with --resume, or name another --output\n"


def test_failed_check(tmp_path, monkeypatch, capsys):
    """A case that fails is named and has no number; the run goes on, and ends with 1."""
    monkeypatch.setattr(command, "Plan", partial(Plan, cases=FAILING))

    assert main(["run", "--processes", "2", "--output", str(tmp_path), "--", "--threads", "1"]) == 1
    out, err = capsys.readouterr()
    assert [line for line in err.splitlines() if line.endswith(" failed")] == [
        f"process-001: {FAILING}::test_wrong failed",
        f"process-002: {FAILING}::test_wrong failed",
    ]
    assert f"{tmp_path}/report.md" in out
    assert re.search(rf"{FAILING}::test_wrong +\| failed: assert 3 == 4", (tmp_path / "report.md").read_text(encoding="utf-8"))
    run = results.load_many([tmp_path])
    assert [case.name for case in run.cases] == [f"{FAILING}::test_right"]
    assert "assert sum([1, 2]) == 4" in (tmp_path / "process-001.log").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("-k", "numpy and (", *QUICK), "-k numpy and (: no expression as for pytest -k (a name is missing), such as "),
        (("-k", "nonsense", *QUICK), "-k nonsense: selects no case"),
        slow(("--", "--dataset", "nonsense"), "--dataset 'nonsense' is not known"),
        slow(("--", "--no-such-option"), "error: unrecognized arguments: --no-such-option"),
    ],
    ids=["expression", "no case", "dataset", "option"],
)
def test_cannot_begin(tmp_path, capsys, arguments, reason):
    """A process that cannot measure ends the run with exit 2 and its own last word; the folder is free for another try."""
    assert main(["run", "--processes", "2", "--output", str(tmp_path), *arguments]) == 2
    err = capsys.readouterr().err
    assert reason in err
    assert err.count("\n") == 1
    assert not list(tmp_path.glob("*.json")) + list(tmp_path.glob("*.part"))


def test_kept_beside_what_another_machine_measured(tmp_path):
    """A process of another kind of machine is none of this run, but one of those that a cluster's workers measure."""
    files = sorted((ROOT / "tests" / "data" / "run").glob("process-*.json"))
    shutil.copy(files[0], tmp_path / "process-001.json")
    document = json.loads(files[1].read_text(encoding="utf-8"))
    document["machine_info"]["cpu"]["brand_raw"] = "another processor"
    session = Session(Plan(), Place(ROOT, sys.executable, {}), tmp_path, 2)
    part = tmp_path / "process-002.part"

    part.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError, match=r"cpu.brand_raw is another processor"):
        processes.keep(session, part)
    processes.keep(session, part, anywhere=True)
    assert [len(run.paths) for run in results.load_runs([tmp_path])] == [1, 1]

    document["machine_info"]["lenet5"]["epochs"] = 99
    part.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError, match=r"epochs is 99"):
        processes.keep(replace(session, number=3), part, anywhere=True)

"""The study of disturbance counts right, measures the conditions in turn, and leaves no loop behind."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import psutil
import pytest

from benchmarks.__main__ import main
from benchmarks.proof import disturbance, disturbance_page
from benchmarks.proof.disturbance import CONDITIONS, condition, judged, study
from benchmarks.sessions.signals import Signals
from lenet5 import InputError
from tests.support.copies import PROJECT
from tests.support.processes import command_line, gone, until
from tests.support.runs import case, run_of

QUIET = {"cpus_allowed": 2, "cpus_allowed_after": 2, "watched_seconds": 0.5, "others_cpu_seconds": 0.01, "steal_seconds": 0.0}
LOUD = {**QUIET, "others_cpu_seconds": 0.36}
SHORT = {**LOUD, "watched_seconds": 0.149}


def session(*extras):
    cases = [case("predict", "numpy", f"mode {index}", 1e-3, batch=1, **extra) for index, extra in enumerate(extras)]
    return run_of(*cases, code_sha256="0" * 64)


def test_counts():
    """Of the cases that were long enough: how many were called disturbed, and would be by other bounds; others a second less rounding."""
    found = condition([session(QUIET, LOUD, SHORT), session(LOUD, QUIET)])

    assert (found["sessions"], found["too_short"]) == (2, 1)
    assert {name: found["called"][name] for name in ("count", "of", "share")} == {"count": 2, "of": 4, "share": 0.5}
    assert 0.1 < found["called"]["low"] < 0.5 < found["called"]["high"] < 0.9
    # 0.36 s of 0.5 s are 0.72 CPUs, of which 0.04 can be rounding
    assert [one["count"] for one in found["by_bound"]] == [2] * len(found["by_bound"])
    assert len(found["signals"]) == 5
    assert found["signals"][1] == ["test_predict[numpy-mode 1-batch1]", 2, 2, 0.5, None, 0.36, 0.0, None, None, None]


def test_rounding_is_no_signal_at_any_bound():
    """A bound that only rounding crosses is not crossed."""
    found = condition([session({**QUIET, "others_cpu_seconds": 0.06})])
    assert [one["bound"] for one in found["by_bound"] if one["count"]] == [0.05]


@pytest.fixture
def sessions(monkeypatch):
    """Which sessions were measured: the number of loops that ran beside each; no real one is."""
    running, seen = [], []

    def start(command):
        running.append(command)
        return command

    def measured(path, _):
        seen.append(len(running))
        return session(*[LOUD if running else QUIET] * 150, *[SHORT] * 10)

    monkeypatch.setattr(disturbance.tied, "start", start)
    monkeypatch.setattr(disturbance.tied, "kill", running.remove)
    monkeypatch.setattr(disturbance, "_session", measured)
    yield seen
    assert running == []


@pytest.mark.parametrize(("runs", "order"), [(None, [0, 1, 2] * 2), (1, [0, 1, 2]), (3, [0, 1, 2] * 3)])
def test_in_turn_until_enough(sessions, runs, order):
    """Conditions take turns, so that all of them see the machine as it changes; each ends with 300 cases that can be judged."""
    found = study(runs, "the command", Signals())

    assert sessions == order
    assert found["conditions"].keys() == CONDITIONS.keys()
    assert [one["called"]["count"] for one in found["conditions"].values()] == [0, *[75 * len(order) // 1.5] * 2]
    assert judged([session(QUIET, SHORT, {})]) == 1


def test_what_is_written(sessions, tmp_path):
    """Shares with their intervals, what missed what was wanted, the command, every signal's quantiles; and the signals themselves."""
    found = study(None, "python -m benchmarks disturb", Signals())
    text = disturbance_page.write(found, tmp_path)

    assert (tmp_path / "study.md").read_text(encoding="utf-8") == text
    assert json.loads((tmp_path / "disturbance.json").read_text(encoding="utf-8")) == json.loads(json.dumps(found))
    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("|")}
    assert "0.00 % [0.00, 1.26]" in rows["idle"]
    assert "100.00 % [98.74, 100.00]" in rows["two busy loops"]
    assert "0.72 CPUs" in rows["others used, one busy loop"]
    assert rows["its threads waited, added up, idle"].count("—") == len(disturbance_page.PERCENT)
    assert "missed" not in text
    assert "`python -m benchmarks disturb`" in text


@pytest.mark.parametrize(("name", "loud"), [("idle", 2), ("one busy loop", 98)])
def test_missed(name, loud):
    """Two of a hundred idle cases called disturbed, or two of a hundred disturbed ones not, are too many: the page says so."""
    found = {**study_of(name, loud), "command": "x"}
    assert f"{name}: **missed what was wanted.**" in disturbance_page.of(found).notes


def study_of(name, loud):
    run = session(*[LOUD] * loud, *[QUIET] * (100 - loud))
    others = {other: condition([session(*[LOUD if CONDITIONS[other] else QUIET] * 100)]) for other in CONDITIONS}
    return {**disturbance._circumstances(run, ""), "conditions": {**others, name: condition([run])}}


def test_quantiles():
    """Of the numbers from 0 to 100 they are these numbers; of one number it is that."""
    assert disturbance_page.quantiles(list(range(101))) == list(disturbance_page.PERCENT)
    assert disturbance_page.quantiles([3.5]) == [3.5] * len(disturbance_page.PERCENT)


def test_a_failed_session_ends_it(monkeypatch, tmp_path):
    """Of a session without figures there is one line, with what pytest said."""
    monkeypatch.setattr(disturbance, "CASES", ("benchmarks/no_such_file.py",))
    with pytest.raises(InputError, match=r"^-m pytest: ended with 4: .*unrecognized arguments: --heavy"):
        disturbance._session(tmp_path / "run.json", Signals())


@pytest.mark.parametrize(
    "command",
    [
        ["disturb", "--output", "file/report"],
        ["study", "nosuch", "--output", "file/report"],
        ["coverage", "--processes", "10", "--output", "raw", "--save", "file/count.json"],
    ],
    ids=lambda command: command[0],
)
def test_a_place_that_cannot_be_written_to_is_known_before(tmp_path, monkeypatch, capsys, command):
    """Minutes of measuring and counting are not lost for it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()

    assert main(command) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(rf"file/\S+: cannot be written \(Not a directory\); name another {command[-2]}\n", err)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.slow
def test_stopped(tmp_path):
    """A signal ends the study in one line, and leaves neither a process nor a temporary folder."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "benchmarks", "disturb", "--runs", "1", "--output", str(tmp_path / "report")]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        family = until(lambda: psutil.Process(running.pid).children(recursive=True))
        until(lambda: list(temporary.glob("lenet5-disturbance-*/*")))
        running.terminate()
        out, err = running.communicate(timeout=60)

    assert (running.returncode, out, err) == (130, "", "SIGTERM: nothing is kept\n")
    assert gone(*family)
    assert list(temporary.iterdir()) == []
    assert not (tmp_path / "report").exists()


HOLDER = """
import time
from benchmarks.proof import disturbance
with disturbance.busy(1):
    print("busy", flush=True)
    time.sleep(60)
"""


def test_loops_die_with_the_study():
    """Also if it is killed, which it cannot notice itself."""
    with subprocess.Popen([sys.executable, "-c", HOLDER], cwd=PROJECT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "busy\n"
        family = until(lambda: with_a_loop(psutil.Process(holder.pid).children(recursive=True)))
        holder.kill()
        holder.wait()
        assert gone(*family)


def with_a_loop(family):
    """These processes, as soon as one of them is a busy loop."""
    return family if any(disturbance.LOOP in command_line(process)[:3] for process in family) else []

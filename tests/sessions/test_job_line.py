"""One line on a terminal says how far the job is; nowhere else is there anything of it."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys

import pytest

from benchmarks.sessions.job_line import CACHE, ERASE, line, seconds_left, seconds_of
from tests.support import stopping
from tests.support.copies import copy_of_project
from tests.support.rows import slow


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (None, "12 of 55 done: test_a[1]"),
        (0.0, "12 of 55 done, less than 1 min left: test_a[1]"),
        (59.9, "12 of 55 done, less than 1 min left: test_a[1]"),
        (60.0, "12 of 55 done, about 1 min left: test_a[1]"),
        (170.0, "12 of 55 done, about 3 min left: test_a[1]"),
    ],
)
def test_line(left, said):
    """What is done, the time that is left if it can be told, and what runs."""
    assert line("test_a[1]", 12, 55, left, 80) == said


@pytest.mark.parametrize("columns", [1, 2, 5, 24, 25, 26, 80])
def test_line_is_narrower_than_the_terminal(columns):
    """A name that does not fit is cut off, and that is to be seen."""
    whole = "12 of 55 done: test_a[1]"
    cut = line("test_a[1]", 12, 55, None, columns)
    assert len(cut) < columns
    assert cut == whole if columns > len(whole) else cut.endswith("..."[: columns - 1])


def test_seconds_left_as_in_the_earlier_session():
    """If all goes as it went before, the sum of what is to come."""
    earlier = {"a": 1.0, "b": 2.0, "c": 30.0, "gone": 400.0}
    assert seconds_left(["a", "b", "c"], {}, earlier) == pytest.approx(33)
    assert seconds_left(["b", "c"], {"a": 1.0}, earlier) == pytest.approx(32)
    assert seconds_left([], {"a": 1.0, "b": 2.0, "c": 30.0}, earlier) == 0


def test_seconds_left_for_unknown_cases():
    """They take as long as the known ones on average; if most are unknown, nothing is said."""
    assert seconds_left(["new"], {}, {}) is None
    assert seconds_left(["new", "newer"], {"a": 4.0}, {}) is None
    assert seconds_left(["new"], {"a": 4.0}, {}) == 4
    assert seconds_left(["new", "b"], {"a": 4.0}, {"b": 8.0, "a": 4.0}) == pytest.approx(6 + 8)


def test_seconds_left_follows_the_pace():
    """In a session that is twice as fast the rest comes to be expected in half the time, step by step and never below 0."""
    earlier = {str(number): 10.0 for number in range(20)}
    took = {str(number): 5.0 for number in range(20)}
    left = [
        seconds_left(
            [str(number) for number in range(done, 20)], {str(number): took[str(number)] for number in range(done)}, earlier
        )
        for done in range(21)
    ]
    assert left == sorted(left, reverse=True)
    assert left[0] == 200
    assert 50 <= left[10] <= 60
    assert left[20] == 0


def test_one_slow_case_does_not_decide():
    """The first case, which imports a framework, took ten times as long: the other nineteen are not taken for as slow."""
    earlier = {str(number): 1.0 for number in range(20)}
    assert 19 <= seconds_left([str(number) for number in range(1, 20)], {"0": 10.0}, earlier) < 5 * 19


@pytest.mark.parametrize(
    ("cached", "expected"),
    [
        ({}, {}),
        (None, {}),
        ([1], {}),
        ({"a": 1, "b": "2", "c": -1, "d": None, "e": float("nan"), "f": float("inf"), "g": 0.5}, {"a": 1.0, "g": 0.5}),
    ],
)
def test_only_what_is_sound(cached, expected):
    """Other programs can write into pytest's cache."""
    assert seconds_of(cached) == expected


# In real sessions

CASES = """
import time

import pytest

pytestmark = pytest.mark.benchmark(group="control")


@pytest.mark.parametrize("number", range(30))
def test_quick(benchmark, number):
    print("a framework says something")
    benchmark.extra_info.update(framework="control", mode="sum")
    benchmark.pedantic(sum, ([1, 2],), rounds=2)


def test_skipped(benchmark):
    pytest.skip("no such thing")


def test_wrong(benchmark):
    assert 3 == 4


def test_after(benchmark):
    benchmark.pedantic(sum, ([1, 2],), rounds=2)
"""
NUMBER = 33
ADDED = "benchmarks/test_added.py"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with thirty cases that pass, one that is skipped, one that fails and one more."""
    project = stopping.write(copy_of_project(tmp_path_factory.mktemp("line") / "project"))
    (project / ADDED).write_text(CASES)
    return project


def session(project, *options, **variables):
    """The command line and the environment of a session of these cases."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON", "COLUMNS"))}
    words = [sys.executable, "-m", "pytest", ADDED, "-p", "quick_info", "--no-report", "--color=no", *options]
    return words, {**kept, "PYTHONPATH": str(project), "TERM": "xterm", **variables}


def on_a_terminal(project, *options, **variables):
    """What a session writes to a terminal of 80 columns, to the byte."""
    words, environment = session(project, *options, **variables)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(words, cwd=project, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    written = b""
    try:
        while part := os.read(ours, 65536):
            written += part
    except OSError:  # how Linux says that the last program has closed the terminal
        pass
    os.close(ours)
    process.wait()
    return written.decode()


def screen(written):
    """The lines that stay on a terminal: what stands behind the last carriage return of each, if it was erased before."""
    lines = []
    for row in written.replace("\r\n", "\n").split("\n"):
        shown = ""
        for part in re.split(r"(\r(?:\x1b\[K)?)", row):
            if part == ERASE:
                shown = ""
            elif part != "\r":
                shown += part
        lines.append(shown)
    return lines


def cases_of(written):
    """What pytest writes while the cases run."""
    return written.partition(f"collected {NUMBER} items")[2].partition("= FAILURES =")[0]


def test_on_a_terminal(project):
    """Each case is announced with how much is done, in one line that is erased before anything else is written; no dot is among it."""
    running = cases_of(on_a_terminal(project, "--cache-clear"))
    announced = re.findall(r"\r\x1b\[K(\d+) of (\d+) done([^:]*): ([^\r]*)", running)

    assert [int(done) for done, *_ in announced] == list(range(NUMBER))
    assert {int(total) for _, total, *_ in announced} == {NUMBER}
    assert announced[3][3] == "test_quick[3]"
    assert [left for *_, left, _ in announced][:3] == ["", "", ""]
    assert announced[-1][2] == ", less than 1 min left"
    assert [row.rstrip() for row in screen(running) if row.strip(" =")] == [
        f"SKIPPED {ADDED}::test_skipped - no such thing",
        f"FAILED {ADDED}::test_wrong - assert 3 == 4",
    ]
    assert not re.search(r"\.{3}|%\]|^\.|framework says", running)


@pytest.mark.slow
def test_the_next_session_knows(project):
    """From the first case on the next session says how long it will take; what it knows is in pytest's cache, by the ids of the cases."""
    on_a_terminal(project)
    kept = project / ".pytest_cache" / "v" / CACHE
    seconds = json.loads(kept.read_text())
    assert len(seconds) == NUMBER
    kept.write_text(json.dumps({**dict.fromkeys(seconds, 0.0), f"{ADDED}::test_after": 600.0}))

    assert re.search(r"\r\x1b\[K0 of 33 done, about 10 min left: test_quick\[0\]", cases_of(on_a_terminal(project)))


@pytest.mark.parametrize(
    ("option", "usual"),
    [
        ("-q", "...."),
        ("--benchmark-disable", "...."),
        slow("-v", "PASSED"),
        slow("-s", ".a framework says something"),
        slow("--capture=tee-sys", "a framework says something"),
        slow("TERM=dumb", "...."),
    ],
)
def test_where_it_has_no_place(project, option, usual):
    """With pytest's own ways to say more or less, in a session that measures nothing, and where a line cannot be erased: pytest's own output."""
    variables = {"TERM": "dumb"} if option == "TERM=dumb" else {}
    written = on_a_terminal(project, *([] if variables else [option]), **variables)
    assert " done" not in written
    assert "\x1b[K" not in written
    assert usual in written


def test_in_a_pipe(project):
    """In a pipe or a file, as in the log of a CI job, there is nothing of it: pytest's dots are there."""
    words, environment = session(project)
    written = subprocess.run(words, cwd=project, env=environment, capture_output=True, text=True).stdout
    assert f"{ADDED} {'.' * 30}sF." in written
    assert " done" not in written
    assert "\r" not in written


def test_no_cache(project):
    """Without pytest's cache the line is there all the same."""
    assert "32 of 33 done, less than 1 min left: test_after" in on_a_terminal(project, "-p", "no:cacheprovider")

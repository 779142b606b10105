"""The bar never goes back, and the time that is left is that of the whole measurement."""

from __future__ import annotations

import io
import re
import sys

import pytest

from benchmarks.sessions import progress
from benchmarks.sessions.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """clock(seconds) lets so much time pass."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return lambda seconds: now.__setitem__(0, now[0] + seconds)


def measured(clock, steps, **options):
    """Steps that take so long each -> the share that is done and the seconds that are left, at the beginning and after each."""
    with Progress("pair", **options) as bar:
        found = [(bar.share, bar.seconds_left)]
        for number, one in enumerate(steps, 1):
            clock(one)
            bar.finished(f"pair {number}")
            found.append((pytest.approx(bar.share), pytest.approx(bar.seconds_left)))
    return found


def test_by_steps(clock):
    """Without a limit of time it is the steps that count."""
    assert measured(clock, [10, 20, 30], total=4, done=1) == [(0.25, 0), (0.5, 20), (0.75, 15), (1, 0)]


def test_by_time(clock):
    """Where the time is up before the steps are, it is the time."""
    assert measured(clock, [30, 30, 60], total=44, done=0, seconds=120) == [(0, 0), (0.25, 90), (0.5, 60), (1, 0)]


def test_whichever_is_further(clock):
    """Steps that become faster and slower never take it back."""
    shares = [share for share, _ in measured(clock, [50, 1, 1, 1, 40, 1, 1, 300], total=10, done=0, seconds=200)]
    expected = [0, 0.25, 0.255, 0.3, 0.4, 0.5, 0.6, 0.7, 1]
    assert shares == expected


def test_lines(clock, capsys):
    """Where standard error is no terminal, each step is a line; with a limit of time both numbers are bounds."""
    measured(clock, [30, 90], total=44, done=0, seconds=600)
    assert capsys.readouterr().err.splitlines() == [
        "pair 1 of at most 44: done; 30 s each, at most 10 min left",
        "pair 2 of at most 44: done; 60 s each, at most 8 min left",
    ]
    measured(clock, [60], total=3, done=0)
    assert capsys.readouterr().err.splitlines() == ["pair 1 of 3: done; 60 s each, 2 min left"]
    measured(clock, [0.72, 9.94, 59], total=44, done=0, seconds=120)
    assert [line.partition("done; ")[2] for line in capsys.readouterr().err.splitlines()] == [
        "0.7 s each, less than 1 min left",
        "5.3 s each, at most 2 min left",
        "23 s each, less than 1 min left",
    ]


def test_on_a_terminal(clock, monkeypatch):
    """One bar from the beginning to the end, with what it counts and the time that is left; a line that is said stays above it."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Progress("pair", 44, 0, 600) as bar:
        clock(60)
        bar.finished("pair 1")
        bar.say("SLOWER")
        clock(240)
        bar.finished("pair 2")
    shown = terminal.getvalue()
    assert list(map(int, re.findall(r"(\d+)%\|", shown))) == sorted(map(int, re.findall(r"(\d+)%\|", shown)))
    assert "50%|" in shown
    assert re.search(r"pair 2 of at most 44 \[.*, at most 5 min left\]", shown)
    assert "SLOWER\n" in shown
    assert "done;" not in shown

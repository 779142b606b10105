"""What the gate reads off a process: the time of its quick rounds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.gate.rows import is_steady, paired, rows
from benchmarks.saved.records import Case, Run


def run(*cases):
    return Run((Path("process-001.json"),), cases, {}, {"not_measured": {}}, {}, "2026-01-01T00:00:00", "5.3.1")


def case(rounds, **extra):
    stats = {"median": float(np.median(rounds)), "data": list(rounds)}
    return Case("predict", "test_x.py::test_x", stats, extra, (stats["median"],))


def test_quick_rounds_are_judged():
    """Disturbances of less than nine tenths of the rounds do not show, nor does one round that was luckily quick; what slows all does."""
    calm = np.linspace(1.0, 1.1, 101)
    disturbed = np.where(np.arange(101) < 40, calm, 40 * calm)
    lucky = np.where(np.arange(101) == 0, 0.1, calm)
    times = [rows([paired(run(case(calm)), run(case(rounds)))])[0] for rounds in (calm, disturbed, lucky, 1.05 * calm)]
    assert [one.base for one in times] == [(pytest.approx(1.01),)] * 4
    assert [one.head[0] for one in times] == pytest.approx([1.01, 1.01, 1.01, 1.05 * 1.01])


def test_what_is_steady():
    """Peak memory, and not what has a time."""
    assert [is_steady(case([1.0], **extra)) for extra in ({"peak_rss_bytes": 5e8}, {"first_call_seconds": 1.0}, {})] == [
        True,
        False,
        False,
    ]


def test_few_rounds():
    """One round is that time; of five it lies between the two quickest; without rounds it is the median that was saved."""
    one, five = (rows([paired(run(case(rounds)), run(case(rounds)))])[0].base[0] for rounds in ([3.0], [5.0, 4.0, 3.0, 1.0, 2.0]))
    assert (one, five) == (3.0, pytest.approx(1.4))
    bare = Case("predict", "test_x.py::test_x", {"median": 2.0}, {}, (2.0,))
    assert rows([paired(run(bare), run(bare))])[0].base == (2.0,)

"""What the gate reads off a process: the time of its quick rounds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.gate.rows import check_judged, decided, is_steady, paired, rows
from benchmarks.gate.rules import Rules
from benchmarks.saved.records import Case, Run
from lenet5 import InputError


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


@pytest.mark.parametrize(
    "extra",
    [
        {"counted_per_image": 1310160},
        {"a_call": "one of NumPy's", "executed_macs": 800000},
        {"a_call": "a kernel", "executed_macs": None},
    ],
    ids=str,
)
def test_a_count_is_not_judged_by_its_time(extra):
    """What counts work takes the time of counting: there is no row of it, and it is not measured again; the next case is."""
    counts, timed = case([1.0], **extra), replace(case([1.0]), name="test_x.py::test_timed")
    pairs = [paired(run(counts, timed), run(counts, timed))]
    assert [row.case for row in rows(pairs)] == ["test_x.py::test_timed"]
    assert decided(pairs, Rules()) == {"test_x.py::test_x"}
    check_judged(pairs[0])


def test_nothing_to_judge():
    """Where only counts are measured that is said, with a case and with what would do."""
    counts = case([1.0], counted_per_image=1310160)
    with pytest.raises(
        InputError, match=r"none of the cases .* such as test_x.py::test_x, has a time, .* to judge it by; use another -k"
    ):
        check_judged(paired(run(counts), run(counts)))


def test_few_rounds():
    """One round is that time; of five it lies between the two quickest; without rounds it is the median that was saved."""
    one, five = (rows([paired(run(case(rounds)), run(case(rounds)))])[0].base[0] for rounds in ([3.0], [5.0, 4.0, 3.0, 1.0, 2.0]))
    assert (one, five) == (3.0, pytest.approx(1.4))
    bare = Case("predict", "test_x.py::test_x", {"median": 2.0}, {}, (2.0,))
    assert rows([paired(run(bare), run(bare))])[0].base == (2.0,)

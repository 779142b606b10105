"""The control tells of a neighbour even where its median stayed where it was."""

from __future__ import annotations

import pytest

from benchmarks.report import report
from benchmarks.report.text import alarm
from benchmarks.saved.results import load_many
from tests.support import documents

ROUNDS = 485
QUIET = {
    "min": 2.0e-3,
    "q1": 2.02e-3,
    "median": 2.05e-3,
    "q3": 2.07e-3,
    "max": 3e-3,
    "mean": 2.05e-3,
    "stddev": 1e-5,
    "rounds": ROUNDS,
}


def control(when, asked_seconds=1.0, **stats):
    """The control before or after the other cases, with statistics of a quiet machine but for these."""
    made = documents.case("control", f"product[{when}]", framework="control", mode=f"product {when}", side=256)
    return made | {"stats": {**QUIET, "iterations": 1, **stats}, "options": {"max_time": asked_seconds}}


def warnings(folder, *processes):
    """What the report warns of, if each process has these controls."""
    for number, cases in enumerate(processes, 1):
        documents.save(folder / f"process-{number:03}.json", documents.document(*cases))
    return [alarm(found) for found in report.of(load_many([folder])).alarms if found.what.startswith("Rounds of")]


def test_a_quiet_machine(tmp_path):
    """On a quiet machine nothing is said."""
    assert warnings(tmp_path, [control("first"), control("last")]) == []


def test_spread(tmp_path):
    """A third quartile far above the first is a warning, although both medians are the same."""
    (found,) = warnings(tmp_path, [control("first", q3=36 * 2.05e-3, max=1.0), control("last")])
    assert found == (
        "Rounds of the same work (product first) were not equally long; the third quartile is, as a multiple of the first: 36.5 x; the bound is 1.50 x. Measure again on a quiet machine before you believe a ratio."
    )


@pytest.mark.parametrize("ratio", [1.45, 1.55])
def test_the_bound(tmp_path, ratio):
    """Up to the bound the rounds may spread, beyond it not."""
    found = warnings(tmp_path, [control("first"), control("last", q3=ratio * QUIET["q1"])])
    assert len(found) == (ratio > 1.5)


def test_in_one_of_three_processes(tmp_path):
    """One disturbed process is enough: the quartiles of all of them together would hide it."""
    quiet = [control("first"), control("last")]
    (found,) = warnings(tmp_path, quiet, [control("first"), control("last", q3=36 * 2.05e-3, max=1.0)], quiet)
    assert "product last" in found


@pytest.mark.parametrize(
    ("rounds", "asked_seconds", "warned"), [(38, 1.0, True), (100, 1.0, False), (38, None, False), (5, 0.01, False)]
)
def test_few_rounds(tmp_path, rounds, asked_seconds, warned):
    """Far fewer rounds than fit its time: the call that chose their number stood still.  A short time fits few, a file may say no time."""
    found = warnings(tmp_path, [control("first"), control("last", asked_seconds, rounds=rounds)])
    assert (
        found
        == [
            "Rounds of the same work (product last) were few, since the call that chooses their number was slow; of those that fit its time "
            "it got: 7.8 %; the bound is 10.0 %. Measure again on a quiet machine before you believe a ratio."
        ]
        * warned
    )


def test_too_few_rounds_to_judge(tmp_path):
    """Five rounds have no quartiles to speak of, and a time that fits five is not judged by their number."""
    short = [control(when, 0.01, rounds=5, q3=36 * 2.05e-3, max=1.0) for when in ("first", "last")]
    assert warnings(tmp_path, short) == []
    assert warnings(tmp_path, [control(when, 0.039, rounds=1) for when in ("first", "last")]) == []

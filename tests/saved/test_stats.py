"""Statistics of several processes as one."""

from __future__ import annotations

from benchmarks.saved.stats import pooled


def test_pooled_statistics():
    """Extremes and moments are those of all rounds together; two processes of 1 and 3 s have mean 2 s and deviation 1 s."""
    one = {"min": 1.0, "max": 1.0, "mean": 1.0, "stddev": 0.0, "median": 1.0, "q1": 1.0, "q3": 1.0, "rounds": 4}
    other = {field: 3 * value for field, value in one.items() if field != "rounds"} | {"rounds": 4}

    assert pooled([one, other]) == {
        "min": 1.0,
        "max": 3.0,
        "mean": 2.0,
        "stddev": 1.0,
        "median": 2.0,
        "q1": 2.0,
        "q3": 2.0,
        "rounds": 8,
    }

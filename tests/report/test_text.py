"""What a report writes of one record."""

from __future__ import annotations

import pytest

from benchmarks.quantities.units import RATIO
from benchmarks.report import text
from benchmarks.report.records import Alarm, Quantity


@pytest.mark.parametrize(
    ("measured", "bound", "said"),
    [
        (1.31, 1.1, "It took longer: 1.31 x; the bound is 1.10 x. Measure again."),
        (1.1004, 1.1, "It took longer: just beyond the bound, 1.10 x. Measure again."),
        (1.31, None, "It took longer: 1.31 x. Measure again."),
        (None, None, "It took longer. Measure again."),
    ],
)
def test_alarm(measured, bound, said):
    """A warning tells the number and the bound that it crossed, and does not write both alike."""
    numbers = [None if one is None else Quantity(one, RATIO) for one in (measured, bound)]
    assert text.alarm(Alarm("It took longer", *numbers, "Measure again.")) == said

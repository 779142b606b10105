"""Rules that cannot be kept are refused, and the looks of the others spend what they promise."""

from __future__ import annotations

import math

import pytest
from numpy.testing import assert_allclose

from benchmarks.gate.rules import Rules
from lenet5 import InputError


def test_the_looks_spend_alpha():
    """What the looks may spend adds up to alpha, whatever alpha and the looks are."""
    for rules in (Rules(), Rules(alpha=0.05, looks=(10, 20, 40)), Rules(looks=(9,))):
        assert_allclose(sum(rules.spent), rules.alpha, rtol=1e-12)
        assert len(rules.spent) == len(rules.looks)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"threshold": 0}, "threshold 0"),
        ({"threshold": math.nan}, "threshold nan"),
        ({"alpha": 0}, "alpha 0"),
        ({"alpha": 0.2}, "alpha 0.2"),
        ({"agree": 1.0}, "agree 1.0"),
        ({"looks": ()}, "looks"),
        ({"looks": (0, 12)}, "looks"),
        ({"looks": (20, 12)}, "looks"),
        ({"looks": (12, 16)}, "confirm 8"),
        ({"confirm": 3}, "confirm 3"),
        ({"steady_pairs": 0}, "steady_pairs 0"),
    ],
    ids=str,
)
def test_rules_that_cannot_be_kept(wrong, named):
    """One line that names the value."""
    with pytest.raises(InputError, match=named) as error:
        Rules(**wrong)
    assert "\n" not in str(error.value)

"""Numbers for people have three significant digits, whatever rounding does to them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.quantities import units


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.9994, "0.999"),
        (0.9996, "1.00"),
        (9.996, "10.0"),
        (999.4, "999"),
        (999.6, "1,000"),
        (1234.5, "1,230"),
        (0.012345, "0.0123"),
        (-3.456, "-3.46"),
    ],
)
def test_significant(value, text):
    """Three digits, also where rounding adds one."""
    assert units.significant(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 ns"),
        (7.8e-08, "78.0 ns"),
        (9.994e-7, "999 ns"),
        (9.996e-7, "1.00 µs"),
        (9.996e-4, "1.00 ms"),
        (0.00123, "1.23 ms"),
        (0.9994, "999 ms"),
        (999.5e-6, "999 µs"),  # the nearest float is a little less
        (999.51e-6, "1.00 ms"),
        (0.9996, "1.00 s"),
        (61.44, "61.4 s"),
        (999.6, "1,000 s"),
    ],
)
def test_seconds(value, text):
    """The prefix with which the number stays between 1 and 1,000."""
    assert units.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (1023, "1,023 B"),
        (1024, "1.00 KiB"),
        (261624, "255 KiB"),
        (2**20, "1.00 MiB"),
        (3 * 2**29, "1.50 GiB"),
        (-3 * 2**19, "-1.50 MiB"),
    ],
)
def test_size(value, text):
    """Bytes have binary prefixes."""
    assert units.size(value) == text


def test_counts_shares_and_ratios():
    """Counts are exact, shares have a tenth of a per cent, ratios three digits."""
    assert units.count(1310160) == "1,310,160"
    assert units.percent(0.9533) == "95.3 %"
    assert units.times(3.456) == "3.46 x"
    assert units.times(3.456, 3.2, 3.712) == "3.46 x [3.20, 3.71]"
    assert units.times(3.456, None, None) == "3.46 x"
    assert units.times(1.02, 1.0027, 1.0375) == "1.02 x [1.003, 1.04]"


@pytest.mark.parametrize(
    ("end", "text"),
    [
        (1.0027, "1.003"),
        (0.99997, "0.99997"),
        (1.0375, "1.04"),
        (1, "1.00"),
        (1 + 1e-16, "1.00"),
        (0.1, "0.100"),
        (10, "10.0"),
        (1000, "1,000"),
    ],
)
def test_end_near_one(end, text):
    """An end of a ratio's interval that is not 1 does not read as 1; others keep three digits."""
    assert units.ratio_end(end) == text


@pytest.mark.parametrize(
    ("threshold", "value", "text"),
    [
        (0.02, 1.0199, "1.0199"),
        (0.02, 1.02, "1.020"),
        (0.02, 1.02 + 1e-15, "1.020"),
        (0.02, 1.0200001, "1.0200001"),
        (0.02, 1.0256, "1.026"),
        (0.02, 1.0001, "1.000"),
        (0.25, 0.8, "0.800"),
        (0.25, 0.79996, "0.79996"),
        (0.25, 1.25, "1.250"),
        (0.5, 1234.5678, "1234.568"),
    ],
)
def test_beside_a_threshold(threshold, value, text):
    """A ratio that is not at the threshold does not read as if it were; others keep three decimals."""
    unit = units.fine_ratio(threshold)
    assert (unit.show(value), unit.end(value)) == (text, text)


@settings(deadline=None)
@given(st.floats(1e-12, 1e12))
def test_rounding_is_close(value):
    """What is printed is the value, to half a unit of its third digit."""
    assert float(units.significant(value).replace(",", "")) == pytest.approx(value, rel=0.00501)


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        *((0, "epoch", "0 epochs"), (1, "epoch", "1 epoch"), (2, "epoch", "2 epochs"), (1234, "epoch", "1,234 epochs")),
        *((1, "process", "1 process"), (2, "process", "2 processes")),
    ],
)
def test_counted(number, noun, text):
    """One is one, anything else is several."""
    assert units.counted(number, noun) == text

"""Thresholds are read as they were meant, or refused in a line that shows how to write them."""

from __future__ import annotations

import pytest

from benchmarks.gate.rules import Rules
from benchmarks.gate.thresholds import read, selects, share
from lenet5.errors import InputError

CASE = "benchmarks/test_predict.py::test_predict[numpy-fused-batch64]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0.05", 0.05), ("5%", 0.05), ("5 %", 0.05), (" 0.5%", 0.005), ("1e-3", 0.001), ("99%", 0.99), (".02", 0.02)],
)
def test_share(text, expected):
    """A share and a percentage are the same."""
    assert share(text) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "text",
    ["5", "1", "100%", "500%", "0", "0%", "-0.05", "-5%", "nan", "nan%", "inf", "", "%", "five", "5%%", "5%x", "0,05", "a=5", "a="],
)
def test_no_share(text):
    """What cannot be a share, or would let nothing fail, is one line with the option, the value, and both ways to write it."""
    with pytest.raises(InputError) as error:
        read([text])
    assert str(error.value).startswith(f"--threshold {text}: ")
    assert "threshold above 0 and below 1, such as 0.05 or 5%" in str(error.value)
    assert "\n" not in str(error.value)


def test_what_was_written():
    """Who writes 5 and means 5 % reads what 5 is."""
    with pytest.raises(InputError, match=r"such as 0.05 or 5%; 5 is 500 %$"):
        share("5")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], (0.02, ())),
        (["5%"], (0.05, ())),
        (["5%", "0.03"], (0.03, ())),
        (["predict=3%"], (0.02, (("predict", 0.03),))),
        (["a=1%", "b=2%", "a=3%", "4%"], (0.04, (("b", 0.02), ("a", 0.03)))),
        (["x[batch=1]=3%"], (0.02, (("x[batch=1]", 0.03),))),
    ],
)
def test_read(words, expected):
    """The share behind the last "=", the expression before it; the last of several counts."""
    assert read(words) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("predict", True),
        ("PREDICT", True),
        ("torch", False),
        ("not torch", True),
        ("numpy and torch", False),
        ("numpy or torch", True),
        ("torch or numpy and batch64", True),
        ("(numpy or torch) and batch1]", False),
        ("not (torch or batch1]) and fused", True),
        ("not not numpy", True),
        ("[numpy-fused-batch64]", True),
        ("android", False),
    ],
)
def test_selects(expression, expected):
    """As pytest -k selects."""
    assert selects(expression, CASE) == expected


@pytest.mark.parametrize("expression", ["", "and", "a and", "a b", "(a", "a)", "not", "a or or b", "()"])
def test_no_expression(expression):
    """What is none is one line."""
    with pytest.raises(InputError, match=r'^--threshold ".*=\.\.\.": no expression as for pytest -k \(.*\)'):
        read([f"{expression}=5%"])


def test_the_last_that_selects_a_case_counts():
    """And where none does, the threshold of all."""
    rules = Rules(threshold=0.1, thresholds=(("test", 0.2), ("numpy", 0.3), ("torch", 0.4)))
    assert rules.threshold_of(CASE) == 0.3
    assert rules.threshold_of("test_x") == 0.2
    assert rules.threshold_of("x") == 0.1

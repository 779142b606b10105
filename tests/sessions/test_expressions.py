"""What stands behind -k is refused before a process starts if pytest would refuse it there, and never else."""

from __future__ import annotations

import pytest
from _pytest.mark.expression import Expression
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.sessions import expressions
from benchmarks.sessions.plan import Plan
from lenet5 import InputError

WORDS = ("and", "or", "not", "(", ")", "fused", "test_predict[numpy-fused]", "a.py::b")


def pytest_reads(expression):
    try:
        Expression.compile(expression)
    except Exception:  # its kind has changed from version to version
        return False
    return True


def is_read(expression):
    try:
        expressions.check(expression)
    except InputError:
        return False
    return True


@settings(deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join))
@example("")
@example(" ")
@example("((a or b) and not c) or d")
def test_as_pytest(expression):
    """The same texts are read, whichever words stand beside each other."""
    assert is_read(expression) == pytest_reads(expression)


@pytest.mark.parametrize(("expression", "why"), [("(", "a name is missing"), ("(a", "a bracket is open"), ("a b", "unexpected b")])
def test_no_plan_with_it(expression, why):
    """Every command that measures makes a plan first, and says in one line what is wrong."""
    with pytest.raises(InputError) as caught:
        Plan(expression=expression)
    assert str(caught.value) == f'-k {expression}: no expression as for pytest -k ({why}), such as "predict and not torch"'

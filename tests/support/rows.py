"""Rows of a table of parameters that are tried with the slow tests only."""

from __future__ import annotations

import pytest


def slow(*values):
    """A row that is tried with the slow tests only: another row of its kind is quick."""
    return pytest.param(*values, marks=pytest.mark.slow)


def one_quick(values):
    """Rows of one kind: the first is quick."""
    first, *others = values
    return [first, *map(slow, others)]

"""Machines disagree where no ratio lies in all of their intervals: known answers, and how often chance alone says so."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchmarks.gate.disagreement import disagreements, ends, p_value
from benchmarks.gate.rules import Rules
from tests.gate.test_verdicts import even
from tests.support.rows import slow

RULES = Rules()


def counted(machines):
    """The largest p-value of a common centre, tried beside and on every Walsh average with scipy's exact test."""
    averages = np.concatenate([(np.add.outer(own, own) / 2).ravel() for own in machines])
    centres = np.unique(np.concatenate([averages - 1e-9, averages + 1e-9]))
    return min(
        1.0, len(machines) * max(min(stats.wilcoxon(own - one, method="exact").pvalue for own in machines) for one in centres)
    )


@pytest.mark.parametrize("shift", [0.04, slow(0.0), slow(0.1)])
def test_p_value_is_scipys(shift):
    """It is that of the centre which the machine that likes it least likes best."""
    random = np.random.RandomState(1)
    machines = [random.normal(0, 0.02, 9), random.normal(shift, 0.05, 7), random.normal(0.02, 0.01, 8)]
    assert p_value(machines) == pytest.approx(counted(machines))


def test_how_many_pairs_it_takes():
    """The surest interval of n pairs is wrong with 2^-n at either end: of one case on two machines 12 pairs are enough, 11 are not."""
    assert ends(RULES) == 6  # after 12, 20, 28, 36, 44 and 52 pairs
    found = [disagreements({"case": {"a": even(pairs), "b": even(pairs, 0.1)}}, RULES) for pairs in (11, 12)]
    assert found == [{}, {"case": (("b",), ("a",))}]


def test_every_machine_is_on_its_side():
    """What lies between two that disagree is named with neither."""
    of_case = {"low": even(30), "between": even(30, 0.05, width=0.1), "high": even(30, 0.1), "higher": even(30, 0.11)}
    assert disagreements({"case": of_case}, RULES) == {"case": (("high", "higher"), ("low",))}


def test_a_noisy_machine_does_not_disagree():
    """Nine pairs above all of a machine without noise would be beyond chance by ranks between machines; with signs alone it is one chance in 256."""
    of_case = {"quiet": list(np.linspace(-1e-6, 1e-6, 9)), "noisy": list(np.linspace(0.01, 0.1, 9))}
    assert stats.mannwhitneyu(*of_case.values()).pvalue < 1e-3 < RULES.alpha / ends(RULES)
    assert disagreements({"case": of_case}, RULES) == {}


def test_more_cases_need_more():
    """Over all cases together the chance is the same: what one case alone shows, one of forty does not."""
    shifted, calm = {"a": even(12), "b": even(12, 0.1)}, {"a": even(12), "b": even(12)}
    assert disagreements({"case": shifted}, RULES)
    assert not disagreements({"case": shifted, **{f"calm {index}": calm for index in range(40)}}, RULES)

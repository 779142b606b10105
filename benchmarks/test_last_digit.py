"""How far apart are two trainings that differ in the last digit of each initial weight?  The yardstick for two frameworks.

Nothing is timed: a case's time is that of all its trainings, and no report shows it.
"""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

from functools import partial

import pytest
from numpy.testing import assert_allclose

import lenet5
from benchmarks.arrange import last_digit
from benchmarks.arrange.clock import enter, recorded_time, timed
from benchmarks.arrange.problem import ATOL, LEARNING_RATE, SEED
from benchmarks.saved.fields import LAST_DIGIT
from lenet5 import training

BY_HAND, _ = lenet5.reference()
MODE = lenet5.trained_in(BY_HAND)


@pytest.mark.untimed
@pytest.mark.benchmark(group=LAST_DIGIT, timer=recorded_time)
def test_last_digit(benchmark, cpu_only, record, weights, dataset, expected_losses, pytestconfig):
    """The network by hand, which is always installed: some epochs twice from the same weights, and from weights one last digit away."""
    build = partial(lenet5.implementation(BY_HAND), mode=MODE, optimizer="adam", learning_rate=LEARNING_RATE)
    epochs = min(pytestconfig.getoption("epochs"), last_digit.MOST_EPOCHS)

    net = build(weights)
    first, *_ = training.prepare(net, dataset.train, seed=SEED)
    assert_allclose([net.train_step(*first) for _ in range(2)], expected_losses("adam"), atol=ATOL)

    found, seconds = timed(lambda: last_digit.gaps(build, weights, dataset.train, epochs, SEED))
    record(framework=BY_HAND, mode=MODE, batch=training.BATCH, optimizer="adam", epochs=epochs, **found)
    enter(benchmark, [seconds])

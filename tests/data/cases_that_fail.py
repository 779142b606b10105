"""For test_rounds: a case that passes its check and one that does not.  Not collected by itself."""

import pytest


@pytest.mark.benchmark(group="control")
def test_right(benchmark):
    benchmark.extra_info.update(framework="control", mode="sum")
    assert benchmark.pedantic(sum, ([1, 2],), rounds=5, iterations=10) == 3


@pytest.mark.benchmark(group="control")
def test_wrong(benchmark):
    benchmark.extra_info.update(framework="control", mode="sum")
    assert sum([1, 2]) == 4
    benchmark(sum, [1, 2])

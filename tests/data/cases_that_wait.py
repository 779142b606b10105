"""For tests of clusters: a case that ends when a test lets it.  Not collected by itself."""

import pytest

from tests.support.dask import WAIT


@pytest.mark.benchmark(group="control")
def test_waits(benchmark):
    exec(WAIT)  # noqa: S102
    benchmark.extra_info.update(framework="control", mode="sum")
    assert benchmark.pedantic(sum, ([1, 2],), rounds=5, iterations=10) == 3

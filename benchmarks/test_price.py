"""What a NumPy call and a byte cost on this machine: with the large product of `test_flops`, the prices that a floor is made of."""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

import numpy as np
import pytest

CALL_FLOATS = 16
"""One line of the cache: the elements take next to no time."""

CACHED_FLOATS = 16 * 1024
"""Three arrays of 64 KiB, two read and one written: more than a first-level cache holds, and all of it in a second-level one, where the network's arrays lie."""

pytestmark = [pytest.mark.heavy, pytest.mark.usefixtures("cpu_only"), pytest.mark.benchmark(group="price")]


@pytest.mark.parametrize(
    ("price", "function", "floats"),
    [("a call", np.maximum, CALL_FLOATS), ("a byte", np.maximum, CACHED_FLOATS)],
    ids=["call", "byte"],
)
def test_price(benchmark, record, price, function, floats):
    """A maximum of two arrays into a third, all three prepared: what the network does most often beside products and copies."""
    first, second, out = np.random.RandomState(0).standard_normal((3, floats)).astype(np.float32)

    assert (function(first, second, out=out) >= first).all()

    record(framework=np.__name__, mode=price, moved_bytes=first.nbytes + second.nbytes + out.nbytes)
    benchmark(function, first, second, out=out)

"""The public names of the room: one import line, and no package loaded before it is needed."""

from __future__ import annotations

import pytest

from lenet5 import compression
from tests.support.copies import PROJECT, run_python


def test_public_names():
    """Three functions and a module, each the one of its own module."""
    from lenet5.compression import factorize, int8, low_rank, prune, quantize, structured, zeros

    assert (factorize, prune, quantize) == (low_rank.factorize, zeros.prune, int8.quantize)
    assert all(callable(getattr(structured, name)) for name in ("choose", "remove", "slim"))
    with pytest.raises(AttributeError, match=r"^module 'lenet5\.compression' has no attribute 'shrink'$"):
        _ = compression.shrink


def test_a_light_import():
    """Importing the room loads nothing; taking a function loads what that function needs."""
    code = "import sys, lenet5.compression as c; print('numpy' in sys.modules, c.prune.__name__, *(m in sys.modules for m in ('numpy', 'tqdm')))"
    run = run_python(PROJECT, "-c", code)
    assert run.stdout.split() == ["False", "prune", "True", "False"], run.stderr

"""How a batch falls into chunks."""

from __future__ import annotations

import pytest

from lenet5.by_hand.forward import parts


@pytest.mark.parametrize(("n", "count"), [(7, 1), (7, 3), (450, 14), (64, 64)])
def test_parts(n, count):
    """Parts follow each other from the first image to the last, and differ by one image at most."""
    slices = parts(n, count)
    sizes = [part.stop - part.start for part in slices]
    assert [image for part in slices for image in range(n)[part]] == list(range(n))
    assert len(sizes) == count
    assert max(sizes) - min(sizes) <= 1

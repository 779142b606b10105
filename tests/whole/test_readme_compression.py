"""The README's lines on compression, run as they are printed."""

from __future__ import annotations

import re

import numpy as np

import lenet5
from benchmarks.saved.provenance import ROOT
from lenet5 import cost


def test_three_lines_prune_and_run():
    """They give the logits of a network with at most half of the multiplications."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (lines,) = [block for block in blocks if "structured.choose" in block]
    random = np.random.RandomState(0)
    given = {
        "lenet5": lenet5,
        "weights": lenet5.initial_weights(lenet5.Architecture(), seed=0),
        "images": random.standard_normal((8, 3, 32, 32)).astype(np.float32),
        "labels": random.randint(0, 50, 8),
    }
    found = dict(given)

    exec(lines, found)  # noqa: S102

    assert len([line for line in lines.splitlines() if line and not line.startswith("from ")]) == 3
    assert cost.forward_macs(found["smaller"]) <= 327_540 == cost.forward_macs(given["weights"]) / 2
    expected = lenet5.implementation("numpy")(found["smaller"], mode="loops").predict(given["images"])
    np.testing.assert_allclose(found["logits"], expected, rtol=0, atol=1e-5)

"""What the gate measures unless it is told."""

from __future__ import annotations

import re
import subprocess
import sys

import lenet5
from benchmarks.gate.command import DEFAULT_CASES
from benchmarks.saved.provenance import ROOT
from tests.support.frameworks import installed


def test_default_cases():
    """Without -k every framework is gated in its default mode, alone and by memory; nothing that compiles or is a mere variant is."""
    line = [sys.executable, "-m", "pytest", "benchmarks", "--collect-only", "-q", "-k", DEFAULT_CASES]
    done = subprocess.run([*line, "-p", "no:cacheprovider"], cwd=ROOT, capture_output=True, text=True, check=True)
    found = {line.rpartition("::")[2] for line in done.stdout.splitlines() if "::" in line}

    for framework in installed():
        default = f"{framework}-{lenet5.modes(framework)[0]}"
        assert {
            f"test_predict[{default}-batch1]",
            f"test_predict[{default}-batch64]",
            *([f"test_train_step[{default}]"] if lenet5.trains(framework) else []),
            f"test_space_predict[{default}-batch64]",
        } <= found
        assert not [name for name in found for mode in lenet5.variants(framework) if f"[{framework}-{mode}" in name]
    assert not [name for name in found if re.search("compile|xla|loops|450|sgd", name)]
    assert len(found) <= 8 * len(installed())

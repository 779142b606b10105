"""A process in which a user has set something that a framework reads: Python code there, and what it prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from tests.support.copies import PROJECT

BEGIN = """
import json, os
import numpy as np
import lenet5
from tests.support.networks import problem, reference_network

weights, images, labels = problem()
reference = reference_network(weights)
expected = reference.predict(reference.tensor(images)), reference.train_step(images, labels)


def outcome(framework, mode, between=lambda: None):
    # What becomes of a network in this mode: "right", in float32, or the error that it ends with.
    try:
        net = lenet5.implementation(framework)(weights, mode=mode)
        between()
        logits, loss = net.predict(net.tensor(images)), net.train_step(net.tensor(images), net.tensor(labels))
        if hasattr(net, "check_mode"):
            net.check_mode()
        types = {array.dtype for array in (logits, *net.weights().values())}
        assert types == {np.dtype(np.float32)}, types
        np.testing.assert_allclose(logits, expected[0], rtol=0, atol=1e-5)
        np.testing.assert_allclose(loss, expected[1], rtol=0, atol=1e-5)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "right"


found = {}
"""


def found_by(code: str, **variables: str) -> dict[str, Any]:
    """What ``code`` puts into ``found`` by way of ``outcome(framework, mode)``, in a process with these environment variables."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT), **variables}
    script = f"{BEGIN}{code}\nprint(json.dumps(found))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer

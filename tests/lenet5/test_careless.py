"""A careless file `with_<name>.py` fails the tests of agreement: each of these breaks one promise of the contract, and the test of that sees it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.copies import copy_of_project, run_pytest

HERE = Path(__file__).parent
FILES = ("test_agreement.py", "test_promises.py")

CARELESS = """
import threading
import time

import numpy as np

from lenet5 import with_numpy

NOISE = np.random.random(1 << 18)


class LeNet5(with_numpy.LeNet5):
    modes = ("im2col",)
    {declared}

    def __init__(self, weights, mode=modes[0], **options):
        super().__init__(weights, mode, **options)
        self.prepare()

    def prepare(self):
        pass

{body}
"""

# Name of the framework -> what its class declares, its methods, and the test that fails.
BREACHES = {
    "unchecked": (
        "",
        """
    def predict(self, x):
        return super().predict(np.asarray(x).view(with_numpy.Checked))
""",
        "test_bad_images[{name}-im2col-nan]",
    ),
    "viewed": (
        "",
        """
    def predict(self, x):
        logits = super().predict(x)
        logits.flags.writeable = False
        return logits
""",
        "test_logits_can_be_written_to[{name}-im2col]",
    ),
    "shared": (
        "",
        """
    def prepare(self):
        self.kept = {}

    def predict(self, x):
        return self.kept.setdefault(bytes(x), super().predict(x))
""",
        "test_logits_can_be_written_to[{name}-im2col]",
    ),
    "unfinished": (
        "",
        """
    def train_step(self, x, y):
        logits = self.predict(x)
        self.later = threading.Thread(target=super().train_step, args=(x, y))
        self.later.start()
        return float(np.log(np.exp(logits).sum(1)).mean() - logits[range(len(y)), y].mean())

    def weights(self):
        if hasattr(self, "later"):
            self.later.join()
        return super().weights()
""",
        "test_a_step_has_finished[{name}-im2col]",
    ),
    "boastful": (
        "",
        """
    def predict(self, x):
        done = threading.Event()

        def spin():
            while not done.is_set():
                np.sort(NOISE)

        threads = [threading.Thread(target=spin) for _ in range(2)]
        [thread.start() for thread in threads]
        logits = super().predict(x)
        done.set()
        [thread.join() for thread in threads]
        return logits
""",
        "test_threads_are_as_many_as_it_says[{name}-im2col]",
    ),
    "rounding": (
        "",
        """
    def predict(self, x):
        # TF32 keeps ten bits behind the point.
        x = self._own(x)
        return super().predict((x.view(np.uint32) & np.uint32(0xFFFFE000)).view(np.float32))
""",
        "test_logits[{name}-im2col-batch=7-channels=3-classes=50-relu]",
    ),
    "hoarding": (
        "",
        """
    def prepare(self):
        from pathlib import Path

        folder = Path.home() / ".cache" / "hoarding"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "code.o").write_text("compiled")
""",
        "test_nothing_is_kept_on_disk_unsaid[{name}]",
    ),
    "leaving": (
        "",
        """
    def prepare(self):
        import tempfile
        from pathlib import Path

        # Where a later session finds it, as TorchInductor's precompiled headers.
        Path(tempfile.gettempdir(), "code.o").write_text("compiled")
""",
        "test_nothing_is_kept_on_disk_unsaid[{name}]",
    ),
    "counting": (
        "",
        """
    def prepare(self):
        self.rate = 1.0

    def load(self, weights):
        self.rate = 1.0
        super().load(weights)

    def train_step(self, x, y):
        # As an optimizer that counts its steps before it looks at what it is given.
        self._network._optimizer.learning_rate *= 0.5
        return super().train_step(x, y)
""",
        "test_a_refused_step_changes_nothing[{name}-im2col-adam]",
    ),
    "baked": (
        "",
        """
    def predict(self, x):
        # As a graph that has the weights of its first call as constants.
        if not hasattr(self, "graph"):
            self.graph = with_numpy.LeNet5(self.weights(), "im2col")
        return self.graph.predict(x)
""",
        "test_predict_uses_the_weights_as_they_are_now[{name}-im2col]",
    ),
    "remembering": (
        "",
        """
    def prepare(self):
        self.answers = {}

    def load(self, weights):
        super().load(weights)
        self.answers.clear()

    def predict(self, x):
        # The same images have the same logits, until a step: quick, and wrong from then on.
        if id(x) not in self.answers:
            self.answers[id(x)] = x, super().predict(x)
        return self.answers[id(x)][1].copy()
""",
        "test_predict_uses_the_weights_as_they_are_now[{name}-im2col]",
    ),
    "silent": (
        "trains = False",
        "",
        "test_what_does_not_train_says_so[{name}]",
    ),
}


@pytest.mark.slow  # a session of pytest, with a program in it
def test_a_careless_file_fails(tmp_path):
    """Every promise that one of them breaks is a test that it fails."""
    project = copy_of_project(tmp_path / "project")
    wanted = set()
    for name, (declared, body, test) in BREACHES.items():
        (project / "lenet5" / f"with_{name}.py").write_text(CARELESS.format(declared=declared, body=body))
        wanted.add(test.format(name=name))
    files = {test: file for file in FILES for test in re.findall(r"^def (test_\w+)", (HERE / file).read_text(), re.MULTILINE)}
    cases = [f"tests/lenet5/{files[test.partition('[')[0]]}::{test}" for test in sorted(wanted)]

    verdict = run_pytest(project, "--threads=1", *cases)

    assert verdict.failed.keys() == wanted, verdict.output
    assert not verdict.errors

"""What is particular to NumPy: its ladder of modes, the reference among them, and what the fast one refuses."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import lenet5
from lenet5 import cost
from lenet5.compression import factorize
from tests.support.mutations import Mutation, logits
from tests.support.networks import problem

OTHER = next(name for name in reversed(lenet5.frameworks()) if name != "numpy")
"""A framework that has optimizers of its own."""

MUTATIONS = {
    "numpy-kernel-axes-swapped": Mutation(
        "by_hand/layers.py",
        "rows = windows.transpose(0, 2, 3, 1, 4, 5)",
        "rows = windows.transpose(0, 2, 3, 1, 5, 4)",
        logits("numpy-im2col"),
    ),
    "numpy-gradient-axes-swapped": Mutation(
        "by_hand/layers.py",
        "dx[:, a : a + i, b : b + j] += dwindows[..., a, b]",
        "dx[:, a : a + i, b : b + j] += dwindows[..., b, a]",
        "lenet5/test_agreement.py::test_smaller_layers[numpy-im2col]",
    ),
    "numpy-bias-dropped": Mutation(
        "by_hand/layers.py",
        "y = rows @ matrix.T + bias",
        "y = rows @ matrix.T",
        logits("numpy-im2col"),
    ),
    "numpy-fused-bias-dropped": Mutation(
        "by_hand/strips.py",
        "        np.add(self.pooled, self.bias, out=self.pooled)\n",
        "",
        logits("numpy-fused", batch=64),
    ),
    "numpy-ties-all-take-the-derivative": Mutation(
        "by_hand/layers.py",
        "            open_tiles &= ~takes\n",
        "",
        "lenet5/by_hand/test_layers.py::test_ties_go_to_the_first_in_reading_order[max_pool]",
    ),
    "numpy-load-keeps-the-optimizer": Mutation(
        "by_hand/plain.py",
        "        self._optimizer.reset()\n",
        "",
        "lenet5/test_agreement.py::test_load_starts_again[numpy-im2col-adam]",
    ),
    "numpy-adam-biased": Mutation(
        "by_hand/optimizers.py",
        "unbiased_mean = m / (1 - ADAM_BETA1**self.steps)",
        "unbiased_mean = m",
        f"lenet5/test_agreement.py::test_adam[{OTHER}-{lenet5.modes(OTHER)[0]}]",
    ),
}


def test_declares():
    """The fast mode is the default; the textbook loops are the reference and the foot of the ladder."""
    assert "numpy" in lenet5.frameworks()
    assert lenet5.modes("numpy") == ("fused", "im2col", "loops")
    assert lenet5.ladder("numpy") == ("loops", "im2col", "fused")
    assert lenet5.reference() == ("numpy", "loops")
    assert lenet5.colour("numpy") == "blue"
    assert lenet5.variants("numpy") == ()
    assert lenet5.dynamic("numpy") == {}


def test_the_reference_computes_in_float64():
    """A loss of the reference has more digits than float32 holds; that of the fast mode differs from it, and rounds to it."""
    weights, images, labels = problem()
    exact, fast = (lenet5.implementation("numpy")(weights, mode=mode).train_step(images, labels) for mode in ("loops", "fused"))
    assert exact != float(np.float32(exact))
    assert fast == pytest.approx(exact, abs=1e-5)


def test_fused_refuses_a_factored_convolution():
    """What one mode cannot do it says, with those that can; and they can."""
    factored = factorize(lenet5.initial_weights(lenet5.Architecture(classes=11), seed=2), {"conv2": 3})
    LeNet5 = lenet5.implementation("numpy")
    with pytest.raises(lenet5.NotSupported) as error:
        LeNet5(factored, mode="fused")
    expected = "mode: 'fused' convolves with whole kernels only; use 'im2col' or 'loops' for a factored conv2"
    assert str(error.value) == expected
    for mode in ("im2col", "loops"):
        assert set(LeNet5(factored, mode=mode).weights()) == set(factored)


def test_keeps_no_images():
    """After a call nothing refers to the images any more."""
    weights, images, labels = problem(batch=64)
    net = lenet5.implementation("numpy")(weights)
    x = net.tensor(images)
    net.predict(x)
    net.train_step(x, labels)
    memory = x
    while memory.base is not None:  # arrays that look at it keep it, not each other
        memory = memory.base
    gone = weakref.ref(memory)
    del x, memory
    gc.collect()
    assert gone() is None


def test_workspace_bytes_is_public():
    """The front door reports the workspace: bounded in the fused mode, none in the plain ones."""
    weights, images, _ = problem(batch=64)
    LeNet5 = lenet5.implementation("numpy")
    for mode in LeNet5.modes:
        net = LeNet5(weights, mode=mode)
        net.predict(net.tensor(images))
        assert (0 < net.workspace_bytes <= 40_000_000) == (mode == "fused")


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_counted_state_is_its_own(optimizer):
    """Optimizer state as counted is the arrays that the network by hand keeps."""
    weights, images, labels = problem(batch=2)
    net = lenet5.implementation("numpy")(weights, optimizer=optimizer)
    net.train_step(net.tensor(images), net.tensor(labels))
    state = [getattr(net._network._optimizer, name, np.empty(0)) for name in ("mean", "square")]
    assert sum(array.nbytes for array in state) == cost.optimizer_state_bytes(weights, optimizer)


def test_no_gpu():
    """NumPy has no device but the CPU, on any machine, and counts no memory of one."""
    LeNet5 = lenet5.implementation("numpy")
    with pytest.raises(lenet5.NoDevice, match=r"^device: 'cuda' is out of NumPy's reach; use 'cpu'$"):
        LeNet5(problem()[0], device="cuda")
    assert not hasattr(LeNet5, "device_peak_bytes")

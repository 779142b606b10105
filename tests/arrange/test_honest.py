"""A network that is not what its name says gives no number: its first calls are looked at, and no later one."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.arrange import honest
from lenet5.errors import NotHonoured


class Network:
    """Answers with logits of a type, has weights of a type, and may have run in another way than its mode's name says."""

    ran_otherwise = False

    def __init__(self, logits=np.float32, weights=np.float32):
        self.logits, self.type = logits, weights

    def weights(self):
        return {"conv1.weight": np.zeros(1, np.float32), "fc1.bias": np.zeros(2, self.type)}

    def predict(self, x):
        return np.zeros((len(x), 3), self.logits)

    def train_step(self, x, y):
        return 0.5

    def check_mode(self):
        if self.ran_otherwise:
            raise NotHonoured("it ran eagerly")


def test_nothing_of_it_is_in_later_calls():
    """After its first call of each kind the network has its class's own method again, and so has a call that was taken before."""
    net = honest.watched(Network(), "ours")
    taken = net.predict
    assert "predict" in vars(net)

    assert net.predict([1, 2]).shape == (2, 3)
    assert "predict" not in vars(net)
    assert "train_step" in vars(net)
    assert net.train_step([1], [2]) == 0.5
    assert vars(net).keys() == {"logits", "type"}
    assert taken([1]).shape == (1, 3)


@pytest.mark.parametrize("wrong", [np.float64, np.float16])
def test_another_type(wrong):
    """Logits or weights that are not float32 are an error that says what they are."""
    net = honest.watched(Network(logits=wrong), "ours eager")
    with pytest.raises(NotHonoured, match=rf"^ours eager: logits: {np.dtype(wrong)}; every network is measured in float32$"):
        net.predict([1])
    with pytest.raises(NotHonoured, match=rf"^ours eager: fc1\.bias: {np.dtype(wrong)}; every network"):
        honest.watched(Network(weights=wrong), "ours eager")


@pytest.mark.parametrize("call", ["predict", "train_step"])
def test_another_mode(call):
    """A first call that ran in another way than the mode's name says is an error, whichever call it is."""
    net = honest.watched(Network(), "ours")
    net.ran_otherwise = True
    with pytest.raises(NotHonoured, match=r"^it ran eagerly$"):
        getattr(net, call)(*[[1]] * (1 + (call == "train_step")))


def test_modes_of_plain_code():
    """A network without check_mode has nothing to ask."""

    class Plain:
        def weights(self):
            return {}

        def predict(self, x):
            return np.zeros(1, np.float32)

        train_step = predict

    assert honest.watched(Plain(), "ours").predict([1]) == 0

"""What is particular to TensorFlow: what it declares."""

from __future__ import annotations

import lenet5


def test_declares():
    """A graph, XLA and Keras' own loops, which trace graphs too, are compared with eager execution."""
    assert lenet5.modes("tensorflow") == ("eager", "graph", "xla", "predict_on_batch", "predict")
    assert lenet5.variants("tensorflow") == ("predict_on_batch", "predict")
    assert lenet5.dynamic("tensorflow") == dict.fromkeys(("graph", "xla", "predict_on_batch", "predict"), "eager")
    assert lenet5.colour("tensorflow") == "orange"
    assert lenet5.ladder("tensorflow") == ()

"""The fast network backwards: the loss of one chunk and its derivatives with respect to every weight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from lenet5.architecture import CONVOLUTIONS, DENSE
from lenet5.by_hand.activations import ActivationBackward
from lenet5.by_hand.dense import DenseBackward
from lenet5.by_hand.forward import Forward
from lenet5.by_hand.layout import Array
from lenet5.by_hand.memory import Arena
from lenet5.by_hand.parameters import Parameters, ShiftedKernels
from lenet5.by_hand.strips import StripFeatures
from lenet5.by_hand.strips_backward import ConvolutionBackward, SourceBackward


class Step(Protocol):
    """One operation's way back, on arrays and views that are made once."""

    def backward(self) -> None: ...


class Backward:
    """The way back of a prepared `Forward` that keeps its one chunk; the derivatives are written to ``gradients``."""

    def __init__(
        self, arena: Arena, forward: Forward, kernels: Mapping[str, ShiftedKernels], activation: str, gradients: Parameters
    ) -> None:
        ((_, convolved),) = forward.features
        assert isinstance(convolved, StripFeatures)
        self.logits, self.gradient = forward.logits, gradients.flat
        n = self.logits.shape[1]
        self.columns, self.row = np.arange(n), arena.take(n)
        self.steps: list[Step] = []

        d = self.logits
        for name in reversed(DENSE):
            layer = forward.dense[name]
            step = DenseBackward(arena, layer.source, layer.weight[:, :-1], d, gradients.dense[name])
            self.steps.append(step)
            d, features = step.d_source, layer.source[:-1]
            if basis := forward.bases.get(name):
                through = DenseBackward(arena, basis.source, basis.weight, d, gradients.bases[name])
                self.steps.append(through)
                d, features = through.d_source, basis.source
            self.steps.append(ActivationBackward(arena, features, d, activation))

        conv1, conv2 = CONVOLUTIONS
        layer1, layer2 = convolved.convolutions
        d_middle = arena.take(*convolved.middle.shape)
        d_maps = d.reshape(layer2.out.transpose(1, 0, 2, 3).shape)
        back2 = ConvolutionBackward(arena, layer2, d_maps.transpose(1, 0, 2, 3), gradients.kernels[conv2], gradients.biases[conv2])
        source = SourceBackward(arena, back2.d_z, kernels[conv2], d_middle)
        d_pooled = d_middle.transpose(0, 2, 3, 1, 4)
        back1 = ConvolutionBackward(arena, layer1, d_pooled, gradients.kernels[conv1], gradients.biases[conv1])
        self.steps += [back2, source, ActivationBackward(arena, convolved.middle, d_middle, activation), back1]

    def backward(self, y: Array, share: float) -> float:
        """The chunk's loss in nats, times ``share``; its derivatives are in ``gradient`` until the next call.

        y (n,) are the labels; ``share`` is one image's part of the mean over the whole batch.
        """
        loss = self._cross_entropy(y, share)
        for step in self.steps:
            step.backward()
        return loss

    def _cross_entropy(self, y: Array, share: float) -> float:
        """-log softmax(z)[y] = log sum exp(z - max z) - (z[y] - max z); its gradient, softmax(z) - 1[y], replaces the logits z."""
        z, row = self.logits, self.row
        np.maximum.reduce(z, axis=0, out=row)
        np.subtract(z, row, out=z)
        of_label = z[y, self.columns]
        np.exp(z, out=z)
        np.add.reduce(z, axis=0, out=row)
        loss = (np.log(row) - of_label).sum(dtype=np.float64)
        np.multiply(z, np.float32(share) / row, out=z)
        z[y, self.columns] -= np.float32(share)
        return share * float(loss)

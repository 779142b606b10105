"""Pruning while training: the share of zeros rises step by step, and the network learns to live with them.

Written against the contract only: it prunes a network of any framework.
"""

from __future__ import annotations

from dataclasses import dataclass

from lenet5 import training
from lenet5.compression.zeros import Masks, kept, magnitude_mask, masked
from lenet5.contract import SEEDS, Network, is_whole, whole_number
from lenet5.datasets import Dataset
from lenet5.errors import InputError


@dataclass(frozen=True)
class PolynomialDecay:
    """The schedule of Zhu & Gupta (2017, arXiv:1710.01878), as tfmot has it: fast at first, then ever more slowly to the final value.

    Steps count the batches from 1.  The masks move at ``begin`` and every ``frequency`` steps after it until ``end``; the network trains
    on with the final masks.  Raises InputError for a schedule that would never reach its end, the mistake that tfmot lets pass.
    """

    initial: float
    final: float
    begin: int
    end: int
    frequency: int
    power: int = 3

    def __post_init__(self) -> None:
        for sparsity in (self.initial, self.final):
            kept(1, sparsity)
        whole = all(map(is_whole, (self.begin, self.end, self.frequency)))
        if not (whole and 1 <= self.begin < self.end and self.frequency >= 1):
            raise InputError(
                f"schedule: begin {self.begin}, end {self.end}, every {self.frequency}; 1 <= begin < end and every >= 1 fit"
            )
        if (self.end - self.begin) % self.frequency:
            raise InputError(
                f"schedule: from step {self.begin} every {self.frequency} steps never meets step {self.end}: {self.final} is not reached"
            )

    def moves(self, step: int) -> bool:
        """Whether the masks are drawn anew at this step."""
        return self.begin <= step <= self.end and (step - self.begin) % self.frequency == 0

    def sparsity(self, step: int) -> float:
        """The share of zeros wanted at a step from ``begin`` on, from 0 to 1."""
        to_go = 1 - min(1.0, max(0.0, (step - self.begin) / (self.end - self.begin)))
        return self.final + (self.initial - self.final) * to_go**self.power


def schedule_for(steps: int, initial: float = 0.5, final: float = 0.9, moves: int = 20, share: float = 0.6) -> PolynomialDecay:
    """A schedule from the first step to about ``share`` of all steps; what is left is for learning with the final masks.

    The masks move about ``moves`` times.  Raises InputError where there are too few steps to move twice.
    """
    frequency = max(1, int(steps * share) // moves)
    end = 1 + frequency * min(moves, max(1, steps - 1))
    if end > steps:
        raise InputError(f"schedule: {steps} steps are too few; the masks move at least twice")
    return PolynomialDecay(initial, final, 1, end, frequency)


def fine_tune(
    net: Network,
    dataset: Dataset,
    schedule: PolynomialDecay,
    epochs: int,
    regrow: bool = True,
    batch: int = training.BATCH,
    seed: int = 0,
) -> Masks:
    """Train for some epochs; before each step the masks are applied, and drawn anew where the schedule says so.  -> the last masks

    Epoch e shuffles as in `training.train`, and ``batch`` is the images of a step.  Raises InputError as that does.

    The weights leave the network and return masked at every step: gradient descent projected onto the masks.  The network must have been
    built with optimizer="sgd": load() makes an optimizer start afresh, and plain gradient descent is the one that has nothing to forget.

    With ``regrow`` masks are drawn from the weights as the last step left them, where a masked one has moved too and can outgrow
    another: tfmot's rule.  Without it what is masked stays so: PyTorch's.  Tests hold each equal to that library.
    """
    epochs, seed = whole_number("epochs", epochs, 1), whole_number("seed", seed, 0, SEEDS - 1)
    masks: Masks = {}
    step = 0
    for epoch in range(epochs):
        for x, y in training.prepare(net, dataset.train, batch, (seed + epoch) % SEEDS):
            step += 1
            moved = net.weights()
            weights = masked(moved, masks)
            if schedule.moves(step):
                masks = magnitude_mask(moved if regrow else weights, schedule.sparsity(step))
                weights = masked(moved, masks)
            net.load(weights)
            net.train_step(x, y)
    net.load(masked(net.weights(), masks))
    return masks

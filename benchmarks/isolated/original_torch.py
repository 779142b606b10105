"""PyTorch's times in the original report, taken as it took them and as they should be, in a process that has done nothing before.

    python -m benchmarks.isolated.original_torch inference [--dataset NAME] [--seconds S]
    python -m benchmarks.isolated.original_torch softmax-twice [--dataset NAME] [--epochs N]

As the original: inference is the first call ever, on one batch of 64, the clock stopped when the call returns, which on a GPU is before
the work is done; FLOPs are twice those of that batch; training has softmax at the end of the network and again in the loss.
"""

from __future__ import annotations

import argparse
import sys
from statistics import median
from typing import Any

import numpy as np
import torch
from numpy.testing import assert_allclose
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

import lenet5
from benchmarks.arrange.clock import interleaved, timed
from benchmarks.arrange.problem import ATOL, LEARNING_RATE, SEED, first_images, initial_weights
from benchmarks.arrange.torch_modules import module_of
from benchmarks.isolated import program
from lenet5 import cost, datasets, training
from lenet5.contract import ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON

TITLE = "PyTorch as in the original report"
FRAMEWORK = "torch"
PACKAGES = ("torch",)


def inference(dataset: datasets.Dataset, weights: lenet5.Weights, budget_seconds: float) -> dict[str, Any]:
    """Seconds and FLOPs of the original's one call, and of an honest one: all test images, warm, logits on the host."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    module = module_of(weights).to(device)
    batch = torch.from_numpy(first_images(dataset, training.BATCH)).to(device)
    with torch.inference_mode():
        logits, cold_seconds = timed(module, batch)
        with FlopCounterMode(display=False) as counter:
            module(batch)
    net = lenet5.implementation(FRAMEWORK)(weights, device=device)
    x = net.tensor(dataset.test.images)
    assert_allclose(logits.cpu(), net.predict(net.tensor(first_images(dataset, training.BATCH))), rtol=0, atol=ATOL)
    return {
        "device": device,
        "as_original_seconds": cold_seconds,
        "as_original_images": training.BATCH,
        "honest_seconds": median(interleaved({"predict": lambda: net.predict(x)}, budget_seconds)["predict"]),
        "honest_images": len(dataset.test.images),
        "as_original_flops": 2 * counter.get_total_flops(),
        "honest_flops": cost.forward_flops(weights),
    }


def softmax_twice(dataset: datasets.Dataset, weights: lenet5.Weights, epochs: int) -> dict[str, Any]:
    """What the same training comes to with softmax twice and once; everything else is equal."""
    twice, once = train(dataset, weights, epochs, True), train(dataset, weights, epochs, False)
    floor = float(np.log1p((dataset.classes - 1) / np.e))
    assert twice["last_loss_nats"] > floor, f"a loss of {twice['last_loss_nats']} is below its floor of {floor}"
    return {
        **{f"as_original_{name}": value for name, value in twice.items()},
        **{f"honest_{name}": value for name, value in once.items()},
        "floor_nats": floor,
        "epochs": epochs,
        "test_images": len(dataset.test.labels),
    }


def train(dataset: datasets.Dataset, weights: lenet5.Weights, epochs: int, twice: bool) -> dict[str, float]:
    """Adam 1e-3 on the usual batches; the loss takes the network's output for logits, although ``twice`` makes it probabilities."""
    module = module_of(weights)
    optimizer = torch.optim.Adam(module.parameters(), LEARNING_RATE, (ADAM_BETA1, ADAM_BETA2), ADAM_EPSILON)

    def output(x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = module(x)
        return logits.softmax(1) if twice else logits

    def epoch(number: int) -> float:
        losses = []
        for rows in training.batches(len(dataset.train.labels), training.BATCH, SEED + number):
            optimizer.zero_grad()
            x, y = (torch.from_numpy(array[rows]) for array in (dataset.train.images, dataset.train.labels))
            loss: Any = functional.cross_entropy(output(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return float(np.mean(losses))

    losses, seconds = timed(lambda: [epoch(number) for number in range(epochs)])
    with torch.inference_mode():
        found = output(torch.from_numpy(dataset.test.images)).argmax(1).numpy()
    return {"seconds": seconds, "last_loss_nats": losses[-1], "correct": int((found == dataset.test.labels).sum())}


def main(arguments: list[str] | None = None) -> int:
    """Measure once and print the JSON; exit codes as in `program.answer`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.isolated.original_torch", description=__doc__.splitlines()[0])
    parser.add_argument("figure", choices=("inference", "softmax-twice"))
    parser.add_argument("--dataset", default="colour-digits")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long to time the warm prediction")
    parser.add_argument("--epochs", type=int, default=30)

    def measured(options: argparse.Namespace) -> dict[str, Any]:
        dataset = datasets.load(options.dataset)
        weights = initial_weights(dataset)
        if options.figure == "inference":
            return inference(dataset, weights, options.seconds)
        return softmax_twice(dataset, weights, options.epochs)

    return program.answer(parser, measured, arguments)


if __name__ == "__main__":
    sys.exit(main())

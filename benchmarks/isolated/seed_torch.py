"""The seed's PyTorch figures as the seed took them, and the honest ones, in a process that has done nothing before.

    python -m benchmarks.isolated.seed_torch inference [--dataset NAME] [--seconds S]
    python -m benchmarks.isolated.seed_torch softmax-twice [--dataset NAME] [--epochs N]

Inference as the seed: the first call ever, on one batch of 64, the clock stopped when the call returns, which on a GPU is before the work
is done.  FLOPs as the seed: twice those of that batch.  Training as the seed: softmax at the end of the network and again in the loss.
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
from benchmarks.arrange.measuring import LEARNING_RATE, SEED, first_images, timed
from benchmarks.arrange.samples import in_turns
from benchmarks.isolated import fresh
from lenet5 import cost, datasets, training
from lenet5.architecture import shapes_of
from lenet5.contract import ADAM_BETA1, ADAM_BETA2, ADAM_EPSILON
from lenet5.with_torch import Module


def module_of(weights: lenet5.Weights) -> Module:
    module = Module(shapes_of(weights), "relu")
    module.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in weights.items()})
    return module


def inference(dataset: datasets.Dataset, weights: lenet5.Weights, budget_seconds: float) -> dict[str, Any]:
    """Seconds and FLOPs of the seed's one call and of its honest twin: all test images, warm, logits on the host."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    module = module_of(weights).to(device)
    batch = torch.from_numpy(first_images(dataset, training.BATCH)).to(device)
    with torch.inference_mode():
        logits, cold_seconds = timed(module, batch)
        with FlopCounterMode(display=False) as counter:
            module(batch)
    net = lenet5.implementation("torch")(weights, device=device)
    x = net.tensor(dataset.test.images)
    assert_allclose(logits.cpu(), net.predict(net.tensor(first_images(dataset, training.BATCH))), rtol=0, atol=1e-5)
    return {
        "device": device,
        "as_seed_seconds": cold_seconds,
        "as_seed_images": training.BATCH,
        "honest_seconds": median(in_turns({"predict": lambda: net.predict(x)}, budget_seconds)["predict"]),
        "honest_images": len(dataset.test.images),
        "as_seed_flops": 2 * counter.get_total_flops(),
        "honest_flops": cost.forward_flops(weights),
    }


def softmax_twice(dataset: datasets.Dataset, weights: lenet5.Weights, epochs: int) -> dict[str, Any]:
    """What the same training comes to with softmax twice and once; everything else is equal."""
    twice, once = train(dataset, weights, epochs, True), train(dataset, weights, epochs, False)
    floor = float(np.log1p((dataset.classes - 1) / np.e))
    assert twice["last_loss_nats"] > floor, f"a loss of {twice['last_loss_nats']} is below its floor of {floor}"
    return {
        **{f"as_seed_{name}": value for name, value in twice.items()},
        **{f"honest_{name}": value for name, value in once.items()},
        "floor_nats": floor,
        "epochs": epochs,
        "test_images": len(dataset.test.labels),
    }


def train(dataset: datasets.Dataset, weights: lenet5.Weights, epochs: int, twice: bool) -> dict[str, float]:
    """Adam 1e-3 on the usual batches; the loss takes what the network gives for logits, whether it is or not."""
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
    """Measure once and print the JSON; exit codes as in `fresh.answer`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.isolated.seed_torch", description=__doc__.splitlines()[0])
    parser.add_argument("figure", choices=("inference", "softmax-twice"))
    parser.add_argument("--dataset", default="colour-digits")
    parser.add_argument("--seconds", type=float, default=0.5, help="how long to time the warm prediction")
    parser.add_argument("--epochs", type=int, default=30)

    def measured(options: argparse.Namespace) -> dict[str, Any]:
        dataset = datasets.load(options.dataset)
        weights = lenet5.initial_weights(lenet5.Architecture(dataset.channels, dataset.classes), SEED)
        if options.figure == "inference":
            return inference(dataset, weights, options.seconds)
        return softmax_twice(dataset, weights, options.epochs)

    return fresh.answer(parser, measured, arguments)


if __name__ == "__main__":
    sys.exit(main())

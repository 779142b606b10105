"""What is inside each number, and what is not."""

from __future__ import annotations

from benchmarks.report.records import Plot, Section, Table
from benchmarks.saved.results import Run


def sections(run: Run) -> list[Section]:
    return [_inside(run)]


def plots(run: Run) -> list[Plot]:
    return []


def _inside(run: Run) -> Section:
    return Section(
        "What is inside each number",
        table=Table(
            ["number", "in", "not in"],
            [
                [
                    "inference",
                    "the call, Python included, until the logits are a NumPy array",
                    "converting the images, building, first call",
                ],
                [
                    "one step",
                    "forward, loss, gradients, Adam's update, the loss as a Python float",
                    "converting, first call, loading weights",
                ],
                ["one epoch", "one step for each full batch of the training split", "shuffling, converting, validation"],
                ["all epochs", "shuffling, converting, steps, validation after each epoch", "building, first two steps, test"],
                [
                    "first call",
                    "tracing, compiling, allocating, and one call",
                    "importing and building; other cases ran before in this process",
                ],
                [
                    "accuracy",
                    "share of the test images; Wilson interval over images",
                    "the spread over initial weights and shuffles",
                ],
                [
                    "MACs, FLOPs",
                    "multiplications and additions of the five layers, FLOPs = 2 x MACs",
                    "biases, activations, pooling",
                ],
                [
                    "bytes of weights",
                    "float32 arrays as they lie in memory",
                    "gradients, optimizer state, activations, the library",
                ],
            ],
        ),
    )

"""What is inside each number, and what is not."""

from __future__ import annotations

from benchmarks.report.records import Plot, Section, Table, Words
from benchmarks.saved.results import Run

EVERY = ""
"""Stands for all groups that compare frameworks."""

INSIDE = (
    (
        ("predict",),
        "inference",
        "the call, Python included, until the logits are a NumPy array",
        "converting the images, building, first call",
    ),
    (
        ("train step", "train step sgd"),
        "one step",
        "forward, loss, gradients, the optimizer's update, the loss as a Python float",
        "converting, first call, loading the weights before each round",
    ),
    (("train epoch",), "one epoch", "one step for each full batch of the training split", "shuffling, converting, validation"),
    (
        ("train",),
        "all epochs",
        "shuffling, converting, all steps, validation after each epoch",
        "building; two updates that check the network, after which the weights are loaded anew; the test split",
    ),
    (
        ("predict", "train step", "train step sgd"),
        "first call",
        "tracing, compiling, allocating, and one call",
        "importing and building; other networks were called before in this process",
    ),
    (
        ("train",),
        "accuracy",
        "share of the test images; Wilson interval over images",
        "the spread over initial weights and shuffles",
    ),
    (
        (EVERY,),
        "MACs, FLOPs",
        "multiplications and additions of the five layers, FLOPs = 2 x MACs",
        "biases, activations, pooling",
    ),
    (
        (EVERY,),
        "bytes of weights",
        "float32 arrays as they lie in memory",
        "gradients, optimizer state, activations, the library",
    ),
)
"""The groups that have it, what it is called, what it holds, and what it leaves out."""


def sections(run: Run) -> list[Section]:
    groups = {EVERY, *(case.group for case in run.cases)} if run.frameworks else set()
    rows = [tuple(map(Words, words)) for of, *words in INSIDE if groups & set(of)]
    return [Section("What is inside each number", table=Table(["number", "in it", "not in it"], rows))] if rows else []


def plots(run: Run) -> list[Plot]:
    return []

"""Trainings that left something to look at, for tests of the report, written by hand: six test images of a shape and a colour."""

from __future__ import annotations

from typing import Any

from benchmarks.saved.results import Case, Run
from tests.support.documents import PICTURE
from tests.support.runs import case, run_of

ASPECTS = [["shape", ["round", "long", "square"]], ["colour", ["red", "blue"]]]
LABELS = [0, 1, 2, 3, 4, 5]
NAMES = ("image 0", "image 2", "filters before", "filters after")
LAYERS = ("conv1", "pool1", "conv2", "pool2", "fc1", "fc2", "fc3", "probabilities")
PICTURES = [[name, PICTURE] for name in (*NAMES, *(f"after {layer}" for layer in LAYERS))]


def trained(framework: str, mode: str, said: list[int], sure: list[float], **extra: Any) -> Case:
    """A training that said these classes of the test images, so surely."""
    known = {"test_labels": LABELS[: len(said)], "aspects": ASPECTS, "pictures": PICTURES, **extra}
    curves = {"train_loss_nats": [2.0, 1.0], "validation_loss_nats": [2.0, 1.5], "validation_accuracy": [0.2, 0.6]}
    right = sum(a == b for a, b in zip(said, known["test_labels"], strict=True))
    counted = {"correct": right, "test_images": len(said), "test_predictions": said, "test_probabilities": sure}
    return case("train", framework, mode, 0.5, **curves, **counted, **known)


def two() -> Run:
    """Two networks that differ in one image: by hand 2 is taken for 0 and 4 for 1, by the other 2 for 0 as well, and 4 for 5."""
    return run_of(
        trained("torch", "eager", [0, 1, 0, 3, 5, 5], [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]),
        trained("numpy", "fused", [0, 1, 0, 3, 1, 5], [0.95, 0.85, 0.75, 0.65, 0.99, 0.45]),
    )

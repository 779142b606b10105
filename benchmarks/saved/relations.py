"""Which values of one case have to fit each other, such as correct answers and images: the report's arithmetic relies on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.saved.kinds import wrong


@dataclass(frozen=True)
class Relation:
    """One row: a condition on a field and others.  It counts for every case that has all of these fields."""

    field: str
    others: tuple[str, ...]
    holds: Callable[..., bool]
    """Takes the value of the field, then those of the others."""
    right: str


RELATIONS = (
    *(
        Relation(field, ("test_images",), lambda correct, images: correct <= images, "at most test_images")
        for field in ("correct", "dense_correct", "as_original_correct", "honest_correct")
    ),
    *(
        Relation(field, ("test_images",), lambda found, images: len(found) == images, "a value for each of test_images")
        for field in ("test_predictions", "test_labels", "test_probabilities")
    ),
    *(
        Relation(curve, ("train_loss_nats",), lambda one, other: len(one) == len(other), "as many values as train_loss_nats has")
        for curve in ("validation_accuracy", "validation_loss_nats", "epoch_seconds")
    ),
    Relation("seeds", (), lambda seeds: len(set(seeds)) == len(seeds), "each seed once"),
    *(
        Relation(values, ("seeds",), lambda one, seeds: len(one) == len(seeds), "as many values as seeds has")
        for values in ("correct_by_seed", "last_loss_nats_by_seed")
    ),
    Relation("correct_by_seed", ("test_images",), lambda correct, images: max(correct) <= images, "values of at most test_images"),
    Relation(
        "gained",
        ("test_images", "dense_correct"),
        lambda gained, images, dense: gained <= images - dense,
        "at most test_images - dense_correct",
    ),
    Relation("lost", ("dense_correct",), lambda lost, dense: lost <= dense, "at most dense_correct"),
    Relation(
        "correct",
        ("dense_correct", "gained", "lost"),
        lambda correct, dense, gained, lost: correct == dense + gained - lost,
        "dense_correct + gained - lost",
    ),
    *(
        Relation(zeros, ("kernel_weights",), lambda zeros, weights: zeros <= weights, "at most kernel_weights")
        for zeros in ("as_original_zeros", "honest_zeros")
    ),
)


def faults(values: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each condition that the values of a case break.  Each value by itself is of its kind already."""
    for relation in RELATIONS:
        names = (relation.field, *relation.others)
        if all(name in values for name in names) and not relation.holds(*(values[name] for name in names)):
            yield wrong(relation.field, values[relation.field], _with_numbers(relation, values))


def _with_numbers(relation: Relation, values: Mapping[str, Any]) -> str:
    """The words for what would be right, and the numbers behind these words."""
    numbers = ", ".join(f"{name} is {values[name]}" for name in relation.others if isinstance(values[name], int))
    return f"{relation.right} ({numbers})" if numbers else relation.right

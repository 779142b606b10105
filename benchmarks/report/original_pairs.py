"""The original report's numbers in pairs: how a case that measures one again is read, as the original took it and as it should be taken.

Each pair says what was printed and what the difference teaches.  Frameworks are named here because the original report named them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import e, log1p

from benchmarks.quantities.units import COUNT, NATS, SECONDS, SHARE, counted
from benchmarks.report.original_report import PRUNED_ACCURACY
from benchmarks.report.records import Cell, Quantity, Several
from benchmarks.saved.results import Case


@dataclass(frozen=True)
class Pair:
    """One number of the original report: the case that measures it again, what was printed, how to read the case both ways, and the lesson."""

    figure: str
    """What the case says that it measures."""
    title: str
    printed: str
    as_original: Callable[[Case], Cell]
    honest: Callable[[Case], Cell] | None
    """None where the honest number is the accuracy of the training that all frameworks share."""
    lesson: str
    needs: tuple[str, ...] = ("honest_seconds",)
    """The fields that both cells are made of."""


def _taken(what: str) -> Callable[[Case], Cell]:
    """The time that the original's way takes, and what was in it."""
    return lambda case: Quantity(case.median, SECONDS, note=what)


def _honest(what: str) -> Callable[[Case], Cell]:
    """The time of the same thing taken honestly, and what is in it."""
    return lambda case: Quantity(case.extra["honest_seconds"], SECONDS, note=what)


def _learned(which: str, how: str) -> Callable[[Case], Cell]:
    """Accuracy and last loss of one of two trainings."""
    return lambda case: Several(
        [
            Quantity(case.extra[f"{which}_correct"] / case.extra["test_images"], SHARE),
            Quantity(case.extra[f"{which}_last_loss_nats"], NATS, note=how),
        ]
    )


def _zeros(which: str) -> Callable[[Case], Cell]:
    return lambda case: Quantity(
        case.extra[f"{which}_zeros"], COUNT, note=f"zeros of {COUNT.show(case.extra['kernel_weights'])} weights"
    )


ONE_EPOCH = "one epoch: losses, gradients, updates"

PAIRS = (
    Pair(
        "tensorflow dynamic inference",
        "TensorFlow inference, 450 images",
        "0.0718 s",
        _taken("one cold eager call, a loss inside"),
        _honest("warm, logits on the host"),
        "A first call pays for start-up that no later call pays for: warm up, and time many calls.",
    ),
    Pair(
        "tensorflow static inference",
        "static graph inference, 450 images",
        "0.2327 s",
        _taken("the one call that also traces"),
        _honest("traced before"),
        "Tracing is paid once: it belongs in a column of its own, with the number of calls after which it has paid for itself.",
    ),
    Pair(
        "tensorflow dynamic training",
        "dynamic graph training",
        "3.1486 s",
        _taken("one forward pass"),
        _honest(ONE_EPOCH),
        "training=True trains nothing: without a loss, a gradient and an update it is inference.",
    ),
    Pair(
        "tensorflow static training",
        "static graph training",
        "5.5222 s",
        _taken("one forward pass, tracing inside"),
        _honest(ONE_EPOCH),
        "The graph lost because its one call traced as well; a training is updates, thousands of them, and traces once.",
    ),
    Pair(
        "torch inference",
        "PyTorch inference, 450 images",
        "0.0022 s",
        lambda case: _taken(f"{case.extra['as_original_images']} images, one cold call, {case.extra['device'] or 'cpu'}")(case),
        lambda case: _honest(f"{case.extra['honest_images']} images, warm")(case),
        "Say how many images, and on which device. A GPU's clock stopped without waiting shows how fast work is handed over, not done; "
        "on a CPU a call returns when it has finished, so that part cannot be shown here.",
        ("honest_seconds", "as_original_images", "honest_images"),
    ),
    Pair(
        "torch inference",
        "PyTorch FLOPs",
        "167.738624 MFLOPs",
        lambda case: Quantity(
            case.extra["as_original_flops"], COUNT, note=f"a batch of {case.extra['as_original_images']}, counted twice"
        ),
        lambda case: Quantity(case.extra["honest_flops"], COUNT, note="one image"),
        "Say whether MACs or FLOPs, and of how many images: 2 x 64 lies between the two numbers.",
        ("as_original_flops", "honest_flops", "as_original_images"),
    ),
    Pair(
        "handcrafted inference",
        "handcrafted inference, 450 images",
        "40.1202 s",
        lambda case: _taken(f"{case.extra['passes']} passes by float64 loops, called one")(case),
        _honest("one pass by hand in the default mode"),
        "Divide by the passes, and compare float32 with float32: handcrafted does not mean slow.",
        ("honest_seconds", "passes"),
    ),
    Pair(
        "handcrafted accuracy",
        "handcrafted accuracy",
        "20.00 %",
        lambda case: Quantity(
            case.extra["as_original_correct"] / case.extra["test_images"],
            SHARE,
            note=f"sigmoid, plain gradient descent at 1e-3, {counted(case.extra['epochs'], 'epoch')}",
        ),
        None,
        "Three recipes for three frameworks compare recipes. Nothing is wrong with the network here; this is all that it learns by that "
        "recipe.",
        ("as_original_correct", "test_images", "epochs"),
    ),
    Pair(
        "softmax twice",
        "PyTorch accuracy",
        "16.00 %",
        _learned("as_original", "softmax twice"),
        _learned("honest", "once"),
        f"Softmax of a softmax is nearly flat: with 50 classes the loss cannot fall below ln(1 + 49/e) = {log1p(49 / e):.4f} nats, and the "
        "gradient is small everywhere. A loss that stops at the same value whatever you change has a floor: work it out.",
        ("as_original_correct", "honest_correct", "as_original_last_loss_nats", "honest_last_loss_nats", "test_images"),
    ),
    Pair(
        "pruning",
        "pruned network",
        f"test accuracy {PRUNED_ACCURACY}",
        _zeros("as_original"),
        _zeros("honest"),
        "prune_low_magnitude returns the pruned model and leaves its argument as it was: count the zeros before reporting anything pruned.",
        ("as_original_zeros", "honest_zeros", "kernel_weights"),
    ),
)

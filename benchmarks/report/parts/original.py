"""The report's first page: each figure of the seed as it was taken then and as it should be taken, both measured on this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import e, log1p

from benchmarks.quantities import units
from benchmarks.report import original_report
from benchmarks.report.records import Plot, Section, Table
from benchmarks.report.text import DASH
from benchmarks.saved.results import Case, Run

GROUP = "original"


@dataclass(frozen=True)
class Pair:
    """One figure of the seed: the case that redoes it, what was printed, how to read the case both ways, and what to learn."""

    figure: str
    title: str
    printed: str
    as_seed: Callable[[Case], str]
    honest: Callable[[Case], str]
    lesson: str
    needs: tuple[str, ...] = ()
    """What has to ride on the case, as numbers."""


def _seconds(case: Case) -> str:
    return units.seconds(case.median)


def _honest_seconds(case: Case) -> str:
    return units.seconds(case.extra["honest_seconds"])


def _share(name: str) -> Callable[[Case], str]:
    return lambda case: units.percent(case.extra[name] / case.extra["test_images"])


def _learned(case: Case, which: str) -> str:
    return f"{_share(f'{which}_correct')(case)}, loss {units.significant(case.extra[f'{which}_last_loss_nats'])} nats"


PAIRS = (
    Pair(
        "tensorflow dynamic inference",
        "TensorFlow inference, 450 images",
        "0.0718 s",
        lambda case: f"{_seconds(case)} (one cold eager call, a loss inside)",
        lambda case: f"{_honest_seconds(case)} (warm, logits on the host)",
        "A first call pays for start-up that no later call pays for: warm up, and time many calls.",
        ("honest_seconds",),
    ),
    Pair(
        "tensorflow static inference",
        "static graph inference, 450 images",
        "0.2327 s",
        lambda case: f"{_seconds(case)} (the one call that also traces)",
        lambda case: f"{_honest_seconds(case)} (traced before)",
        "Tracing is paid once: it belongs in a column of its own, with the number of calls after which it has paid for itself.",
        ("honest_seconds",),
    ),
    Pair(
        "tensorflow dynamic training",
        "dynamic graph training",
        "3.1486 s",
        lambda case: f"{_seconds(case)} (one forward pass)",
        lambda case: f"{_honest_seconds(case)} (one epoch: losses, gradients, updates)",
        "training=True trains nothing: without a loss, a gradient and an update it is inference.",
        ("honest_seconds",),
    ),
    Pair(
        "tensorflow static training",
        "static graph training",
        "5.5222 s",
        lambda case: f"{_seconds(case)} (one forward pass, tracing inside)",
        lambda case: f"{_honest_seconds(case)} (one epoch: losses, gradients, updates)",
        "The seed's graph lost because its one call traced as well; a training is updates, thousands of them, and traces once.",
        ("honest_seconds",),
    ),
    Pair(
        "torch inference",
        "PyTorch inference, 450 images",
        "0.0022 s",
        lambda case: (
            f"{_seconds(case)} ({case.extra['as_original_images']} images, one cold call, {case.extra.get('device') or 'cpu'})"
        ),
        lambda case: f"{_honest_seconds(case)} ({case.extra['honest_images']} images, warm)",
        "Say how many images, and on which device. A GPU's clock stopped without waiting shows how fast work is handed over, not done; "
        "on a CPU a call returns when it has finished, so that part cannot be shown here.",
        ("honest_seconds", "as_original_images", "honest_images"),
    ),
    Pair(
        "torch inference",
        "PyTorch FLOPs",
        "167.738624 MFLOPs",
        lambda case: (
            f"{units.count(case.extra['as_original_flops'])} (a batch of {case.extra['as_original_images']}, counted twice)"
        ),
        lambda case: f"{units.count(case.extra['honest_flops'])} (one image)",
        "Say whether MACs or FLOPs, and of how many images: 2 x 64 lies between the two figures.",
        ("as_original_flops", "honest_flops", "as_original_images"),
    ),
    Pair(
        "handcrafted inference",
        "handcrafted inference, 450 images",
        "40.1202 s",
        lambda case: f"{_seconds(case)} ({case.extra['passes']} passes by float64 loops, called one)",
        lambda case: f"{_honest_seconds(case)} (one pass, NumPy's default mode)",
        "Divide by the passes, and compare float32 with float32: handcrafted does not mean slow.",
        ("honest_seconds", "passes"),
    ),
    Pair(
        "handcrafted accuracy",
        "handcrafted accuracy",
        "20.00 %",
        lambda case: (
            f"{_share('as_original_correct')(case)} (sigmoid, plain gradient descent at 1e-3, {case.extra['epochs']} epochs)"
        ),
        lambda case: DASH,
        "Three recipes for three frameworks compare recipes. Nothing is wrong with the network here; this is all that it learns by that "
        "recipe.",
        ("as_original_correct", "test_images", "epochs"),
    ),
    Pair(
        "softmax twice",
        "PyTorch accuracy",
        "16.00 %",
        lambda case: f"{_learned(case, 'as_original')} (softmax twice)",
        lambda case: f"{_learned(case, 'honest')} (once)",
        f"Softmax of a softmax is nearly flat: with 50 classes the loss cannot fall below ln(1 + 49/e) = {log1p(49 / e):.4f} nats, and the "
        "gradient is small everywhere. A loss that stops at the same value whatever you change has a floor: work it out.",
        ("as_original_correct", "honest_correct", "as_original_last_loss_nats", "honest_last_loss_nats", "test_images"),
    ),
    Pair(
        "pruning",
        "pruned network",
        "test accuracy 22.44 %",
        lambda case: (
            f"{units.count(case.extra['as_original_zeros'])} of {units.count(case.extra['kernel_weights'])} weights are zero"
        ),
        lambda case: f"{units.count(case.extra['honest_zeros'])} of {units.count(case.extra['kernel_weights'])} weights are zero",
        "prune_low_magnitude returns the pruned model and leaves its argument as it was: count the zeros before reporting anything pruned.",
        ("as_original_zeros", "honest_zeros", "kernel_weights"),
    ),
)


def figures(run: Run) -> dict[str, Case]:
    """The seed's figures that this run took again, each with its case."""
    return {str(case.extra["figure"]): case for case in run.group(GROUP)}


def sections(run: Run) -> list[Section]:
    pairs = _pairs(run)
    return [*([pairs] if pairs else []), _other_figures(run)]


def plots(run: Run) -> list[Plot]:
    return []


def _pairs(run: Run) -> Section | None:
    """The pairs that this run measured, each with what the difference teaches; None if it measured none."""
    cases = figures(run)
    rows = [_row(pair, cases[pair.figure], run) for pair in PAIRS if pair.figure in cases]
    if not rows:
        return None
    return Section(
        "The seed's figures, as it took them and as they should be taken",
        before=[
            "Third and fourth column: measured on this machine with the project's own code. Second column: the seed's own words. "
            "Its images were others (63,325 to train on), so compare a row's third column with its fourth, not with its second.",
        ],
        table=Table(["figure", "the seed printed", "as the seed did, here", "honest, here", "what the difference teaches"], rows),
        after=_not_redone(cases),
    )


def _row(pair: Pair, case: Case, run: Run) -> list[str]:
    known = all(isinstance(case.extra.get(name), (int, float)) for name in pair.needs)
    honest = pair.honest(case) if known else DASH
    if honest == DASH:
        honest = _trained(case, run)
    return [pair.title, f'"{pair.printed}"', pair.as_seed(case) if known else DASH, honest, pair.lesson]


def _trained(case: Case, run: Run) -> str:
    """The accuracy of the same framework by the common recipe, from the cases that train to the end."""
    for other in run.group("train"):
        if other.framework == case.framework:
            share = other.extra["correct"] / other.extra["test_images"]
            return f"{units.percent(share)} (ReLU, Adam 1e-3, {other.extra['epochs']} epochs)"
    return DASH


def _not_redone(cases: dict[str, Case]) -> list[str]:
    """Which rows this run has no case for; what no case can redo stands in `original_report.REALLY`."""
    missing = [pair.title for pair in PAIRS if pair.figure not in cases]
    return [f"Not in this run: {', '.join(missing)}. The slower of these run with --heavy."] if missing else []


def _other_figures(run: Run) -> Section:
    """What the seed really measured, beside what this run shows by a pair of figures: that is said there."""
    shown = figures(run)
    rows = [[truth.figure, truth.really] for truth in original_report.REALLY if truth.shown_by not in shown]
    title = f"What the seed's {'other ' if shown else ''}figures really were"
    return Section(title, table=Table(["figure", "what was timed or counted"], rows))

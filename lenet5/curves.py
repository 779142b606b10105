"""The learning curves of one training as a picture: losses on the left, the accuracy on the validation images on the right."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from lenet5 import packages
from lenet5.errors import InputError
from lenet5.packages import imported
from lenet5.storage import check_folder, write_whole
from lenet5.training import History

ENDINGS = (".svg", ".png", ".pdf")
SIZE_INCHES = (9.0, 3.6)
MARKED_EPOCHS = 30
"""Up to so many epochs each has a dot: one epoch alone would be no line."""

MOST_TICKS = 10


def check_place(path: Path) -> None:
    """Raise what `draw` would raise for this place, before there are curves: InputError, or NotInstalled without matplotlib."""
    if path.suffix.lower() not in ENDINGS:
        raise InputError(f"{path}: the ending {path.suffix!r} is not known; use {', '.join(ENDINGS)}")
    if not path.parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist; make it first")
    check_folder(path)
    _matplotlib()


def draw(path: Path, history: History, title: str, best: int) -> None:
    """Write the picture, whole or not at all; the ending of the name says how.  ``best`` is the epoch that was kept, from 1.

    Raises as `check_place` does.
    """
    check_place(path)
    matplotlib, figures, ticker = _matplotlib()
    # The user's own style may be for slides, or dark; text stays text, and a dollar sign in a folder's name is no formula.
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({"svg.fonttype": "none", "text.parse_math": False})
        figure = figures.Figure(figsize=SIZE_INCHES, layout="constrained")
        losses, accuracy = figure.subplots(1, 2)
        epochs = range(1, len(history.validation_accuracy) + 1)
        _line(losses, epochs, history.train_loss_nats, "training images", "#0f62b4", "-", "o")
        _line(losses, epochs, history.validation_loss_nats, "validation images", "#bd5200", "--", "s")
        _line(accuracy, epochs, [100 * share for share in history.validation_accuracy], "validation images", "#bd5200", "--", "s")
        highest = max(value for value in (*history.train_loss_nats, *history.validation_loss_nats) if math.isfinite(value))
        losses.set(ylabel="loss (nats)", ylim=(0, 1.05 * highest or 1))
        accuracy.set(ylabel="right (%)", ylim=(0, 104))
        for axes in (losses, accuracy):
            axes.axvline(best, color="#5c6672", linewidth=1, linestyle=":", label=f"kept: epoch {best}")
            axes.set(xlabel="epoch", xlim=(0.5, len(epochs) + 0.5))
            axes.xaxis.set_major_locator(ticker.MultipleLocator(max(1, math.ceil(len(epochs) / MOST_TICKS))))
            axes.grid(alpha=0.25)
            axes.spines[["top", "right"]].set_visible(False)
            axes.legend(frameon=False)
        figure.suptitle(title, fontsize=11)
        write_whole(path, lambda beside: figure.savefig(beside, format=path.suffix[1:].lower(), dpi=120))


def _matplotlib() -> tuple[Any, Any, Any]:
    """matplotlib, its figures and its ticks."""
    return packages.matplotlib("plot"), imported("plot", "matplotlib.figure"), imported("plot", "matplotlib.ticker")


def _line(axes: Any, epochs: range, values: list[float], label: str, colour: str, dash: str, marker: str) -> None:
    """A curve whose label has its last value, so that one epoch says as much as its dot shows."""
    marker, hollow = (marker if len(epochs) <= MARKED_EPOCHS else ""), "none" if dash == "--" else colour  # one dot hides no other
    label = f"{label}, at last {values[-1]:.3g}"
    axes.plot(epochs, values, color=colour, linestyle=dash, marker=marker, markersize=5, markerfacecolor=hollow, label=label)

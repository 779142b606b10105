"""All epochs and one epoch are the same work seen twice: where they do not agree the report warns."""

from __future__ import annotations

import pytest

from benchmarks.report import report
from benchmarks.report.text import alarm
from benchmarks.saved.results import load_many
from tests.support import documents

CURVES = {"train_loss_nats": [1.0] * 30, "validation_loss_nats": [1.0] * 30, "validation_accuracy": [0.5] * 30}


def process(path, epoch_seconds, one_epoch, mode="eager"):
    """A process that trained for 30 epochs of so many seconds each, and measured one epoch."""
    seconds = {"epoch_seconds": [epoch_seconds] * 30} if epoch_seconds else {}
    whole = documents.case("train", "accuracy[torch-eager]", framework="torch", mode="eager", **CURVES, **seconds)
    epoch = documents.case("train epoch", f"train_epoch[torch-{mode}]", framework="torch", mode=mode)
    documents.rescale(epoch, one_epoch / epoch["stats"]["median"])
    return documents.save(path, documents.document(whole, epoch))


def warnings(*paths):
    return [alarm(found) for found in report.of(load_many(paths)).alarms if "two views" in found.what]


@pytest.mark.parametrize(("epoch_seconds", "one_epoch"), [(0.3, 0.3), (0.44, 0.3), (0.3, 0.44)])
def test_they_agree(tmp_path, epoch_seconds, one_epoch):
    """Within the bound, either way, nothing is said."""
    assert warnings(process(tmp_path / "run.json", epoch_seconds, one_epoch)) == []


@pytest.mark.parametrize(
    ("epoch_seconds", "one_epoch", "said"),
    [
        (
            18.0,
            0.3,
            "torch eager took 540 s, and one epoch times their number 9.00 s; the longer, as a multiple of the other: 60.0 x;",
        ),
        (
            0.3,
            0.5,
            "torch eager took 9.00 s, and one epoch times their number 15.0 s; the longer, as a multiple of the other: 1.67 x;",
        ),
    ],
)
def test_they_do_not(tmp_path, epoch_seconds, one_epoch, said):
    """Beyond it, either way, both times are named with the framework and the mode."""
    (found,) = warnings(process(tmp_path / "run.json", epoch_seconds, one_epoch))
    assert f"the updates of all epochs of {said} the bound is 1.50 x. Measure again on a quiet machine" in found


def test_the_worst_process(tmp_path):
    """Each process is held against itself; the one that is farthest off is named."""
    paths = [process(tmp_path / f"process-{number}.json", seconds, 0.3) for number, seconds in enumerate((0.3, 0.6, 0.9, 0.3), 1)]
    (found,) = warnings(*paths)
    assert "took 27.0 s" in found
    assert "3.00 x" in found


def test_nothing_to_compare(tmp_path):
    """A file that does not say the seconds of its epochs, or has another mode's epoch only, is not judged."""
    assert warnings(process(tmp_path / "old.json", None, 0.3)) == []
    assert warnings(process(tmp_path / "other.json", 18.0, 0.3, mode="compile")) == []

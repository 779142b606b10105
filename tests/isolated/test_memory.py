"""Memory measured where it is known: a test takes a number of bytes, and that number is found.

What else a process takes or gives back meanwhile is some MiB, more on a busy machine.  So all sizes here lie far apart, and NOISE lies
between that and their distance from each other and from nothing.
"""

from __future__ import annotations

import mmap
import time

import numpy as np
import pytest

import lenet5
from benchmarks.arrange import problem as problems
from benchmarks.isolated import memory, program
from lenet5.errors import NotHonoured
from lenet5.training import BATCH
from tests.support.by_hand import FRAMEWORK, PLAIN

MIB = 2**20
LIBRARY, BUILT, CALLED, CALL = 64, 128, 64, 256
"""MiB that the known network's library holds, the network once built, once it has been called, and during a call."""

NOISE = 24
"""MiB by which a result may be off."""
WEIGHTS = lenet5.initial_weights(lenet5.Architecture(), seed=0)

pytestmark = [pytest.mark.skipif(memory.why_not() is not None, reason=str(memory.why_not())), pytest.mark.alone]


def pages(mebibytes):
    """Memory straight from the kernel: malloc may have some left over that the process holds already."""
    taken = mmap.mmap(-1, mebibytes * MIB)
    taken[:: mmap.PAGESIZE] = b"1" * (mebibytes * MIB // mmap.PAGESIZE)
    return taken


def hold(mebibytes):
    """Touch memory of NumPy's, and give it back."""
    np.ones(mebibytes * MIB, np.uint8).sum()


def mebibytes(known):
    """What may be found where this many MiB are taken."""
    return pytest.approx(known, abs=NOISE)


class KnownNetwork:
    """Its sizes are known; what a step answers is the mean of its images and how often it was called since its weights were loaded."""

    pause_seconds = 0.0

    def __init__(self, weights, mode, optimizer, learning_rate, device):
        assert list(weights) == ["w"]
        assert (mode, optimizer) == ("eager", "adam")
        self.device = device
        self.held = [pages(BUILT)]

    def load(self, weights):
        self.calls = 0

    def tensor(self, array):
        return array

    def predict(self, images):
        if len(self.held) == 1:
            self.held.append(pages(CALLED))
        self.work(CALL if len(images) > 1 else 1)
        return images.sum((1, 2, 3))

    def train_step(self, images, labels):
        self.calls = getattr(self, "calls", 0) + 1
        self.predict(images)
        return 10 * float(images.mean()) + self.calls

    def work(self, mebibytes):
        taken = np.ones(mebibytes * MIB, np.uint8)
        time.sleep(self.pause_seconds)
        assert taken.all()


def load_known():
    KnownNetwork.library = None  # let go of the last test's
    KnownNetwork.library = pages(LIBRARY)
    return KnownNetwork


@pytest.fixture(autouse=True)
def _unload():
    yield
    KnownNetwork.library = None


def problem(expected):
    return {"images": np.ones((2, 3, 2, 2), np.float32), "labels": np.arange(2), "expected": np.asarray(expected), "w": np.ones(1)}


@pytest.mark.parametrize("known", [64, 256])
def test_a_peak_that_is_gone_again(known):
    """Memory that a call took and gave back is found, even though more was held before."""
    hold(512)
    level, peak = memory.peak_above(lambda: pages(known).close())
    assert level > 10 * MIB
    assert peak / MIB == mebibytes(known)


def test_no_peak():
    """A call that takes nothing shows nothing, although the process held much before."""
    hold(256)
    _, peak = memory.peak_above(lambda: None)
    assert peak / MIB == mebibytes(0)


def test_status():
    """Fields are kilobytes of 1024; one that is missing is an error, not a zero."""
    status = "Name:\tpython\nVmHWM:\t   10240 kB\nVmRSS:\t    5120 kB\n"
    assert memory.resident_bytes("VmHWM", status) == 10 * MIB
    assert memory.resident_bytes(status=status) == 5 * MIB
    with pytest.raises(OSError, match="has no VmSwap"):
        memory.resident_bytes("VmSwap", status)


def test_traced_peak():
    """tracemalloc sees NumPy's arrays, and what Python itself needs beside them is small."""
    memory.traced_peak(lambda: hold(1))
    assert memory.traced_peak(lambda: np.ones(8 * MIB, np.uint8)) == pytest.approx(8 * MIB, abs=100_000)


def test_over_time():
    """The samples show when memory was taken and when it was given back, from the start on."""

    def call():
        time.sleep(0.5)
        held = pages(256)
        time.sleep(0.5)
        held.close()
        time.sleep(0.5)

    before = memory.resident_bytes()
    samples = memory.over_time(call)

    seconds, held = zip(*samples, strict=True)
    assert list(seconds) == sorted(seconds)
    assert seconds[0] >= 0
    assert seconds[-1] >= 1
    assert (max(held) - before) / MIB == mebibytes(256)
    assert (held[0] - before) / MIB == mebibytes(0)
    assert (held[-1] - before) / MIB == mebibytes(0)


@pytest.mark.parametrize(("kind", "expected"), [("predict", [12.0, 12.0]), ("train_step", [11.0, 12.0])])
def test_each_phase_has_its_own_bytes(kind, expected):
    """The library, the network, and what a call takes are told apart; images and earlier peaks are in none of them."""
    found = memory.measure(load_known, "eager", kind, problem(expected))

    assert found["import_rss_bytes"] / MIB == mebibytes(LIBRARY)
    assert found["build_rss_bytes"] / MIB == mebibytes(BUILT + CALLED)
    assert found["peak_above_level_bytes"] / MIB == mebibytes(CALL)
    assert found["traced_peak_bytes"] / MIB == mebibytes(CALL)
    assert found["peak_rss_bytes"] == found["level_rss_bytes"] + found["peak_above_level_bytes"]
    assert "device_peak_bytes" not in found


def epoch(expected):
    """Three batches of full size, the images of batch b all b."""
    images = np.repeat(np.arange(3.0), BATCH)[:, None, None, None]
    return {**problem(expected), "images": images, "labels": np.zeros(3 * BATCH, np.int64)}


def test_an_epoch_has_a_curve(monkeypatch):
    """An epoch is sampled while it runs; the memory of its calls is in the curve."""
    monkeypatch.setattr(KnownNetwork, "pause_seconds", 0.3)
    found = memory.measure(load_known, "eager", "epoch", epoch([1.0, 12.0]))
    held = [held - found["level_rss_bytes"] for _, held in found["rss_over_time"]]
    assert max(held) / MIB == mebibytes(CALL)
    assert found["rss_over_time"][-1][0] > 2 * KnownNetwork.pause_seconds


def test_an_epoch_is_one():
    """Every batch is trained on once, in its order."""
    means = []

    class Listening(KnownNetwork):
        def train_step(self, images, labels):
            means.append((len(images), images.mean()))
            return super().train_step(images, labels)

    memory.measure(lambda: Listening, "eager", "epoch", epoch([1.0, 12.0]))
    assert means[-3:] == [(BATCH, 0.0), (BATCH, 1.0), (BATCH, 2.0)]
    assert len(means) == 2 + 3  # before it, one call with one image and one of full size to warm up


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("predict", problem([12.0, 13.0])),
        ("train_step", problem([11.0, 13.0])),
        ("epoch", epoch([1.0, 2.0])),  # the first batch twice
        ("epoch", epoch([11.0, 2.0])),  # the batches in another order
    ],
)
def test_a_wrong_answer_gets_no_number(kind, problem):
    """A network that answers something else than expected is not measured; of an epoch the order of its batches is part of that."""
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        memory.measure(load_known, "eager", kind, problem)


@pytest.mark.parametrize("kind", ["predict", "train_step"])
def test_a_mode_that_was_not_honoured_gets_no_number(kind):
    """A network whose calls ran in another way than its mode's name says is not measured, although its answers are right."""

    class Eager(KnownNetwork):
        def check_mode(self):
            raise NotHonoured("it ran eagerly")

    right = {"predict": [12.0, 12.0], "train_step": [11.0, 12.0]}
    with pytest.raises(NotHonoured, match=r"^it ran eagerly$"):
        memory.measure(lambda: Eager, "eager", kind, problem(right[kind]))


def test_the_devices_own_peak():
    """With a GPU its allocator is asked, around one more call; the network is built there."""
    built, calls = [], []

    def load():
        load_known()

        class OnDevice(KnownNetwork):
            def __init__(self, *arguments, **options):
                super().__init__(*arguments, **options)
                built.append(self.device)

            def predict(self, images):
                calls.append(len(images))
                return super().predict(images)

            @staticmethod
            def device_peak_bytes(function):
                before = len(calls)
                function()
                return 1000 + len(calls) - before

        return OnDevice

    found = memory.measure(load, "eager", "predict", problem([12.0, 12.0]), "cuda")
    assert found["device_peak_bytes"] == 1001
    assert set(built) == {"cuda"}


def test_not_linux(monkeypatch, tmp_path):
    """Where there is nothing to read, or no peak can be reset, the reason is given."""
    monkeypatch.setattr(memory, "CLEAR", tmp_path / "none" / "clear_refs")
    assert "cannot be written (No such file or directory)" in memory.why_not()
    monkeypatch.setattr(memory, "STATUS", tmp_path / "status")
    assert memory.why_not() == f"resident memory is read from {tmp_path / 'status'}, which only Linux has"


def test_a_program_does_not_inherit_its_callers_peak(tmp_path):
    """A program that a large process calls is as small as ever; its largest temporary is the window matrix of the first convolution."""
    images = np.zeros((256, 3, 32, 32), np.float32)
    logits = np.repeat(problems.reference(WEIGHTS).predict(images[:1]), 256, axis=0)
    path = problems.save(tmp_path / "problem.npz", WEIGHTS, images, np.zeros(256, np.int64), logits)
    large = np.ones(1024 * MIB, np.uint8)

    found = program.call("benchmarks.isolated.memory", FRAMEWORK, PLAIN, "predict", path)

    assert found["peak_rss_bytes"] < large.nbytes / 2
    window_matrix = 256 * 28 * 28 * 75 * 4
    assert window_matrix < found["traced_peak_bytes"] < 2 * window_matrix
    assert window_matrix / 2 < found["peak_above_level_bytes"] < 4 * window_matrix

"""One loop trains every network: the same batches in the same order, evaluated the same way."""

from __future__ import annotations

import importlib.util
import sys
import zlib
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lenet5
from lenet5 import InputError, NotInstalled, training
from lenet5.datasets import Dataset, Split, load
from lenet5.training import History, accuracy, batches, correct, evaluate, logits_of, predictions, prepare, train, train_epoch
from tests.support.networks import quick_network

CLASSES = 5


class Fake:
    """A network that takes one batch size, answers with an image's first pixels as logits, and writes down what it is asked."""

    def __init__(self, batch=None, losses=()):
        self.batch, self.losses = batch, iter(losses)
        self.calls = []

    def tensor(self, array):
        return np.array(array)

    def predict(self, x):
        assert self.batch in (None, len(x))
        self.calls.append(("predict", len(x)))
        return x[:, 0, 0, :CLASSES]

    def train_step(self, x, y):
        self.calls.append(("train_step", x[:, 0, 31, 31].tolist(), y.tolist()))
        return next(self.losses)


class Frozen(Fake):
    """A network that must not learn."""

    def train_step(self, x, y):
        raise AssertionError("learned")


def split(count, seed=0):
    """Random images, each with its own number in its last pixel, and random labels."""
    random = np.random.RandomState(seed)
    images = random.standard_normal((count, 1, 32, 32)).astype(np.float32)
    images[:, 0, 31, 31] = range(count)
    return Split(images, random.randint(0, CLASSES, count))


def dataset(train=11, validation=4):
    return Dataset("fake", split(train), split(validation, 1), split(1), CLASSES, np.zeros(1, np.float32))


@pytest.fixture(scope="module")
def digits():
    """A few of the grey digits: 256 to learn from, 90 to evaluate on."""
    data = load("digits")
    few = {part: Split(getattr(data, part).images[:n], getattr(data, part).labels[:n]) for part, n in SIZES.items()}
    return Dataset(data.name, **few, classes=data.classes, mean=data.mean)


SIZES = {"train": 256, "validation": 90, "test": 90}


# --------------------------------------------------------------------------------------------------------------- batches


@pytest.mark.parametrize(
    ("count", "batch"), [(1, 1), (3, 3), (4, 4), (80, 4), (159, 4), (160, 8), (1279, 32), (1280, 64), (4100, 64), (10**6, 64)]
)
def test_batch_for(count, batch):
    """A small set has small batches: twenty updates an epoch, as long as four images are left for each; a large one has the usual batch."""
    assert training.batch_for(count) == batch
    assert list(batches(count, batch, seed=0))
    assert count // batch >= 20 or batch == min(count, 4)


def test_batches_never_change():
    """The same seed gives the same order with every NumPy: a small one to read, and that of the first epoch by its checksum."""
    assert [rows.tolist() for rows in batches(11, 3, seed=5)] == [[5, 8, 2], [10, 4, 7], [1, 0, 9]]
    assert zlib.crc32(np.concatenate([*batches(4100, 64, seed=0)]).astype("<i8").tobytes()) == 2576274290


@pytest.mark.parametrize(("count", "size"), [(11, 3), (12, 3), (11, 11), (11, 1), (1, 1), (4100, 64)])
def test_batches_are_full_and_distinct(count, size):
    """Every batch is full, no index comes twice, and only what does not fill a batch is left out."""
    found = list(batches(count, size, seed=2))
    assert [len(rows) for rows in found] == [size] * (count // size)
    seen = np.concatenate(found).tolist()
    assert len(set(seen)) == len(seen)
    assert set(seen) <= set(range(count))


def test_batches_of_another_seed():
    """Another seed shuffles otherwise, and leaves out others."""
    one, other = (np.concatenate([*batches(4100, 64, seed)]) for seed in (0, 1))
    assert (one == other).mean() < 0.01
    assert set(one.tolist()) != set(other.tolist())


@pytest.mark.parametrize(("count", "size"), [(3, 4), (3, 0), (3, -1), (0, 1), (3, 1.5), (3, True)])
def test_no_batch(count, size):
    """A batch that no split of that size can fill is refused before anything is trained."""
    with pytest.raises(InputError) as caught:
        list(batches(count, size, seed=0))
    assert str(caught.value) == f"batch: {size} does not fit a split of {count} images; use 1 to {count}"


def test_prepare():
    """An epoch is prepared by tensor() alone: images and their own labels, batch by batch in the order of the seed."""
    net, data = Frozen(), split(11)
    prepared = prepare(net, data, batch=3, seed=5)

    assert net.calls == []
    for (x, y), rows in zip(prepared, batches(11, 3, seed=5), strict=True):
        assert_array_equal(x, data.images[rows])
        assert_array_equal(y, data.labels[rows])


# ------------------------------------------------------------------------------------------------------ logits, accuracy


@pytest.mark.parametrize("count", [1, 3, 4, 5, 8, 11])
def test_logits_of(count):
    """Any number of images goes through a network that takes four at a time, and each gets its own logits back."""
    net, images = Frozen(batch=4), split(count).images
    kept = images.copy()

    logits = logits_of(net, images, batch=4)

    assert_array_equal(logits, images[:, 0, 0, :CLASSES])
    assert logits.dtype == np.float32
    assert net.calls == [("predict", 4)] * -(-count // 4)
    assert_array_equal(images, kept)


def test_accuracy():
    """The share of images whose largest logit is their label's, from 0 to 1 as a Python float."""
    logits = np.array([[1, 2, 3], [3, 2, 1], [0, 5, 0], [-3, -2, -1]], np.float32)
    assert accuracy(logits, np.array([2, 0, 1, 2])) == 1
    assert accuracy(logits, np.array([2, 0, 1, 0])) == 0.75
    assert accuracy(logits, np.array([0, 1, 2, 0])) == 0
    assert type(accuracy(logits, np.array([0, 1, 2, 0]))) is float


@pytest.mark.parametrize("count", [1, 4, 11])
def test_predictions(count):
    """The class with the largest logit of each image, in calls of one size."""
    net, images = Frozen(batch=4), split(count).images
    assert_array_equal(predictions(net, images, batch=4), images[:, 0, 0, :CLASSES].argmax(1))
    assert net.calls == [("predict", 4)] * -(-count // 4)


def test_correct():
    """As many as agree with their labels, as a Python int; where there is not one label a prediction nothing is counted."""
    assert correct(np.array([4, 1, 2]), np.array([4, 2, 2])) == 2
    assert correct(np.array([0, 1]), np.array([1, 0])) == 0
    assert type(correct(np.array([0]), np.array([0]))) is int
    with pytest.raises(InputError, match=r"^predictions: shape \(3,\) does not fit labels of shape \(1,\)$"):
        correct(np.array([4, 1, 2]), np.array([4]))


def test_evaluate():
    """Mean cross-entropy and accuracy on all images of a split, computed in float64, in calls of one size, and nothing learned."""
    net, data = Frozen(batch=450), split(460)
    loss, share = evaluate(net, data)

    logits = data.images[:, 0, 0, :CLASSES].astype(np.float64)
    likelihood = np.exp(logits)[range(460), data.labels] / np.exp(logits).sum(1)
    assert loss == pytest.approx(-np.log(likelihood).mean(), rel=1e-12)
    assert share == (logits.argmax(1) == data.labels).mean()
    assert net.calls == [("predict", 450)] * 2


@pytest.mark.default_mode
def test_evaluate_does_not_learn(build, digits):
    """Weights stay as they were while a network is evaluated, and a second evaluation gives the same."""
    weights = lenet5.initial_weights(lenet5.Architecture(1, 10))
    net = build(weights)

    first = evaluate(net, digits.validation)

    for name, array in net.weights().items():
        assert_array_equal(array, weights[name])
    assert evaluate(net, digits.validation) == first


# -------------------------------------------------------------------------------------------------------------- training


def test_train_epoch():
    """One step for each batch, in their order; the mean of the losses as a Python float."""
    net = Fake(losses=[1.0, 2.0, 6.0])
    loss = train_epoch(net, prepare(net, split(7), batch=2, seed=1))
    assert loss == 3
    assert type(loss) is float
    assert [call[0] for call in net.calls] == ["train_step"] * 3


def test_train():
    """Epoch e of seed s steps through the batches of seed s + e and is then evaluated once; the curves hold a value an epoch."""
    data = dataset()
    net = Fake(losses=[3.0, 2.0, 1.0, 0.5, 0.25, 0.0])
    history = train(net, data, epochs=2, batch=3, seed=5)

    def steps(seed):
        return [("train_step", rows.tolist(), data.train.labels[rows].tolist()) for rows in batches(11, 3, seed)]

    evaluated = [("predict", training.EVALUATION_BATCH)]
    assert net.calls == steps(5) + evaluated + steps(6) + evaluated
    loss, share = evaluate(net, data.validation)
    assert history == History([2.0, 0.25], [loss, loss], [share, share])


def test_after_each_epoch():
    """What is to be called after an epoch sees the curves so far, and an exception of its own, or Ctrl-C, ends the training there."""
    seen = []

    def look(history):
        seen.append((list(history.train_loss_nats), len(history.validation_accuracy)))
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(Fake(losses=[3.0, 2.0, 1.0, 0.5, 0.25, 0.0]), dataset(), epochs=3, batch=3, after_epoch=look)
    assert seen == [([2.0], 1), ([2.0, 0.25], 2)]


def test_seconds_of_an_epoch(monkeypatch):
    """The updates of an epoch are timed by themselves: converting its batches, shuffling and validation are not in it."""
    now = [100.0]

    class Slow(Fake):
        def tensor(self, array):
            now[0] += 1000
            return super().tensor(array)

        def predict(self, x):
            now[0] += 1000
            return super().predict(x)

        def train_step(self, x, y):
            now[0] += 1 + len(self.calls) // 4  # three steps, an evaluation, three steps
            return super().train_step(x, y)

    monkeypatch.setattr(training, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    history = train(Slow(losses=[1.0] * 6), dataset(), epochs=2, batch=3)

    assert history.epoch_seconds == [3.0, 6.0]
    assert train(Fake(losses=[1.0] * 6), dataset(), epochs=2, batch=3) == history  # two curves are equal whatever their times


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        *(("epochs", value, "of at least 1") for value in (0, -1, 1.5, True)),
        *(("seed", value, "from 0 to 4294967295") for value in (-1, 2**32, 0.5, None)),
    ],
)
def test_numbers_that_no_training_has(name, value, right):
    """Epochs below one, and seeds that there are not, are refused before the first step."""
    net = Fake()
    with pytest.raises(InputError) as caught:
        train(net, dataset(), **{name: value})
    assert str(caught.value) == f"{name}: {value!r} does not fit; use a whole number {right}"
    assert net.calls == []


def test_evaluation_needs_a_batch():
    """Calls of no image at all would never end."""
    with pytest.raises(InputError, match=r"^batch: 0 does not fit; use a whole number of at least 1$"):
        training.predictions(Fake(), dataset().test.images, batch=0)


def test_numpys_numbers_train():
    """Epochs, batch and seed may be of NumPy's types."""
    plain, of_numpy = Fake(losses=[1.0] * 6), Fake(losses=[1.0] * 6)
    train(plain, dataset(), epochs=2, batch=3, seed=5)
    train(of_numpy, dataset(), epochs=np.int64(2), batch=np.uint8(3), seed=np.int32(5))
    assert of_numpy.calls == plain.calls


def test_train_on_too_few():
    """A batch that the training split cannot fill is refused, and nothing is learned."""
    with pytest.raises(InputError, match=r"^batch: 64 does not fit a split of 11 images; use 1 to 11$"):
        train(Frozen(), dataset(), epochs=1)


def test_a_bar_without_tqdm(monkeypatch):
    """A progress bar needs a package of its own; training without a bar does not."""
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NotInstalled, match=r"^progress: the package 'tqdm' is not installed; pip install tqdm$"):
        train(Fake(), dataset(), epochs=1, batch=3, progress="numpy")
    assert train(Fake(losses=[0.0] * 3), dataset(), epochs=1, batch=3).train_loss_nats == [0]


@pytest.mark.parametrize("progress", [None, "numpy"])
def test_train_is_quiet(capsys, progress):
    """Where there is no terminal there is no bar, named or not."""
    train(Fake(losses=[0.0] * 3), dataset(), epochs=1, batch=3, progress=progress)
    assert capsys.readouterr() == ("", "")


def test_train_shows_a_bar_on_a_terminal(capsys, monkeypatch):
    """On a terminal a bar bears the name that it was given, and the accuracy so far; without a name there is none."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    train(Fake(losses=[0.0] * 3), dataset(), epochs=1, batch=3)
    assert capsys.readouterr() == ("", "")

    train(Fake(losses=[0.0] * 3), dataset(), epochs=1, batch=3, progress="numpy-im2col")
    out, err = capsys.readouterr()
    assert out == ""
    assert "numpy-im2col: 100%" in err
    assert "loss 0.000, validation " in err


def test_training_lowers_the_loss(digits):
    """Real digits are learned: losses fall from epoch to epoch, and far more than a tenth of the images unseen come out right."""
    weights = lenet5.initial_weights(lenet5.Architecture(1, 10))
    net = quick_network(weights, learning_rate=4e-3)
    before, _ = evaluate(net, digits.validation)

    history = train(net, digits, epochs=3, batch=32)

    assert before > history.train_loss_nats[0] > history.train_loss_nats[1] > history.train_loss_nats[2]
    assert before > history.validation_loss_nats[0] > history.validation_loss_nats[1] > history.validation_loss_nats[2]
    assert history.validation_accuracy[-1] > 0.3


@pytest.fixture(scope="module")
def quick_history(digits):
    """What a quick network makes of one epoch of digits."""
    return train(quick_network(lenet5.initial_weights(lenet5.Architecture(1, 10))), digits, epochs=1)


@pytest.mark.trains
@pytest.mark.default_mode
def test_curves_lie_on_each_other(build, digits, quick_history):
    """After an epoch of digits every framework has the same losses to 1e-5, and the same images right."""
    history = train(build(lenet5.initial_weights(lenet5.Architecture(1, 10))), digits, epochs=1)

    assert_allclose(history.train_loss_nats, quick_history.train_loss_nats, rtol=0, atol=1e-5)
    assert_allclose(history.validation_loss_nats, quick_history.validation_loss_nats, rtol=0, atol=1e-5)
    assert history.validation_accuracy == quick_history.validation_accuracy

"""The networks of the worklog: each answers as the network by hand does, which stays as it is, and what each does is counted exactly."""

from __future__ import annotations

import sys
from functools import cache, partial

import numpy as np
import pytest
from numpy.testing import assert_allclose

import lenet5
from benchmarks.arrange import worklog
from benchmarks.arrange.worklog import counting, keeping, tried
from benchmarks.arrange.worklog.copies import Copy, change
from benchmarks.arrange.worklog.counting import Counts, counted, watching
from lenet5.by_hand import forward, fused, layers
from tests.support.networks import problem

VARIANTS = {f"{variant.name}": variant for variant in (*worklog.RUNGS, *worklog.TRICKS, *worklog.TRIED)}


@cache
def by_reference(batch):
    """What the reference makes of a problem: logits, and the losses of two steps of Adam."""
    weights, images, labels = problem(batch=batch)
    net = lenet5.implementation(worklog.BY_HAND)(weights, mode=worklog.LOOPS)
    return net.predict(images), [net.train_step(images, labels) for _ in range(2)]


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_every_variant_answers_as_the_reference(variant):
    """Whatever is changed, the logits and the losses of two steps are the same: on one image, and on more than go without threads."""
    for kind, batch in sorted({(kind, 1 if batch == 1 else 13) for kind, batch in variant.questions}):
        weights, images, labels = problem(batch=batch)
        net = variant.copy().network(weights, mode=variant.mode)
        logits, losses = by_reference(batch)
        if kind == "predict":
            assert_allclose(net.predict(images), logits, atol=1e-5)
        else:
            assert_allclose([net.train_step(images, labels) for _ in range(2)], losses, atol=1e-5)


def test_the_network_itself_stays_as_it_is():
    """A copy is imported beside the modules that are there, and a change of it changes nothing of them."""
    before = {name: module for name, module in sys.modules.items() if name.startswith("lenet5")}
    chunk, convolution, own = forward.CHUNK_IMAGES, forward.StripFeatures, lenet5.by_hand

    for variant in VARIANTS.values():
        made = variant.copy()

    assert {name: module for name, module in sys.modules.items() if name.startswith("lenet5")} == before
    assert (forward.CHUNK_IMAGES, forward.StripFeatures, lenet5.by_hand) == (chunk, convolution, own)
    assert made.fused.FusedLeNet5 is not fused.FusedLeNet5


def test_a_name_that_is_gone():
    """A trick that is called something else now is an error, not a network that has all its tricks."""
    with pytest.raises(ValueError, match=r"ONE_BLAS_THREADS is in no module of lenet5\.by_hand"):
        Copy().replace("ONE_BLAS_THREADS", None)
    made = Copy()
    for holder in (made.memory, made.memory.Arena, made.activations.ACTIVATE):
        with pytest.raises(ValueError, match=r"relu2 is not in "):
            change(holder, "relu2", None)


def test_what_spins_is_timed_apart():
    """Threads of the BLAS look for work after a call, on the CPUs of the next one: neither network of a pair may have them in turns."""
    apart = {(trial.variant.name, trial.against and trial.against.name) for trial in worklog.trials() if trial.apart}
    plain = {"im2col in the plain network, for comparison", "Winograd F(2x2, 5x5)", "FFT", "shifted maps (kn2row)"}
    blas = {"the BLAS keeps its threads", "the BLAS's threads in place of the network's"}
    assert {name for name, _ in apart} == {*plain, *blas, "one product a layer", "images innermost", "two columns in one product"}


def test_every_variant_is_another_network():
    """No two of them have one name, and no two trials one id; the top rung is the fast path with nothing changed."""
    assert len(VARIANTS) == len(worklog.RUNGS) + len(worklog.TRICKS) + len(worklog.TRIED)
    assert len({trial.id for trial in worklog.trials()}) == len(worklog.trials())
    assert worklog.FAST_PATH.changes == []


@pytest.mark.parametrize("rung", worklog.RUNGS, ids=lambda rung: rung.name)
def test_a_rung_is_timed_beside_the_one_below(rung):
    """The next lower rung that is asked the same; the lowest one alone."""
    place = worklog.RUNGS.index(rung)
    for trial in (trial for trial in worklog.trials() if trial.part == "rung" and trial.variant is rung):
        if place == 0:
            assert trial.against is None
        else:
            below = worklog.RUNGS.index(trial.against)
            assert below < place
            assert not [one for one in worklog.RUNGS[below + 1 : place] if trial.question in one.questions]


@pytest.mark.parametrize("way", [tried.by_fft, tried.by_winograd, tried.by_shifted_maps], ids=lambda way: way.__name__)
def test_other_algorithms(way):
    """Each of them is a convolution, of odd numbers of images, channels and filters."""
    rng = np.random.RandomState(0)
    x, weight, bias = (rng.standard_normal(shape) for shape in ((3, 5, 12, 16), (7, 5, 5, 5), (7,)))
    expected, _ = layers.convolution_by_loops(x, weight, bias)
    assert_allclose(way(x, weight, bias), expected, atol=1e-4)


# What is counted


@pytest.fixture
def notes():
    return []


@pytest.fixture
def array(notes):
    """2 x 3 numbers that count."""
    return np.arange(6, dtype=np.float32).reshape(2, 3).view(watching(notes))


def test_what_is_no_call(notes, array):
    """A view reads nothing."""
    array.T, array[0], array[:, ::2], array.reshape(3, 2), array.astype(np.float32, copy=False), np.moveaxis(array, 0, 1)
    assert notes == []


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        (lambda a: a + a, Counts(1, 0, 72)),
        (lambda a: np.add(a, 1, out=a), Counts(1, 0, 48)),
        (lambda a: a.sum(), Counts(1, 0, 24)),
        (lambda a: a.sum(0), Counts(1, 0, 36)),
        (lambda a: a @ a.T, Counts(1, 0, 0, 12)),
        (lambda a: np.matmul(np.ones((4, 2, 3), np.float32), a.T), Counts(1, 0, 0, 48)),
        (lambda a: np.dot(a, a.T), Counts(1, 0, 0, 12)),
        (lambda a: np.copyto(a, a[::-1]), Counts(1, 24, 48)),
        (lambda a: np.copyto(a, a[0]), Counts(1, 24, 36)),
        (lambda a: a.T.reshape(6), Counts(1, 24, 48)),
        (lambda a: a.astype(np.float64), Counts(1, 48, 96)),
        (lambda a: a[[0, 1], [2, 0]], Counts(1, 8, 16)),
        (lambda a: a.fill(0), Counts(1, 0, 24)),
        (lambda a: a.__setitem__(0, 1), Counts(1, 0, 12)),
        (lambda a: a.__setitem__(0, a[1]), Counts(1, 12, 24)),
        (lambda a: a.__setitem__(..., a * 2), Counts(2, 24, 48 + 48)),
        (lambda a: np.where(a > 0, a, 0), Counts(2, 0, 24 + 6 + 6 + 24 + 24)),
    ],
)  # fmt: skip
def test_what_a_call_is(notes, array, work, expected):
    """A call, what it copies, what it reads and writes, and its multiplications; what is computed counts as well."""
    work(array)
    assert sum(notes, Counts()) == expected


def test_a_sum_in_place_copies_nothing(notes, array):
    """a[0] += 1 is one addition: NumPy leaves out the assignment of a part to itself."""
    array[0] += 1
    assert sum(notes, Counts()) == Counts(1, 0, 24)
    assert np.asarray(array)[0].tolist() == [1, 2, 3]


def test_what_is_computed_counts_too(notes, array):
    """An array that comes of a counting one is one; a number is none."""
    assert type(array * 2) is type(array[0]) is type(array)
    notes.clear()
    (array + 1) * 2
    assert len(notes) == 2


def test_what_is_not_known_is_refused(array):
    """A function that would go uncounted is an error."""
    with pytest.raises(NotImplementedError, match="concatenate: what it does is not counted"):
        np.concatenate([array, array])


def predicting(batch, mode=worklog.FAST):
    """What `counted` takes: images that are converted already, predicted by a network in this mode."""
    weights, images, _ = problem(batch=batch, channels=3, classes=50)

    def work(network):
        net = network(weights, mode=mode)
        return partial(net.predict, net.tensor(images))

    return work


def test_one_image():
    """By the definitions of `patches`: every call, every float that is copied, every multiplication of one image, biases included."""
    image = 32 * 32 * 3
    patches = 98 * 6 * 8 * 3, 25 * 6 * 6 * 6
    logits = 50
    convolutions = 98 * (6 * 8 * 3 + 1) * 48 + 25 * (6 * 6 * 6 + 1) * 64
    dense = 120 * 401 + 84 * 121 + 50 * 85

    found = counted(Copy(), predicting(1))

    assert found.calls == 1 + 2 * 5 + (2 + 2 + 1) + 1
    assert found.copied_bytes == 4 * (image + sum(patches) + logits)
    assert found.macs == convolutions + dense == 1_085_256 + 6_558


@pytest.mark.parametrize("batch", [5, 64])
def test_many_images(monkeypatch, batch):
    """By the definitions of `strips`; threads and chunks change the number of calls, and nothing of what is copied and multiplied."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    floats = 32 * 32 * 3 + 32 * 6 * 3 * 14 + 14 * 6 * 6 * 5 + 50
    dense = 120 * 401 + 84 * 121 + 50 * 85

    found = counted(Copy(), predicting(batch))
    on_one = counted(changed(keeping.one_thread), predicting(batch))

    assert found.copied_bytes == on_one.copied_bytes == 4 * floats * batch
    assert found.macs == on_one.macs == batch * (423_360 + 288_000 + dense)
    assert on_one.calls == (1 + 2 * 6) * -(-batch // 36) + 5 + 1
    assert found.calls == {5: on_one.calls, 64: 2 * (1 + 2 * 6 + 5 + 1)}[batch]
    assert (len(on_one.by), len(found.by)) == (1, {5: 1, 64: 2}[batch])


def changed(change):
    made = Copy()
    change(made)
    return made


def test_im2col():
    """Every window is copied: 25 times the pixels under a kernel, twice; the multiplications are those of the definition."""
    found = counted(Copy(), predicting(3, worklog.IM2COL))
    assert found.macs == 3 * 655_080
    assert found.copied_bytes >= 3 * 4 * (58_800 + 15_000)


def test_a_network_that_is_not_seen(monkeypatch):
    """If nothing is counted, something is wrong: no count of 0 is believed."""
    monkeypatch.setattr(counting, "CREATORS", ())
    with pytest.raises(ValueError, match="no call of NumPy was seen"):
        counted(Copy(), lambda network: lambda: None)

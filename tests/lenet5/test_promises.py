"""What the contract promises beside the right numbers, of every framework and mode.  `test_careless` holds that these tests see a breach."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lenet5
from benchmarks.arrange.problem import save as saved_problem
from benchmarks.isolated import caches, program
from benchmarks.launch import tied
from tests.support.networks import problem, reference_network

TASKS = Path("/proc/self/task")


def taken(clock, call):
    """Seconds that a call takes by a clock."""
    start = clock()
    call()
    return clock() - start


def test_predicts_host_arrays(build):
    """Images as they are on the host will do: they are taken as tensor() takes them."""
    weights, images, _ = problem()
    net = build(weights)
    assert_array_equal(net.predict(images), net.predict(net.tensor(images)))
    assert_array_equal(net.predict(images[::-1]), net.predict(net.tensor(images[::-1])))


@pytest.mark.trains
def test_trains_on_host_arrays(build):
    """So will labels, of any integer type."""
    weights, images, labels = problem()
    net = build(weights)
    expected = net.train_step(net.tensor(images), net.tensor(labels))
    for kind in (np.int64, np.uint8):
        net.load(weights)
        assert net.train_step(images, labels.astype(kind)) == pytest.approx(expected, abs=1e-6)


def test_logits_can_be_written_to(build):
    """The logits are the caller's own array: it can be written to, and what is written changes no later logits."""
    weights, images, _ = problem()
    net = build(weights)
    logits = net.predict(images)
    kept = logits.copy()
    assert logits.flags.writeable
    logits += 1
    assert_array_equal(net.predict(images), kept)


@pytest.mark.trains
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_refused_step_changes_nothing(build, optimizer):
    """Neither weights nor the optimizer's state: what is trained afterwards is what is trained without it."""
    weights, images, labels = problem()
    net = build(weights, optimizer=optimizer, learning_rate=0.01)

    def train(after):
        net.load(weights)
        losses = []
        for _ in range(3):
            losses.append(net.train_step(images, labels))
            after()
        return losses

    def refused():
        for wrong in ((images, labels[1:]), (images.astype(np.float64), labels), (images, labels + 50)):
            with pytest.raises(lenet5.InputError):
                net.train_step(*wrong)

    expected = train(after=lambda: None)
    assert_allclose(train(after=refused), expected, rtol=0, atol=1e-6)


@pytest.mark.trains
def test_a_step_has_finished(build):
    """Nothing of a step is left to be done when it returns: no thread computes until the weights are there."""
    weights, images, labels = problem()
    net = build(weights)
    x, y = net.tensor(images), net.tensor(labels)
    net.train_step(x, y)
    # Of the processor, and not of the wall: what else runs on the machine is in neither.
    both = [(taken(time.process_time, lambda: net.train_step(x, y)), taken(time.process_time, net.weights)) for _ in range(5)]
    assert median(after for _, after in both) < 0.5 * median(step for step, _ in both)


@pytest.mark.compiled
@pytest.mark.default_mode
def test_threads_are_as_many_as_it_says(build, implementation, pytestconfig):
    """No more threads compute in a call than describe() tells, or than were asked for where it tells nothing."""
    if not TASKS.exists():
        pytest.skip(f"which threads run is read from {TASKS}, which only Linux has")
    threads = implementation.describe()["threads"] or pytestconfig.getoption("threads")
    weights, images, _ = problem(batch=450)
    net = build(weights)
    x = net.tensor(images)
    net.predict(x)

    counts = []
    with ThreadPoolExecutor(1) as pool:
        calls = pool.submit(lambda: [net.predict(x) for _ in range(10)])
        while not calls.done():
            counts.append(running() - 1)  # without this thread, which looks
            time.sleep(1e-3)

    assert calls.result()[0].shape == (450, 50)
    assert median(count for count in counts if count > 0) <= threads


def running():
    """Threads of this process that run, or would if they had a CPU: what else runs on the machine makes no difference."""
    count = 0
    for task in TASKS.iterdir():
        with suppress(OSError):  # it has ended
            count += (task / "stat").read_text().rpartition(")")[2].split()[0] == "R"
    return count


NO_CODE = (
    ".keras/keras.json",
    "matplotlib/fontlist-",
    "Microsoft/DeveloperTools/.onnxruntime/",
    "__pycache__/__autograph_generated_file",
)
"""What libraries write that spares a later process nothing: settings, the fonts that there are, a number for the machine, and Python's bytecode
of functions that TensorFlow has rewritten, which lie under a new random name each time."""


@pytest.mark.slow  # a program for every framework, in which it compiles
def test_nothing_is_kept_on_disk_unsaid(implementation, framework, tmp_path, monkeypatch):
    """What a framework keeps of compiled code is in the folders that its class names: a program leaves none anywhere else."""
    weights, images, labels = problem(batch=1)
    path = saved_problem(tmp_path / "problem.npz", weights, images, labels, reference_network(weights).predict(images))
    home = tmp_path / "home"
    home.mkdir()
    for variable in ("HOME", "XDG_CACHE_HOME", "TMPDIR"):
        monkeypatch.setenv(variable, str(home))
    modes = {implementation.modes[0], *lenet5.dynamic(framework)} - {*lenet5.variants(framework)}
    command = program.command_of("tests.support.first_calls", framework, path, *modes)
    named = tmp_path / "named"
    named.mkdir()
    # Not by program.call: that gives a program temporary files of its own, and whatever it leaves there is gone with them.
    environment = {**os.environ, **caches.empty(str(named))}
    done = tied.run(command, program.TIMEOUT_SECONDS, cwd=program.ROOT, env=environment, text=True)
    assert program.printed(command, done.returncode, done.stdout, done.stderr).keys() == modes
    kept = [str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()]
    assert not [name for name in kept if not name.startswith(NO_CODE)]


def test_what_needs_a_gpu_says_so(implementation, framework):
    """A mode that only a GPU can run refuses the CPU, in words that name the device, and no other mode does."""
    for mode in lenet5.gpu_only(framework):
        with pytest.raises(lenet5.NotSupported, match=r"; use device 'cuda'$"):
            implementation(problem()[0], mode=mode)
    for mode in {*lenet5.modes(framework)} - {*lenet5.gpu_only(framework)}:
        with suppress(lenet5.NotInstalled):
            implementation(problem()[0], mode=mode)


def test_what_does_not_train_says_so(implementation, framework):
    """A class declares that it only predicts if and only if it refuses to train, and refuses in the contract's words."""
    assert getattr(implementation, "trains", True) == lenet5.trains(framework)
    if lenet5.trains(framework):
        return
    net = implementation(problem()[0], optimizer="sgd", learning_rate=0.1)
    with pytest.raises(lenet5.NotSupported, match=r"^train_step: .* only predicts; "):
        net.train_step(*problem()[1:])

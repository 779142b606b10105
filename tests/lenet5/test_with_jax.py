"""What is particular to JAX: what it declares, one program a step, the user's settings, and what a step that broke off leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import lenet5
from lenet5 import cost
from tests.support.copies import PROJECT, not_installed
from tests.support.mutations import Mutation, logits
from tests.support.networks import problem, reference_network

pytestmark = pytest.mark.skipif(bool(lenet5.missing("jax")), reason=lenet5.missing("jax"))

MUTATIONS = {
    "jax-activation-before-bias": Mutation(
        "with_jax.py",
        'x = self._activation(x + weights[f"{layer}.bias"])\n            x = lax.reduce_window',
        'x = self._activation(x) + weights[f"{layer}.bias"]\n            x = lax.reduce_window',
        logits("jax-jit"),
    ),
    "jax-adam-epsilon-before-the-correction": Mutation(
        "with_jax.py",
        "(jnp.sqrt(second[name] / of_second) + ADAM_EPSILON)",
        "((jnp.sqrt(second[name]) + ADAM_EPSILON) / jnp.sqrt(of_second))",
        "lenet5/test_agreement.py::test_adam[jax-jit]",
    ),
}


def test_declares():
    """One program a call is compared with one an operation, which a short run leaves out; JAX keeps nothing on disk."""
    assert lenet5.modes("jax") == ("jit", "eager")
    assert lenet5.variants("jax") == ("eager",)
    assert lenet5.dynamic("jax") == {"jit": "eager"}
    assert lenet5.trained_in("jax") == "jit"
    assert lenet5.colour("jax") == "purple"
    assert lenet5.trains("jax")
    assert lenet5.caches("jax") == ()
    assert lenet5.thread_variables("jax") == ("PJRT_NPROC",)


def test_not_installed(tmp_path):
    """Where JAX is absent, the line says what to install, and other frameworks can be used."""
    assert not_installed(tmp_path, "jax", "jax") == ["jax: the package 'jax' is not installed; pip install jax", "True"]


@pytest.fixture
def net():
    """A network in the default mode."""
    return lenet5.implementation("jax")(problem(batch=2)[0])


@pytest.mark.slow  # compiles a step
def test_one_program_a_step(net, monkeypatch):
    """A step gives its old arrays to the new ones, so that no second copy is held; it is compiled once, and load() keeps the code."""
    weights, images, labels = problem(batch=2)
    x, y = net.tensor(images), net.tensor(labels)
    before = {**net._weights, **net._state["first"]}
    net.train_step(x, y)
    assert all(array.is_deleted() for array in before.values())
    net.load(weights)
    net.train_step(x, y)
    assert net._step._cache_size() == 1

    # A step that breaks off when it has been given the arrays: they are gone, and load() makes the network whole.
    for array in (*net._weights.values(), *net._state["first"].values()):
        array.delete()
    net.load(weights)
    assert_array_equal(net.weights()["fc1.weight"], weights["fc1.weight"])
    fresh = lenet5.implementation("jax")(weights, mode="eager")
    assert net.train_step(x, y) == pytest.approx(fresh.train_step(x, y), abs=1e-6)


def test_every_product_is_exact(net):
    """Forth and back, each product and convolution asks for float32: on a GPU what is not said is rounded, and on the CPU no number shows it."""
    _, images, labels = problem(batch=2)
    program = net._step.lower(net._weights, net._state, net.tensor(images), net.tensor(labels)).as_text()
    products = [line for line in program.splitlines() if "stablehlo.dot_general" in line or "stablehlo.convolution" in line]
    assert (
        len(products) == 5 + 3 * 2 + 2 + 1
    )  # forth; back to weights and inputs of the dense layers, and of the convolutions but the image
    assert all(line.count("HIGHEST") == 2 for line in products)


def test_state_as_counted(net):
    """Optimizer state as counted is what JAX keeps between steps; its step counter is a single number."""
    weights = problem()[0]
    held = sum(array.nbytes for moment in ("first", "second") for array in net._state[moment].values())
    assert held == cost.optimizer_state_bytes(weights, "adam")
    plain = lenet5.implementation("jax")(weights, optimizer="sgd")
    assert set(plain._state) == {"steps"}


SETTINGS = """
import json, lenet5
from tests.support.networks import problem
weights, images, labels = problem(batch=4)
LeNet5 = lenet5.implementation("jax")
try:
    net = LeNet5(weights)
    print(json.dumps({"logits": net.predict(images).tolist(), "types": sorted({str(a.dtype) for a in net.weights().values()}),
                      "threads": LeNet5.describe()["threads"], "settings": LeNet5.describe()["settings"]}))
except lenet5.NotSupported as error:
    print(json.dumps(str(error)))
"""


def under(**variables):
    """What a network says and computes in a process with these variables."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), **variables}
    done = subprocess.run([sys.executable, "-c", SETTINGS], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow  # a process that imports JAX
def test_settings_that_would_round(tmp_path):
    """Numbers of 64 bits, and products in bfloat16, are the user's for other code; the number of threads is OMP_NUM_THREADS whatever else says."""
    weights, images, _ = problem(batch=4)
    found = under(
        JAX_ENABLE_X64="1", JAX_DEFAULT_MATMUL_PRECISION="bfloat16", OMP_NUM_THREADS="3", PJRT_NPROC="1",
        JAX_COMPILATION_CACHE_DIR=str(tmp_path / "kept"), JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0",
    )  # fmt: skip
    assert_allclose(found["logits"], reference_network(weights).predict(images), rtol=0, atol=1e-5)
    assert found["types"] == ["float32"]
    assert found["threads"] in (3, None)  # older versions of jaxlib give their threads no name to count them by
    assert found["settings"] == "jax_enable_x64"
    assert not list(tmp_path.rglob("*-cache"))


@pytest.mark.slow  # a process that imports JAX
def test_a_setting_that_turns_jit_off():
    """Where JAX would run operation by operation under the name of jit, the mode says so."""
    said = "jax: mode 'jit' does not compile here: jax_disable_jit (JAX_DISABLE_JIT) is set; unset it"
    assert under(JAX_DISABLE_JIT="1") == said


def test_jit_that_did_not_compile(net):
    """A network that ran operation by operation under the name of jit is no jit."""
    import jax

    with jax.disable_jit():
        net.predict(np.zeros((1, 3, 32, 32), np.float32))
    with pytest.raises(lenet5.errors.NotHonoured, match=r"^jax: mode 'jit' ran eagerly"):
        net.check_mode()


def test_a_thread_that_has_ended_is_not_counted(tmp_path, monkeypatch):
    """Threads may end while they are counted: that is no reason to know nothing of the others."""
    from lenet5 import with_jax

    for number, name in ((1, "python"), (2, with_jax.POOL_OF_THREADS), (3, None), (4, with_jax.POOL_OF_THREADS)):
        (tmp_path / str(number)).mkdir()
        if name:
            (tmp_path / str(number) / "comm").write_text(f"{name}\n")
    monkeypatch.setattr(with_jax, "TASKS", tmp_path)

    assert with_jax._pool() == 2


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="a system without /proc")
def test_threads_of_others_are_not_counted():
    """TensorFlow's XLA gives its threads the same name: they are neither JAX's when they start later nor when they were there before."""
    from lenet5 import with_jax

    found, go = with_jax.LeNet5.describe()["threads"], threading.Event()

    def named_alike():
        Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text(with_jax.POOL_OF_THREADS)
        started.set()
        go.wait()

    started, other = threading.Event(), threading.Thread(target=named_alike)
    before = with_jax._pool()
    other.start()
    started.wait()
    try:
        assert with_jax._pool() == before + 1
        assert with_jax.LeNet5.describe()["threads"] == found
        assert with_jax._threads.__wrapped__() is None  # JAX's have started long ago
    finally:
        go.set()
        other.join()

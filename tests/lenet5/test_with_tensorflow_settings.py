"""A user's settings of TensorFlow and Keras: those of Keras have no effect, those that turn a mode into another one are refused."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import lenet5
from tests.support.copies import PROJECT
from tests.support.settings import found_by

KERAS = {"floatx": "float64", "epsilon": 0.5, "image_data_format": "channels_first", "backend": "torch"}
"""A user's ~/.keras/keras.json, as far from ours as it can be."""

MODES = [mode for mode in lenet5.modes("tensorflow") if mode != "xla"]
"""XLA takes seconds to compile, and differs from a graph by one word."""

CODE = f"""
import warnings

found["threads"] = lenet5.implementation("tensorflow").describe()["threads"]  # first: it chooses what is under Keras
import keras
import tensorflow as tf

MODES = {MODES}
found["floatx"] = keras.config.floatx(), keras.config.image_data_format()


def rates():
    nets = [lenet5.implementation("tensorflow")(weights, optimizer=name, learning_rate=0.1) for name in ("sgd", "adam")]
    return [(str(net._optimizer.learning_rate.dtype), float(net._optimizer.learning_rate)) for net in nets]


found["keras.json rates"] = rates()
found["keras.json"] = [outcome("tensorflow", mode) for mode in MODES]

keras.config.set_floatx("float16")
keras.config.set_dtype_policy("mixed_float16")
found["mixed_float16 rates"] = rates()
found["mixed_float16"] = [outcome("tensorflow", mode) for mode in MODES]
found["optimizer"] = type(lenet5.implementation("tensorflow")(weights, mode="predict")._model.optimizer).__name__
keras.config.set_dtype_policy("float32")

tf.config.run_functions_eagerly(True)
found["run eagerly"] = [outcome("tensorflow", mode) for mode in lenet5.modes("tensorflow")]
tf.config.run_functions_eagerly(False)

warnings.simplefilter("ignore")  # tf.data says that it does not run eagerly
found["afterwards"] = []
for mode in lenet5.modes("tensorflow"):
    found["afterwards"].append(outcome("tensorflow", mode, between=lambda: tf.config.run_functions_eagerly(True)))
    tf.config.run_functions_eagerly(False)

tf.config.optimizer.set_jit("autoclustering")
found["clustering"] = [outcome("tensorflow", mode) for mode in MODES]
tf.config.optimizer.set_jit(False)
os.environ["TF_XLA_FLAGS"] = "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit"
found["flags"] = outcome("tensorflow", "graph")
os.environ["TF_XLA_FLAGS"] = "--tf_xla_persistent_cache_directory=/tmp"
found["cache"] = [outcome("tensorflow", "graph"), outcome("tensorflow", "xla")]
del os.environ["TF_XLA_FLAGS"]

found["settings"] = [lenet5.implementation("tensorflow").describe()["settings"]]
tf.config.optimizer.set_experimental_options({{"constant_folding": False, "disable_meta_optimizer": True}})
found["settings"].append(lenet5.implementation("tensorflow").describe()["settings"])
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What becomes of networks under each setting, all in one process of their own."""
    pytest.importorskip("tensorflow")
    home = tmp_path_factory.mktemp("keras")
    (home / "keras.json").write_text(json.dumps(KERAS))
    return found_by(CODE, KERAS_HOME=str(home), OMP_NUM_THREADS="1,1")


@pytest.mark.slow
def test_threads_for_threads(found):
    """Of several numbers in OMP_NUM_THREADS the first is that of TensorFlow; the others are for what its threads start."""
    assert found["threads"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("settings", ["keras.json", "mixed_float16"])
def test_settings_of_keras_have_no_effect(found, settings):
    """Weights, logits and learning rates are float32, and right, in every mode."""
    assert found["floatx"] == ["float64", "channels_first"]  # Keras did read the file
    assert found[settings] == ["right"] * len(MODES)
    assert found[f"{settings} rates"] == [["float32", float(np.float32(0.1))]] * 2


@pytest.mark.slow
def test_the_loss_is_not_scaled(found):
    """In half precision Keras wraps the optimizer into one that scales the loss: right numbers, but other work."""
    assert found["optimizer"] == "PublishedAdam"


def refused(mode, setting):
    return f"NotSupported: tensorflow: mode '{mode}' would not be what its name says: {setting} is set; unset it"


@pytest.mark.slow
def test_a_graph_that_would_run_eagerly(found):
    """Every mode but the eager one is refused, with the setting's name."""
    _, *others = lenet5.modes("tensorflow")
    assert found["run eagerly"] == ["right", *(refused(mode, "tf.config.run_functions_eagerly") for mode in others)]


@pytest.mark.slow
def test_a_graph_that_ran_eagerly(found):
    """Set after the network was made, it is known by what ran."""
    _, *others = lenet5.modes("tensorflow")
    expected = [f"NotHonoured: tensorflow: mode '{mode}' ran eagerly; tf.function made no graph of it" for mode in others]
    assert found["afterwards"] == ["right", *expected]


@pytest.mark.slow
def test_a_graph_that_xla_would_compile_in_part(found):
    """A graph without XLA is one without XLA, however it is turned on."""
    setting = "XLA for parts of graphs (tf.config.optimizer.set_jit, or tf_xla_auto_jit in TF_XLA_FLAGS)"
    assert found["clustering"] == ["right", *(refused(mode, setting) for mode in MODES[1:])]
    assert found["flags"] == refused("graph", setting)


@pytest.mark.slow
def test_code_that_was_compiled_before(found):
    """XLA's first call would not compile with such a cache; a graph without XLA knows nothing of it."""
    setting = "code that an earlier process compiled (tf_xla_persistent_cache_directory in TF_XLA_FLAGS)"
    assert found["cache"] == ["right", refused("xla", setting)]


@pytest.mark.slow
def test_what_costs_time_is_recorded(found):
    """What TensorFlow's own optimizer was told is in the record; as it is by itself there is nothing."""
    assert found["settings"] == ["", "constant_folding False, disable_meta_optimizer True"]


@pytest.mark.parametrize("backend", ["jax", "torch", "nonsense"])
def test_keras_on_another_framework(monkeypatch, backend):
    """KERAS_BACKEND is named in the error, whether that framework is installed or not: it is no reason to skip."""
    monkeypatch.setenv("KERAS_BACKEND", backend)
    done = subprocess.run(
        [sys.executable, "-c", "import lenet5; lenet5.implementation('tensorflow')"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    *_, last = done.stderr.splitlines()
    assert last == f"ImportError: lenet5 runs Keras on TensorFlow, but the variable KERAS_BACKEND is '{backend}'; unset it"


IMPORTS = re.compile(r"^ *(?:import|from) (?:keras|tf_keras|tensorflow|tensorflow_model_optimization)\b", re.MULTILINE)
READY = re.compile(
    r"with (?:packages\.)?importing_keras\(\)|^from lenet5\.with_tensorflow import|^from benchmarks\.isolated import prune_tfmot",
    re.MULTILINE,
)
"""What has to stand before: the block for it, or the import of a module that has one."""


def importing():
    """Every module of the product that imports Keras or TensorFlow."""
    paths = [*(PROJECT / "lenet5").rglob("*.py"), *(PROJECT / "benchmarks").rglob("*.py")]
    return {path for path in paths if IMPORTS.search(path.read_text(encoding="utf-8"))}


def test_whatever_the_user_has_set_for_plots():
    """Keras imports matplotlib, which cannot begin with some settings: no module imports it, or TensorFlow, without caring for that."""
    found = {path.name: path.read_text(encoding="utf-8") for path in importing()}
    assert {"with_tensorflow.py", "prune_tfmot.py", "quantize_litert.py"} < found.keys()
    ready = {name: READY.search(source) for name, source in found.items()}
    late = [name for name, source in found.items() if not ready[name] or ready[name].start() > IMPORTS.search(source).start()]
    assert late == []


@pytest.mark.slow
@pytest.mark.parametrize("program", ["original_tensorflow", "original_tfmot", "prune_tfmot", "quantize_litert"])
def test_programs_whatever_the_user_has_set_for_plots(tmp_path, program):
    """Neither a file that is no text nor a backend that is not there ends a program that a case runs."""
    (tmp_path / "matplotlibrc").write_bytes(b"\xff\xfe\x80 no text\n")
    words = [sys.executable, "-m", f"benchmarks.isolated.{program}", "--help"]
    mine = {"MATPLOTLIBRC": str(tmp_path), "MPLBACKEND": "nosuch"}
    done = subprocess.run(words, cwd=PROJECT, env={**os.environ, **mine}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

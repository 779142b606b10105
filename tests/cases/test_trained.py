"""--save-weights: networks that a session trains to the end are kept, one file a framework; a folder that cannot be is said before."""

from __future__ import annotations

import os
import re

import pytest
from numpy.testing import assert_array_equal

import lenet5
from benchmarks.arrange import trained
from lenet5 import InputError, about
from tests.support.by_hand import FAST, FRAMEWORK
from tests.support.copies import copy_of_project, run_pytest
from tests.support.networks import grey_digits, quick_network


@pytest.fixture
def project(tmp_path):
    """A copy of the project, which a session may write into."""
    return copy_of_project(tmp_path / "project")


def test_saved(tmp_path):
    """The folder is made; a network lies there under its framework's name, with what a prediction needs, and replaces an older one."""
    folder = tmp_path / "a" / "b"
    trained.check(folder)
    trained.check(folder)
    nets = [quick_network(lenet5.initial_weights(lenet5.Architecture(1, 10), seed=seed)) for seed in (1, 2)]

    for net in nets:
        file = trained.save(folder, "any", net, grey_digits())

    assert os.listdir(folder) == ["any.safetensors"]
    weights, said = lenet5.load_network(file)
    assert_array_equal(weights["fc1.weight"], nets[1].weights()["fc1.weight"])
    assert said == about.of(grey_digits(), "relu")


@pytest.mark.parametrize("below", ["", "/below"])
def test_no_such_place(tmp_path, below):
    """A file is no folder, nor can one be made in it: one line."""
    (tmp_path / "file").touch()
    with pytest.raises(
        InputError, match=rf"^{tmp_path}/file{below}: cannot be made \((File exists|Not a directory)\); name a folder"
    ):
        trained.check(tmp_path / f"file{below}")


@pytest.mark.slow  # a session that trains; test_saved is quick
def test_a_session(project, tmp_path):
    """It is the network that the case measured: the one with as many test images right as the file of the session says."""
    case = f"benchmarks/test_training.py::test_accuracy[{FRAMEWORK}-{FAST}]"
    options = ("--epochs=1", "--dataset=digits", "--no-report", f"--benchmark-json={tmp_path}/run.json")
    verdict = run_pytest(project, case, *options, f"--save-weights={tmp_path}/kept")

    assert verdict.exit_code == 0, verdict.output
    weights, _ = lenet5.load_network(tmp_path / "kept" / f"{FRAMEWORK}.safetensors")
    _, share = lenet5.training.evaluate(quick_network(weights), grey_digits().test)
    (correct,) = re.findall(r'"correct": (\d+)', (tmp_path / "run.json").read_text())
    assert round(share * 450) == int(correct) > 300


@pytest.mark.slow  # a session; test_no_such_place is quick
def test_a_bad_folder_ends_the_session(project, tmp_path):
    """Before anything is measured, with one line and exit 2."""
    (tmp_path / "file").touch()
    verdict = run_pytest(
        project, "benchmarks/test_control.py", f"--save-weights={tmp_path}/file", f"--benchmark-json={tmp_path}/r.json"
    )
    assert verdict.exit_code == 2
    assert f"--save-weights {tmp_path}/file: cannot be made (File exists); name a folder that can" in verdict.output
    assert sorted(os.listdir(tmp_path)) == ["file", "project"]

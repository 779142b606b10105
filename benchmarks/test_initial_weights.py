"""Are the frameworks equally accurate?  The same training from many initial weights, which are the same in every framework.

Nothing is timed: the trainings run side by side, one a CPU, each on one thread in a process of its own.  The times of a case are those of
its trainings, which had neighbours; no report shows them.
"""

# mypy: allow-untyped-defs
# pytest passes fixtures by name; their types stand where they are defined.

from __future__ import annotations

from pathlib import Path

import pytest

import lenet5
from benchmarks.arrange.clock import enter, recorded_time
from benchmarks.isolated import finished
from benchmarks.saved.fields import INITIAL_WEIGHTS
from benchmarks.saved.provenance import code_sha256, versions
from benchmarks.saved.variables import THREADS
from lenet5 import training
from lenet5.threads import usable_cpus

STORAGE = Path(".benchmarks", "initial-weights")
"""Where each training is kept as soon as it has finished, below the project."""


@pytest.fixture(scope="session")
def seeds(pytestconfig):
    """Each seed is one set of initial weights and one order of the batches."""
    number = pytestconfig.getoption("initial_weights")
    if number < 2:
        pytest.exit(f"--initial-weights {number}: use a whole number of at least 2; one has no spread", returncode=2)
    return range(2 if pytestconfig.getoption("benchmark_disable") else number)


@pytest.fixture(scope="session")
def asked(dataset, pytestconfig):
    """What a training depends on beside framework, mode and seed, as options of its program."""
    return {"dataset": pytestconfig.getoption("dataset"), "epochs": pytestconfig.getoption("epochs")}


@pytest.fixture(scope="session")
def storage(asked, pytestconfig):
    """The folder of the finished trainings that depend on the same as those of this session."""
    settings = {**asked, "code_sha256": code_sha256(), "versions": versions()}
    try:
        return finished.folder_for(pytestconfig.rootpath / STORAGE, settings)
    except lenet5.InputError as error:
        pytest.exit(str(error), returncode=2)


@pytest.fixture
def trained(asked, storage, seeds, framework, mode, pytestconfig):
    """trained() -> what the training of each seed has come to; with ``--resume`` those that had finished are not run again."""
    options = [f"--{name}={value}" for name, value in asked.items()]
    calls = {f"{framework}-{mode}-seed{seed:03d}": (framework, mode, seed, *options) for seed in seeds}
    one_thread = dict.fromkeys((*THREADS, *lenet5.thread_variables(framework)), "1")
    resume = pytestconfig.getoption("resume")
    return lambda: finished.all_answers(storage, "benchmarks.isolated.train", calls, usable_cpus(), one_thread, resume)


@pytest.mark.heavy
@pytest.mark.untimed
@pytest.mark.trained_mode
@pytest.mark.benchmark(group=INITIAL_WEIGHTS, timer=recorded_time)
def test_initial_weights(benchmark, cpu_only, build, weights, record, subject, asked, trained, seeds):
    """All epochs from each of some initial weights, checked like every training; then the accuracy on the test split."""
    build(weights)  # a skip where this machine lacks what the mode needs
    found = trained()

    assert {one["threads"] for one in found} <= {1, None}

    record(
        **subject,
        batch=training.BATCH,
        optimizer="adam",
        epochs=asked["epochs"],
        threads=1,
        seeds=[*seeds],
        correct_by_seed=[one["correct"] for one in found],
        test_images=found[0]["test_images"],
        last_loss_nats_by_seed=[one["last_loss_nats"] for one in found],
    )
    enter(benchmark, [one["seconds"] for one in found])

"""The cases behind the report's part on the network by hand: which there are, that they check first, and what they record."""

from __future__ import annotations

import re
import shlex
from collections import Counter

import pytest

import lenet5
from benchmarks.arrange import tools
from benchmarks.saved import results
from tests.support.by_hand import FAST, FRAMEWORK
from tests.support.copies import PROJECT, copy_of_project, run_pytest, run_python
from tests.support.frameworks import installed

MODES = {framework: lenet5.modes(framework) for framework in installed()}
EVERY = sum(map(len, MODES.values()))
TRAINED = {framework: modes for framework, modes in MODES.items() if lenet5.trains(framework)}
EVERY_TRAINED = sum(map(len, TRAINED.values()))
LOOPS = 1

QUICK = ("--heavy", "--threads=2", "--benchmark-max-time=0.02")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project, to break."""
    return copy_of_project(tmp_path_factory.mktemp("by-hand") / "project")


def collected(*options):
    """The cases that pytest would run, without running them."""
    run = run_python(PROJECT, "-m", "pytest", "benchmarks", "--collect-only", "-q", "-p", "no:cacheprovider", *options)
    assert run.returncode == 0, run.stdout + run.stderr
    return [line for line in run.stdout.splitlines() if "::" in line]


def counted(cases):
    """Function -> how many cases it has."""
    return Counter(re.search(r"::(\w+)", case)[1] for case in cases)


# Which there are


def test_the_default_run_has_none_of_them():
    """A step of gradient descent and the ladder are heavy; Adam's cases have the names that they always had."""
    cases = collected()
    assert not [case for case in cases if case.endswith("-sgd]") and "test_train" in case]
    assert not [case for case in cases if "test_ladder" in case]
    steps = [case.partition("::")[2] for case in cases if "::test_train_step[" in case]
    ordinary = [(name, mode) for name, modes in TRAINED.items() for mode in modes if mode not in lenet5.variants(name)]
    assert steps == [f"test_train_step[{name}-{mode}]" for name, mode in ordinary]


def test_the_default_run_has_every_comparison():
    """Each framework, found by its file: times and first calls in all ordinary modes, one training to the end, memory; and each way to prune."""
    cases = collected()
    ordinary = {f"{name}-{mode}" for name, modes in MODES.items() for mode in modes if mode not in lenet5.variants(name)}

    def values(test):
        return {found[1] for case in cases if (found := re.search(rf"::{test}\[(.*)\]", case))}

    assert values("test_predict") == {f"{one}-batch{batch}" for one in ordinary for batch in (1, 64, 450)}
    trained = {one for one in ordinary if one.partition("-")[0] in TRAINED}
    assert values("test_train_step") == trained
    assert values("test_train_epoch") == trained - {"-".join(lenet5.reference())}
    assert values("test_accuracy") == {f"{name}-{lenet5.trained_in(name)}" for name in TRAINED}
    assert values("test_space_predict") == {f"{name}-{modes[0]}-batch64" for name, modes in MODES.items()}
    assert values("test_space_train_step") == {f"{name}-{modes[0]}-batch64" for name, modes in TRAINED.items()}
    pruners = {tool.title for tool in tools.found("benchmarks.isolated", "prune_")}
    assert values("test_tool") == {f"{title}-sgd" for title in pruners}
    assert counted(cases)["test_dense"] == counted(cases)["test_by_hand"] == 1


def test_every_mode_descends():
    """With --heavy every mode of every framework takes a step by each optimizer."""
    steps = collected("--heavy", "-k", "test_train_step")
    assert len(steps) == 2 * EVERY_TRAINED
    assert len([case for case in steps if case.endswith("-sgd]")]) == EVERY_TRAINED


def test_every_id_can_be_written_after_k():
    """An expression takes what stands between the brackets: pytest refuses an equals sign in it."""
    names = collected("--heavy")
    assert not [name for name in names if "=" in name]
    found = collected("-k", "test_predict and batch64")
    assert counted(found) == {"test_predict": sum(len(set(MODES[name]) - set(lenet5.variants(name))) for name in MODES)}
    assert all(name.endswith("-batch64]") for name in found)


def test_the_command_of_the_result_selects_what_it_promises():
    """Every mode but the loops, at three batch sizes and with both optimizers; nothing else."""
    page = (PROJECT / "docs" / "numbers.md").read_text(encoding="utf-8")
    (command,) = [
        shlex.split(line) for line in page.splitlines() if line.startswith("python -m benchmarks run") and "test_train_step" in line
    ]
    cases = collected("-k", command[command.index("-k") + 1], *command[command.index("--") + 1 :])
    assert counted(cases) == {"test_predict": 3 * (EVERY - LOOPS), "test_train_step": 2 * (EVERY_TRAINED - LOOPS)}


# What they record


def saved(project, *cases, exit_code=0):
    """Run some cases; the run that they saved, and how pytest ended."""
    verdict = run_pytest(project, *cases, *QUICK, "--benchmark-json=run.json", "--no-report")
    assert verdict.exit_code == exit_code, verdict.output
    return results.load(project / "run.json"), verdict


@pytest.mark.slow
def test_ladder(project):
    """Every rung has its times, the memory of a call and what is kept; threads take more workspace than one, loops keep none."""
    run, verdict = saved(project, "benchmarks/test_ladder.py", "-k", "not test_ladder_predict or not 450")
    rungs = {(case.extra["kind"], case.mode): case.extra for case in run.group("ladder")}

    assert len(verdict.passed) == len(rungs) == 8
    for kind in ("predict", "train step"):
        ladder = [rungs[kind, mode] for mode in (*lenet5.ladder(FRAMEWORK)[:-1], f"{FAST}, one thread", f"{FAST}, threads")]
        assert [rung["workspace_bytes"] > 0 for rung in ladder] == [False, False, True, True]
        assert ladder[2]["workspace_bytes"] < ladder[3]["workspace_bytes"]
        for rung in ladder:
            assert rung["traced_peak_bytes"] > rung["workspace_bytes"]
            assert rung["batch"] == 64
    assert list(run.lenet5["frameworks"]) == [FRAMEWORK]


@pytest.mark.slow
def test_steps(project):
    """Each optimizer is a group of its own, and says which it is; the file says which modes there are."""
    run, _ = saved(project, "benchmarks/test_training.py::test_train_step", "-k", f"{FRAMEWORK}-{FAST}")
    assert {(case.group, case.extra["optimizer"]) for case in run.cases} == {("train step", "adam"), ("train step sgd", "sgd")}
    assert run.lenet5["modes"] == {framework: list(modes) for framework, modes in MODES.items()}


# That they check first


def without_number(project, file, right, wrong, *cases):
    """Break the copy at one place, run the cases, mend it; the ids of the cases that failed, none of which has a number."""
    source = project / file
    text = source.read_text()
    assert text.count(right) == 1
    source.write_text(text.replace(right, wrong))
    try:
        run, verdict = saved(project, *cases, exit_code=1)
    finally:
        source.write_text(text)
    failed = {name for name, reason in run.not_measured.items() if reason.startswith(results.FAILED)}
    assert len(failed) == len(verdict.failed | verdict.errors) > 0
    assert not failed & {case.name for case in run.cases}
    return {name.partition("::")[2] for name in failed}


@pytest.mark.slow
def test_a_wrong_rung_gets_no_number(project):
    """A fused network that predicts wrongly fails on both of its rungs, in the steps as well; the plain rungs have their numbers."""
    failed = without_number(
        project, "lenet5/by_hand/forward.py", "        return self.logits\n", "        self.logits[0] += 1e-2\n        return self.logits\n",
        "benchmarks/test_ladder.py", "-k", "not 450",
    )  # fmt: skip
    assert len(failed) == 4
    assert all(FAST in name for name in failed)


@pytest.mark.slow
def test_a_wrong_descent_gets_no_number(project):
    """Gradient descent whose step is a twentieth too short fails; Adam, which is another class, does not."""
    failed = without_number(
        project, "lenet5/by_hand/flat_optimizers.py", "np.multiply(g, self.learning_rate, out=g)", "np.multiply(g, 0.95 * self.learning_rate, out=g)",
        "benchmarks/test_training.py::test_train_step", "-k", f"{FRAMEWORK}-{FAST}",
    )  # fmt: skip
    assert failed == {f"test_train_step[{FRAMEWORK}-{FAST}-sgd]"}

"""The actions that gate other projects: their inputs reach the gate, and the gate's exit codes become verdicts.

One measures and judges on one runner, or only records; the other one judges what several runners recorded.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from benchmarks.__main__ import GATE_NEEDS
from benchmarks.gate.pairs import order
from benchmarks.gate.rules import Rules
from tests.support import any_suite
from tests.support.copies import PROJECT

FOLDER = PROJECT / ".github" / "actions" / "gate"
VERDICT = FOLDER.parent / "verdict"


def action(folder):
    return yaml.safe_load((folder / "action.yml").read_text(encoding="utf-8"))


INPUTS = {
    "base": "v1",
    "head": "HEAD",
    "project": ".",
    "cases": "",
    "k": "",
    "budget": "15",
    "threshold": "2%",
    "record": "",
    "runner": "",
    "python": sys.executable,
}

STAND_IN = """#!/usr/bin/env bash
printf '%s\\n' "$PWD" "$@" >"$FAKE_CALL"
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then echo table >>"$GITHUB_STEP_SUMMARY"; fi
for word; do
    if [ -n "${FAKE_OUTCOME:-}" ] && [[ $word == --json=* ]]; then echo '{}' >"${word#--json=}"; fi
done
exit "${FAKE_EXIT:-0}"
"""


@pytest.fixture
def run(tmp_path):
    """run(**inputs, FAKE_EXIT=...) -> how the script ended, the words that the gate was called with, and the action's outputs.

    ``run(script=VERDICT / "run", ...)`` is the other action.
    """
    (tmp_path / "temp" / "gate-venv" / "bin").mkdir(parents=True)
    (tmp_path / "theirs").mkdir()
    python = tmp_path / "temp" / "gate-venv" / "bin" / "python"
    python.write_text(STAND_IN)
    python.chmod(0o755)

    def call(script=FOLDER / "run", **given):
        inputs = {f"GATE_{name.upper()}": given.get(name, value) for name, value in INPUTS.items()}
        if script.parent == VERDICT:
            inputs = {"VERDICT_THRESHOLD": given.get("threshold", "")}
        fakes = {name: value for name, value in given.items() if name.startswith("FAKE")}
        (tmp_path / "outputs").write_text("")
        (tmp_path / "call").unlink(missing_ok=True)
        around = {"RUNNER_TEMP": tmp_path / "temp", "GITHUB_OUTPUT": tmp_path / "outputs", "FAKE_CALL": tmp_path / "call"}
        around["GITHUB_STEP_SUMMARY"] = tmp_path / "summary"
        done = subprocess.run(
            [script],
            cwd=tmp_path / "theirs",
            env={"PATH": os.environ["PATH"], **{name: str(value) for name, value in around.items()}, **inputs, **fakes},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        words = (tmp_path / "call").read_text().splitlines() if (tmp_path / "call").exists() else []
        return done, words, dict(line.split("=", 1) for line in (tmp_path / "outputs").read_text().splitlines())

    call.python = python
    return call


@pytest.mark.parametrize(
    ("folder", "beside", "inputs"),
    [(FOLDER, {"told"}, {f"GATE_{name.upper()}": name for name in INPUTS}), (VERDICT, set(), {"VERDICT_THRESHOLD": "threshold"})],
    ids=["gate", "verdict"],
)
def test_its_steps(folder, beside, inputs):
    """Each step is a script of the actions, or another action at a commit; every input reaches the script, which nothing else does."""
    found = action(folder)
    steps = found["runs"]["steps"]
    paths = [folder / step["run"].strip('"').removeprefix("$GITHUB_ACTION_PATH/") for step in steps if "run" in step]
    assert all(os.access(path, os.X_OK) for path in paths)
    assert {path.name for path in folder.iterdir()} == {
        "action.yml",
        *beside,
        *(path.name for path in paths if path.parent == folder),
    }
    text = (folder / "action.yml").read_text(encoding="utf-8")
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]) for step in steps if "uses" in step)
    assert len(re.findall(r"uses: .*@[0-9a-f]{40} # v\d", text)) == len([step for step in steps if "uses" in step])
    (main,) = [step for step in steps if step.get("id")]
    assert main["env"] == {variable: f"${{{{ inputs.{name} }}}}" for variable, name in inputs.items()}
    assert set(found["inputs"]) == {name for name in inputs.values() if name}
    assert set(found["outputs"]) == {"verdict", "json"}


def test_artifacts_of_runners():
    """A runner's artifact has the runner's name, and the other action takes all of that kind; what it judges lies where its script looks."""
    (kept,) = [step["with"] for step in action(FOLDER)["runs"]["steps"] if "upload" in step.get("uses", "")]
    (taken,) = [step["with"] for step in action(VERDICT)["runs"]["steps"] if "download" in step.get("uses", "")]
    assert kept["name"] == "${{ inputs.record && format('gate-{0}', inputs.runner) || 'gate' }}"
    assert (taken["pattern"], taken["path"]) == ("gate-*", "${{ runner.temp }}/recorded")


def test_what_it_installs():
    """It installs what the page and the line about a missing package name."""
    installed = re.findall(r'"(\w+)>=[\d.]+"', (FOLDER / "install").read_text(encoding="utf-8"))

    assert tuple(installed) == GATE_NEEDS
    assert f"`pip install {' '.join(GATE_NEEDS)}`" in (PROJECT / "docs" / "gate.md").read_text(encoding="utf-8")


def test_its_inputs(run, tmp_path):
    """The gate hears what was asked for, also in words with spaces; what was not asked for it is not told."""
    done, words, _ = run(base="-x", cases="a b", k="one or 'two'", threshold="5%")
    out = tmp_path / "temp" / "gate"

    assert done.returncode == 0, done.stderr
    assert words == [
        str(PROJECT),
        *(
            "-m",
            "benchmarks",
            "gate",
            f"--project={tmp_path / 'theirs'}",
            f"--base=-x@{sys.executable}",
            f"--head=HEAD@{sys.executable}",
        ),
        *("--budget=15", "--threshold=5%", f"--output={out}/raw", f"--json={out}/gate.json", f"--markdown={out}/gate.md"),
        *("--cases=a b", "-k", "one or 'two'"),
    ]
    assert not [word for word in run()[1] if word == "-k" or word.startswith("--cases")]


@pytest.mark.parametrize(
    ("code", "outcome", "ends", "verdict"),
    [
        (0, "yes", 0, "not slower"),
        (1, "yes", 1, "slower"),
        (1, "", 2, "not measured"),
        (2, "", 2, "not measured"),
        (3, "yes", 0, "undecided"),
        (130, "", 130, "not measured"),
    ],
)
def test_its_verdicts(run, tmp_path, code, outcome, ends, verdict):
    """An exit code becomes a verdict; 1 without an outcome beside it is none."""
    done, _, outputs = run(FAKE_EXIT=str(code), FAKE_OUTCOME=outcome)

    assert (done.returncode, outputs) == (ends, {"verdict": verdict, "json": str(tmp_path / "temp" / "gate" / "gate.json")})
    assert ("::error" in done.stdout, "::warning" in done.stdout) == (ends != 0, code == 3)


@pytest.mark.parametrize(
    ("code", "outcome", "ends", "verdict"),
    [
        (0, "yes", 0, "recorded"),
        (1, "yes", 0, "recorded"),
        (3, "yes", 0, "recorded"),
        (1, "", 2, "not measured"),
        (2, "", 2, "not measured"),
    ],
)
def test_it_only_records(run, tmp_path, code, outcome, ends, verdict):
    """A runner of several keeps so many pairs, in orders of its own, and says nothing of a verdict: no exit code, no table, no outcome."""
    done, words, outputs = run(record="12", runner="3", FAKE_EXIT=str(code), FAKE_OUTCOME=outcome)

    assert words[-2:] == ["--pairs=12", "--seed=3"]
    assert (done.returncode, outputs["verdict"]) == (ends, verdict)
    assert ("::error" in done.stdout, "::warning" in done.stdout) == (ends != 0, False)
    assert not (tmp_path / "summary").exists()
    assert not (tmp_path / "temp" / "gate" / "gate.json").exists()
    assert not [word for word in run()[1] if word.startswith(("--pairs", "--seed"))]


def test_runners_draw_orders_of_their_own():
    """Which side comes first, in the pairs of two neighbouring runners, is not the same: a seed is drawn from, not counted on."""
    drawn = [tuple(order(runner, pair) for pair in range(1, 25, 2)) for runner in range(1, 9)]
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize(
    "wrong",
    [{"python": "no-such-python"}, {"project": "nowhere"}, {"runner": "a b", "record": "12"}, {"runner": "", "record": "1"}],
    ids=str,
)
def test_wrong_inputs(run, wrong):
    """What is not there is said, and the gate is not started."""
    done, words, outputs = run(**wrong)

    assert (done.returncode, words, outputs["verdict"]) == (2, [], "not measured")
    assert next(iter(wrong.values())) in done.stderr


def test_lines_to_copy():
    """The page's lines for one runner and for several name actions and inputs that exist; of several each has a number of its own."""
    page = (PROJECT / "docs" / "gate.md").read_text(encoding="utf-8")
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    (jobs,) = [block["jobs"] for block in blocks if "jobs" in block]
    steps = [step for block in blocks if isinstance(block, list) for step in block]
    steps += [step for job in jobs.values() for step in job["steps"]]
    ours = [step for step in steps if step.get("uses", "").startswith("OWNER/REPO/")]
    assert [step["uses"].split("/")[-1] for step in ours] == ["gate@TAG", "gate@TAG", "verdict@TAG"]
    for step in ours:
        folder = PROJECT / step["uses"].removeprefix("OWNER/REPO/").removesuffix("@TAG")
        assert set(step.get("with", ())) <= set(action(folder)["inputs"])
    assert ours[1]["with"]["runner"] == "${{ matrix.runner }}"
    runners = jobs["record"]["strategy"]["matrix"]["runner"]
    assert len(set(runners)) * ours[1]["with"]["record"] == Rules().most_pairs
    assert jobs["verdict"]["needs"] == "record"


# What several runners recorded


def recorded(tmp_path, *names):
    """The folder of a runner's artifact, each with what looks like a gate's settings."""
    for name in names:
        folder = tmp_path / "temp" / "recorded" / name / "raw"
        folder.mkdir(parents=True)
        (folder / "run.json").write_text("{}")
        (folder.parent / "other.json").write_text("{}")


@pytest.mark.parametrize("threshold", ["", "5%"])
def test_all_runners_are_judged(run, tmp_path, threshold):
    """The pairs of every artifact go to one verdict, whose outcome is kept; the threshold is told only if one is asked for."""
    recorded(tmp_path, "gate-1", "gate-10", "gate-2 b")

    done, words, _ = run(script=VERDICT / "run", threshold=threshold)

    out, folder = tmp_path / "temp" / "verdict", tmp_path / "temp" / "recorded"
    assert done.returncode == 0, done.stderr
    assert words == [
        *(str(PROJECT), "-m", "benchmarks", "verdict", *(f"{folder}/{name}/raw" for name in ("gate-1", "gate-10", "gate-2 b"))),
        *(f"--json={out}/gate.json", f"--markdown={out}/gate.md", *([f"--threshold={threshold}"] if threshold else [])),
    ]
    assert (tmp_path / "summary").read_text() == "table\n"


@pytest.mark.parametrize(
    ("code", "outcome", "ends", "verdict"),
    [
        (0, "yes", 0, "not slower"),
        (1, "yes", 1, "slower"),
        (1, "", 2, "not measured"),
        (2, "", 2, "not measured"),
        (3, "yes", 0, "undecided"),
    ],
)
def test_verdict_of_runners(run, tmp_path, code, outcome, ends, verdict):
    """An exit code means what it means for one runner."""
    recorded(tmp_path, "gate-1")
    done, _, outputs = run(script=VERDICT / "run", FAKE_EXIT=str(code), FAKE_OUTCOME=outcome)
    assert (done.returncode, outputs) == (ends, {"verdict": verdict, "json": str(tmp_path / "temp" / "verdict" / "gate.json")})


def test_no_runner_recorded(run):
    """Without any pairs nothing is judged, and that is no pass."""
    done, words, outputs = run(script=VERDICT / "run")
    assert (done.returncode, words, outputs["verdict"]) == (2, [], "not measured")
    assert "no artifact gate-* holds pairs" in done.stderr


WITHOUT = """
import sys


class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}")


sys.meta_path.insert(0, Absent())
"""

PACKAGES = {"pillow": "PIL", "tf-keras": "tf_keras"}
"""How a dependency of this project is imported that is not imported by its name."""


@pytest.fixture
def bare(run, tmp_path):
    """A real project, and a Python that has nothing but what the gate needs."""
    any_suite.repository(tmp_path / "theirs", ("v1", {}))
    names = {*re.findall(r'"([\w-]+)>=', (PROJECT / "pyproject.toml").read_text(encoding="utf-8"))} - {*GATE_NEEDS}
    assert {"matplotlib", "jinja2", "threadpoolctl", "torch"} <= names
    absent = {PACKAGES.get(name, name.replace("-", "_")) for name in names}
    (tmp_path / "sitecustomize.py").write_text(WITHOUT.format(absent=absent))
    run.python.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path} exec {sys.executable} "$@"\n')


@pytest.mark.slow  # it measures
@pytest.mark.usefixtures("bare")
def test_a_real_gate(run, tmp_path):
    """From the script to the raw values, with nothing but what the gate needs: one pair of a real project, which decides nothing."""
    done, _, outputs = run(budget="0.00001", k="more")

    assert (done.returncode, outputs["verdict"]) == (0, "undecided"), done.stderr
    out = tmp_path / "temp" / "gate"
    assert (out / "gate.json").exists()
    assert (out / "gate.md").read_text() in done.stdout
    assert len(list(out.glob("raw/*/process-001.json"))) == 2


@pytest.mark.slow  # it measures
@pytest.mark.usefixtures("bare")
def test_real_runners(run, tmp_path):
    """Two runners record a pair each, and the other action judges both pairs; the first was a machine of another name."""
    for runner in ("1", "2"):
        done, _, outputs = run(record="1", runner=runner, k="more")
        assert (done.returncode, outputs["verdict"]) == (0, "recorded"), done.stderr
        shutil.copytree(tmp_path / "temp" / "gate", tmp_path / "temp" / "recorded" / f"gate-{runner}")
    for path in (tmp_path / "temp" / "recorded" / "gate-1" / "raw").glob("*/process-001.json"):
        document = json.loads(path.read_text())
        document["machine_info"]["node"] = "elsewhere"
        path.write_text(json.dumps(document))

    done, _, outputs = run(script=VERDICT / "run")

    assert (done.returncode, outputs["verdict"]) == (0, "undecided"), done.stderr
    outcome = json.loads((tmp_path / "temp" / "verdict" / "gate.json").read_text())
    assert sorted(outcome["machines"].values()) == [1, 1]
    assert "Machine by machine" in (tmp_path / "summary").read_text()

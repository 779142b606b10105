"""The action that gates other projects: its inputs reach the gate, and the gate's exit codes become verdicts."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
import yaml

from benchmarks.__main__ import GATE_NEEDS
from tests.support import any_suite
from tests.support.copies import PROJECT

FOLDER = PROJECT / ".github" / "actions" / "gate"
ACTION = yaml.safe_load((FOLDER / "action.yml").read_text(encoding="utf-8"))
INPUTS = {
    "base": "v1",
    "head": "HEAD",
    "project": ".",
    "cases": "",
    "k": "",
    "budget": "15",
    "threshold": "2%",
    "python": sys.executable,
}

STAND_IN = """#!/usr/bin/env bash
printf '%s\\n' "$PWD" "$@" >"$FAKE_CALL"
if [ -n "${FAKE_OUTCOME:-}" ]; then echo '{}' >"$RUNNER_TEMP/gate/gate.json"; fi
exit "${FAKE_EXIT:-0}"
"""


@pytest.fixture
def run(tmp_path):
    """run(**inputs, FAKE_EXIT=...) -> how the script ended, the words that the gate was called with, and the action's outputs."""
    (tmp_path / "temp" / "gate-venv" / "bin").mkdir(parents=True)
    (tmp_path / "theirs").mkdir()
    python = tmp_path / "temp" / "gate-venv" / "bin" / "python"
    python.write_text(STAND_IN)
    python.chmod(0o755)

    def call(**given):
        inputs = {f"GATE_{name.upper()}": given.get(name, value) for name, value in INPUTS.items()}
        fakes = {name: value for name, value in given.items() if name.startswith("FAKE")}
        (tmp_path / "outputs").write_text("")
        around = {"RUNNER_TEMP": tmp_path / "temp", "GITHUB_OUTPUT": tmp_path / "outputs", "FAKE_CALL": tmp_path / "call"}
        done = subprocess.run(
            [FOLDER / "run"],
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


def test_its_steps():
    """Each step is a script of the action's folder, or another action at a commit; every input reaches the script, which nothing else does."""
    steps = ACTION["runs"]["steps"]
    scripts = [step["run"].strip('"').removeprefix("$GITHUB_ACTION_PATH/") for step in steps if "run" in step]
    assert all(os.access(FOLDER / name, os.X_OK) for name in scripts)
    assert {path.name for path in FOLDER.iterdir()} == {"action.yml", *scripts}
    text = (FOLDER / "action.yml").read_text(encoding="utf-8")
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]) for step in steps if "uses" in step)
    assert len(re.findall(r"uses: .*@[0-9a-f]{40} # v\d", text)) == len([step for step in steps if "uses" in step])
    (gate,) = [step for step in steps if step.get("id") == "gate"]
    assert gate["env"] == {f"GATE_{name.upper()}": f"${{{{ inputs.{name} }}}}" for name in INPUTS}
    assert ACTION["inputs"].keys() == INPUTS.keys()


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


@pytest.mark.parametrize("wrong", [{"python": "no-such-python"}, {"project": "nowhere"}], ids=str)
def test_wrong_inputs(run, wrong):
    """What is not there is said, and the gate is not started."""
    done, words, outputs = run(**wrong)

    assert (done.returncode, words, outputs["verdict"]) == (2, [], "not measured")
    assert next(iter(wrong.values())) in done.stderr


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


@pytest.mark.slow
def test_a_real_gate(run, tmp_path):
    """From the script to the raw values, with nothing but what the gate needs: one pair of a real project, which decides nothing."""
    any_suite.repository(tmp_path / "theirs", ("v1", {}))
    names = {*re.findall(r'"([\w-]+)>=', (PROJECT / "pyproject.toml").read_text(encoding="utf-8"))} - {*GATE_NEEDS}
    assert {"matplotlib", "jinja2", "threadpoolctl", "torch"} <= names
    absent = {PACKAGES.get(name, name.replace("-", "_")) for name in names}
    (tmp_path / "sitecustomize.py").write_text(WITHOUT.format(absent=absent))
    run.python.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path} exec {sys.executable} "$@"\n')

    done, _, outputs = run(budget="0.00001", k="more")

    assert (done.returncode, outputs["verdict"]) == (0, "undecided"), done.stderr
    out = tmp_path / "temp" / "gate"
    assert (out / "gate.json").exists()
    assert (out / "gate.md").read_text() in done.stdout
    assert len(list(out.glob("raw/*/process-001.json"))) == 2

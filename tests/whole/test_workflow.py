"""The workflows run nothing but scripts that also run here, with the least rights, and the scripts turn exit codes into verdicts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from benchmarks.saved import results
from tests.support.by_hand import FAST, PLAIN
from tests.support.copies import copy_of_project

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCRIPTS = sorted(path for path in (ROOT / ".ci").iterdir() if path.is_file())

# Stands in for python: notes its arguments, writes what the gate would write, and ends as it is told to.
PYTHON = """#!/usr/bin/env bash
printf '%s\\n' "$*" >>"$FAKE_CALLS"
while [ $# -gt 0 ]; do
    if [ "$1" = --markdown ] && [ -n "${FAKE_MARKDOWN:-}" ]; then printf '%s\\n' "$FAKE_MARKDOWN" >"$2"; fi
    if [ "$1" = --json ] && [ -n "${FAKE_MARKDOWN:-}" ]; then printf '{}\\n' >"$2"; fi
    shift
done
exit "${FAKE_EXIT:-0}"
"""


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def triggers(workflow):
    """What starts a workflow; YAML 1.1 reads the key ``on`` as true."""
    found = workflow.get("on", workflow.get(True))
    return set(found) if not isinstance(found, str) else {found}


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def workflow(request):
    return load(request.param)


@pytest.fixture
def script(tmp_path):
    """script(name, *arguments, **environment) -> how a copy of .ci/name ended, and what python was called with."""
    project = tmp_path / "project"
    shutil.copytree(ROOT / ".ci", project / ".ci")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python").write_text(PYTHON)
    (programs / "python").chmod(0o755)
    calls = tmp_path / "calls"
    calls.touch()

    def run(name, *arguments, **environment):
        done = subprocess.run(
            [project / ".ci" / name, *arguments],
            cwd=project,
            env={"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "FAKE_CALLS": str(calls), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return done, calls.read_text().splitlines()

    run.project = project
    return run


# The workflows


def test_there_are_workflows():
    """The tests below look at something."""
    assert [path.stem for path in WORKFLOWS] == ["ci", "versions"]
    assert {path.name for path in SCRIPTS} >= {"run", "install", "gate", "versions", "merge", "gpu", "distributions"}


def test_steps_are_scripts(workflow):
    """Each shell step is one executable script of .ci with plain arguments: what runs there runs here."""
    runs = [step["run"] for step in steps(workflow) if "run" in step]

    assert runs
    for line in runs:
        found = re.fullmatch(r"\.ci/([\w-]+)((?: [\w./^*-]+| \"\$[A-Z_]+\")*)\n?", line)
        assert found, line
        assert os.access(ROOT / ".ci" / found[1], os.X_OK), line


def test_least_rights(workflow):
    """Nobody may write: the token reads contents, for every job, and is not left in the checkout."""
    assert workflow["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in workflow["jobs"].values())
    checkouts = [step for step in steps(workflow) if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_no_foreign_code_with_rights(workflow):
    """A pull request's code never runs on the side that has secrets."""
    assert triggers(workflow) <= {"push", "pull_request", "schedule", "workflow_dispatch"}


def test_actions_are_pinned(workflow):
    """Actions are GitHub's own, at a commit."""
    uses = [step["uses"] for step in steps(workflow) if "uses" in step]

    assert uses
    assert all(re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action) for action in uses), uses


def test_one_commit_an_action():
    """Workflows and the action of others use an action at the same commit everywhere, and say which version that is; dependabot looks at all."""
    files = [*WORKFLOWS, *(ROOT / ".github" / "actions").glob("*/action.yml")]
    lines = [line for path in files for line in re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))]
    pinned = dict(re.fullmatch(r"(actions/[a-z-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)", line).groups() for line in lines)
    assert len(set(lines)) == len(pinned)
    (updates,) = load(ROOT / ".github" / "dependabot.yml")["updates"]
    assert (updates["package-ecosystem"], updates["directories"]) == ("github-actions", ["/", "/.github/actions/*"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_nothing_untrusted_is_interpolated(path):
    """The only expressions are those that nobody outside can set: the matrix, the ref as a name, whether the run was cancelled."""
    found = set(re.findall(r"\$\{\{\s*(.*?)\s*\}\}", path.read_text(encoding="utf-8")))

    assert found <= {"matrix.environment", "github.ref", "!cancelled()"}


def test_jobs_end(workflow):
    """No job can hang for hours."""
    assert all(job["timeout-minutes"] <= 90 for job in workflow["jobs"].values())


def test_matrix_is_in_tox():
    """Every environment of the matrix is one of tox's list, on the Python that is set up, and the oldest comes first."""
    job = load(ROOT / ".github" / "workflows" / "versions.yml")["jobs"]["measure"]
    environments = job["strategy"]["matrix"]["environment"]
    tox = (ROOT / "tox.ini").read_text(encoding="utf-8")
    (python,) = {step["with"]["python-version"] for step in job["steps"] if "setup-python" in step.get("uses", "")}

    assert environments == sorted(environments)
    assert len(environments) == 4
    for environment in environments:
        version, tensorflow, torch = environment.split("-")
        assert version == f"py{python.replace('.', '')}"
        assert f"{tensorflow}-{torch}" in tox
        assert f"    {tensorflow}: tensorflow==" in tox
        assert f"    {torch}: torch==" in tox


# The scripts


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_stop_at_errors(path):
    """Every script is executable bash, says what it is for, and stops at the first error, unset name or broken pipe."""
    lines = path.read_text(encoding="utf-8").splitlines()

    assert os.access(path, os.X_OK)
    assert lines[0] == "#!/usr/bin/env bash"
    assert lines[1].startswith("# ")
    assert next(line for line in lines if not line.startswith("#")) == "set -euo pipefail"
    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0


def test_run_leaves_no_test_out(pytestconfig):
    """A bare pytest, which is the README's line, leaves out what is slow; .ci/run runs exactly that afterwards."""
    options = pytestconfig.getini("addopts")
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()

    assert options[options.index("-m") + 1] == "not slow"
    assert lines.index('bash -c "$line"') < lines.index("pytest -m slow")


@pytest.mark.parametrize(
    ("code", "ends", "annotation"),
    [
        (0, 0, None),
        (1, 1, "::error title=Gate::slower than HEAD^1"),
        (2, 2, "::error title=Gate::could not be measured against HEAD^1"),
        (3, 0, "::warning title=Gate::undecided against HEAD^1"),
        (130, 130, "::error title=Gate::ended with exit code 130"),
    ],
    ids=["not slower", "slower", "not measured", "undecided", "interrupted"],
)
def test_gate(script, tmp_path, code, ends, annotation):
    """Slower and not measured fail with an error, undecided passes with a warning; the summary is the gate's to write, once."""
    summary = tmp_path / "summary.md"

    done, calls = script("gate", "HEAD^1", FAKE_EXIT=str(code), FAKE_MARKDOWN="| case |", GITHUB_STEP_SUMMARY=str(summary))

    assert done.returncode == ends, done.stderr
    assert calls == ["-m benchmarks gate --base HEAD^1 --head HEAD --json report/gate.json --markdown report/gate.md"]
    assert (script.project / "report" / "gate.md").read_text() == "| case |\n"
    assert not summary.exists()
    annotations = [line for line in done.stdout.splitlines() if line.startswith("::")]
    assert len(annotations) == (annotation is not None)
    assert all(line.startswith(annotation) for line in annotations)


def test_gate_that_broke(script):
    """Python ends with 1 for many reasons, such as "No module named benchmarks"; without an outcome that says slower nothing is."""
    (script.project / "report").mkdir()
    (script.project / "report" / "gate.json").write_text("older")

    done, _ = script("gate", "HEAD^1", FAKE_EXIT="1")

    assert done.returncode == 2
    assert done.stdout.startswith("::error title=Gate::could not be measured against HEAD^1")


def test_gate_options(script):
    """What follows the base goes to the gate."""
    done, calls = script("gate", "main", "--budget", "5", "-k", "predict and torch")

    assert done.returncode == 0
    assert calls[0].startswith("-m benchmarks gate --base main ")
    assert calls[0].endswith(" --budget 5 -k predict and torch")


def test_gate_leaves_no_older_table(script):
    """A gate that wrote nothing leaves no table of an earlier one to be uploaded as its own."""
    (script.project / "report").mkdir()
    (script.project / "report" / "gate.md").write_text("older")

    done, _ = script("gate", "main", FAKE_EXIT="2")

    assert done.returncode == 2
    assert not (script.project / "report" / "gate.md").exists()


def test_versions(script):
    """One environment of tox is measured, and an interpreter that is missing is an error, not a skip."""
    done, calls = script("versions", "py312-tf221-torch213", "--processes", "3")

    assert done.returncode == 0, done.stderr
    assert calls == ["-m tox run --skip-missing-interpreters=false -e py312-tf221-torch213-bench -- --processes 3"]


def test_versions_goes_on(script):
    """What an earlier call has measured stays."""
    folder = script.project / ".benchmarks" / "py312-tf221-torch213-bench"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{}")

    _, calls = script("versions", "py312-tf221-torch213")

    assert calls[0].endswith("-e py312-tf221-torch213-bench -- --resume")


def test_merge(script, tmp_path):
    """All runs go into one report, in the order given, and that into the summary."""
    summary = tmp_path / "summary.md"
    (script.project / "report").mkdir()
    (script.project / "report" / "report.md").write_text("# merged\n")

    done, calls = script("merge", "runs/old", "runs/new", GITHUB_STEP_SUMMARY=str(summary))

    assert done.returncode == 0, done.stderr
    assert calls == ["-m benchmarks report runs/old runs/new --output report"]
    assert summary.read_text() == "# merged\n"


def test_merge_of_what_cannot_be(script, tmp_path):
    """A report that cannot be made fails the step, with the report's own exit code, and adds nothing to the summary."""
    summary = tmp_path / "summary.md"

    done, _ = script("merge", "runs/old", FAKE_EXIT="2", GITHUB_STEP_SUMMARY=str(summary))

    assert done.returncode == 2
    assert not summary.exists()


@pytest.mark.slow
def test_gpu(tmp_path):
    """What is measured on a GPU is measured by the same script on the CPU, if it is asked to: agreement, memory, several processes, one."""
    project = copy_of_project(tmp_path / "project")
    shutil.copytree(ROOT / ".ci", project / ".ci")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python").write_text(f'#!/usr/bin/env bash\nexec {sys.executable} "$@"\n')
    (programs / "python").chmod(0o755)
    few = f"{PLAIN} and (batch1] or test_loss_is) or {FAST} and test_space_predict and batch1]"

    done = subprocess.run(
        [project / ".ci" / "gpu", "measured", "--device", "cpu", "--quick", "-k", few],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    steps = [line.split()[:3] for line in done.stdout.splitlines()]
    assert {name for name, _, code in steps if code == "0"} == {"machine", "memory", "agreement", "processes", "one-process"}
    measured = tmp_path / "measured"
    groups = {
        name: {case.group for case in results.load_many([measured / name]).cases}
        for name in ("memory.json", "one-process.json", "processes")
    }
    calls = {"predict", "control"}
    assert groups == {"memory.json": {"space predict"}, "one-process.json": calls, "processes": calls}
    for name in ("memory", "one-process", "processes"):
        assert (measured / name / "report.html").exists()
    assert len(list((measured / "processes").glob("process-*.json"))) == 2


def test_gpu_fails_in_the_end(script, tmp_path):
    """A step that fails does not stop the next ones, and where no test of agreement ran, nothing agrees."""
    done, calls = script("gpu", tmp_path / "measured", FAKE_EXIT="0")

    assert done.returncode == 1
    assert done.stderr.startswith("failed: agreement; the logs are in ")
    assert [call for call in calls if call.startswith("-m benchmarks run --processes 5 ")]
    assert calls[-1].startswith("-m benchmarks report ")


def test_gpu_in_parts(script, tmp_path):
    """Only the steps that are asked for, in as many processes; a step that there is none of is refused before any."""
    done, calls = script("gpu", tmp_path / "measured", "--processes", "3", "--steps", "processes", FAKE_EXIT="0")

    assert done.returncode == 0, done.stderr
    assert [call.partition(" --output")[0] for call in calls] == ["-m pip list --format=freeze", "-m benchmarks run --processes 3"]

    done, after = script("gpu", tmp_path / "again", "--steps", "process", FAKE_EXIT="0")

    assert (done.returncode, after) == (2, calls)
    assert done.stderr.startswith("usage: ")
    assert not (tmp_path / "again").exists()


def test_install(script):
    """The project with its tests by default, or what is named; at the exact versions either way."""
    script("install")
    _, calls = script("install", "tox")

    assert calls == [
        "-m pip install -c constraints.txt --editable .[test]",
        "-m pip install -c constraints.txt tox",
    ]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        *(("gate", ()), ("gate", ("--budget", "5")), ("versions", ()), ("versions", ("--processes", "5")), ("merge", ())),
        *(("run", ("--everything",)), ("run", ("--all", "now")), ("distributions", ("now",))),
        *(("gpu", ()), ("gpu", ("--device", "cpu")), ("gpu", ("new", "--nosuch")), ("gpu", (".ci",))),
    ],
    ids=str,
)
def test_usage(script, name, arguments):
    """Without what it is about, or with what it does not know, a script says how it is called: one line, exit 2, nothing started."""
    done, calls = script(name, *arguments)

    assert done.returncode == 2
    assert done.stderr.startswith(f"usage: .ci/{name} ")
    assert done.stderr.count("\n") == 1
    assert calls == []

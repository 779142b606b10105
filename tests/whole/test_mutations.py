"""The tests see red: one mistake at a time in a copy of the code, each of a kind that is easily made.

Each framework's own tests list the mistakes that can be made in its files.
"""

from __future__ import annotations

import pytest

import lenet5
from tests.support import mutations
from tests.support.by_hand import FRAMEWORK
from tests.support.copies import RUNS_ON_THE_COPY, copy_of_project, run_pytest

MUTATIONS = mutations.found()
QUICK = next(name for name in MUTATIONS if name.startswith(FRAMEWORK))


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name != QUICK)) for name in MUTATIONS])
def test_a_mistake_is_seen(tmp_path, name):
    """A case fails, and by what it asserts: not because the broken code no longer runs."""
    mutation = MUTATIONS[name]
    project = copy_of_project(tmp_path / "project")
    file = project / "lenet5" / mutation.file
    source = file.read_text(encoding="utf-8")
    assert source.count(mutation.right) == 1
    file.write_text(source.replace(mutation.right, mutation.wrong), encoding="utf-8")

    verdict = run_pytest(project, f"tests/{mutation.case}", RUNS_ON_THE_COPY)

    for reason in verdict.skipped.values():
        pytest.skip(reason)
    if verdict.exit_code == 0 and (reason := mutation.harmless()):
        pytest.skip(reason)
    assert verdict.exit_code == 1, verdict.output
    assert verdict.passed == ["test_runs_on_the_copy"]
    assert not verdict.errors
    (message,) = verdict.failed.values()
    assert message.startswith(("AssertionError", "assert "))


@pytest.mark.slow
def test_without_a_mistake(tmp_path):
    """The same cases pass on a copy in which nothing is broken."""
    project = copy_of_project(tmp_path / "project")
    # Compiling takes longest, and test_agreement.py has that case in any run.
    compiled = [f"[{name}-{mode}" for name in lenet5.frameworks() for mode in lenet5.dynamic(name)]
    cases = {m.case: None for m in MUTATIONS.values() if not any(ids in m.case for ids in compiled)}

    verdict = run_pytest(project, *(f"tests/{case}" for case in cases), RUNS_ON_THE_COPY)

    assert verdict.exit_code == 0, verdict.output
    assert len(verdict.passed) + len(verdict.skipped) == len(cases) + 1
    assert "test_runs_on_the_copy" in verdict.passed

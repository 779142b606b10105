"""A bare pytest shares the tests among processes, leaves out what is slow, and keeps a test that must be alone from all others."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec

import pytest

from conftest import usable_cpus
from tests.support.copies import copy_of_project, run_python
from tests.support.rows import slow

pytestmark = pytest.mark.skipif(find_spec("xdist") is None, reason="pytest-xdist is not installed; pip install -e '.[test]'")

TESTS = """
import json
import os
import time

import pytest


@pytest.fixture(autouse=True)
def noted(request):
    begin = time.monotonic()
    yield
    facts = {"name": request.node.name, "pid": os.getpid(), "begin": begin, "end": time.monotonic()}
    facts |= {"threads": os.environ["OMP_NUM_THREADS"], "told": [name for name in os.environ if "XDIST" in name]}
    with open("notes", "a") as file:
        file.write(json.dumps(facts) + "\\n")


@pytest.mark.parametrize("number", range(20))
def test_quick(number):
    time.sleep(0.05)


@pytest.mark.alone
@pytest.mark.parametrize("number", range(2))
def test_alone(number):
    time.sleep(0.2)


@pytest.mark.slow
def test_slow():
    pass
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project, with these tests only."""
    copy = copy_of_project(tmp_path_factory.mktemp("side-by-side") / "project")
    for path in (copy / "tests").iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    (copy / "tests" / "test_few.py").write_text(TESTS)
    return copy


@pytest.fixture
def noted(project):
    """noted(*words) -> what pytest with these words ran, a dict for each test."""

    def run(*words):
        notes = project / "notes"
        notes.unlink(missing_ok=True)
        done = run_python(project, "-m", "pytest", "-p", "no:cacheprovider", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line) for line in notes.read_text().splitlines()]

    return run


@pytest.mark.skipif(usable_cpus() < 2, reason="one CPU")
def test_bare(noted):
    """Several processes of one thread each at most, and no word of it to the sessions that tests start; none is slow; alone is alone."""
    found = noted()

    assert len(found) == 22
    assert len({one["pid"] for one in found}) == min(usable_cpus(), 4)
    assert {one["threads"] for one in found} == {str(usable_cpus() // min(usable_cpus(), 4))}
    assert not [one for one in found if one["told"]]
    for alone in (one for one in found if "alone" in one["name"]):
        others = [one for one in found if one != alone]
        assert not [one for one in others if one["begin"] < alone["end"] and alone["begin"] < one["end"]]


@pytest.mark.parametrize("words", [("-n0",), slow(("tests",)), slow(("tests/test_few.py", "--threads=2"))], ids=" ".join)
def test_in_one_process(noted, words):
    """With -n 0, or where a path is named, on as many threads as usual."""
    found = noted(*words)

    assert len(found) == 22
    assert len({one["pid"] for one in found}) == 1
    assert {one["threads"] for one in found} == {"2" if "--threads=2" in words else str(usable_cpus())}


@pytest.mark.slow
@pytest.mark.parametrize(("words", "count"), [(("-m", "slow"), 1), (("-m", ""), 23)], ids=["slow", "everything"])
def test_slow(noted, words, count):
    """A -m of one's own counts instead."""
    assert len(noted(*words)) == count

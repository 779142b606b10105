"""The cases run under pytest-codspeed's fixture: it is imitated here, and .ci/distributions runs some under the real one."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from benchmarks.arrange import codspeed
from benchmarks.arrange.clock import recorded_time
from tests.support.by_hand import FAST, FRAMEWORK
from tests.support.copies import copy_of_project, run_pytest

FIXTURE = '''

class LikeCodspeed:
    """As the fixture of pytest-codspeed 5.0.4: no group, and a set-up that is called with the arguments of the target."""

    @property
    def __class__(self):  # so pytest-benchmark takes it for its own
        from pytest_benchmark.fixture import BenchmarkFixture

        return BenchmarkFixture

    def __init__(self, marker):
        self.extra_info, self.marker = {}, marker

    def __call__(self, target, *args, **kwargs):
        return self._measure(target, args, kwargs)

    def pedantic(
        self, target, args=(), kwargs={}, setup=None, teardown=None, rounds=1, warmup_rounds=0, iterations=1
    ):
        if setup is not None:
            given = setup(*args, **kwargs)
            if given is not None:
                if args or kwargs:
                    raise ValueError("setup cannot return a value when args are provided")
                args, kwargs = given
        return self._measure(target, args, kwargs)

    def _measure(self, target, args, kwargs):
        unknown = set(self.marker.kwargs) - {"group", "min_time", "max_time", "max_rounds"}
        if unknown:
            raise ValueError(f"Unknown kwargs passed to benchmark marker: {unknown}")
        return target(*args, **kwargs)
'''
IN_CONFTEST = """

@pytest.fixture
def benchmark(request):
    return LikeCodspeed(request.node.get_closest_marker("benchmark"))
"""


@pytest.fixture
def case():
    """case(**of the marker) -> a case so marked, and the imitated fixture, adapted to it."""

    def make(**options):
        marker = pytest.mark.benchmark(**options).mark
        item = SimpleNamespace(get_closest_marker=lambda name: marker if name == "benchmark" else None)
        found = {}
        exec(FIXTURE, found)  # noqa: S102 - the same text goes into a copy of the project below
        return item, codspeed.adapt(found["LikeCodspeed"](marker), item)

    return make


def test_the_group_is_the_marker_s(case):
    """What a case records is checked by its group."""
    assert case(group="predict")[1].group == "predict"
    assert case()[1].group is None


def test_a_set_up_gets_no_arguments(case):
    """It is called as pytest-benchmark calls it, and what it returns are the target's arguments."""
    _, benchmark = case(group="a")
    called = []
    assert benchmark.pedantic(lambda x, y: x + y, (1,), {"y": 2}, setup=lambda: called.append(1), rounds=3) == 3
    assert benchmark.pedantic(lambda x: -x, setup=lambda: ((5,), {})) == -5
    assert benchmark.pedantic(max, [1, 2]) == 2
    assert benchmark(max, 3, 4) == 4
    assert called == [1]


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"timer": recorded_time}, codspeed.TIMES_CALLS), ({"group": "predict"}, None), ({}, None)],
    ids=["own-times", "group", "nothing"],
)
def test_why_not(case, options, reason):
    """A case that enters times of its own cannot be measured by a plug-in that times calls."""
    assert codspeed.why_not(case(**options)[0]) == reason


@pytest.mark.slow
def test_a_session(tmp_path):
    """Cases of each kind are measured, those that enter their times are skipped, and a wrong answer fails as ever."""
    project = copy_of_project(tmp_path / "project")
    with (project / "conftest.py").open("a", encoding="utf-8") as file:
        file.write(FIXTURE + IN_CONFTEST)
    kinds = f"{FAST} and (test_predict and batch1] or test_train_step or test_accuracy) or test_no_network or test_dense or test_by_hand"
    verdict = run_pytest(project, "benchmarks", "-k", kinds, "--epochs=1")

    assert verdict.exit_code == 0, verdict.output
    assert {name.partition("[")[0] for name in verdict.passed} == {
        "test_predict",
        "test_train_step",
        "test_accuracy",
        "test_no_network",
    }
    assert all(FRAMEWORK in name or "no_network" in name for name in verdict.passed)
    assert {name.partition("[")[0] for name in verdict.skipped} == {"test_dense", "test_by_hand"}
    assert {reason.partition(": ")[2] or reason for reason in verdict.skipped.values()} >= {"measure it without --codspeed"}

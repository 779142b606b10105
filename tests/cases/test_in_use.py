"""A first call is that of its own network: another network, which no case measures, pays for what a framework does once a process."""

from __future__ import annotations

import pytest

from benchmarks.arrange.problem import another
from lenet5 import Architecture, initial_weights
from lenet5.architecture import NAMES
from tests.support.by_hand import FAST, FRAMEWORK, PLAIN
from tests.support.copies import PROJECT, run_pytest

# A plug-in that writes down, one a line, which calls the networks of a session get, in which mode and with how many images.
SEEN = """
import pytest


@pytest.fixture(autouse=True, scope="session")
def seen():
    import lenet5

    network = lenet5.implementation(lenet5.reference()[0])
    init = network.__init__

    def logged(net, weights, mode, **options):
        REFUSED
        init(net, weights, mode=mode, **options)
        for kind in ("predict", "train_step"):
            setattr(net, kind, told(getattr(net, kind), f"{mode} {kind}"))

    def told(call, what):
        def first(x, *labels):
            with open("CALLS", "a") as file:
                print(what, len(x), file=file)
            return call(x, *labels)

        return first

    network.__init__ = logged
"""


@pytest.fixture
def calls(tmp_path):
    """calls(refused, *cases) -> the verdict on a session with these cases, and its calls; ``refused`` is what building a network runs first."""

    def run(refused, *cases):
        (tmp_path / "seen.py").write_text(SEEN.replace("CALLS", str(tmp_path / "calls")).replace("REFUSED", refused))
        options = ("-p", "seen", "--threads=1", "--benchmark-disable", "--no-report", "-o", "filterwarnings=")
        verdict = run_pytest(
            tmp_path, "-c", str(PROJECT / "pyproject.toml"), f"--rootdir={PROJECT}", *options, *cases, path=(PROJECT,)
        )
        lines = (tmp_path / "calls").read_text().splitlines()
        return verdict, [line for line in lines if line.startswith((FAST, PLAIN))]

    return run


def cases(*names):
    """Cases of the network by hand, by what their names end in."""
    return [f"{PROJECT}/benchmarks/{name.replace('[', f'[{FRAMEWORK}-')}" for name in names]


def test_called_before_the_first_case_of_each_mode(calls):
    """Two images in each mode that is measured, once; whichever case comes first, and whether it predicts or trains."""
    verdict, seen = calls(
        "",
        *cases(
            f"test_training.py::test_train_step[{PLAIN}]",
            f"test_predict.py::test_predict[{FAST}-batch1]",
            f"test_predict.py::test_predict[{FAST}-batch64]",
            f"test_predict.py::test_predict[{PLAIN}-batch1]",
        ),
    )

    assert verdict.exit_code == 0, verdict.output
    for mode, first in ((FAST, f"{FAST} predict 1"), (PLAIN, f"{PLAIN} train_step 64")):
        ours = [line for line in seen if line.startswith(f"{mode} ")]
        assert ours[:2] == [f"{mode} predict 2", first]
        assert ours.count(f"{mode} predict 2") == 1


@pytest.mark.parametrize("error", ["NotSupported", "InputError"])
def test_refused(calls, error):
    """A mode that cannot run the other network is measured all the same: that network is none of the user's."""
    verdict, seen = calls(
        f"if len(weights['conv1.bias']) == 2: raise lenet5.{error}('no')", *cases(f"test_predict.py::test_predict[{PLAIN}-batch1]")
    )

    assert verdict.exit_code == 0, verdict.output
    assert not verdict.skipped
    assert seen[0] == f"{PLAIN} predict 1"


@pytest.mark.parametrize(("channels", "classes"), [(1, 10), (3, 50)])
def test_no_size_in_common(channels, classes):
    """What is compiled for the other network cannot serve one that is measured: no layer's sizes are equal, nor is a batch."""
    weights, images = another()
    measured = initial_weights(Architecture(channels, classes), 0)
    assert {*weights} == {*NAMES}
    assert not [name for name in NAMES if weights[name].shape == measured[name].shape]
    assert len(images) not in (1, 64, 450)

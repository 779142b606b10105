"""What a run says of itself, and what is taken for granted of files that do not say it."""

from __future__ import annotations

from pathlib import Path

from benchmarks.saved import one
from tests.support import documents


def run_of(*frameworks, **ours):
    """A run of these frameworks, with these facts."""
    cases = [documents.case("predict", f"predict[{name}]", framework=name) for name in frameworks]
    made = documents.document(*cases, whole=False)
    made["machine_info"]["lenet5"] |= ours
    return one.run_of(Path("run.json"), made)


def test_colours():
    """A framework has the colour that the file names; without one it takes the first that is left, by the alphabet."""
    assert run_of("torch", "numpy", "tensorflow").colours == {"numpy": "blue", "tensorflow": "orange", "torch": "green"}
    said = {"torch": "green", "numpy": "orange", "tensorflow": "", "elsewhere": "blue"}
    assert run_of("torch", "numpy", "tensorflow", "jax", colours=said).colours == {
        **{"jax": "purple", "numpy": "orange", "tensorflow": "olive", "torch": "green"},
    }


def test_more_frameworks_than_colours():
    """The colours start again."""
    names = [f"framework {letter}" for letter in "abcdefgh"]

    assert [run_of(*names).colours[name] for name in (names[0], names[6])] == ["blue", "blue"]


def test_reference():
    """Files of commit 67fa1dc do not say it: theirs is the NumPy network in loops."""
    assert run_of("numpy").reference == ("numpy", "loops")
    other = run_of("numpy", reference={"framework": "other", "mode": "slow"})
    assert (other.reference, other.by_hand) == (("other", "slow"), "other")

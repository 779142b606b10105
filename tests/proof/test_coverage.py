"""The proof of the intervals counts right: disjoint pairs, disjoint sets, and a miss is a miss."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from numpy.testing import assert_allclose

from benchmarks.proof import coverage
from benchmarks.saved.provenance import ROOT
from benchmarks.saved.results import Case, Run
from lenet5 import InputError
from tests.support.copies import PROJECT, run_python

SLOW = (2.0, 2.1, 1.9, 2.05)
FAST = (1.0, 1.01, 0.99, 1.02)
CLOSE = (1.01, 1.0, 1.0, 1.01)


def run(**kinds):
    """A run of four processes; each kind has the medians of its copies 1, 2, ..."""
    cases = [
        Case("twins", f"{kind}-{copy}", {}, {"framework": "numpy", "mode": kind, "batch": 1, "copy": copy}, medians)
        for kind, copies in kinds.items()
        for copy, medians in enumerate(copies, start=1)
    ]
    # In any order: the copies say which they are.
    ours = {"threads": 1, "frameworks": {"numpy": {"version": "2"}}, "not_measured": {}}
    return Run(tuple(Path(f"process-{n}.json") for n in range(4)), tuple(reversed(cases)), {}, ours, {}, "2026", "5")


def test_ratios_are_disjoint():
    """Four copies and two sets of two processes give four ratios; an odd copy and an odd process give none."""
    assert len(list(coverage.ratios(run(predict=[FAST, CLOSE, FAST, CLOSE]), size=2))) == 4
    assert len(list(coverage.ratios(run(predict=[FAST, CLOSE, SLOW]), size=2))) == 2
    assert len(list(coverage.ratios(run(predict=[FAST, CLOSE]), size=3))) == 1


def test_count():
    """Copies that differ by a factor of two are missed, close ones are not; in all and kind by kind."""
    found = coverage.count(run(close=[FAST, CLOSE], far=[FAST, SLOW]), size=4)

    assert (found["ratios"], found["missed"], found["missed_share"]) == (2, 1, 0.5)
    assert {kind: tally["missed"] for kind, tally in found["kinds"].items()} == {"numpy far, batch 1": 1, "numpy close, batch 1": 0}
    assert_allclose(found["missed_share_interval"], [0.0945, 0.9055], atol=1e-4)


def test_save(tmp_path):
    """The count is kept as JSON with the command that gave it, and said in one sentence."""
    path = tmp_path / "docs" / "coverage.json"
    facts = coverage.save(run(predict=[FAST, CLOSE]), 2, "python -m benchmarks coverage", path)

    assert json.loads(path.read_text(encoding="utf-8")) == facts
    assert facts["command"] == "python -m benchmarks coverage"
    assert coverage.sentence(facts).startswith(
        "Of 2 ratios of identical cases, each from 2 processes, 0 95% intervals miss 1: 0.0 % ["
    )


def test_no_copies():
    """A run without copies proves nothing."""
    with pytest.raises(InputError, match="holds no copies"):
        coverage.count(run(), size=2)


def test_copies():
    """As many identical cases as were asked for; none is an error and no empty run."""
    listing = ("-m", "pytest", "benchmarks/twins.py", "--collect-only", "-q", "-k", "product", "-p", "no:cacheprovider")
    asked = run_python(PROJECT, *listing, "--copies", "3")
    found = [line.rpartition("::")[2] for line in asked.stdout.splitlines() if "::" in line]
    assert found == [f"test_product[copy{number}]" for number in (1, 2, 3)]
    none = run_python(PROJECT, *listing, "--copies", "0")
    assert none.returncode != 0
    assert "--copies 0: use a whole number of at least 1" in none.stdout + none.stderr


def test_copies_are_no_part_of_the_ordinary_run():
    """pytest does not collect them by itself."""
    path = ROOT / coverage.CASES

    assert path.exists()
    assert not path.name.startswith("test_")


def test_what_the_docs_say_of_it():
    """The counts in docs/numbers.md are those of the file beside it, and the file says which command gives them."""
    found = json.loads((ROOT / "docs" / "coverage.json").read_text(encoding="utf-8"))
    page = " ".join((ROOT / "docs" / "numbers.md").read_text(encoding="utf-8").split())
    low, high = (f"{100 * end:.1f}" for end in found["missed_share_interval"])
    share = f"{100 * found['missed_share']:.1f} % [{low}, {high}]"
    assert f"Of {found['ratios']} ratios from ten processes each, {found['missed']} intervals miss 1: {share}." in page
    assert (found["ratios"], found["missed"]) == tuple(
        sum(kind[key] for kind in found["kinds"].values()) for key in ("ratios", "missed")
    )
    assert found["processes_a_ratio"] == 10
    assert found["ratios"] >= 200
    assert found["missed_share"] <= 1 - found["confidence"]
    assert found["command"].startswith("python -m benchmarks coverage --processes=60 ")

"""Machines are told apart by their names and kinds, and called so that people know them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.saved import machines
from benchmarks.saved.one import load
from tests.saved.of_three import ONE

RUN = load(Path(ONE))


def on(brand="AMD EPYC", count=2, node="vm", **more):
    return replace(RUN, machine={**RUN.machine, "node": node, "cpu": {"brand_raw": brand, "count": count}, **more})


@pytest.mark.parametrize(
    ("brand", "count", "name"),
    [
        ("AMD EPYC", 2, "AMD EPYC, 2 CPUs"),
        ("Intel(R) Xeon(R) CPU E5-2673 v4 @ 2.30GHz", 1, "Intel Xeon E5-2673 v4, 1 CPU"),
        ("AMD EPYC 7763 64-Core Processor", 4, "AMD EPYC 7763 64-Core, 4 CPUs"),
        (None, None, "x86_64"),
        (["odd"], "many", "['odd'], many CPUs"),
    ],
)
def test_names(brand, count, name):
    """Processor and number of CPUs, without trade marks and clocks; the kind of machine where no processor is known."""
    assert machines.names([on(brand, count, machine="x86_64")]) == [name]


def test_alike():
    """Machines that are called alike have numbers, in the order of their first runs; the same machine has one name."""
    runs = [on(node="b"), on("other"), on(node="a"), on(node="b")]
    assert machines.names(runs) == ["AMD EPYC, 2 CPUs (1)", "other, 2 CPUs", "AMD EPYC, 2 CPUs (2)", "AMD EPYC, 2 CPUs (1)"]


@pytest.mark.parametrize(
    "other", [{"node": "b"}, {"count": 4}, {"brand": "x"}, {"machine": "arm64"}, {"system": "Darwin"}], ids=str
)
def test_what_makes_a_machine(other):
    """Another name, processor, number of CPUs, kind or system is another machine; an update of its system is not."""
    assert machines.key(on(**other)) != machines.key(on()) == machines.key(on(release="newer"))

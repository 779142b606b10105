"""The report's part on the ladder, from times and sizes whose ratios can be seen without a pencil."""

from __future__ import annotations

import pytest

from benchmarks.report.parts import ladder
from tests.support.runs import case, run_of, said

MIB = 2**20


def rung(mode, *seconds, peak, kept=0, kind="predict", batch=64):
    return case("ladder", "numpy", mode, *seconds, batch=batch, kind=kind, traced_peak_bytes=peak, workspace_bytes=kept)


def test_a_run_without_such_cases_has_no_such_section():
    """Nothing is said about what was not measured."""
    assert ladder.sections(run_of(case("predict", "numpy", "loops", 1.0, batch=1))) == []


def test_ladder():
    """The whole Markdown of a ladder: each rung against the one above and against the loops."""
    run = run_of(
        rung("loops", 8.0, peak=8 * MIB), rung("im2col", 0.4, peak=16 * MIB),
        rung("fused, one thread", 0.1, peak=2 * MIB, kept=MIB), rung("fused, threads", 0.05, peak=4 * MIB, kept=2 * MIB),
        rung("im2col", 2.0, peak=MIB, kind="train step"), rung("fused, threads", 1.0, peak=2 * MIB, kind="train step"),
    )  # fmt: skip
    assert said(ladder, run) == LADDER


LADDER = """\
## The ladder by hand: what each rung buys

The ladder is the network by hand in steps, called rungs, from the textbook's loops, by which the original report computed, to threads; \
every rung gives the same logits. Ratios from one process, so without an interval.

|                                      |    time | times as fast as the rung above | times as fast as loops | memory of a call | times that of the \
rung above | times that of loops | kept after it |
| ------------------------------------ | ------: | ------------------------------: | ---------------------: | ---------------: | \
---------------------------: | ------------------: | ------------: |
| predict, batch 64: loops             |  8.00 s |                               — |                      — |         8.00 MiB | \
                           — |                   — |           0 B |
| predict, batch 64: im2col            |  400 ms |                          20.0 x |                 20.0 x |         16.0 MiB | \
                      2.00 x |              2.00 x |           0 B |
| predict, batch 64: fused, one thread |  100 ms |                          4.00 x |                 80.0 x |         2.00 MiB | \
                     0.125 x |             0.250 x |      1.00 MiB |
| predict, batch 64: fused, threads    | 50.0 ms |                          2.00 x |                  160 x |         4.00 MiB | \
                      2.00 x |             0.500 x |      2.00 MiB |
| train step, batch 64: im2col         |  2.00 s |                               — |                      — |         1.00 MiB | \
                           — |                   — |           0 B |
| train step, batch 64: fused, threads |  1.00 s |                          2.00 x |                      — |         2.00 MiB | \
                      2.00 x |                   — |           0 B |

— the first rung has none above it; a rung is not compared with itself; not in this run: left out, or not possible here

Memory of a call is the most that a new network's first call of that size held at a time in arrays and Python objects (tracemalloc): its \
workspace and all that it computes in between, neither images nor weights nor the optimizer's state. Kept after it is the workspace that \
stays for the next call.

"""


def test_why_there_is_no_ratio():
    """A rung has no ratio to itself, the first none to a rung above it, and none has one to loops that were not measured."""
    why = {"benchmarks/test_cases.py::test_ladder[batch450-loops-numpy]": "too slow here"}
    (section,) = ladder.sections(
        run_of(
            rung("loops", 8.0, peak=8), rung("im2col", 0.4, peak=0), rung("fused, threads", 0.4, peak=4),
            rung("im2col", 2.0, peak=1, batch=450), not_measured=why,
        )
    )  # fmt: skip
    loops, _, fused, large = section.table.rows
    assert [cell.reason for cell in (loops[2], loops[3])] == [
        "the first rung has none above it",
        "a rung is not compared with itself",
    ]
    assert fused[5].reason == "the other rung held no memory"
    assert [cell.reason for cell in (large[3], large[6])] == ["too slow here"] * 2


def test_the_lowest_rung_is_the_reference():
    """No mode is known by its name: ratios are to the mode that the run names as its reference."""
    reference = {"framework": "numpy", "mode": "im2col"}
    (section,) = ladder.sections(run_of(rung("loops", 8.0, peak=8), rung("im2col", 0.4, peak=4), reference=reference))
    assert section.table.head[3] == "times as fast as im2col"
    assert [cell.value for cell in (section.table.rows[0][3], section.table.rows[0][6])] == [pytest.approx(0.05), 2]


def test_ladder_has_intervals_from_several_processes():
    """The ratios of times carry their intervals; those of bytes have none."""
    found = said(ladder, run_of(rung("loops", 8.0, 16.0, peak=8), rung("im2col", 4.0, 8.0, peak=4)))
    assert "2.00 x [2.00, 2.00]" in found
    assert "| 0.500 x |" in found.replace("  ", "")


@pytest.mark.parametrize("threads", [1, 2])
def test_one_thread_makes_two_rungs_one(threads):
    """With one thread the two fused rungs are the same, and the section says so."""
    run = run_of(rung("fused, one thread", 1.0, peak=1), rung("fused, threads", 1.0, peak=1), threads=threads)
    assert ("the last two rungs are the same network" in said(ladder, run)) == (threads == 1)

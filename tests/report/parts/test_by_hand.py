"""The report's part on the network by hand, from times whose ratios can be seen without a pencil."""

from __future__ import annotations

from pathlib import Path

import pytest
from numpy.testing import assert_allclose

from benchmarks.quantities.statistics import ratio_interval
from benchmarks.report import markdown
from benchmarks.report.parts import by_hand
from benchmarks.saved.results import Case, Run

MODES = {"numpy": ["fused", "loops"], "tensorflow": ["graph"], "torch": ["eager", "compile"]}


def case(group, framework, mode, *seconds, batch=64, **extra):
    """A case whose processes had these medians."""
    median = sorted(seconds)[len(seconds) // 2]
    return Case(
        group, f"{group}-{mode}", {"median": median}, {"framework": framework, "mode": mode, "batch": batch, **extra}, seconds
    )


def run_of(*cases, **lenet5):
    paths = tuple(Path(str(number)) for number in range(len(cases[0].medians)))
    return Run(paths, cases, {}, {"threads": 2, "not_measured": {}, "modes": MODES, **lenet5}, {}, "", "")


def rung(mode, *seconds, peak, kept=0, kind="predict", batch=64):
    return case("ladder", "numpy", mode, *seconds, batch=batch, kind=kind, traced_peak_bytes=peak, workspace_bytes=kept)


def beside(*seconds, batch=64):
    return case("beside", "ONNX Runtime", "default", *seconds, batch=batch, version="1.2.3")


def text(run):
    return markdown.render(by_hand.sections(run))


# Against the others


def test_a_run_with_nothing_to_compare_has_no_such_section():
    """Only by hand, or only others, or only other groups: nothing is said."""
    assert by_hand.sections(run_of(case("predict", "numpy", "fused", 1.0))) == []
    assert by_hand.sections(run_of(case("predict", "torch", "eager", 1.0), beside(1.0))) == []
    assert (
        by_hand.sections(run_of(case("graphs predict", "numpy", "fused", 1.0), case("graphs predict", "torch", "eager", 1.0))) == []
    )


def test_another_batch_is_no_opponent():
    """Times of different batches are never compared."""
    apart = run_of(case("predict", "numpy", "fused", 1.0, batch=1), case("predict", "torch", "eager", 1.0), beside(1.0, batch=450))
    assert by_hand.duels(apart) == []


def test_the_best_is_the_lowest_median():
    """The fastest mode is that with the lowest median over the processes, of all frameworks; the ratio is to this one mode."""
    own = case("predict", "numpy", "fused", 1.0, 1.0, 1.0)
    lucky, best = case("predict", "torch", "eager", 0.1, 3.0, 3.0), case("predict", "tensorflow", "graph", 2.0, 2.0, 2.2)
    (duel,) = by_hand.duels(run_of(case("predict", "numpy", "loops", 9.0, 9.0, 9.0), own, lucky, best))

    assert (duel.by_hand, duel.other, duel.label) == (own, best, "tensorflow graph")
    assert duel.ratio == ratio_interval(own.medians, best.medians)
    assert_allclose(duel.ratio.ratio, (1 / (2 * 2 * 2.2)) ** (1 / 3))


def test_interval_of_the_ratio():
    """Processes in which both are slow alike have the same ratio: 1 to 2 in every one of them is exactly 0.5."""
    run = run_of(case("predict", "numpy", "fused", 1.0, 3.0), case("predict", "torch", "eager", 2.0, 6.0))
    assert "| 0.500 x [0.500, 0.500] |" in text(run)
    assert "Ratio [95% interval] from 2 processes." in text(run)


def test_one_process():
    """The whole Markdown of a small run, without ladder: every question, the modes that were not measured, and ONNX Runtime."""
    run = run_of(
        case("predict", "numpy", "loops", 1.0, batch=1), case("predict", "numpy", "fused", 1e-3, batch=1),
        case("predict", "torch", "eager", 5e-3, batch=1), case("predict", "torch", "compile", 4e-3, batch=1),
        case("predict", "tensorflow", "graph", 8e-3, batch=1), beside(2e-3, batch=1),
        case("train step", "numpy", "fused", 3e-3), case("train step", "torch", "eager", 2e-3),
        case("train step sgd", "numpy", "fused", 1e-3), case("train step sgd", "tensorflow", "graph", 2e-3),
    )  # fmt: skip
    assert text(run) == AGAINST


AGAINST = """\
# By hand against the frameworks

The network by hand in its fastest mode, and the fastest of all modes of all frameworks: same weights, same batch, same processes, 2 \
threads for everybody. Below 1 the network by hand is the faster one. One process: no interval.

|                                        |         by hand |           best of the others | by hand / best |  chosen from |
| -------------------------------------- | --------------: | ---------------------------: | -------------: | -----------: |
| predict, batch 1                       | 1.00 ms (fused) |      4.00 ms (torch compile) |        0.250 x | 3 of 3 modes |
| training step, SGD, batch 64           | 1.00 ms (fused) |   2.00 ms (tensorflow graph) |        0.500 x | 1 of 3 modes |
| training step, Adam, batch 64          | 3.00 ms (fused) |        2.00 ms (torch eager) |         1.50 x | 1 of 3 modes |
| predict, batch 1, against ONNX Runtime | 1.00 ms (fused) | 2.00 ms (ONNX Runtime 1.2.3) |        0.500 x |     it alone |

Without a number for torch compile, torch eager: training step, SGD, batch 64. Any of these could be the best, and the ratio to it \
larger; a run with --heavy whose -k leaves none out has them.

Without a number for tensorflow graph, torch compile: training step, Adam, batch 64. Any of these could be the best, and the ratio to it \
larger; a run with --heavy whose -k leaves none out has them.

Which mode is fastest was chosen by the same numbers that are compared. Of several modes that are equally fast the luckiest is chosen, \
and the frameworks have more modes to be lucky in: the choice is in their favour.

"""


def test_questions_that_lack_the_same_modes_share_a_sentence():
    """What was not measured is named once."""
    cases = [case("predict", *who, 1.0, batch=batch) for who in (("numpy", "fused"), ("torch", "eager")) for batch in (1, 64)]
    assert "Without a number for tensorflow graph, torch compile: predict, batch 1; predict, batch 64. Any" in text(run_of(*cases))


def test_a_file_that_does_not_say_which_modes_there_are():
    """An older file: how many modes it has, and no claim about how many there could be."""
    found = text(run_of(case("predict", "numpy", "fused", 1.0), case("predict", "torch", "eager", 1.0), modes={}))
    assert "| 1 mode |" in " ".join(found.split())
    assert "1 of" not in found
    assert "Without a number" not in found


def test_why_onnx_runtime_has_no_number():
    """Where it is not installed the section says so, once for all batches."""
    why = "the package 'onnx' is not installed"
    missing = {f"benchmarks/test_beside.py::test_beside[batch={batch}]": why for batch in (1, 64)}
    run = run_of(case("predict", "numpy", "fused", 1.0), case("predict", "torch", "eager", 1.0), not_measured=missing)
    assert text(run).count(f"ONNX Runtime has no number: {why}.") == 1


def test_one_thread_is_said():
    """One thread for everybody is another measurement than two."""
    found = text(run_of(case("predict", "numpy", "fused", 1.0), case("predict", "torch", "eager", 1.0), threads=1))
    assert "same processes, 1 thread for everybody" in found


# The ladder

MIB = 2**20


def test_ladder():
    """The whole Markdown of a ladder: each rung against the one above and against the loops."""
    run = run_of(
        rung("loops", 8.0, peak=8 * MIB), rung("im2col", 0.4, peak=16 * MIB),
        rung("fused, one thread", 0.1, peak=2 * MIB, kept=MIB), rung("fused, threads", 0.05, peak=4 * MIB, kept=2 * MIB),
        rung("im2col", 2.0, peak=MIB, kind="train step"), rung("fused, threads", 1.0, peak=2 * MIB, kind="train step"),
    )  # fmt: skip
    assert text(run) == LADDER


LADDER = """\
# The ladder by hand: what each rung buys

The same network from the textbook's loops, as in the seed, to threads: the same logits on every rung. Ratios from one process, so \
without an interval.

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

Memory of a call is the most that a new network's first call of that size held at a time in arrays and Python objects (tracemalloc): its \
workspace and all that it computes in between, neither images nor weights nor the optimizer's state. Kept after it is the workspace that \
stays for the next call.

"""


def test_ladder_has_intervals_from_several_processes():
    """The ratios of times carry their intervals; those of bytes have none."""
    found = text(run_of(rung("loops", 8.0, 16.0, peak=8), rung("im2col", 4.0, 8.0, peak=4)))
    assert "2.00 x [2.00, 2.00]" in found
    assert "| 0.500 x |" in found.replace("  ", "")


@pytest.mark.parametrize("threads", [1, 2])
def test_one_thread_makes_two_rungs_one(threads):
    """With one thread for everybody the two fused rungs are the same, and the section says so."""
    run = run_of(rung("fused, one thread", 1.0, peak=1), rung("fused, threads", 1.0, peak=1), threads=threads)
    assert ("the last two rungs are the same network" in text(run)) == (threads == 1)

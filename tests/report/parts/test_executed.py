"""The report's part on executed work, from counts whose ratios can be seen without a pencil."""

from __future__ import annotations

from benchmarks.report.parts import executed, flops
from tests.support.runs import case, run_of, said


def work(framework, mode, batch=64, **extra):
    return case("executed", framework, mode, 1.0, batch=batch, flops=2000, calls=17, a_call="NumPy calls", **extra)


def test_a_run_without_such_cases_has_no_such_section():
    """Nothing is said about what was not counted."""
    assert executed.sections(run_of(case("predict", "numpy", "fused", 1.0, batch=64))) == []


def test_executed():
    """The whole Markdown: counts, their ratio, both shares of sgemm where there is a time, and the modes that nothing tells of."""
    run = run_of(
        work("numpy", "fused", executed_macs=1500, copied_bytes=2**20), work("torch", "eager", batch=1, unknown="it does not say"),
        case("predict", "numpy", "fused", 2.0, batch=64), case("predict", "torch", "compile", 2.0, batch=64),
        case("sgemm", "numpy", "sgemm 512", 1.0, flops=4000),
    )  # fmt: skip
    assert said(executed, run) == EXECUTED


EXECUTED = """\
## Executed work beside defined work

One prediction. MACs are multiplications with an addition: those that the definition asks for, and those that are done, with zeros that fill a \
register or a product included. The share of sgemm is the speed of the prediction, divided by that of the fastest large matrix product of this \
run: once by what the definition asks for, once by what is done. Copied are the bytes that calls write which compute nothing.

|                        | MACs, defined | MACs, executed | executed / defined | share of sgemm, defined | share, executed |            calls |   copied |
| ---------------------- | ------------: | -------------: | -----------------: | ----------------------: | --------------: | ---------------: | -------: |
| numpy fused, 64 images |         1,000 |          1,500 |             1.50 x |                  25.0 % |          37.5 % | 17 (NumPy calls) | 1.00 MiB |
| torch eager, 1 image   |         1,000 |              — |                  — |                       — |               — | 17 (NumPy calls) |        — |

— it does not say; not in this run: left out, or not possible here

Not in the table, as nothing tells what they execute: torch compile.

"""


def test_a_small_share_has_the_digits_that_the_speed_has():
    """The same share of the large product stands in two tables, and in both it is not 0."""
    timed = case("predict", "numpy", "fused", 2.0, batch=64, flops_per_image=1000 / 64)
    run = run_of(work("numpy", "fused", executed_macs=1500), timed, case("sgemm", "numpy", "sgemm 512", 1.0, flops=2_500_000))
    assert "| 0.04 % |" in " ".join(said(executed, run).split())
    assert "(0.02 %)" in said(flops, run)


def test_without_a_large_product():
    """There is no share of what was not measured."""
    run = run_of(work("numpy", "fused", executed_macs=1500), case("predict", "numpy", "fused", 2.0, batch=64))
    (section,) = executed.sections(run)
    assert section.table.rows[0][4].reason == "this run did not measure how fast the machine multiplies matrices (group sgemm)"
    assert section.after == []

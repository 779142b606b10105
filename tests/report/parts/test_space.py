"""The report's part on memory, from cases small enough to check by hand."""

from __future__ import annotations

from benchmarks.report.parts import space
from tests.support.runs import case, run_of, said

MIB = 2**20


def held(group, framework="torch", batch=64, **extra):
    counted = {"weight_bytes": 1024, "gradient_bytes": 1024, "optimizer_state_bytes": 2048}
    measured = {"import_rss_bytes": 200 * MIB, "build_rss_bytes": 3 * MIB, "level_rss_bytes": 300 * MIB}
    return case(group, framework, "eager", 1.0, batch=batch, **{**counted, **measured, **extra})


def peaks(above, traced, **extra):
    return {"peak_above_level_bytes": above, "peak_rss_bytes": above + 300 * MIB, "traced_peak_bytes": traced, **extra}


def test_a_run_without_such_cases_has_no_such_section():
    """Nothing is said about what was not measured."""
    assert space.sections(run_of(case("predict", "torch", "eager", 1.0, batch=1))) == []


def test_curves():
    """Memory over time is what was held above the start of the epoch."""
    run = run_of(held("space epoch", rss_over_time=[[0.0, 300 * MIB], [0.5, 304 * MIB]]))
    assert space.curves(run) == {("torch", "eager"): [(0.0, 0), (0.5, 4 * MIB)]}


def test_page():
    """The whole Markdown of a small run: a row a number, and what is in it; what no framework has has no row."""
    run = run_of(
        held("space predict", batch=1, **peaks(MIB, 100)),
        held("space predict", batch=64, **peaks(5 * MIB, 200, device_peak_bytes=6 * MIB)),
        held("space predict", "numpy", batch=64, import_rss_bytes=MIB, **peaks(9 * MIB, 8 * MIB)),
        held("space epoch", rss_over_time=[[0.0, 299 * MIB], [0.5, 304 * MIB]]),
    )
    assert said(space, run) == PAGE


PAGE = """\
## Space

Each number from a fresh process of its own, in the framework's default mode. The kernel counts resident memory in batches: \
differences below some hundred KiB mean nothing.

|                                      | numpy eager | torch eager | what is in it                                                             |
| ------------------------------------ | ----------: | ----------: | ------------------------------------------------------------------------- |
| parameters                           |    1.00 KiB |    1.00 KiB | float32 arrays; counted                                                   |
| gradients                            |           — |    1.00 KiB | one float32 a parameter; counted                                          |
| optimizer state                      |           — |    2.00 KiB | Adam: two float32 a parameter; counted                                    |
| importing                            |    1.00 MiB |     200 MiB | the library, above Python and NumPy; whole process                        |
| building for inference               |    3.00 MiB |    3.00 MiB | weights, and what one call with one image leaves behind; whole process    |
| predicting, batch 1                  |           — |    1.00 MiB | peak above the warm process: activations, and workspace kept or not       |
| predicting, batch 64                 |    9.00 MiB |    5.00 MiB | peak above the warm process: activations, and workspace kept or not       |
| predicting, batch 1: by tracemalloc  |           — |       100 B | peak of NumPy arrays and Python objects only                              |
| predicting, batch 64: by tracemalloc |    8.00 MiB |       200 B | peak of NumPy arrays and Python objects only                              |
| whole process, predicting            |     309 MiB |     305 MiB | all of the above with Python and the images, largest batch                |
| one epoch                            |           — |    4.00 MiB | peak above its start, batch 64; whole process, sampled by memory-profiler |
| GPU, predicting, batch 64            |           — |    6.00 MiB | peak of the allocator: weights, images, activations, workspace            |

— not in this run: left out, or not possible here; not counted for this framework

"""


def test_what_only_predicts_has_no_gradients():
    """A file has the closed forms of gradients and optimizer state in every case, but such a framework keeps neither."""
    run = run_of(
        held("space predict", "engine", **peaks(MIB, 100)),
        held("space predict", **peaks(MIB, 100)),
        held("space train step", **peaks(MIB, 100)),
        trains={"engine": False, "torch": True},
    )
    (section,) = space.sections(run)
    rows = {row[0].text: row[1] for row in section.table.rows}
    assert rows["parameters"].value == 1024
    for title in ("gradients", "optimizer state", "building for training", "whole process, training"):
        assert rows[title].reason == "engine only predicts"


def test_why_there_is_no_number():
    """A dash has the reason of the case that would have given the number."""
    why = {
        "benchmarks/test_cases.py::test_space_predict[numpy-eager-batch1]": "too small to see",
        "benchmarks/test_cases.py::test_space_epoch[numpy-eager-batch64]": "ended early",
    }
    run = run_of(
        held("space predict", batch=1, **peaks(MIB, 100, device_peak_bytes=1)),
        held("space predict", "numpy", batch=64, **peaks(MIB, 100)),
        held("space epoch", rss_over_time=[[0.0, 299 * MIB]]),
        not_measured=why,
    )
    (section,) = space.sections(run)
    reasons = {row[0].text: row[1].reason for row in section.table.rows if hasattr(row[1], "reason")}
    assert reasons == {
        "gradients": "ended early",
        "optimizer state": "ended early",
        "predicting, batch 1": "too small to see",
        "predicting, batch 1: by tracemalloc": "too small to see",
        "one epoch": "ended early",
        "GPU, predicting, batch 1": "too small to see",
    }

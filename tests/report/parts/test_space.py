"""The report's part on memory, from cases small enough to check by hand."""

from __future__ import annotations

from pathlib import Path

from benchmarks.report import markdown
from benchmarks.report.parts import space
from benchmarks.saved.results import Case, Run

MIB = 2**20


def case(group, framework="torch", batch=64, **extra):
    counted = {"weight_bytes": 1024, "gradient_bytes": 1024, "optimizer_state_bytes": 2048}
    measured = {"import_rss_bytes": 200 * MIB, "build_rss_bytes": 3 * MIB, "level_rss_bytes": 300 * MIB}
    names = {"framework": framework, "mode": "eager", "batch": batch}
    return Case(group, f"{group}-{framework}-{batch}", {}, {**names, **counted, **measured, **extra}, (1.0,))


def run_of(*cases):
    return Run((Path("run.json"),), cases, {}, {}, {}, "", "")


def peaks(above, traced, **extra):
    return {"peak_above_level_bytes": above, "peak_rss_bytes": above + 300 * MIB, "traced_peak_bytes": traced, **extra}


def test_a_run_without_such_cases_has_no_such_section():
    """Nothing is said about what was not measured."""
    assert space.sections(run_of(case("predict"))) == []


def test_curves():
    """Memory over time is what was held above the start of the epoch."""
    run = run_of(case("space epoch", rss_over_time=[[0.0, 300 * MIB], [0.5, 304 * MIB]]))
    assert space.curves(run) == {("torch", "eager"): [(0.0, 0), (0.5, 4 * MIB)]}


def test_page():
    """The whole Markdown of a small run: a row a figure, and what is in it; what nobody measured has no row."""
    run = run_of(
        case("space predict", batch=1, **peaks(MIB, 100)),
        case("space predict", batch=64, **peaks(5 * MIB, 200, device_peak_bytes=6 * MIB)),
        case("space predict", "numpy", batch=64, import_rss_bytes=MIB, **peaks(9 * MIB, 8 * MIB)),
        case("space epoch", rss_over_time=[[0.0, 299 * MIB], [0.5, 304 * MIB]]),
    )
    assert markdown.render(space.sections(run)) == PAGE


PAGE = """\
# Space

Each figure from a fresh process of its own, in the framework's default mode. The kernel counts resident memory in batches: \
differences below some hundred KiB mean nothing.

|                                      | numpy eager | torch eager | what is in it                                                             |
| ------------------------------------ | ----------- | ----------- | ------------------------------------------------------------------------- |
| parameters                           | 1.00 KiB    | 1.00 KiB    | float32 arrays; counted                                                   |
| gradients                            | 1.00 KiB    | 1.00 KiB    | one float32 a parameter; counted                                          |
| optimizer state                      | 2.00 KiB    | 2.00 KiB    | Adam: two float32 a parameter; counted                                    |
| importing                            | 1.00 MiB    | 200 MiB     | the library, above Python and NumPy; whole process                        |
| building for inference               | 3.00 MiB    | 3.00 MiB    | weights, and what one call with one image leaves behind; whole process    |
| predicting, batch 1                  | —           | 1.00 MiB    | peak above the warm process: activations, and workspace kept or not       |
| predicting, batch 64                 | 9.00 MiB    | 5.00 MiB    | peak above the warm process: activations, and workspace kept or not       |
| predicting, batch 1: by tracemalloc  | —           | 100 B       | peak of NumPy arrays and Python objects only                              |
| predicting, batch 64: by tracemalloc | 8.00 MiB    | 200 B       | peak of NumPy arrays and Python objects only                              |
| whole process, predicting            | 309 MiB     | 305 MiB     | all of the above with Python and the images, largest batch                |
| one epoch                            | —           | 4.00 MiB    | peak above its start, batch 64; whole process, sampled by memory-profiler |
| GPU, predicting                      | —           | 6.00 MiB    | peak of the allocator: weights, images, activations, workspace            |

"""

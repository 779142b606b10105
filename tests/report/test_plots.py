"""Every plot shows the values of the JSON, all of them and nothing else, in the page's colours."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from numpy.testing import assert_allclose

from benchmarks.report.parts import agreement, by_hand, compression, flops, graphs, inference, pruning, space
from benchmarks.report.report import plots
from benchmarks.saved.results import CONTROL, Case, Run

BATCHES = (1, 16, 1024)
MODES = {"numpy": ("fused", "im2col"), "tensorflow": ("eager", "graph"), "torch": ("eager", "compile")}
HOSTILE = '<script>alert(1)</script> "&\' $x$ id="a" #0f0001 \x01\ud800'


def case(group, framework, mode, seconds=(0.5,), **extra):
    name = f"test_{group.replace(' ', '_')}[{framework}-{mode}]"
    stats = {"median": sorted(seconds)[len(seconds) // 2], "min": min(seconds)}
    return Case(group, name, stats, {"framework": framework, "mode": mode, **extra}, seconds)


def run(*cases, processes=1):
    paths = tuple(Path(f"process-{index}.json") for index in range(processes))
    return Run(paths, cases, {}, {"threads": 2, "frameworks": {}, "not_measured": {}}, {}, "2026-01-02T03:04:05", "5")


def curves(framework, mode, shift=0.0):
    return case(
        "train",
        framework,
        mode,
        correct=432,
        test_images=450,
        train_loss_nats=[3.0 + shift, 2.0 + 2 * shift, 1.0 + 4 * shift],
        validation_loss_nats=[3.1 + shift, 2.1 + shift, 1.1 + shift],
        validation_accuracy=[0.25, 0.5, 0.75],
    )


def whole(processes=1):
    """A run that has something for every plot."""
    cases = []
    for framework, modes in MODES.items():
        for mode in modes:
            for batch in BATCHES:
                times = tuple(1e-4 * batch * (2 if mode == "eager" else 1) for _ in range(processes))
                for group in ("predict", "graphs predict", "graphs train step"):
                    cases.append(case(group, framework, mode, times, batch=batch, default_mode=modes[0], flops_per_image=1310160))
        cases.append(curves(framework, modes[0], {"numpy": 0.0, "tensorflow": 1e-3, "torch": 1e-6}[framework]))
        cases.append(case("space epoch", framework, modes[0], rss_over_time=[[0.0, 2e8], [0.1, 3e8], [0.2, 2.5e8]]))
    for mode, zeros, correct in (("dense", 0, 430), ("by hand", 0.9, 425)):
        sizes = {"dense_bytes": 261624, "gzip_bytes": 242000 - 200000 * zeros, "sparse_bytes": 393000 - 340000 * zeros}
        seconds = {"dense_seconds": 1e-3, "stripped_seconds": 1.1e-3, "unstripped_seconds": 3e-3}
        pruned = {"sparsity_kernels": zeros, "correct": correct, "test_images": 450, **sizes, **seconds}
        cases.append(case("pruning", "numpy", mode, **pruned))
    cases += [
        case("ladder", "numpy", mode, (seconds,) * processes, kind=kind, batch=64, traced_peak_bytes=size, workspace_bytes=0)
        for mode, seconds, size in (("loops", 8.0, 4e6), ("im2col", 0.4, 9e6), ("one", 0.1, 2e6), ("threads", 0.05, 3e6))
        for kind in ("predict", "train step")
    ]
    for framework, point, technique, correct, size, ms in (
        ("numpy", "half", "structured", 420, 70_000, 1.0),
        ("torch", "half", "structured", 420, 70_000, 2.0),
        ("numpy", "tenth", "sparse", 410, 40_000, 4.0),
    ):
        small = {"technique": technique, "point": point, "correct": correct, "stored_bytes": size, "dense_seconds": 4e-3}
        known = {"test_images": 450, "dense_correct": 430, "dense_bytes": 260_000, "batch": 64}
        cases.append(case("compression", framework, f"{point} mode", (ms / 1e3,) * processes, **small, **known))
    cases += [case("sgemm", "numpy", f"sgemm {speed:g}", (0.5,) * processes, flops=speed / 2) for speed in (100e9, 200e9)]
    return run(*cases, processes=processes)


def svg(figure):
    return ElementTree.fromstring(figure.svg)


def part(figure, ident):
    return svg(figure).find(f".//*[@id='{figure.name}-{ident}']")


def corners_of(element):
    """The corners of a path, in the SVG's coordinates."""
    return [tuple(map(float, pair.split())) for pair in re.findall(r"[ML] ([^ML]+)", element.find("path").get("d"))]


def points(figure, line):
    """The marks of a line: its markers, or its corners where it has none."""
    mark = part(figure, f"mark-{line}")
    return [(float(use.get("x")), float(use.get("y"))) for use in mark.iter("use")] or corners_of(mark)


@pytest.mark.parametrize(
    ("plot", "lines", "corners"),
    [
        (inference.time_per_image, 6, 3),
        (flops.roofline, 6, 3),
        (graphs.graph_time_per_image, 6, 3),
        (graphs.speed_up_predict, 2, 3),
        (graphs.speed_up_train, 2, 3),
        (by_hand.ladder_time, 2, 4),
        (by_hand.ladder_memory, 2, 4),
        (agreement.training_loss, 3, 3),
        (agreement.validation_loss, 3, 3),
        (agreement.validation_accuracy, 3, 3),
        (agreement.apart, 3, 3),
        (space.memory, 3, 3),
        (pruning.pruned_accuracy, 2, 1),
        (pruning.pruned_bytes, 3, 2),
        (pruning.pruned_time, 3, 2),
        (compression.compressed_bytes, 4, (1, 1, 1, 3)),
        (compression.compressed_time, 5, (2, 2, 1, 1, 2)),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_every_value_has_its_mark(plot, lines, corners):
    """A line a case or a mode, a corner a value."""
    figure = plot(whole())
    marks = [element for element in svg(figure).iter() if re.fullmatch(rf"{figure.name}-mark-\d+", element.get("id", ""))]
    assert len(marks) == lines
    expected = corners if isinstance(corners, tuple) else (corners,) * lines
    assert tuple(len(points(figure, index)) for index in range(lines)) == expected
    assert figure.title
    assert figure.caption


def test_every_plot_is_tested():
    """The list above is all that the page draws."""
    (mark,) = test_every_value_has_its_mark.pytestmark
    assert {row[0](whole()).name for row in mark.args[1]} == {plot.name for plot in plots(whole())}


def test_nothing_to_draw():
    """Where a run holds nothing, there is no empty plot but none."""
    assert plots(run(case(CONTROL, CONTROL, "product first", side=256))) == []


@pytest.mark.parametrize("value", [None, "64", 0, -1, True, [], float("nan"), float("inf")], ids=repr)
def test_values_that_are_none(value):
    """A batch, a sparsity or a curve that is no such thing is left out, not drawn and not an error."""
    odd = [
        case("predict", "numpy", "fused", batch=value, flops_per_image=value),
        case("graphs predict", "numpy", "eager", batch=value),
        case("train", "numpy", "fused", train_loss_nats=value, validation_loss_nats=[value]),
        case("space epoch", "numpy", "fused", rss_over_time=value),
        case("space epoch", "torch", "eager", rss_over_time=[value]),
        case("pruning", "numpy", "dense", sparsity_kernels=value, correct=value, test_images=450),
        case("sgemm", "numpy", "sgemm", flops=value),
        case("ladder", "numpy", "loops", kind="predict", batch=value, traced_peak_bytes=value),
        case("ladder", "torch", "loops", kind=[value], batch=64, traced_peak_bytes=value),
    ]
    drawn = {figure.name for figure in plots(run(*odd))}
    assert drawn <= {"validation-loss"}
    assert ("validation-loss" in drawn) == (value in (0, -1) and value is not True)


def test_same_run_same_bytes():
    """The same run gives the same bytes, in another process with another hash seed as well."""
    script = "from tests.report.test_plots import whole, plots; print(*(figure.svg for figure in plots(whole())), sep='')"
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, cwd=root, env=environment)
    here = "".join(figure.svg for figure in plots(whole())) + "\n"
    assert other.stdout == here.encode()


def test_names_are_text():
    """Whatever a framework or a mode is called, its name is text in the plot, letter for letter where it can be printed."""
    found = plots(run(*(case("predict", HOSTILE, "a_b", batch=batch) for batch in BATCHES), curves(HOSTILE, "_x")))
    assert len(found) == 4
    for figure in found:
        tree = svg(figure)
        assert not [element.tag for element in tree.iter() if element.tag not in TAGS]
        texts = [element.text or "" for element in tree.iter("text")]
        assert any(text.startswith('<script>alert(1)</script> "&\' $x$ id="a" #0f0001 \ufffd\ufffd') for text in texts)


TAGS = {"svg", "g", "path", "use", "text", "tspan", "defs", "clipPath", "rect"}


def test_svg_is_at_home_in_a_page():
    """No colour but the page's ink and its series, no reference but to its own ids, no id twice, no style sheet, no size."""
    found = plots(whole(processes=3))
    idents = []
    for figure in found:
        tree = svg(figure)
        assert {element.tag for element in tree.iter()} <= TAGS
        assert set(tree.attrib) == {"viewBox", "role", "aria-labelledby"}
        for element in tree.iter():
            style = element.get("style", "")
            for colour in re.findall(r"(?:fill|stroke): ([^;]+)", style):
                assert re.fullmatch(r"none|currentColor|var\(--[a-z]+(-\d)?, #[0-9a-f]{6}\)", colour), colour
            assert "font-family" not in style
            if ident := element.get("id"):
                idents.append(ident)
        references = re.findall(r'href="([^"]*)"|url\(([^)]*)\)', figure.svg)
        assert {one or other for one, other in references} <= {f"#{ident}" for ident in idents}
        assert "http" not in figure.svg
    assert len(idents) == len(set(idents))


def test_speed_up_is_the_ratio():
    """A mode that takes half the time of eager lies as far above the line of 1 as one that takes twice lies below it."""
    cases = [
        case("graphs predict", "torch", mode, (seconds,), batch=batch, default_mode="eager")
        for mode, seconds in (("eager", 1.0), ("same", 1.0), ("half", 0.5), ("twice", 2.0))
        for batch in BATCHES
    ]
    figure = graphs.speed_up_predict(run(*cases))
    (_, one), _ = corners_of(part(figure, "level"))
    half, same, twice = (points(figure, index)[0][1] for index in (1, 0, 2))

    assert same == one
    assert half < one  # up is small in an SVG
    assert_allclose(one - half, twice - one, rtol=1e-5)


def test_modes_without_a_dynamic_one_have_no_speed_up():
    """Only what has an eager twin of the same batch is compared with it."""
    cases = [case("graphs predict", "numpy", mode, batch=1, default_mode="fused") for mode in ("fused", "im2col")]
    torch = [("eager", 1), ("compile", 4)]
    cases += [case("graphs predict", "torch", mode, batch=batch, default_mode="eager") for mode, batch in torch]
    assert graphs.speed_up_predict(run(*cases)) is None


def test_ladder_climbs():
    """A rung that takes a twentieth of the loops' time is on the decade scale as far right as its logarithm says."""
    figure = by_hand.ladder_time(whole())
    (loops, _), (im2col, _), (one, _), (threads, _) = points(figure, 0)
    assert_allclose((im2col - loops) / (threads - loops), math.log(20) / math.log(160), rtol=1e-4)
    assert_allclose((one - loops) / (threads - loops), math.log(80) / math.log(160), rtol=1e-4)


def test_ladder_without_loops():
    """Without loops there is nothing to be faster than; the memory is still drawn."""
    without = run(*(case for case in whole().cases if case.group == "ladder" and case.extra["mode"] != "loops"))
    assert by_hand.ladder_time(without) is None
    assert len(points(by_hand.ladder_memory(without), 0)) == 3


def test_intervals_need_several_processes():
    """The speed-up has an interval at each batch if there are processes to have it from, and the caption says so."""
    alone, three = graphs.speed_up_predict(whole()), graphs.speed_up_predict(whole(processes=3))
    assert part(alone, "interval-0") is None
    assert len(part(three, "interval-0").findall("path")) == len(BATCHES)
    assert "3 processes" in three.caption
    assert "interval" not in alone.caption


def test_roofline_has_its_ceiling():
    """The speed of sgemm in the same run is drawn and named; without one there is no ceiling."""
    without = run(*(case for case in whole().cases if case.group != "sgemm"))
    assert "200 GFLOP/s" in "".join(text.text or "" for text in svg(flops.roofline(whole())).iter("text"))
    assert part(flops.roofline(without), "level") is None


def test_curves_that_are_equal_are_not_apart():
    """Equal to the last bit is no distance on a logarithmic axis: no mark, and no plot if there is no other."""
    equal = [curves("numpy", "fused"), curves("torch", "eager")]
    assert agreement.apart(run(*equal)) is None
    figure = agreement.apart(run(*equal, curves("tensorflow", "eager", 1e-3)))
    assert part(figure, "mark-1") is not None
    assert part(figure, "mark-2") is None


def test_curves_beneath_can_be_seen():
    """Of curves that lie on each other each is narrower than the one beneath it, and only the last is opaque."""
    figure = agreement.training_loss(whole())
    styles = [part(figure, f"mark-{index}").find("path").get("style") for index in range(3)]
    widths = [float(re.search(r"stroke-width: ([\d.]+)", style)[1]) for style in styles]
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == 3
    assert ["stroke-opacity" in style for style in styles] == [True, True, False]


def test_a_framework_keeps_its_colour():
    """One colour a framework, in all plots alike; one dash and marker a mode."""
    seen = {}
    for plot in (inference.time_per_image, graphs.speed_up_predict, agreement.training_loss, space.memory):
        figure = plot(whole())
        labels = [text.text for text in part(figure, "legend_1").iter("text")]
        for index, label in enumerate(labels):
            colour = re.search(r"var\((--[a-z]+)", part(figure, f"mark-{index}").find("path").get("style"))[1]
            seen.setdefault(label.split()[0], set()).add(colour)
    assert seen == {"numpy": {"--blue"}, "tensorflow": {"--orange"}, "torch": {"--green"}}

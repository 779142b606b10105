"""Every plot shows the values of the JSON, all of them and nothing else, in the page's colours."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from numpy.testing import assert_allclose

from benchmarks.report.drawing import NEUTRAL
from benchmarks.report.parts import agreement, by_hand, compression, flops, graphs, inference, ladder, pruning, space
from benchmarks.report.report import plots
from benchmarks.saved.results import CONTROL
from tests.support.runs import case, run_of

BATCHES = (1, 16, 1024)
MODES = {"numpy": ("fused", "im2col"), "tensorflow": ("eager", "graph"), "torch": ("eager", "compile")}
HOSTILE = '<script>alert(1)</script> "&\' $x$ id="a" #0f0001 \x01\ud800'


def curves(framework, mode, shift=0.0):
    return case(
        "train",
        framework,
        mode,
        0.5,
        correct=432,
        test_images=450,
        train_loss_nats=[3.0 + shift, 2.0 + 2 * shift, 1.0 + 4 * shift],
        validation_loss_nats=[3.1 + shift, 2.1 + shift, 1.1 + shift],
        validation_accuracy=[0.25, 0.5, 0.75],
        test_predictions=[0] * 450,
    )


def calls(framework, processes):
    """Predictions and training steps in two modes of a framework, of which the second is a graph, unless it is by hand."""
    for group in ("predict", "graphs predict", "graphs train step"):
        for mode in MODES[framework]:
            dynamic = None if framework == "numpy" or mode == "eager" else "eager"
            fresh = dict.fromkeys(("import_fresh_seconds", "build_fresh_seconds", "first_call_fresh_seconds"), 1.0)
            known = {"dynamic_mode": dynamic, "flops_per_image": 1310160, **(fresh if group != "predict" else {})}
            for batch in BATCHES:
                times = (1e-4 * batch * (2 if mode == "eager" else 1),) * processes
                yield case(group, framework, mode, *times, batch=batch, **known)


def smaller(processes):
    """Pruned and compressed networks."""
    for mode, zeros, correct in (("dense", 0, 430), ("by hand", 0.9, 425)):
        sizes = {"dense_bytes": 261624, "gzip_bytes": 242000 - 200000 * zeros, "sparse_bytes": 393000 - 340000 * zeros}
        seconds = {"dense_seconds": 1e-3, "stripped_seconds": 1.1e-3, "unstripped_seconds": 3e-3}
        sparsity = {f"sparsity_{which}": zeros for which in ("kernels", "all", "conv1", "conv2", "fc1", "fc2", "fc3")}
        counts = {"negative_zeros": 0, "macs_per_image": 100, "nonzero_macs_per_image": 10, "dense_epochs": 1, "batch": 64}
        pruned = {"correct": correct, "test_images": 450, **sizes, **seconds, **sparsity, **counts}
        yield case("pruning", "numpy", mode, *(0.5,) * processes, **pruned)
    for framework, point, technique, correct, size, ms in (
        ("numpy", "half", "structured", 420, 70_000, 1.0),
        ("torch", "half", "structured", 420, 70_000, 2.0),
        ("numpy", "tenth", "sparse", 410, 40_000, 4.0),
    ):
        small = {"technique": technique, "point": point, "correct": correct, "stored_bytes": size, "dense_seconds": 4e-3}
        known = {"test_images": 450, "dense_correct": 430, "dense_bytes": 260_000, "batch": 64, "gained": 0, "lost": 430 - correct}
        counts = {"epochs": 1, "dense_macs_per_image": 100, "macs_per_image": 100, "weights_left": 100}
        yield case("compression", framework, f"{point} mode", *(ms / 1e3,) * processes, **small, **known, **counts)


def whole(processes=1):
    """A run that has something for every plot."""
    cases = []
    for framework, modes in MODES.items():
        cases += calls(framework, processes)
        cases.append(curves(framework, modes[0], {"numpy": 0.0, "tensorflow": 1e-3, "torch": 1e-6}[framework]))
        over_time = [[0.0, 2e8], [0.1, 3e8], [0.2, 2.5e8]]
        cases.append(case("space epoch", framework, modes[0], 0.5, rss_over_time=over_time, level_rss_bytes=10**8))
    cases += smaller(processes)
    cases += [
        case("ladder", "numpy", mode, *(seconds,) * processes, kind=kind, batch=64, traced_peak_bytes=size, workspace_bytes=0)
        for mode, seconds, size in (("loops", 8.0, 4e6), ("im2col", 0.4, 9e6), ("one", 0.1, 2e6), ("threads", 0.05, 3e6))
        for kind in ("predict", "train step")
    ]
    cases += [case("sgemm", "numpy", f"sgemm {speed:g}", *(0.5,) * processes, flops=speed / 2) for speed in (100e9, 200e9)]
    return run_of(*cases, modes={framework: list(modes) for framework, modes in MODES.items()})


def without(group, mode=None):
    """The same run without the cases of a group, or without a mode of it."""
    return run_of(*(case for case in whole().cases if case.group != group or (mode and case.mode != mode)))


def replace_extra(one, **values):
    return replace(one, extra={**one.extra, **values})


def svg(drawn):
    return ElementTree.fromstring(drawn.svg)


def part(drawn, ident):
    return svg(drawn).find(f".//*[@id='{drawn.name}-{ident}']")


def corners_of(element):
    """The corners of a path, in the SVG's coordinates."""
    return [tuple(map(float, pair.split())) for pair in re.findall(r"[ML] ([^ML]+)", element.find("path").get("d"))]


def points(drawn, line):
    """The marks of a line: its markers, or its corners where it has none."""
    mark = part(drawn, f"mark-{line}")
    return [(float(use.get("x")), float(use.get("y"))) for use in mark.iter("use")] or corners_of(mark)


@cache
def drawn_by(plot):
    """What a function draws of the run that has something for every plot; drawn once a process."""
    return plot(whole())


@pytest.mark.parametrize(
    ("plot", "lines", "corners"),
    [
        (inference.time_per_image, 6, 3),
        (flops.roofline, 6, 3),
        (graphs.graph_time_per_image, 6, 3),
        (graphs.speed_up_predict, 2, 3),
        (graphs.speed_up_train, 2, 3),
        (by_hand.ratios, 1, 3),
        (ladder.ladder_time, 2, 4),
        (ladder.ladder_memory, 2, 4),
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
    drawn = drawn_by(plot)
    marks = [element for element in svg(drawn).iter() if re.fullmatch(rf"{drawn.name}-mark-\d+", element.get("id", ""))]
    assert len(marks) == lines
    expected = corners if isinstance(corners, tuple) else (corners,) * lines
    assert tuple(len(points(drawn, index)) for index in range(lines)) == expected
    assert drawn.title
    assert drawn.caption


def test_every_plot_is_tested():
    """The list above is all that the page draws."""
    (mark,) = test_every_value_has_its_mark.pytestmark
    assert {drawn_by(row[0]).name for row in mark.args[1]} == {plot.name for plot in drawn_by(plots)}


def test_nothing_to_draw():
    """Where a run holds nothing, there is no empty plot but none."""
    assert plots(run_of(case(CONTROL, CONTROL, "product first", 0.5, side=256))) == []


def test_what_a_file_need_not_hold():
    """Where a file lacks what a plot is made of, or holds a size of 0 for a logarithmic axis, the plot does without, or is not there."""
    fresh = dict.fromkeys(("import_fresh_seconds", "build_fresh_seconds", "first_call_fresh_seconds"), 1.0)
    cases = [
        case("predict", "numpy", "fused", 0.5, batch=1),
        case("graphs predict", "torch", "compile", 0.5, batch=1, **fresh),
        case("train", "numpy", "fused", 0.5, train_loss_nats=[0.0], validation_accuracy=[0.0], correct=0, test_images=1, test_predictions=[0]),
        replace_extra(next(smaller(1)), stripped_seconds=None),
        case("ladder", "numpy", "loops", 0.5, kind="predict", batch=1, traced_peak_bytes=0, workspace_bytes=0),
    ]  # fmt: skip
    always = {"time-per-image", "graph-time-per-image", "training-loss", "validation-accuracy", "pruned-accuracy", "pruned-bytes"}
    assert {plot.name for plot in plots(run_of(*cases))} == {*always, "ladder-time"}


@pytest.mark.slow
def test_same_run_same_bytes():
    """The same run gives the same bytes, in another process with another hash seed and a date that is none as well."""
    script = "from tests.report.test_plots import whole, plots; print(*(drawn.svg for drawn in plots(whole())), sep='')"
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "no date"}
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, cwd=root, env=environment)
    here = "".join(drawn.svg for drawn in plots(whole())) + "\n"
    assert other.stdout == here.encode()


def test_names_are_text():
    """Whatever a framework or a mode is called, its name is text in the plot, letter for letter where it can be printed."""
    found = plots(
        run_of(
            *(case("predict", HOSTILE, "a_b", 0.5, batch=batch) for batch in BATCHES),
            curves(HOSTILE, "_x"),
        )
    )
    assert len(found) == 4
    for drawn in found:
        tree = svg(drawn)
        assert not [element.tag for element in tree.iter() if element.tag not in TAGS]
        texts = [element.text or "" for element in tree.iter("text")]
        assert any(text.startswith('<script>alert(1)</script> "&\' $x$ id="a" #0f0001 \ufffd\ufffd') for text in texts)


TAGS = {"svg", "g", "path", "use", "text", "tspan", "defs", "clipPath", "rect"}


def test_svg_is_at_home_in_a_page():
    """No colour but the page's ink and its series, no reference but to its own ids, no id twice, no style sheet, no size."""
    found = plots(whole(processes=3))
    idents = []
    for drawn in found:
        tree = svg(drawn)
        assert {element.tag for element in tree.iter()} <= TAGS
        assert set(tree.attrib) == {"viewBox", "role", "aria-labelledby"}
        for element in tree.iter():
            style = element.get("style", "")
            for colour in re.findall(r"(?:fill|stroke): ([^;]+)", style):
                assert re.fullmatch(r"none|currentColor|var\(--[a-z]+(-\d)?, #[0-9a-f]{6}\)", colour), colour
            assert "font-family" not in style
            if ident := element.get("id"):
                idents.append(ident)
        references = re.findall(r'href="([^"]*)"|url\(([^)]*)\)', drawn.svg)
        assert {one or other for one, other in references} <= {f"#{ident}" for ident in idents}
        assert "http" not in drawn.svg
    assert len(idents) == len(set(idents))


def warm(mode, seconds, batch, dynamic="eager", framework="torch"):
    return case("graphs predict", framework, mode, seconds, batch=batch, dynamic_mode=dynamic)


def test_speed_up_is_the_ratio():
    """A graph that takes half the time of eager lies as far above the line of 1 as one that takes twice lies below it."""
    modes = (("eager", 1.0), ("same", 1.0), ("half", 0.5), ("twice", 2.0))
    drawn = graphs.speed_up_predict(run_of(*(warm(mode, seconds, batch) for mode, seconds in modes for batch in BATCHES)))
    (_, one), _ = corners_of(part(drawn, "level"))
    half, same, twice = (points(drawn, index)[0][1] for index in (1, 0, 2))

    assert same == one
    assert half < one  # up is small in an SVG
    assert_allclose(one - half, twice - one, rtol=1e-5)


def test_modes_without_a_dynamic_one_have_no_speed_up():
    """Only what has a dynamic twin of the same batch is compared with it."""
    cases = [warm(mode, 1.0, 1, dynamic=None, framework="numpy") for mode in ("fused", "im2col")]
    assert graphs.speed_up_predict(run_of(*cases, warm("eager", 1.0, 1), warm("compile", 1.0, 4))) is None


def test_ladder_climbs():
    """A rung that takes a twentieth of the loops' time is on the decade scale as far right as its logarithm says."""
    drawn = ladder.ladder_time(whole())
    (loops, _), (im2col, _), (one, _), (threads, _) = points(drawn, 0)
    assert_allclose((im2col - loops) / (threads - loops), math.log(20) / math.log(160), rtol=1e-4)
    assert_allclose((one - loops) / (threads - loops), math.log(80) / math.log(160), rtol=1e-4)


def test_ladder_without_loops():
    """Without loops there is nothing to be faster than; the memory is still drawn."""
    found = without("ladder", "loops")
    assert ladder.ladder_time(found) is None
    assert len(points(ladder.ladder_memory(found), 0)) == 3


def test_intervals_need_several_processes():
    """The speed-up has an interval at each batch if there are processes to have it from, and the caption says so."""
    alone, three = graphs.speed_up_predict(whole()), graphs.speed_up_predict(whole(processes=3))
    assert part(alone, "interval-0") is None
    assert len(part(three, "interval-0").findall("path")) == len(BATCHES)
    assert "3 processes" in three.caption
    assert "interval" not in alone.caption


def test_roofline_has_its_ceiling():
    """The speed of sgemm in the same run is drawn and named; without one there is no ceiling."""
    assert "200 GFLOP/s" in "".join(text.text or "" for text in svg(flops.roofline(whole())).iter("text"))
    assert part(flops.roofline(without("sgemm")), "level") is None


def test_curves_that_are_equal_are_not_apart():
    """Equal to the last bit is no distance on a logarithmic axis: no mark, and no plot if there is no other."""
    equal = [curves("numpy", "fused"), curves("torch", "eager")]
    assert agreement.apart(run_of(*equal)) is None
    drawn = agreement.apart(run_of(*equal, curves("tensorflow", "eager", 1e-3)))
    assert part(drawn, "mark-1") is not None
    assert part(drawn, "mark-2") is None


def test_curves_beneath_can_be_seen():
    """Of curves that lie on each other each is narrower than the one beneath it, and only the last is opaque."""
    drawn = agreement.training_loss(whole())
    styles = [part(drawn, f"mark-{index}").find("path").get("style") for index in range(3)]
    widths = [float(re.search(r"stroke-width: ([\d.]+)", style)[1]) for style in styles]
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == 3
    assert ["stroke-opacity" in style for style in styles] == [True, True, False]


ONE_EPOCH = ("train_loss_nats", "validation_loss_nats", "validation_accuracy")


@pytest.mark.parametrize("plot", [agreement.training_loss, agreement.validation_accuracy, agreement.apart])
def test_one_epoch(plot):
    """Of one epoch each value has a marker in a row of its own, which names it: no two hide each other, and none lies on the frame."""
    cases = [
        replace_extra(one, **{name: one.extra[name][:1] for name in ONE_EPOCH}) for one in whole().cases if one.group == "train"
    ]
    drawn = plot(run_of(*cases))
    texts = [text.text for text in svg(drawn).iter("text")]
    where = [points(drawn, row) for row in range(3)]

    assert [len(found) for found in where] == [1, 1, 1]
    assert len({y for ((_, y),) in where}) == 3
    assert part(drawn, "legend_1") is None
    names = ["numpy", "tensorflow", "torch"]
    pairs = [f"{one} and {other}" for one, other in combinations(names, 2)]
    wanted = pairs if plot is agreement.apart else [f"{name} {MODES[name][0]}" for name in names]
    assert [text for text in texts if text in wanted] == wanted
    width, height = map(float, svg(drawn).get("viewBox").split()[2:])
    assert all(0.2 * width < x < width and 0 < y < 0.9 * height for ((x, y),) in where)
    assert "One epoch" in drawn.caption


def test_one_epoch_as_measured():
    """The rows of one epoch lie as far right as their values say, from 0 on."""
    cases = [curves("numpy", "fused"), curves("torch", "eager", 1.5)]
    drawn = agreement.training_loss(
        run_of(*(replace_extra(one, **{name: one.extra[name][:1] for name in ONE_EPOCH}) for one in cases))
    )
    ((low, _),), ((high, _),) = (points(drawn, row) for row in range(2))
    ticks = [float(group.find(".//use").get("x")) for group in svg(drawn).iter("g") if "xtick" in group.get("id", "")]
    assert_allclose((high - ticks[0]) / (low - ticks[0]), 4.5 / 3.0, rtol=1e-4)


def test_a_framework_keeps_its_colour():
    """One colour a framework, in all plots alike; one dash and marker a mode."""
    seen = {}
    for plot in (inference.time_per_image, graphs.speed_up_predict, agreement.training_loss, space.memory):
        drawn = plot(whole())
        labels = [text.text for text in part(drawn, "legend_1").iter("text")]
        for index, label in enumerate(labels):
            seen.setdefault(label.split()[0], set()).add(colours_of(drawn)[index])
    assert seen == {"numpy": {"blue"}, "tensorflow": {"orange"}, "torch": {"green"}}


def colours_of(drawn):
    """The colours of a plot's marks, in their order."""
    marks = [element for element in svg(drawn).iter() if re.fullmatch(rf"{drawn.name}-mark-\d+", element.get("id", ""))]
    return [re.search(r"var\(--([a-z]+(?:-\d)?),", ElementTree.tostring(mark, encoding="unicode"))[1] for mark in marks]


@pytest.mark.parametrize(
    "plot",
    [
        ladder.ladder_time,
        ladder.ladder_memory,
        agreement.apart,
        pruning.pruned_bytes,
        pruning.pruned_time,
        compression.compressed_bytes,
    ],
    ids=lambda plot: plot.__name__,
)
def test_what_is_no_framework_has_a_neutral_colour(plot):
    """Questions, differences, forms of bytes and techniques are drawn in colours that no framework can have."""
    assert {*colours_of(plot(whole()))} <= {*NEUTRAL}


def test_colours_are_declared():
    """A framework has the colour that the run gives it, whichever other frameworks there are."""
    colours = {"numpy": "grey", "tensorflow": "blue", "torch": "olive"}
    drawn = agreement.training_loss(run_of(*whole().cases, colours=colours))
    assert colours_of(drawn) == ["grey", "blue", "olive"]

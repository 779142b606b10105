"""No part of the report knows a framework or a mode by its name: under other names it says and draws the same."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from benchmarks.report.parts import (
    agreement,
    by_hand,
    compression,
    first_calls,
    flops,
    graphs,
    inference,
    ladder,
    pruning,
    space,
    training,
)
from tests.report.test_plots import colours_of, whole
from tests.report.test_plots import part as drawn_part
from tests.support.runs import said

NAMES = {
    **{"numpy": "fwone", "tensorflow": "fwtwolonge", "torch": "fwxyz"},
    **{"eager": "modea", "compile": "modebcd", "graph": "modee", "fused": "modef", "im2col": "modegh", "loops": "modei"},
}
"""Name -> another one as long, which no sentence has in it; frameworks and modes stay in the order of the alphabet."""

PARTS = (inference, agreement, training, by_hand, ladder, graphs, first_calls, flops, space, pruning, compression)


def renamed(run):
    """The same run of frameworks and modes with other names."""

    def other(value):
        return NAMES.get(value, value) if isinstance(value, str) else value

    cases = [replace(case, extra={field: other(value) for field, value in case.extra.items()}) for case in run.cases]
    ours = {
        **run.lenet5,
        "modes": {other(framework): [*map(other, modes)] for framework, modes in run.lenet5["modes"].items()},
        "colours": {other(framework): colour for framework, colour in run.lenet5["colours"].items()},
        "reference": {key: other(value) for key, value in run.lenet5["reference"].items()},
    }
    return replace(run, cases=tuple(cases), lenet5=ours)


def with_old_names(text):
    """A text in which the other names are those of before again."""
    for name, other in NAMES.items():
        text = text.replace(other, name)
    return text


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__.rpartition(".")[2])
def test_other_names(part):
    """The sentences and tables are the same but for the names, and so are the plots, their colours and their dashes."""
    run, other = whole(processes=3), renamed(whole(processes=3))

    assert with_old_names(said(part, other)) == said(part, run)
    assert said(part, other) != said(part, run)

    for plot, same in zip(part.plots(other), part.plots(run), strict=True):
        assert (plot.name, with_old_names(plot.title), with_old_names(plot.caption)) == (same.name, same.title, same.caption)
        assert looks(plot) == looks(same)


def looks(plot):
    """Colour and dash of each mark."""
    marks = [drawn_part(plot, f"mark-{index}") for index in range(len(colours_of(plot)))]
    paths = [next(iter(mark.iter("path"))).get("style", "") for mark in marks]
    return [*zip(colours_of(plot), [re.findall(r"stroke-dasharray: [^;]*", style) for style in paths], strict=True)]

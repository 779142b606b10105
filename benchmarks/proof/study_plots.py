"""The plots on the study's page: how often slow-downs are found, by pairs and by rule, and false alarms by rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.quantities import units
from benchmarks.report.drawing import PALETTE, Axis, Line, draw
from benchmarks.report.records import Plot

COLOURS = tuple(PALETTE)
"""The study draws no framework, so that its lines may have the frameworks' colours."""

GATE = "this gate"
"""How the gate is called among the usual rules."""


def plots(found: Mapping[str, Any]) -> list[Plot]:
    """How often slow-downs are found by pairs, and by rule; false alarms by rule."""
    conditions = found["conditions"].items()
    return [
        *(_detection(index, name, condition) for index, (name, condition) in enumerate(conditions)),
        *(_power(index, name, condition) for index, (name, condition) in enumerate(conditions)),
        *(_alarms(index, name, condition) for index, (name, condition) in enumerate(conditions)),
    ]


def _detection(index: int, name: str, condition: Mapping[str, Any]) -> Plot:
    lines = [
        Line(
            f"+{100 * one['change']:g} %",
            [at["pairs"] for at in one["by_pairs"]],
            [at["share"] for at in one["by_pairs"]],
            colour=COLOURS[order % len(COLOURS)],
            style=order,
            intervals=[(at["low"], at["high"]) for at in one["by_pairs"]],
        )
        for order, one in enumerate(condition["injected"])
    ]
    seconds = {at["pairs"]: at["at_most"] for at in condition["seconds"]}
    caption = (
        "Up is better. How often a slow-down in one case is found, by the pairs measured until then, and by the minutes that these take at "
        "most; 95 % intervals."
    )

    def pairs(number: float) -> str:
        return f"{number:g}" if seconds.get(number) is None else f"{number:g}\n{units.MINUTES.show(seconds[number])}"

    x, y = Axis("pairs", ticks=list(seconds), write=pairs), Axis("found", write=_percent, zero=True)
    return Plot(f"detection-{index}", f"Found, by pairs ({name})", caption, draw(f"detection-{index}", lines, x, y))


def _power(index: int, name: str, condition: Mapping[str, Any]) -> Plot:
    rules = {GATE: condition["injected"], **{rule: of["injected"] for rule, of in condition["usual"].items()}}
    lines = [
        Line(
            rule,
            [one["change"] for one in of],
            [one["found"]["share"] for one in of],
            colour=COLOURS[order % len(COLOURS)],
            style=order,
        )
        for order, (rule, of) in enumerate(rules.items())
    ]
    caption = "Up is better, but not without the next figure: a rule that always cries finds everything."
    x = Axis("slow-down of one case", write=_percent, ticks=[one["change"] for one in condition["injected"]])
    svg = draw(f"power-{index}", lines, x, Axis("found", write=_percent, zero=True))
    return Plot(f"power-{index}", f"Found, by rule ({name})", caption, svg)


def _alarms(index: int, name: str, condition: Mapping[str, Any]) -> Plot:
    rules = {GATE: condition["resampled"], **condition["usual"]}
    lines = []
    for order, (what, label) in enumerate((("case", "of the cases"), ("run", "of the runs"))):
        shares = [of[f"false_alarms_a_{what}"] for of in rules.values()]
        intervals = [(share["low"], share["high"]) for share in shares]
        values = [share["share"] for share in shares]
        lines.append(
            Line(
                label,
                values,
                range(len(rules)),
                colour=COLOURS[order % len(COLOURS)],
                style=order,
                joined=False,
                rows=True,
                intervals=intervals,
            )
        )
    caption = "Left is better. Identical code called slower: of the cases, and runs in which any case is; 95 % intervals."
    svg = draw(f"alarms-{index}", lines, Axis("false alarms", write=_percent, zero=True), Axis("", names=list(rules)))
    return Plot(f"alarms-{index}", f"False alarms, by rule ({name})", caption, svg)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"

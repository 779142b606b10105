"""What a history says, as records for page and Markdown, and as lines for a terminal."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from datetime import datetime

from benchmarks.quantities.statistics import CONFIDENCE, SEVERAL, Ratio
from benchmarks.quantities.units import COUNT, RATIO, SECONDS, counted
from benchmarks.report.estimates import ratio_cell
from benchmarks.report.history.accepted import Accepted
from benchmarks.report.history.changes import ACCEPTED, MACHINE, SLOWER, Change
from benchmarks.report.history.lines import History, Stratum
from benchmarks.report.history.moments import Moment
from benchmarks.report.history.pictures import plots
from benchmarks.report.history.steps import FEWEST_POINTS
from benchmarks.report.records import Cell, Dash, Quantity, Report, Section, Table, Words
from benchmarks.report.text import printable, whole

NO_CONTROL = Dash("no control was measured at these points")

FEW_NAMES = 3
"""Lines that the machine moved which are named; the others are counted."""

AT_MOST = 10
"""Files without a run that a terminal names."""

CLOCKS_DIFFER_SECONDS = 3600
"""By so much a point may be later than now before it is said that a clock was wrong."""

HOURS_SHOWN = 48
"""Older points have their age in days."""


def report(history: History, found: Sequence[Change], accepted: Sequence[Accepted], faults: Sequence[str], now: str) -> Report:
    """Everything that is said, drawn and warned of.  ``now`` is in ISO 8601."""
    counting = [one for one in found if one.counts]
    slower = [one for one in counting if one.verdict == SLOWER]
    title = f"History: {counted(len(slower), 'slow-down')} not accepted, over {_places(history)}"
    return Report(
        title=title,
        facts=[
            newest(history, now),
            counted(history.processes, "saved process"),
            counted(len(history.cases), "case"),
            f"{history.moments[0].label} to {history.moments[-1].label}",
        ],
        summary=[_sentence(one) for one in counting] or [_none(history)],
        notes=_notes(),
        plots=plots(history, found),
        sections=[
            *_changes(found),
            *_machine(found),
            _newest(history),
            *_circumstances(history),
            *_unread(faults),
            *_unused(accepted, found),
        ],
        colours=history.colours,
    )


def terminal(history: History, found: Sequence[Change], accepted: Sequence[Accepted], faults: Sequence[str], now: str) -> str:
    """The list of changes, each with the command that would confirm it, and last the age of the newest point."""
    lines = []
    for one in found:
        if one.verdict != MACHINE:
            lines.append(printable(_sentence(one)))
        if one.counts:
            lines.append(f"  confirm: {printable(one.command)}")
    lines += [printable(_by_machine(same)) for same in _together(found)]
    lines += [] if found else [_none(history)]
    lines += [printable(f"Not read: {fault}") for fault in faults[:AT_MOST]]
    lines += [f"Not read: {len(faults) - AT_MOST} more, see the page"] if len(faults) > AT_MOST else []
    lines += [printable(line) for line in unused(accepted, found)]
    return "\n".join([*lines, newest(history, now)])


def newest(history: History, now: str) -> str:
    """How old the newest point is.   -> 'newest point: 2026-11-27 04:45 UTC, 3 hours old on 2026-11-27 07:50 UTC'"""
    seconds = (datetime.fromisoformat(now) - datetime.fromisoformat(history.newest)).total_seconds()
    if seconds < -CLOCKS_DIFFER_SECONDS:
        return f"newest point: {_minute(history.newest)}, which is later than now, {_minute(now)}: a clock was wrong"
    hours = max(0, int(seconds // 3600))
    age = counted(hours, "hour") if hours < HOURS_SHOWN else counted(hours // 24, "day")
    return f"newest point: {_minute(history.newest)}, {age} old on {_minute(now)}"


def unused(accepted: Sequence[Accepted], found: Sequence[Change]) -> list[str]:
    """A line for each line of the file of accepted changes that accepts nothing that was found."""
    used = {one.mark for one in found}
    return [
        f"{mark.where}: accepts no change that was found ({mark.case} at {mark.commit})" for mark in accepted if mark not in used
    ]


def _minute(moment: str) -> str:
    return f"{moment[:10]} {moment[11:16]} UTC"


def _places(history: History) -> str:
    number = len(history.moments)
    sets = f"{counted(number, 'set')} of versions"
    return {"commit": counted(number, "commit"), "version": sets, "date": counted(number, "run")}[history.by]


def _none(history: History) -> str:
    longest = max(len(line.places) for case in history.cases for line in case.lines) if history.cases else 0
    if longest < FEWEST_POINTS:
        return f"No line has {FEWEST_POINTS} points under the same circumstances, so none was searched for changes; the longest has {longest}."
    return "No change was found that the control did not make, too."


def _sentence(one: Change) -> str:
    """One change in a line.   -> 'slower: predict batch64, numpy fused: 1.12 x [1.09, 1.15] from 6935583a to 0eaba4e1 (2026-11-24)'"""
    mark = f"; {one.mark.reason} ({one.mark.where})" if one.mark and one.verdict == ACCEPTED else ""
    size, where = _ratio(one.ratio), f"{one.before.code} to {one.after.code} ({one.after.date[:10]})"
    return f"{one.verdict}: {one.case.title}, {one.line.label}: {size} from {where}{mark}"


def _together(found: Sequence[Change]) -> list[list[Change]]:
    """The machine's changes, those between the same two points together."""
    same: dict[tuple[Moment, Moment], list[Change]] = {}
    for one in found:
        if one.verdict == MACHINE:
            same.setdefault((one.before, one.after), []).append(one)
    return list(same.values())


def _by_machine(same: Sequence[Change]) -> str:
    """What the machine did at one place, in a line."""
    control = _most_moved(same)
    lines = counted(len(same), "line")
    where = f"{same[0].before.code} to {same[0].after.code} ({same[0].after.date[:10]})"
    return f"{MACHINE}: {lines} from {where}{f'; the control: {_ratio(control)}' if control else ''}"


def _most_moved(same: Sequence[Change]) -> Ratio | None:
    moved = [one.control for one in same if one.control]
    return max(moved, key=lambda ratio: abs(math.log(ratio.ratio)), default=None)


def _ratio(ratio: Ratio) -> str:
    return whole(ratio_cell(ratio))


def _notes() -> list[str]:
    return [
        f"**How a change is found.** At least {SEVERAL} points of either level, and {FEWEST_POINTS} of the line, under the same circumstances. "
        f"The interval ({CONFIDENCE:.0%}) is that of the ratio of both levels, after the search has chosen where they meet: it is too narrow "
        "rather than too wide. A history says where to look; **the gate's command beside a change confirms it** on one machine.",
        f"A change is **{MACHINE}**'s where a control moves with it by at least half as much. Accepted changes do not count.",
    ]


# Sections


def _changes(found: Sequence[Change]) -> list[Section]:
    rows: list[list[Cell]] = [
        [
            Words(f"{one.case.title}, {one.line.label}"),
            Words(one.verdict),
            Quantity(one.ratio.ratio, RATIO, _ends(one.ratio)),
            _control(one.control),
            Words(_where(one)),
            Words(_last(one)),
        ]
        for one in found
        if one.verdict != MACHINE
    ]
    head = ["", "what", "new / old", "control", "commits", "confirm, or why it is accepted"]
    return [Section("Changes", ["The newest first."], Table(head, rows))] if rows else []


def _machine(found: Sequence[Change]) -> list[Section]:
    rows: list[list[Cell]] = []
    for same in _together(found):
        ratios = sorted(one.ratio.ratio for one in same)
        middle = Quantity(statistics.median(ratios), RATIO, (ratios[0], ratios[-1]))
        names = [f"{one.case.title}, {one.line.label}" for one in same[:FEW_NAMES]]
        more = f" and {len(same) - FEW_NAMES} more" if len(same) > FEW_NAMES else ""
        rows.append([Words(_where(same[0])), middle, _control(_most_moved(same)), Words(f"{'; '.join(names)}{more}")])
    before = ["Changes that a control made, too. The ratio is the median [lowest, highest] of the lines."]
    head = ["commits", "new / old", "control", "lines"]
    return [Section("What the machine did", before, Table(head, rows))] if rows else []


def _control(ratio: Ratio | None) -> Cell:
    return Quantity(ratio.ratio, RATIO, _ends(ratio)) if ratio else NO_CONTROL


def _where(one: Change) -> str:
    return f"{one.before.code} to {one.after.code}, {one.after.date[:10]}"


def _last(one: Change) -> str:
    return f"{one.mark.reason} ({one.mark.where})" if one.mark and one.verdict == ACCEPTED else f"`{one.command}`"


def _ends(ratio: Ratio) -> tuple[float, float] | None:
    return None if ratio.low is None or ratio.high is None else (ratio.low, ratio.high)


def _newest(history: History) -> Section:
    rows: list[list[Cell]] = []
    for case in history.cases:
        last = {line.label: line for line in sorted(case.lines, key=lambda line: line.places[-1])}
        for label in dict.fromkeys(line.label for line in case.lines):
            line = last[label]
            interval = (float(line.low[-1]), float(line.high[-1]))
            time = Quantity(float(line.median[-1]), SECONDS, interval if interval[0] < interval[1] else None)
            moment: Moment = history.moments[line.places[-1]]
            points = sum(len(one.places) for one in case.lines if one.label == label)
            rows.append(
                [Words(f"{case.title}, {label}"), time, Words(f"{moment.code}, {moment.date[:10]}"), Quantity(points, COUNT)]
            )
    before = ["The newest point of every line: the median [quartiles] of one process, or [lowest, highest] of several."]
    return Section("Where each line stands", before, Table(["", "time", "commit", "points"], rows))


def _circumstances(history: History) -> list[Section]:
    """From where on circumstances differ; lines of several frameworks together where it is the same difference."""
    same: dict[tuple[str, str], list[Stratum]] = {}
    for one in history.strata:
        same.setdefault((one.since, one.moment.label), []).append(one)
    rows = [
        (
            Words(found[0].moment.code),
            Words(found[0].moment.measured[:10]),
            Words(since),
            Words(", ".join(one.framework or "all" for one in found)),
        )
        for (since, _), found in same.items()
    ]
    before = ["Where these differ, a line has a gap: nothing is drawn or compared across."]
    return [Section("Gaps", before, Table(["first seen at", "measured", "what differs", "lines of"], rows))] if rows else []


def _unread(faults: Sequence[str]) -> list[Section]:
    rows = [(Words(fault),) for fault in faults]
    return [Section("Files that are no runs", ["They lie below the folders that were read."], Table([""], rows))] if rows else []


def _unused(accepted: Sequence[Accepted], found: Sequence[Change]) -> list[Section]:
    rows = [(Words(line),) for line in unused(accepted, found)]
    return [Section("Accepted, but not found", [], Table([""], rows))] if rows else []

"""Was the machine disturbed while a case was measured?  Decided on what the operating system knew, case by case, and then of the run.

`benchmarks/arrange/witness.py` says what each of the fields is that are judged here.  A file without these fields, which is from before
they were recorded or from a system that does not tell, has no disturbed case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.quantities.units import CPUS, counted, significant
from benchmarks.report.records import Mark, Quantity
from benchmarks.saved.results import UNTIMED, Case, Run

OTHERS_CPUS = 0.2
"""CPUs that other programs may use while a case is measured, for each CPU that the case leaves free, and for one at least.

With as many threads as CPUs that is a fifth of one CPU.  In docs/disturbance 312 idle cases saw at most 0.23 CPUs of others, 99 % of
them at most 0.09, and 675 cases beside busy loops at least 0.88.  `python -m benchmarks disturb` records them again.
"""

ROUNDING_SECONDS = 0.02
"""Processor time that others may seem to have used only because Linux counts in hundredths of a second, once before and once after."""

LEAST_WATCHED_SECONDS = 0.15
"""How long a measurement has to be watched before it can be called quiet: in less time half a CPU of others is hardly more than rounding.

A shorter one can be disturbed, if others used much; if not, nothing is said of it.
"""

MOST_DISTURBED = 0.1
"""The largest share of its cases that may be disturbed before a run is called so.

A single idle case in a hundred may be called disturbed, so the one case among many says nothing of the run, while a run of one case is as
disturbed as its case.
"""

MOST_PROCESSES = 0.25
"""The largest share of its processes in which a case may be disturbed before it is called so: up to there the median over the processes
is that of quiet ones, and the interval of a ratio shows what the others add.
"""

OTHERS, FEW_CPUS = "†", "‡"
"""The signs of the two kinds of marks."""

BEGIN = "Disturbed: "
"""How the first line of a disturbed run's report begins."""

OTHERS_RAN = "other programs ran while this was measured"
HAD_FEW_CPUS = "measured on fewer CPUs than the run has threads"


# One case


def others_cpus(extra: Mapping[str, Any]) -> float | None:
    """CPUs that other programs and other virtual machines used on average; None where nothing tells."""
    watched, others = extra.get("watched_seconds"), extra.get("others_cpu_seconds")
    return None if watched is None or others is None else float((others + (extra.get("steal_seconds") or 0)) / watched)


def long_enough(extra: Mapping[str, Any]) -> bool:
    """Whether it is known what others used, for so long that little of it means something."""
    return others_cpus(extra) is not None and extra["watched_seconds"] >= LEAST_WATCHED_SECONDS


def cpus(extra: Mapping[str, Any]) -> int | None:
    """CPUs that the thread with the fewest was allowed, before or after; None where nothing tells."""
    found = [extra[name] for name in ("cpus_allowed", "cpus_allowed_after") if extra.get(name) is not None]
    return min(found, default=None)


def disturbed(case: Case, threads: int) -> Mark | None:
    """What makes the times of a case doubtful in a run of so many threads, or None.

    It had fewer CPUs than threads, whatever else; or others used more than `OTHERS_CPUS` allows.  Of several processes each is judged, and
    the case is disturbed if more than `MOST_PROCESSES` of them are.  A case whose times say nothing is not.
    """
    return None if case.group in UNTIMED else _of_several(processes_of(case), threads)


def first_call_mark(run: Run, case: Case) -> Mark | None:
    """The same of a case's first call, which was watched by itself: it comes before what the case repeats."""
    return _of_several([_of_first_call(extra) for extra in processes_of(case)], run.lenet5["threads"])


def _of_first_call(extra: Mapping[str, Any]) -> dict[str, Any]:
    """What the system knew while a first call was made, under the names that it has for a case."""
    watched, others = extra.get("first_call_watched_seconds"), extra.get("first_call_others_cpu_seconds")
    return {**extra, "watched_seconds": watched, "others_cpu_seconds": others, "steal_seconds": 0}


def _of_several(processes: Sequence[Mapping[str, Any]], threads: int) -> Mark | None:
    marks = [mark for extra in processes if (mark := _mark(extra, threads))]
    if len(marks) <= MOST_PROCESSES * len(processes):
        return None
    return max(marks, key=lambda mark: (mark.sign == FEW_CPUS, mark.most.value if mark.most else 0))


def _mark(extra: Mapping[str, Any], threads: int) -> Mark | None:
    """The same of one process."""
    allowed, others = cpus(extra), others_cpus(extra)
    if allowed is not None and allowed < threads:
        return Mark(FEW_CPUS, HAD_FEW_CPUS)
    if others is None:
        return None
    bound = OTHERS_CPUS * max(1, (allowed or 0) - threads)
    return (
        Mark(OTHERS, OTHERS_RAN, Quantity(others, CPUS)) if others > bound + ROUNDING_SECONDS / extra["watched_seconds"] else None
    )


def processes_of(case: Case) -> Sequence[Mapping[str, Any]]:
    """What rode along in each process."""
    return case.extras or (case.extra,)


# The cases of a run


def marks(run: Run) -> list[tuple[Case, Mark]]:
    """The disturbed cases of a run, each with its mark."""
    return [(case, mark) for case in run.cases if (mark := disturbed(case, run.lenet5["threads"]))]


def mark_of(run: Run, *cases: Case) -> Mark | None:
    """The mark of a number that was made from the times of these cases: that of the first that was disturbed."""
    return next(filter(None, (disturbed(case, run.lenet5["threads"]) for case in cases)), None)


def fastest(run: Run, cases: Sequence[Case]) -> Case | None:
    """The fastest of the cases, if it is known: a disturbed one, whose shortest round is shorter than its time, could be faster."""
    known = [case for case in cases if not disturbed(case, run.lenet5["threads"])]
    best = min(known, key=lambda case: case.typical, default=None)
    doubtful = [case for case in cases if case not in known]
    return None if best is None or any(case.stats["min"] < best.typical for case in doubtful) else best


def sentence(run: Run) -> str:
    """'Disturbed: ...' if more than `MOST_DISTURBED` of the cases are that can be judged; empty for a quiet run."""
    found, judged = marks(run), len(_judged(run))
    if len(found) <= MOST_DISTURBED * judged:
        return ""
    return f"{BEGIN}{'; '.join(_by_what(run, found, judged))}."


def _judged(run: Run) -> list[Case]:
    """The cases that something can be said of."""
    threads = run.lenet5["threads"]
    timed = [case for case in run.cases if case.group not in UNTIMED]
    return [case for case in timed if any(map(long_enough, processes_of(case))) or disturbed(case, threads)]


def _by_what(run: Run, found: Sequence[tuple[Case, Mark]], judged: int) -> Iterator[str]:
    threads = run.lenet5["threads"]
    by_others = [case for case, mark in found if mark.sign == OTHERS]
    if by_others:
        extras = [extra for case in by_others for extra in processes_of(case) if _mark(extra, threads)]
        seconds = sum(extra["watched_seconds"] for extra in extras)
        taken = sum((others_cpus(extra) or 0) * extra["watched_seconds"] for extra in extras) / seconds
        allowed = max((cpus(extra) or 0 for extra in extras), default=0)
        of = f"{significant(taken, 2)} of {counted(allowed, 'CPU')}" if allowed else CPUS.show(taken)
        yield f"other programs took {of} while {len(by_others)} of {counted(judged, 'case')} {_were(judged)} measured"
    if few := few_cpus(run):
        yield f"{len(few)} of {counted(judged, 'case')} {_were(judged)} measured on {counted(min(few), 'CPU')} with {counted(threads, 'thread')}"


def _were(judged: int) -> str:
    return "was" if judged == 1 else "were"


def few_cpus(run: Run) -> list[int]:
    """Of each case that had fewer CPUs than the run has threads, how many it had."""
    found = [case for case, mark in marks(run) if mark.sign == FEW_CPUS]
    return [min(allowed for extra in processes_of(case) if (allowed := cpus(extra)) is not None) for case in found]


def threads_in_words(run: Run) -> str:
    """'2 threads each'; and how many of the cases had fewer CPUs than that, where any had."""
    return f"{counted(run.lenet5['threads'], 'thread')} each{but_on_few_cpus(run)}"


def but_on_few_cpus(run: Run) -> str:
    """', but 13 of 67 cases on 1 CPU': what has to stand behind a number of threads; empty where every case had its CPUs."""
    few = few_cpus(run)
    return f", but {len(few)} of {counted(len(run.cases), 'case')} on {counted(min(few), 'CPU')}" if few else ""

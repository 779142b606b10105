"""A disturbed case is marked where its number stands and wins nothing; a disturbed run says so before everything else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.quantities.units import CPUS, SECONDS
from benchmarks.report import disturbance, headline, markdown, page, report, side_by_side, terminal, versions
from benchmarks.report.disturbance import FEW_CPUS, HAD_FEW_CPUS, OTHERS, OTHERS_RAN, disturbed, sentence
from benchmarks.report.parts import by_hand, comparison, first_calls, inference, static
from benchmarks.report.parts.circumstances import sections as circumstances
from benchmarks.report.records import Mark, Quantity
from tests.report.test_page import Reader
from tests.support import runs
from tests.support.runs import run_of, said

QUIET = {"cpus_allowed": 2, "cpus_allowed_after": 2, "watched_seconds": 1.0, "others_cpu_seconds": 0.02, "steal_seconds": 0.01}
LOUD = {**QUIET, "others_cpu_seconds": 0.9}
BOUND = {**QUIET, "cpus_allowed": 1}


def case(framework="numpy", mode="fused", *seconds, batch=64, **extra):
    return runs.case("predict", framework, mode, *(seconds or (1e-3,)), batch=batch, **extra)


def several(*extras):
    """A case of as many processes, of each of which the system tells what stands here."""
    one = case("numpy", "fused", *[1e-3] * len(extras))
    return replace(one, extras=tuple({**one.extra, **extra} for extra in extras))


@pytest.mark.parametrize(
    ("extra", "threads", "mark"),
    [
        ({}, 2, None),
        (QUIET, 2, None),
        (LOUD, 2, Mark(OTHERS, OTHERS_RAN, Quantity(0.91, CPUS))),
        ({**QUIET, "steal_seconds": 0.5}, 2, Mark(OTHERS, OTHERS_RAN, Quantity(0.52, CPUS))),
        # 0.2 CPUs for 1 s, and 0.02 s that can be rounding
        ({**QUIET, "others_cpu_seconds": 0.209}, 2, None),
        ({**QUIET, "others_cpu_seconds": 0.211}, 2, Mark(OTHERS, OTHERS_RAN, Quantity(0.221, CPUS))),
        ({**QUIET, "others_cpu_seconds": 0.211}, 1, Mark(OTHERS, OTHERS_RAN, Quantity(0.221, CPUS))),
        ({**LOUD, "watched_seconds": 10.0}, 2, None),
        ({**QUIET, "watched_seconds": 0.05, "others_cpu_seconds": 0.019}, 2, None),
        ({**QUIET, "watched_seconds": 0.05, "others_cpu_seconds": 0.04}, 2, Mark(OTHERS, OTHERS_RAN, Quantity(1.0, CPUS))),
        ({**BOUND, "watched_seconds": 0.001}, 2, Mark(FEW_CPUS, HAD_FEW_CPUS)),
        ({**QUIET, "cpus_allowed_after": 1}, 2, Mark(FEW_CPUS, HAD_FEW_CPUS)),
        ({**LOUD, "cpus_allowed": 1}, 2, Mark(FEW_CPUS, HAD_FEW_CPUS)),
        ({"cpus_allowed": 1}, 2, Mark(FEW_CPUS, HAD_FEW_CPUS)),
        ({"cpus_allowed": 1}, 1, None),
        # 16 CPUs of which two threads leave 14 free: others may use a fifth of those
        ({**LOUD, "cpus_allowed": 16, "cpus_allowed_after": 16, "others_cpu_seconds": 2.7}, 2, None),
        (
            {**QUIET, "cpus_allowed": 16, "cpus_allowed_after": 16, "others_cpu_seconds": 2.9},
            2,
            Mark(OTHERS, OTHERS_RAN, Quantity(2.91, CPUS)),
        ),
    ],
)
def test_a_case(extra, threads, mark):
    """By what others used of the CPUs that it could not spare; by too few CPUs whatever else; by nothing where nothing tells."""
    found = disturbed(case(**extra), threads)

    assert found == (mark and replace(mark, most=found.most if mark.most else None))
    if mark and mark.most:
        assert found.most.value == pytest.approx(mark.most.value)


@pytest.mark.parametrize(
    ("processes", "sign"),
    [
        ([LOUD] + [QUIET] * 9, None),
        ([LOUD] * 2 + [QUIET] * 6, None),
        ([LOUD] * 3 + [QUIET] * 7, OTHERS),
        ([LOUD] + [QUIET] * 2, OTHERS),
        ([LOUD, LOUD, BOUND] + [QUIET] * 7, FEW_CPUS),
        ([{}] * 3, None),
    ],
)
def test_a_case_of_several_processes(processes, sign):
    """Two processes of eight say nothing of a case, three of ten and one of three do."""
    found = disturbed(several(*processes), 2)
    assert (found and found.sign) == sign


def cases(*extras):
    return [case(mode=f"mode {index}", **extra) for index, extra in enumerate(extras)]


@pytest.mark.parametrize(
    ("extras", "line"),
    [
        ([LOUD], "Disturbed: other programs took 0.91 of 2 CPUs while 1 of 1 case was measured."),
        (
            [LOUD, {**LOUD, "others_cpu_seconds": 0.4}] + [QUIET] * 8,
            "Disturbed: other programs took 0.66 of 2 CPUs while 2 of 10 cases were measured.",
        ),
        ([LOUD] + [QUIET] * 9, ""),
        ([QUIET] * 3, ""),
        ([{}] * 3, ""),
        ([BOUND] * 2 + [QUIET], "Disturbed: 2 of 3 cases were measured on 1 CPU with 2 threads."),
        (
            [BOUND, LOUD],
            "Disturbed: other programs took 0.91 of 2 CPUs while 1 of 2 cases were measured; 1 of 2 cases were measured on 1 CPU with 2 threads.",
        ),
        # of these ten one is disturbed, and eight were too short to be judged
        (
            [LOUD, QUIET] + [{**QUIET, "watched_seconds": 0.01, "others_cpu_seconds": 0}] * 8,
            "Disturbed: other programs took 0.91 of 2 CPUs while 1 of 2 cases were measured.",
        ),
    ],
)
def test_a_run(extras, line):
    """More than a tenth of the cases that can be judged, and so the one case of a run of one."""
    assert sentence(run_of(*cases(*extras))) == line


DISTURBED = run_of(
    case("numpy", "fused", 1e-3, **LOUD), case("torch", "eager", 2e-3, **QUIET), case("torch", "compile", 5e-4, **LOUD)
)
"""The quickest of both frameworks were disturbed; of NumPy there is nothing else."""

CALM = run_of(case("numpy", "fused", 1e-3, **QUIET), case("torch", "eager", 2e-3, **QUIET))


def test_first_line_in_every_form():
    """It comes before title, facts, comparison and all else; a quiet run has no such line anywhere."""
    line = "Disturbed: other programs took 0.91 of 2 CPUs while 2 of 3 cases were measured."
    found = report.of(DISTURBED)
    assert markdown.render(found).splitlines()[:3] == [line, "", f"# {found.title}"]
    assert " ".join(terminal.render(found, "What it is.", comparison.rows(DISTURBED), []).splitlines()[:2]).startswith(line)
    html = page.render(found)
    content = html[html.index('<header id="answer">') :]
    assert Reader(content).text().startswith(line)

    found = report.of(CALM)
    for text in (markdown.render(found), terminal.render(found, "", [], []), page.render(found)):
        assert "disturbed" not in text.lower().replace("did the machine", "")


def test_marked_where_the_number_stands():
    """In the tables of times, in the comparison with its sign explained below, and on the ratio that a disturbed time makes."""
    table = said(inference, DISTURBED)
    assert "1.00 ms† [1.00 ms, 1.00 ms]" in table
    assert "2.00 ms [2.00 ms, 2.00 ms]" in table
    assert "† other programs ran while this was measured, on up to 0.91 CPUs" in table
    assert "2.00 x†" in said(by_hand, DISTURBED)

    html = page.render(report.of(DISTURBED))
    assert "<span>1.00 ms†</span>" in html
    assert '<p class="reasons">† other programs ran while this was measured, on up to 0.91 CPUs</p>' in html


@pytest.mark.parametrize("disturbed_mode", ["eager", "compile"])
def test_a_ratio_is_as_doubtful_as_either_time(disturbed_mode):
    """A graph's ratio to the dynamic mode has a mark if one of the two was disturbed."""
    modes = [
        case("torch", mode, 1e-3, dynamic_mode="eager", **(LOUD if mode == disturbed_mode else QUIET))
        for mode in ("eager", "compile")
    ]
    assert "1.00 x†" in said(static, run_of(*modes))


FIRST = {"first_call_watched_seconds": 2.0, "first_call_others_cpu_seconds": 0.04}
LOUD_FIRST = {**FIRST, "first_call_others_cpu_seconds": 1.6}


def test_a_first_call_is_watched_by_itself():
    """Its mark is no mark of the times that follow, nor theirs one of it; but too few CPUs doubt both."""
    cases = {
        "eager": {**LOUD, **FIRST},
        "compile": {**QUIET, **LOUD_FIRST},
        "graph": {**BOUND, **FIRST},
        "jit": {**QUIET, **FIRST},
        "old": LOUD,
    }
    run = run_of(*(case("torch", mode, 1e-3, first_call_seconds=1.0, **extra) for mode, extra in cases.items()))
    rows = {line.split("|")[1].split()[1]: line for line in said(inference, run).splitlines() if line.startswith("| torch")}
    times = {mode: [cell.split()[1] for cell in line.split("|")[2:4]] for mode, line in rows.items()}
    assert times == {
        "eager": ["ms†", "s"],
        "compile": ["ms", "s†"],
        "graph": ["ms‡", "s‡"],
        "jit": ["ms", "s"],
        "old": ["ms†", "s"],
    }


def test_first_calls_of_several_processes():
    """One of ten says nothing of the others; three of ten do."""
    for loud, mark in ((1, None), (3, OTHERS)):
        one = several(*[{**QUIET, **(LOUD_FIRST if number < loud else FIRST)} for number in range(10)])
        found = disturbance.first_call_mark(run_of(one), one)
        assert (found and found.sign) == mark


@pytest.mark.parametrize("disturbed_mode", ["eager", "compile"])
def test_first_calls_beside_each_other(disturbed_mode):
    """The graph's first call and the dynamic mode's in brackets have their own marks, and one line below says what the sign means."""
    modes = [
        case(
            "torch",
            mode,
            1e-3,
            first_call_seconds=first,
            dynamic_mode="eager",
            **QUIET,
            **(LOUD_FIRST if mode == disturbed_mode else FIRST),
        )
        for mode, first in (("eager", 2.0), ("compile", 5.0))
    ]
    text = said(static, run_of(*modes))
    assert ("5.00 s (2.00 s†)" if disturbed_mode == "eager" else "5.00 s† (2.00 s)") in text
    assert "† other programs ran while this was measured, on up to 0.80 CPUs" in text


@pytest.mark.parametrize("disturbed_mode", ["eager", "compile"])
def test_a_break_even_is_as_doubtful_as_either_first_call(disturbed_mode):
    """It is computed from both, so it has a mark if one of them has."""
    fresh = {"import_fresh_seconds": 1.0, "build_fresh_seconds": 0.0}
    modes = [
        runs.case("graphs predict", "torch", mode, seconds, batch=1, dynamic_mode="eager", first_call_fresh_seconds=first, **fresh)
        for mode, first, seconds in (("eager", 1.0, 2e-3), ("compile", 9.0, 1e-3))
    ]
    assert "9.00 s (8,001 calls)" in said(first_calls, run_of(*modes))
    for one in modes:
        one.extra.update({**QUIET, **(LOUD_FIRST if one.mode == disturbed_mode else FIRST)})
    sign = "†" if disturbed_mode == "compile" else ""
    assert f"9.00 s{sign} (8,001 calls†)" in said(first_calls, run_of(*modes))


def test_first_calls_of_two_runs():
    """Where runs stand beside each other, so do the marks of their first calls."""
    one, other = (run_of(case("torch", "eager", 1e-3, first_call_seconds=1.0, **QUIET, **first)) for first in (LOUD_FIRST, FIRST))
    (section,) = side_by_side.first_calls([one, other])
    assert [cell.mark and cell.mark.sign for cell in section.table.rows[0][1:]] == [OTHERS, None]


def test_marked_on_the_terminal():
    """Its table holds the sign, and the line that explains it."""
    run = run_of(case("numpy", "fused", 1e-3, batch=450, **LOUD), case("torch", "eager", 2e-3, batch=450, **QUIET))
    text = terminal.render(report.of(run), "What it is.", comparison.rows(run), [])
    assert text.startswith("Disturbed: other programs took 0.91 of 2 CPUs")
    assert "What it is." in text
    assert "1.00 ms† (fused)" in text
    assert "† other programs ran while this was measured, on up to 0.91 CPUs" in text


def test_disturbed_times_win_nothing():
    """A framework stands in its fastest mode of those that were not disturbed; without one it is left out, and one sentence says so."""
    slow = case("torch", "compile", 5e-3, **LOUD)
    run = run_of(*(one for one in DISTURBED.cases if one.mode != "compile"), slow)
    (answer,) = headline.answers(run)
    assert [(one.label, one.time) for one in answer.contenders] == [("torch eager", Quantity(2e-3, SECONDS))]
    left_out = "Left out here, because their times were disturbed: numpy (predict, batch 64)."
    assert headline.left_out(run) == [left_out]
    assert left_out in markdown.render(report.of(run))

    everything = run_of(case("numpy", "fused", 1e-3, **LOUD))
    assert headline.answers(everything) == []
    assert headline.left_out(CALM) == []


def test_a_slower_mode_does_not_stand_for_a_disturbed_one():
    """A mode that was disturbed, and had a round that is shorter than all that is known, could be the fastest: its framework is left out."""
    assert headline.answers(DISTURBED) == []
    assert headline.left_out(DISTURBED) == [
        "Left out here, because their times were disturbed: numpy (predict, batch 64), torch (predict, batch 64)."
    ]
    duel, *_ = by_hand.duels(DISTURBED)
    assert (duel.by_hand.mode, duel.label) == ("fused", "torch compile")


def test_fastest_mode_in_the_comparison():
    """The fastest mode is shown, with its mark if it was disturbed: a slower one would be taken for it."""
    run = run_of(*(replace(one, extra={**one.extra, "batch": 450}) for one in DISTURBED.cases))
    fastest = next(row for row in comparison.rows(run) if row.short == "450 images, best").measured
    assert (fastest["torch"].note, fastest["torch"].mark.sign) == ("compile", OTHERS)
    assert (fastest["numpy"].note, fastest["numpy"].mark.sign) == ("fused", OTHERS)


def test_threads_without_cpus():
    """A run with cases on too few CPUs nowhere says its number of threads alone."""
    run = run_of(*cases(BOUND, QUIET, QUIET))
    said_of = "2 threads each, but 1 of 3 cases on 1 CPU"
    assert said_of in headline.facts(run)
    assert said_of in versions.of([run, run]).facts
    (section,) = circumstances(run)
    assert {name.text: what.text for name, what in section.table.rows}["threads"] == (
        "2 for every framework, but 1 of 3 cases on 1 CPU"
    )
    run = run_of(case("numpy", "fused", 1e-3, **BOUND), case("torch", "eager", 2e-3, **QUIET))
    assert "2 threads each, but 1 of 2 cases on 1 CPU." in said(by_hand, run)
    assert "2 threads each" in headline.facts(CALM)


def test_what_the_system_knew_is_told():
    """Each disturbed case has its row; a quiet run has no such section."""
    one = case("numpy", "fused", 1e-3, **LOUD, process_cpu_seconds=1.1, runqueue_wait_seconds=0.4)
    run = run_of(one, case("torch", "eager", 2e-3, **QUIET))
    text = said(disturbance_part(), run)
    (row,) = [line for line in text.splitlines() if "test_predict" in line]
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        *("test_predict[numpy-fused-batch64] †", "1.00 s", "0.91 CPUs", "1.1 CPUs", "400 ms", "2"),
    ]
    assert disturbance_part().sections(CALM) == []


def disturbance_part():
    from benchmarks.report.parts import disturbance as part

    return part


def test_versions_say_which_run_was_disturbed():
    """Side by side the first line names the run."""
    quiet, loud = (
        replace(run_of(case("numpy", "fused", 1e-3, **extra)), machine={"python_version": version})
        for extra, version in ((QUIET, "3.11.1"), (LOUD, "3.12.2"))
    )
    found = versions.of([quiet, loud])
    assert found.disturbed == "Disturbed: Python 3.12.2: other programs took 0.91 of 2 CPUs while 1 of 1 case was measured."
    assert "1.00 ms†" in markdown.render(found)
    assert versions.of([quiet, quiet]).disturbed == ""


def test_a_steady_neighbour_is_judged_by_its_share():
    """The bound is on CPUs, not on seconds: a long measurement bears as little as a short one."""
    for watched in (0.15, 1.0, 100.0):
        scaled = {**QUIET, "watched_seconds": watched, "others_cpu_seconds": 0.5 * watched}
        assert disturbance.others_cpus(scaled) == pytest.approx(0.5, abs=0.11)
        assert disturbed(case(**scaled), 2)

"""The report's part on the worklog, from times whose ratios can be seen without a pencil."""

from __future__ import annotations

import pytest

from benchmarks.report import markdown
from benchmarks.report.parts import worklog
from tests.support.runs import case, run_of, said, several

MIB = 2**20


def trial(mode, *seconds, against=None, part="rung", kind="predict", batch=64, calls=10, **extra):
    """A case of the group; ``against`` is what each process says of the network beside it."""
    sizes = {
        "copied_bytes": MIB,
        "moved_bytes": 4 * MIB,
        "product_macs": 7,
        "workspace_bytes": 2 * MIB,
        "threads": 1,
        "flops": 10**9,
        **extra,
    }
    made = case("worklog", "numpy", mode, *seconds, part=part, kind=kind, batch=batch, numpy_calls=calls, **sizes)
    return several(made, "against_seconds", against) if against else made


def sgemm(*seconds):
    return case("sgemm", "numpy", "sgemm 512", *seconds, flops=10**10)


def test_a_run_without_such_cases_has_no_such_section():
    """Nothing is said about what was not measured, each part by itself."""
    assert worklog.sections(run_of(sgemm(1.0))) == []
    (section,) = worklog.sections(run_of(trial("without", 1.0, part="trick")))
    assert section.title == "The worklog: the fast path without one trick"


def test_rungs():
    """The whole Markdown of the rungs: times, shares of the fastest product, and three counts for each question."""
    run = run_of(
        trial("low", 8.0, calls=4653, batch=1), trial("low", 8.0, calls=4653, copied_bytes=0, workspace_bytes=0),
        trial("high", 0.5, calls=17), trial("high", 2.0, kind="train step", calls=99), sgemm(1.0),
    )  # fmt: skip
    assert "".join(map(markdown.section, worklog.sections(run)[:1])) == RUNGS


RUNGS = """\
## The worklog: the network by hand, rung by rung

A rung of the fast network is that network without all that the rungs above it bring. Times are medians; the speed is the closed form's FLOPs \
over the time, as a share of that of the fastest large matrix product (sgemm) of this run. A call is one of NumPy's that reads or writes \
elements; copied are the bytes that calls write which compute nothing. Divide no time by that of another rung: they were taken minutes apart and beside other neighbours. The tables of the rungs have \
the ratios of pairs.

|      | predict 1 | predict 64 | train step 64 | share of sgemm: predict 1, predict 64, train step 64 | NumPy calls: predict 1, \
predict 64, train step 64 | bytes copied: predict 1, predict 64, train step 64 | workspace: predict 1, predict 64, train step 64 |
| ---- | --------: | ---------: | ------------: | ---------------------------------------------------: | \
------------------------------------------------: | -------------------------------------------------: | \
----------------------------------------------: |
| low  |    8.00 s |     8.00 s |             — |                                      1.2 %, 1.2 %, — |                                   4,653, \
4,653, — |                                   1.00 MiB, 0 B, — |                                2.00 MiB, 0 B, — |
| high |         — |     500 ms |        2.00 s |                                     —, 20.0 %, 5.0 % |                                         —, 17, \
99 |                              —, 1.00 MiB, 1.00 MiB |                           —, 2.00 MiB, 2.00 MiB |

— not asked: it makes no difference there, or the network cannot do it

"""


def test_one_rung():
    """What it bought is the time of the rung below divided by its own, as the pairs of each process have it."""
    run = run_of(trial("high", 0.5, 0.25, 0.5, against=(1.0, 0.5, 1.0)), sgemm(1.0, 1.0, 1.0))
    (row,) = worklog.rung(run, "high").table.rows
    assert row[0].text == "predict 64"
    assert row[1].value == 0.5
    assert (row[2].value, *row[2].interval) == pytest.approx((2, 2, 2))
    assert row[3].value == pytest.approx(0.2)
    assert [cell.value for cell in row[7:]] == [10, MIB, 4 * MIB, 2 * MIB]


def test_why_there_is_no_figure():
    """The lowest rung has none below it, and without a large product there is no share of its speed."""
    (row,) = worklog.rung(run_of(trial("low", 0.5)), "low").table.rows
    assert row[2].reason == "the first rung has none below it"
    assert row[3].reason == "this run did not measure how fast the machine multiplies matrices (group sgemm)"


PRICES = (
    case("price", "numpy", "a call", 3.0, least=2.0, moved_bytes=192),
    case("price", "numpy", "a byte", 3.0, least=2.5, moved_bytes=MIB + 192),
    case("sgemm", "numpy", "sgemm 512", 1.0, flops=8 * 10**6),
)
"""By the shortest rounds: 2 s a call, and 0.5 s a MiB beside the call that moves it; on two threads 8 MFLOP/s, so 0.5 s a million MACs on one."""


def test_floor():
    """Calls, bytes and multiplications at their prices, divided by the threads that took part; the rest is above the floor."""
    high = trial("high", 20.0, calls=6, moved_bytes=2 * MIB, product_macs=4 * 10**6, threads=2)
    run = run_of(trial("low", 99.0), high, trial("high", 7.0, calls=3, moved_bytes=0, product_macs=0, batch=1), *PRICES)
    section = worklog.floors(run)
    assert section.title == "The floor under the fast path (high)"
    assert "2.00 s a call, 500 ms a MiB in the cache, and 500 ms a million multiplications" in section.before[0]
    one, many = section.table.rows
    assert [cell.value for cell in many[1:]] == [20, 6, 0.5, 1, 7.5, pytest.approx(20 / 7.5), 12.5]
    assert [cell.value for cell in one[1:]] == [7, 6, 0, 0, 6, pytest.approx(7 / 6), 1]
    (_, row) = worklog.rung(run, "high").table.rows
    assert [cell.value for cell in row[4:7]] == [6, 0.5, 1]


def test_no_floor():
    """Without any one of the prices there is none, and a time below its floor is no gap."""
    for missing in range(3):
        run = run_of(trial("high", 20.0), *(one for index, one in enumerate(PRICES) if index != missing))
        (row,) = worklog.floors(run).table.rows
        assert {cell.reason for cell in row[2:]} == {
            "this run did not measure what a call, a byte and a product cost (groups price and sgemm)"
        }
        assert "This run did not measure the prices." in worklog.floors(run).before[0]
    (row,) = worklog.floors(run_of(trial("high", 1.0, calls=6), *PRICES)).table.rows
    assert row[-1].reason.startswith("the time is below its floor")


def test_tricks():
    """A trick pays if it takes longer without it; one that pays less than 2 % everywhere, its intervals included, is named."""
    run = run_of(
        trial("pays", 2.0, 2.0, 2.0, against=(1.0, 1.0, 1.0), part="trick"),
        trial("pays", 1.0, 1.0, 1.0, against=(1.0, 1.0, 1.0), part="trick", batch=1),
        trial("pays little", 1.01, 1.01, 1.01, against=(1.0, 1.0, 1.0), part="trick"),
        trial("harms", 0.5, 0.5, 0.5, against=(1.0, 1.0, 1.0), part="trick"),
        trial("unclear", 1.0, 0.9, 1.1, against=(1.0, 1.0, 1.0), part="trick"),
    )
    assert worklog.unworthy(run) == ["pays little", "harms"]
    found = said(worklog, run)
    assert "**These pay less than 2 % at every question, so their lines are to go: pays little; harms.**" in found
    first, *_ = worklog.tricks(run).table.rows
    assert [cell.value for cell in first[1:]] == pytest.approx([1, 2])
    assert "**The fast path is faster without harms (predict 64).**" in found


def test_one_process_condemns_nothing():
    """Without an interval no trick is named: the next run could say otherwise."""
    run = run_of(trial("harms", 0.5, against=(1.0,), part="trick"))
    assert worklog.unworthy(run) == []
    assert "One process cannot tell which of them pay less than 2 % everywhere." in said(worklog, run)


def test_what_cannot_be_told():
    """Where every trick may pay, the section says no more than that."""
    run = run_of(trial("unclear", 1.0, 0.9, 1.1, against=(1.0, 1.0, 1.0), part="trick"))
    assert "or this run cannot tell that it does not" in said(worklog, run)


def test_tried():
    """How many times as long each takes; what was not asked has its reason."""
    run = run_of(trial("FFT", 3.0, against=(1.0,), part="tried"), trial("other", 3.0, against=(2.0,), part="tried", batch=1))
    (section,) = worklog.sections(run)
    assert section.table.head == ["", "predict 1", "predict 64"]
    assert section.table.rows[0][1].reason.startswith("not asked")
    assert [section.table.rows[0][2].value, section.table.rows[1][1].value] == pytest.approx([3, 1.5])
    assert section.after == []


def test_what_would_pay():
    """What was tried and is surely faster is named, whatever the title says."""
    run = run_of(
        trial("np.dot", 0.5, 0.5, 0.5, against=(1.0, 1.0, 1.0), part="tried"),
        trial("FFT", 2.0, 0.5, 2.0, against=(1.0,) * 3, part="tried"),
    )
    assert worklog.tried(run).after == ["**The fast path would be faster with np.dot (predict 64).**"]

"""The answer is decided on numbers, never on their text, and says no more than the run can."""

from __future__ import annotations

from math import exp, log
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from numpy.testing import assert_allclose

from benchmarks.quantities.units import RATIO, SECONDS
from benchmarks.report import headline, markdown, page, report, terminal
from benchmarks.report.records import Accuracy, Answer, Contender, Quantity
from benchmarks.saved.results import Case, Run
from tests.report.test_page import Reader

T_OF_ONE_DEGREE = 12.706204736
"""Student's t of 95 % with one degree of freedom: with two processes a ratio's interval can be worked out by hand."""


def case(framework, mode, *seconds, group="predict", batch=64, **extra):
    stats = {"median": median(seconds), "q1": seconds[0], "q3": seconds[0], "rounds": 5}
    known = {"framework": framework, "mode": mode, "default_mode": mode, "batch": batch, "flops_per_image": 1_310_160, **extra}
    return Case(group, f"benchmarks/test_x.py::test_{group}[{framework}-{mode}-batch{batch}]", stats, known, seconds)


def run_of(*cases, **lenet5):
    paths = tuple(Path(f"process-{index}.json") for index in range(len(cases[0].medians)))
    known = {"threads": 2, "frameworks": {}, "not_measured": {}, **lenet5}
    return Run(paths, cases, {}, known, {}, "2026-01-02T03:04:05", "5")


def pair(low, high):
    """A run of two processes in which torch takes as many times as long as numpy as this interval says."""
    middle, margin = (log(low) + log(high)) / 2, (log(high) - log(low)) / 2
    from_middle = margin / T_OF_ONE_DEGREE  # which is the standard error of a mean of two
    ratios = [exp(middle - from_middle), exp(middle + from_middle)]
    return run_of(case("numpy", "fused", 1e-3, 1e-3), case("torch", "eager", *(1e-3 * one for one in ratios)))


@pytest.mark.parametrize(
    ("low", "high", "decided"),
    [(1.0027, 1.0375, True), (0.9998, 1.0375, False), (1.0003, 1.0375, True), (1.5, 1.6, True), (1.0, 1.2, False)],
)
def test_decided_by_the_number(low, high, decided):
    """An interval that holds 1 only when it is rounded is decided, in the Markdown and on the page alike; one that holds it is not."""
    found = report.of(pair(low, high))
    (answer,) = found.answers
    assert_allclose(answer.contenders[1].ratio.interval, (low, high), rtol=1e-9)

    short, said = Reader(page.render(found)).text(), markdown.render(found)
    for text in (short, said.replace("**", "")):
        assert ("numpy is fastest at predict, batch 64." in text) == decided
        assert ("Not decided: predict, batch 64 (numpy fused or torch eager)." in text) != decided
    assert ("not told apart from torch eager" in short) != decided


def test_text_agrees_with_the_decision():
    """Where an interval lies above 1 no form of the report writes that it begins at 1, and its inverse does not end there."""
    found = report.of(pair(1.0027, 1.0375))
    said = markdown.render(found)
    assert "1.02 x [1.003, 1.04] (torch eager)" in said
    assert "[0.964, 0.997]" in said
    assert "[1.003, 1.04]" in page.render(found)


def test_a_ratio_lies_within_its_interval():
    """A ratio that three digits make 1 is written with as many as its interval, if that leaves 1 out."""
    said = markdown.render(report.of(pair(1.0041, 1.0047)))
    assert "1.004 x [1.004, 1.005] (torch eager)" in said
    assert "0.996 x [0.995, 0.996]" in said
    assert "1.00 x [0.999, 1.002]" in markdown.render(report.of(pair(0.9991, 1.0019)))


def test_contenders():
    """Each framework stands in its fastest mode, the fastest first, with its time and its ratio."""
    cases = [
        case("torch", "eager", 3e-3),
        case("torch", "compile", 2e-3),
        case("numpy", "fused", 1e-3),
        case("numpy", "loops", 9.0),
    ]
    (answer,) = headline.answers(run_of(*cases))
    fused, compiled = answer.contenders
    assert answer.question == "predict, batch 64"
    assert fused == Contender("numpy", "fused", Quantity(1e-3, SECONDS))
    assert (compiled.label, compiled.time) == ("torch compile", Quantity(2e-3, SECONDS))
    assert_allclose(compiled.ratio.value, 2)
    assert compiled.ratio.interval is None
    assert answer.undecided == []


def test_the_fastest_is_never_the_slower_one():
    """The median over the processes favours numpy, every ratio within them torch: who is fastest is what the ratios say."""
    numpy = [1.0, 2.0, 3.0, 5.0, 5.2, 6.0, 7.0, 8.0]
    torch = [0.9 * one for one in numpy[:3]] + [1.005 * 5.0, 1.005 * 5.2] + [0.9 * one for one in numpy[5:]]
    found = headline.answers(run_of(case("numpy", "fused", *numpy), case("torch", "eager", *torch)))
    assert headline.summary(found, [])[0] == "**torch** is fastest at predict, batch 64."
    ((first, second),) = [answer.contenders for answer in found]
    assert (first.framework, second.framework) == ("torch", "numpy")
    assert_allclose(second.ratio.value, (1 / 0.9) ** (6 / 8) * (1 / 1.005) ** (2 / 8))


def test_no_ratio_to_the_fastest_is_below_one():
    """Whatever the processes say, the order of the contenders is that of their ratios."""
    random = np.random.RandomState(0)
    for _ in range(50):
        cases = [case(name, "mode", *random.lognormal(sigma=0.3, size=5)) for name in "abcd"]
        (answer,) = headline.answers(run_of(*cases))
        ratios = [one.ratio.value for one in answer.contenders[1:]]
        assert ratios == sorted(ratios)
        assert ratios[0] >= 1


@pytest.mark.parametrize(("seconds", "decided"), [(1e-3, False), (1.00002e-3, False), (1.004e-3, False), (1.006e-3, True)])
def test_a_tie_of_one_process(seconds, decided):
    """Without an interval a difference that three digits do not show has no winner, let alone the first in the alphabet."""
    found = headline.answers(run_of(case("numpy", "fused", 1e-3), case("torch", "eager", seconds)))
    begin = "**numpy** is fastest" if decided else "Not decided: predict, batch 64 (numpy fused or torch eager)."
    assert headline.summary(found, [])[0].startswith(begin)


def test_what_only_predicts_answers_no_question():
    """The fastest at something is one of the frameworks that train; a file that does not say which do is of a time when all did."""
    cases = [case("torch", "eager", 3e-3), case("engine", "fast", 1e-3)]
    ((first, *_),) = [answer.contenders for answer in headline.answers(run_of(*cases, trains={"torch": True, "engine": False}))]
    assert first.framework == "torch"
    assert headline.left_out(run_of(*cases, trains={"torch": True, "engine": False})) == []
    ((first, *_),) = [answer.contenders for answer in headline.answers(run_of(*cases))]
    assert first.framework == "engine"


def test_what_only_predicts_is_said_beside_the_answer():
    """Every form of the report says why a framework that was measured is in no answer, and where it stands, if it does."""
    cases = [case("numpy", "fused", 2e-3), case("torch", "eager", 3e-3), case("engine", "fast", 1e-3)]
    known = {"trains": {"numpy": True, "torch": True, "engine": False}}
    sentence = "engine only predicts and is not ranked here"
    found = report.of(run_of(*cases, **known))
    for text in (markdown.render(found), Reader(page.render(found)).text(), terminal.render(found, "", [], [])):
        assert f"{sentence}; see By hand against the frameworks." in " ".join(text.split())
    (*_, last) = report.of(run_of(*cases[1:], **known)).summary
    assert last == f"{sentence}."
    assert headline.not_ranked(run_of(*cases)) == []
    assert headline.not_ranked(run_of(case("engine", "fast", 1e-3, batch=7), **known)) == []


def contender(framework, value=None, interval=None):
    return Contender(framework, "eager", Quantity(1.0, SECONDS), value and Quantity(value, RATIO, interval))


WON = Answer("a", [contender("x"), contender("y", 2.0, (1.5, 2.5))])
EVEN = Answer("b", [contender("y"), contender("x", 1.1, (0.9, 1.3)), contender("z", 3.0, (2.0, 4.0))])
ALONE = Answer("c", [contender("x")])
ROUGH = Answer("d", [contender("y"), contender("x", 1.2)])


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([], []),
        ([WON, EVEN], ["**x** is fastest at a.", "Not decided: b (y eager or x eager).", "Every ratio has its interval."]),
        ([ALONE], ["x eager takes 1.00 s for c; nothing was compared with it."]),
        ([ROUGH], ["**y** is fastest at d.", "One process: the ratios have no interval."]),
    ],
)
def test_summary(answers, said):
    """In short: who wins where, what is not decided, and how sure that is."""
    assert headline.summary(answers, []) == said


@pytest.mark.parametrize(
    ("learned", "said"),
    [
        ([Accuracy("x", 436, 450, (0.94, 0.98))], "Test accuracy 96.9 % (x)."),
        (
            [Accuracy("x", 436, 450, (0.94, 0.98)), Accuracy("y", 428, 450, (0.92, 0.96))],
            "Test accuracy 95.1 to 96.9 %: all intervals overlap.",
        ),
        ([Accuracy(name, 436, 450, (0.94, 0.98)) for name in "xy"], "Test accuracy 96.9 %: all intervals overlap."),
        (
            [Accuracy("x", 436, 450, (0.94, 0.98)), Accuracy("y", 405, 450, (0.87, 0.93))],
            "Test accuracy 90.0 to 96.9 %: **not** all intervals overlap.",
        ),
    ],
)
def test_accuracy_in_short(learned, said):
    """The range of the accuracies, and whether they can be told apart."""
    assert headline.summary([], learned) == [said]


def test_title_asks_what_was_measured():
    """Nothing is said of a fastest where nothing was compared; of accuracy see `test_equal_accuracy.py`."""
    two = run_of(case("numpy", "fused", 1.0), case("torch", "eager", 2.0))
    assert headline.title(two, [WON]) == "LeNet-5: which framework is fastest?"
    assert headline.title(two, [ALONE]) == headline.title(two, []) == "LeNet-5: how long does it take?"


def test_nobody_watched():
    """A run without the control says so once."""
    assert markdown.render(report.of(pair(1.5, 1.6))).count("No control case watched the machine in this run.") == 1

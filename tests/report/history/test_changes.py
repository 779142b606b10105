"""Changes: a step is one of the code unless the control makes it too, and the gate's command would confirm it."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from _pytest.mark import KeywordMatcher
from _pytest.mark.expression import Expression

from benchmarks import __main__ as main
from benchmarks.report.history.accepted import Accepted
from benchmarks.report.history.changes import ACCEPTED, FASTER, MACHINE, SLOWER, changes, confirm, selecting
from benchmarks.report.history.lines import Line, read
from benchmarks.report.history.moments import Moment
from benchmarks.saved.index import opened
from tests.support.history import circumstances, commit, entry, name, series

FUSED, PLAIN = name("batch64", "hand", "fused"), name("batch64", "hand", "plain")

AT = 20


@pytest.fixture
def found(tmp_path):
    """found(fused=level, ...) -> the changes of forty runs with these levels."""

    def make(fused=lambda number: 1.0, control=lambda number: 1.0, accepted=(), facts=lambda number: circumstances(), **changed):
        times, controls = series(40, fused), series(40, control, seed=1, noise=0.005)
        with opened(tmp_path / "i.sqlite", anew=True) as index:
            with index.transaction():
                for number in range(40):
                    one = entry(
                        number,
                        {FUSED: times[number], PLAIN: 1e-2 + 1e-4 * (number % 3)},
                        controls[number],
                        facts(number),
                        **changed,
                    )
                    index.add(Path(f"/made-up/{number}.json"), one)
            return changes(read(index, index.processes(), "commit"), accepted)

    return make


def stepping(size, at=AT):
    return lambda number: size if number >= at else 1.0


@pytest.mark.parametrize(("size", "verdict"), [(1.15, SLOWER), (1 / 1.15, FASTER)])
def test_a_change_of_the_code(found, size, verdict):
    """Between the two commits, with the size that was put in; the control stood still, and its interval says so."""
    (one,) = found(stepping(size))
    assert (one.verdict, one.counts) == (verdict, True)
    assert (one.before.commit, one.after.commit) == (commit(AT - 1), commit(AT))
    assert one.ratio.low < size < one.ratio.high
    assert one.control.low < 1 < one.control.high
    assert one.line.name == FUSED


def test_what_the_machine_did(found):
    """A step that the control makes too is no change of the code."""
    ones = found(stepping(1.15), stepping(1.15))
    assert [one.verdict for one in ones] == [MACHINE]
    assert not ones[0].counts
    assert ones[0].control.low < 1.15 < ones[0].control.high


@pytest.mark.parametrize(
    "control", [stepping(1.02), stepping(1 / 1.15), stepping(1.15, at=AT + 6)], ids=["less", "the other way", "later"]
)
def test_a_control_that_does_something_else(found, control):
    """By less than half, the other way, or elsewhere: the code's change stays one, and the control's ratio is beside it."""
    ones = [one for one in found(stepping(1.15), control) if one.after.commit == commit(AT)]
    assert [one.verdict for one in ones] == [SLOWER]
    assert ones[0].control is not None


def test_another_machine_is_no_change(found):
    """A step where the circumstances change is a gap; nothing is compared across."""
    assert found(stepping(1.5), facts=lambda number: circumstances(brand_raw="one" if number < AT else "another")) == []


def test_accepted(found):
    """By its commit, or that of a point beside it, as a search may err by one; then it does not count."""
    for number in (AT - 1, AT, AT + 1):
        mark = Accepted("a.txt:1", FUSED, commit(number)[:9], "wanted")
        (one,) = found(stepping(1.15), accepted=[mark])
        assert (one.verdict, one.counts, one.mark) == (ACCEPTED, False, mark)
    for mark in (Accepted("a.txt:1", FUSED, commit(AT + 5)[:9], "no"), Accepted("a.txt:1", PLAIN, commit(AT)[:9], "no")):
        assert found(stepping(1.15), accepted=[mark])[0].verdict == SLOWER


def test_the_newest_comes_first(found):
    """Two changes of one line."""
    ones = found(lambda number: 1.0 if number < 12 else 1.2 if number < 28 else 1.5)
    assert [one.after.commit for one in ones] == [commit(28), commit(12)]


def test_without_a_control(tmp_path):
    """A change is one of the code, with nothing beside it."""
    times = series(40, stepping(1.2))
    with opened(tmp_path / "i.sqlite") as index:
        with index.transaction():
            for number, seconds in enumerate(times):
                one = entry(number, {FUSED: seconds}, 1.0)
                index.add(Path(f"/made-up/{number}.json"), replace(one, rows=one.rows[:1]))
        (one,) = changes(read(index, index.processes(), "commit"))
    assert (one.verdict, one.control) == (SLOWER, None)


# ------------------------------------------------------------------------------------------------- what would confirm it


def line(*spelled, name=None):
    return Line(name or spelled[0], spelled, "g", "hand", "fused", 0, *[None] * 5)


def moment(text, changed=False):
    return Moment("", 0, text, changed, "", "")


def selected(expression, test):
    """As pytest -k selects: its names and those of its file."""
    names = {test, "test_predict.py", "benchmarks", "project"}
    return Expression.compile(expression).evaluate(KeywordMatcher(frozenset(names)))


def test_the_command_is_one(found):
    """The real command line takes it: both commits, and the case alone."""
    (one,) = found(stepping(1.15))
    words = shlex.split(one.command)
    assert words[:4] == ["python", "-m", "benchmarks", "gate"]
    options = main.parse(words[3:])
    assert (options.base, options.head) == (commit(AT - 1)[:12], commit(AT)[:12])
    assert selected(options.expression, "test_predict[hand-fused-batch64]")
    for other in ("test_predict[hand-fused-batch6]", "test_predict[hand-plain-batch64]", "test_predict_twice[hand-fused-batch64]"):
        assert not selected(options.expression, other)


@pytest.mark.parametrize(
    ("names", "misses"),
    [
        (["test_predict[numpy-fused-batch1]"], "test_predict[numpy-fused-batch16]"),
        (["test_predict[numpy-fused-batch1]", "test_predict[numpy-fused-batch=1]"], "test_predict[numpy-fused-batch16]"),
        (["test_x[not a word, and-or]"], "test_x[another]"),
        (["test_x[ä-1]"], "test_x[2]"),
        (["test_x"], "test_y"),
    ],
    ids=["one of many", "two spellings", "operators", "letters", "no parameters"],
)
def test_selecting(names, misses):
    """Every spelling of the case is selected, as pytest's -k does, and another case is not."""
    expression = selecting(line(*(f"benchmarks/test_predict.py::{one}" for one in names)))
    for one in names:
        assert selected(expression, one), expression
    assert not selected(expression, misses), expression


def test_threads_and_device():
    """As they were measured."""
    facts = {"facts": {"machine_info.lenet5.threads": 2, "machine_info.lenet5.device": "cuda"}, "project": None}
    command = confirm(line("a.py::test_x"), moment("a" * 40), moment("b" * 40), facts)
    options = main.parse(shlex.split(command)[3:])
    assert (options.threads, options.pytest) == (2, ("--device", "cuda"))


def test_code_that_is_no_commit():
    """Is the directory as it is."""
    command = confirm(line("a.py::test_x"), moment("a" * 40), moment("a" * 40, changed=True), {})
    assert main.parse(shlex.split(command)[3:]).head == "."


def test_another_project():
    """Is named as the folder beside this one that git says."""
    command = confirm(line("a.py::test_x"), moment("a" * 40), moment("b" * 40), {"project": "theirs"})
    assert main.parse(shlex.split(command)[3:]).project == Path("../theirs")

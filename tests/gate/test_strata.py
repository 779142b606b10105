"""The verdicts of several machines: one machine's are those of ever, errors stay rare however the machines differ, and what differs is named."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.gate.rules import Rules
from benchmarks.gate.strata import judge_by_machine
from benchmarks.gate.verdicts import FASTER, SAME, SLOWER, UNDECIDED, judge
from tests.gate.test_verdicts import even
from tests.support.rows import one_quick

RULES = Rules()
LOOSE = Rules(alpha=0.2, agree=0.4)
"""Rules that err often enough to be counted."""

BOUND = math.log1p(RULES.threshold)


def judged(cases, machines, rules=RULES, **more):
    """The judgement on cases whose pairs alternate between machines: case -> {machine: its values}."""
    values = {name: list(in_turns(of_case)) for name, of_case in cases.items()}
    names = {name: list(in_turns({one: [one] * len(own) for one, own in of_case.items()})) for name, of_case in cases.items()}
    assert {one for found in names.values() for one in found} == set(machines)
    return judge_by_machine(values, names, rules, {}, **more)


def in_turns(of_case):
    for turn in range(max(map(len, of_case.values()))):
        yield from (own[turn] for own in of_case.values() if turn < len(own))


def test_one_machine_is_a_gate():
    """Pairs that are said to be of one machine have the verdicts, ratios and intervals of pairs of which nothing is said, to the last bit."""
    random = np.random.RandomState(0)
    cases = {f"{centre} {copy}": list(random.normal(centre, 0.02, 44)) for centre in (0, 0.02, 0.05, -0.1) for copy in range(4)}
    steady = {"0 0"}
    expected = judge(cases, RULES, {"0 1": 0.1}, steady)
    assert judge(cases, RULES, {"0 1": 0.1}, steady, machines={name: ["a"] * 44 for name in cases}) == expected
    assert {one.verdict for one in expected.verdicts.values()} == {SLOWER, FASTER, SAME, UNDECIDED}


def test_together_where_none_can_alone():
    """Six pairs of each of four machines find what is the same everywhere; the six pairs of one machine cannot be sure enough."""
    random = np.random.RandomState(1)
    noise = {"a": 0.002, "b": 0.01, "c": 0.01, "d": 0.02}
    found = judged({"case": {name: random.normal(math.log(1.08), sd, 6) for name, sd in noise.items()}}, noise)

    assert (found.verdicts["case"].verdict, found.verdicts["case"].on) == (SLOWER, ())
    assert 1.02 < found.verdicts["case"].low < 1.08 < found.verdicts["case"].high
    assert found.verdicts["case"].confidence == pytest.approx(1 - 2 * RULES.spent[0] / 2 / RULES.agree)  # half of alpha
    assert {one.verdict for one in found.by_machine.cases["case"].values()} == {UNDECIDED}
    assert not found.by_machine.disagreements


@pytest.mark.parametrize(("change", "verdict"), [(0.1, SLOWER), (-0.1, FASTER)])
def test_on_one_machine_only(change, verdict):
    """A change on one machine of three is that machine's own verdict, with its ratio, and the machines disagree; the rest is the same."""
    random = np.random.RandomState(0)
    noise = {"a": 0.005, "b": 0.01, "c": 0.005}
    shifts = {"changed": {"b": change}, "calm": {}}
    cases = {
        case: {name: random.normal(shift.get(name, 0), sd, 20) for name, sd in noise.items()} for case, shift in shifts.items()
    }
    found = judged(cases, noise)

    assert (found.verdicts["changed"].verdict, found.verdicts["changed"].on) == (verdict, ("b",))
    assert found.verdicts["changed"].ratio == pytest.approx(math.exp(change), rel=0.01)
    share = RULES.spent[0] / 2 / 3 / 2  # half of alpha, for three machines, each with two cases
    assert found.verdicts["changed"].confidence == pytest.approx(1 - 2 * share / RULES.agree)
    assert {name: one.verdict for name, one in found.by_machine.cases["changed"].items()} == {"a": SAME, "b": verdict, "c": SAME}
    sides = (("b",), ("a", "c")) if change > 0 else (("a", "c"), ("b",))
    assert found.by_machine.disagreements == {"changed": sides}
    assert found.verdicts["calm"].verdict == SAME


def test_slower_here_and_faster_there():
    """A case that is both is slower."""
    found = judged({"case": {"a": even(20, 0.1), "b": even(20, -0.1)}}, "ab")
    assert (found.verdicts["case"].verdict, found.verdicts["case"].on) == (SLOWER, ("a",))
    assert found.by_machine.disagreements == {"case": (("a",), ("b",))}


@pytest.mark.parametrize(("there", "verdict"), [(0.0, SAME), (0.1, UNDECIDED)])
def test_same_needs_no_machine_against_it(there, verdict):
    """Where four pairs of one machine suspect a change, what all pairs together take for the same is undecided."""
    cases = {"case": {"a": even(16), "b": even(16), "c": even(4, there)}}
    together = {"case": list(in_turns(cases["case"]))}
    assert judge(together, RULES).verdicts["case"].verdict == SAME
    assert judged(cases, "abc", Rules(looks=(36,))).verdicts["case"].verdict == verdict


def test_same_is_withdrawn():
    """All pairs together say that nothing changed before one machine says, with many later pairs and beyond chance, that it has."""
    cases = {"case": {"a": even(6) + even(30, -0.03), "b": even(6) + even(30, 0.001)}}
    found = judged(cases, "ab")

    assert found.by_machine.disagreements == {"case": (("b",), ("a",))}
    assert found.by_machine.cases["case"]["a"].verdict == UNDECIDED
    assert found.verdicts["case"].verdict == UNDECIDED
    assert judge({"case": list(in_turns(cases["case"]))}, RULES).verdicts["case"].verdict == SAME


def test_steady_on_every_machine():
    """What hardly varies is the same if the first pairs of each machine say so, and not if those of a third machine do not."""
    calm = {"a": [0.0, 0.001], "b": [0.001, 0.0], "c": [0.0, 0.002]}
    assert judged({"case": calm}, "abc", steady={"case"}).verdicts["case"].verdict == SAME
    assert judged({"case": {**calm, "c": [0.1, 0.1]}}, "abc", steady={"case"}).verdicts["case"].verdict == UNDECIDED


def test_a_case_that_some_machine_lacks():
    """It is judged by the machines that have it."""
    found = judged({"here": {"a": even(20, 0.1)}, "both": {"a": even(20), "b": even(20)}}, "ab")
    assert {name: one.verdict for name, one in found.verdicts.items()} == {"here": SLOWER, "both": SAME}
    assert found.by_machine.cases["here"].keys() == {"a"}


# Rates

NOISES = {"unequal": (0.0005, 0.01, 0.1), "one noisy": (0.1, 0.001, 0.001), "equal": (0.02, 0.02, 0.02)}


def rates(kind, runs, centre=0.0, pairs=16, cases=5):
    """Shares of runs in which any of some cases with one centre everywhere is slower, is faster, and has machines that disagree."""
    random, count = np.random.RandomState(0), np.zeros(3)
    for _ in range(runs):
        of_each = {
            f"{number}": {f"{index}": centre + sd * random.standard_t(3, pairs) for index, sd in enumerate(NOISES[kind])}
            for number in range(cases)
        }
        found = judged(of_each, "012", LOOSE)
        verdicts = {one.verdict for one in found.verdicts.values()}
        count += SLOWER in verdicts, FASTER in verdicts, bool(found.by_machine.disagreements)
    return count / runs


@pytest.mark.parametrize("kind", one_quick(NOISES))
def test_no_false_alarm(kind):
    """Identical code on machines of very different noise: neither slower nor faster, and disagreements within what was allowed."""
    slower, faster, disagree = rates(kind, 60)
    assert (slower, faster) == (0, 0)
    assert disagree <= LOOSE.alpha / 2


@pytest.mark.slow  # four hundred runs of each kind
@pytest.mark.parametrize("kind", NOISES)
def test_no_more_than_alpha_at_the_threshold(kind):
    """Where it is hardest, with every case at the threshold on every machine, no more runs than alpha call one slower, and some do."""
    slower, _, disagree = rates(kind, 400, math.log1p(LOOSE.threshold))
    assert 0 < slower <= LOOSE.alpha
    assert disagree <= LOOSE.alpha

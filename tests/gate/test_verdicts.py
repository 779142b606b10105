"""The verdicts have known answers, err no more often than they may, and find what they promise to find."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from benchmarks.gate.evidence import Evidence
from benchmarks.gate.rules import Rules
from benchmarks.gate.verdicts import FASTER, SAME, SLOWER, UNDECIDED, judge
from benchmarks.gate.verdicts import judge as judge_all
from tests.support.rows import one_quick, slow

RULES = Rules()
SD = 0.026
"""Of the log ratio of identical code, of the noisiest case that runs on one thread."""


def noise(kind, random, cases, pairs):
    """Log ratios of identical code (cases, pairs)."""
    if kind == "normal":
        return random.normal(0, SD, (cases, pairs))
    if kind == "heavy":
        return random.standard_t(3, (cases, pairs)) * SD / math.sqrt(3)
    steps = random.normal(0, SD * math.sqrt(1 - 0.3**2), (cases, pairs))  # "remembering": each pair has 0.3 of the one before
    for pair in range(1, pairs):
        steps[:, pair] += 0.3 * steps[:, pair - 1]
    return steps


def even(pairs, level=0.0, width=0.005):
    """Log ratios around a level, alternately above and below, no two alike."""
    return [level + (-1) ** pair * width * (1 + pair / 1000) for pair in range(pairs)]


def one(values, rules=RULES):
    """The judgement on one case, and its verdict."""
    judgement = judge({"case": values}, rules)
    return judgement, judgement.verdicts["case"]


def test_few_pairs_are_as_sure_as_they_can():
    """From three pairs no interval is surer than 75 %: the least to the largest, and it says so."""
    _, found = one([0.01, 0.02, 0.05])
    assert_allclose([found.low, found.high], np.exp([0.01, 0.05]))
    assert (found.verdict, found.pairs, found.confidence) == (UNDECIDED, 3, 0.75)


# Verdicts


@pytest.mark.parametrize(("change", "expected"), [(0.1, SLOWER), (-0.1, FASTER), (0.0, SAME), (math.log(1.02), UNDECIDED)])
def test_clear_cases(change, expected):
    """Far above, far below, within; and exactly at the threshold it stays undecided."""
    judgement, found = one(even(RULES.most_pairs, change))

    assert found.verdict == expected
    assert judgement.next_pairs is None
    assert found.low < math.exp(change) < found.high
    assert_allclose(found.ratio, math.exp(change), rtol=1e-3)


@pytest.mark.parametrize("threshold", [0.02, 0.05, 0.1, 0.25])
def test_at_the_threshold(threshold):
    """What equals it in every pair is neither above nor below it, whichever way the floats were rounded."""
    rules = Rules(threshold=threshold)
    for base in (1.0, 0.1, 0.3, 0.7, 3e-3):
        for ratio in (1 + threshold, 1 / (1 + threshold)):
            assert one([math.log(base * ratio / base)] * rules.most_pairs, rules)[1].verdict == UNDECIDED


def test_the_whole_interval_lies_beyond():
    """The interval of a verdict is on the side that it says, that of an undecided case reaches across a threshold."""
    random = np.random.RandomState(5)
    pairs = RULES.most_pairs
    cases = {f"{change} {copy}": random.normal(change, SD, pairs) for change in (-0.05, 0, 0.02, 0.05) for copy in range(5)}
    found = judge(cases, RULES).verdicts.values()
    limit = 1 + RULES.threshold

    assert {each.verdict for each in found} == {SLOWER, FASTER, SAME, UNDECIDED}
    for each in found:
        assert each.low <= each.ratio <= each.high
        assert {
            SLOWER: each.low > limit,
            FASTER: each.high < 1 / limit,
            SAME: 1 / limit < each.low and each.high < limit,
            UNDECIDED: each.pairs == pairs,
        }[each.verdict]


def test_nothing_is_slower_without_new_pairs():
    """A suspicion, which the verdict names, asks for its batch, which decides it; pairs that do not agree leave it open until the next look."""
    first, batch = RULES.looks[0], RULES.confirm
    slow, calm = even(first, 0.2), even(batch, 0.0)

    judgement, found = one(slow)
    assert (found.verdict, found.suspected, judgement.next_pairs) == (UNDECIDED, SLOWER, first + batch)
    judgement, found = one(slow + even(batch - 1, 0.2))
    assert (found.verdict, found.suspected, judgement.next_pairs) == (UNDECIDED, SLOWER, first + batch)
    judgement, found = one([-value for value in slow])
    assert (found.verdict, found.suspected) == (UNDECIDED, FASTER)
    judgement, found = one(slow + even(batch, 0.2))
    assert (found.verdict, found.suspected, found.pairs, judgement.next_pairs) == (SLOWER, "", first + batch, None)
    judgement, found = one(slow + calm)
    assert (found.verdict, found.suspected) == (UNDECIDED, SLOWER)  # by the second look, which has been, with the batch
    assert judgement.next_pairs == RULES.looks[2]
    assert one(slow + calm + even(batch, 0.0))[1].suspected == ""


def test_all_pairs_together_agree():
    """A suspicion and a batch that agrees are not enough if all pairs together are not beyond the threshold."""
    rules = Rules(looks=(12, 40, 68, 96), confirm=28)
    bound = math.log1p(rules.threshold)
    before = [bound + 1e-6 * rank for rank in range(1, 13)]
    batch = [bound - 1e-4 * rank for rank in range(1, 17)] + [bound + 1e-4 * rank for rank in range(17, 29)]
    level = rules.spent[0] / rules.agree

    p_before, p_batch, p_together = (
        Evidence(np.array([values])).above(np.array([bound]))[0] for values in (before, batch, before + batch)
    )
    assert p_before < level < p_batch < rules.agree < p_together
    assert one(before + batch, rules)[1].verdict == UNDECIDED


def test_slower_at_the_last_look():
    """The last look has a batch of its own after it."""
    rules = Rules(looks=(12,), confirm=8)
    assert one(even(12, 0.1), rules)[0].next_pairs == 20
    assert one(even(20, 0.1), rules)[1].verdict == SLOWER
    assert one(even(12, math.log(1.02)), rules)[0].next_pairs is None


def test_next_pairs():
    """One look after the other, from the first on, until everything is decided or none is left."""
    open_case = even(60, math.log(1.02))
    asked = [one(open_case[:pairs])[0].next_pairs for pairs in (1, 11, 12, 19, 20, 35, 36, 43, 44, 60)]
    assert asked == [12, 12, 20, 20, 28, 36, 44, 44, None, None]
    assert one(even(12))[0].next_pairs is None


def test_thresholds_of_their_own():
    """A case with another threshold is judged by that one."""
    values = even(RULES.most_pairs, 0.1)
    found = judge({"time": values, "memory": values}, RULES, {"memory": 0.3}).verdicts
    assert (found["time"].verdict, found["memory"].verdict) == (SLOWER, SAME)


def test_equal_to_the_last_byte():
    """Pairs without any noise (memory) are the same, or slower."""
    found = judge({"same": [0.0] * 20, "more": [0.5] * 20}, RULES).verdicts
    assert [found[name].verdict for name in ("same", "more")] == [SAME, SLOWER]
    assert found["same"].low == found["same"].high == 1


# What hardly varies

MARGIN = math.log1p(RULES.threshold)


def steady(values, rules=RULES, others=None):
    """The judgement on one steady case among others, and its verdict."""
    judgement = judge({"steady": values, **(others or {})}, rules, steady={"steady"})
    return judgement, judgement.verdicts["steady"]


@pytest.mark.parametrize("first", [[0.0, 0.0], [0.999 * MARGIN / 2, -0.999 * MARGIN / 2], [0.001, 0.002]])
def test_steady_is_the_same_after_two(first):
    """Two pairs within half the threshold decide it; another case goes on, and is asked for as before."""
    assert steady(first[:1])[0].next_pairs == RULES.steady_pairs == 2
    judgement, found = steady(first)
    assert (found.verdict, found.pairs, judgement.next_pairs) == (SAME, 2, None)
    assert found.low <= found.ratio <= found.high
    judgement, found = steady(first, others={"other": [0.0] * 2})
    assert (found.verdict, judgement.next_pairs) == (SAME, RULES.looks[0])
    assert judgement.verdicts["other"].verdict == UNDECIDED


@pytest.mark.parametrize("first", [[0.0, 0.6 * MARGIN], [-0.6 * MARGIN, 0.0], [1.0, 1.0], [-1.0, -1.0]])
def test_steady_may_change(first):
    """A pair beyond half the threshold, or all, is no verdict: from there on it is judged like any other case."""
    later = even(RULES.most_pairs, np.mean(first))
    for values in (first, first + later[2:20], first + later[2:]):
        judgement, found = steady(values)
        assert (judgement, found) == one_named("steady", values)
    assert steady([1.0] * 20)[1].verdict == SLOWER


def one_named(name, values):
    judgement = judge({name: values}, RULES)
    return judgement, judgement.verdicts[name]


def test_steady_helps_no_other():
    """A case that its own rule found the same counts in Holm's procedure as one that is not rejected, whatever its later pairs are."""
    values = np.random.RandomState(1).normal(0, SD / 2, (3, RULES.most_pairs))
    unsure = np.tile([0.0, 0.0] + [0.5, -0.5] * 25, (40, 1))
    names = [f"other {index}" for index in range(3)] + [f"steady {index}" for index in range(40)]
    cases = dict(zip(names, [*values, *unsure], strict=True))

    by_its_rule = judge(cases, RULES, steady=names[3:]).verdicts
    by_looks = judge(cases, RULES).verdicts
    assert {by_its_rule[name].verdict for name in names[3:]} == {SAME}
    assert {by_looks[name].verdict for name in names[3:]} == {UNDECIDED}
    assert [by_its_rule[name] for name in names[:3]] == [by_looks[name] for name in names[:3]]
    alone = judge({name: cases[name] for name in names[:3]}, RULES).verdicts
    assert max(alone[name].pairs for name in names[:3]) < max(by_looks[name].pairs for name in names[:3])


def test_one_slow_minute():
    """A process 40 % slower than the others hides a real change from Student's t and not from the signed ranks; alone it is no verdict."""
    random = np.random.RandomState(1)
    level = RULES.spent[0] / RULES.agree / 20
    values = random.normal(math.log(1.06), 0.01, 20)
    values[3] -= 0.34
    still = random.normal(0, 0.01, 20)
    still[3] += 0.34

    bound = math.log1p(RULES.threshold)
    assert (
        Evidence(values[None]).above(np.array([bound]))[0] < level < stats.ttest_1samp(values, bound, alternative="greater").pvalue
    )
    assert one(still)[1].verdict in (SAME, UNDECIDED)


# Properties

case = st.lists(st.floats(-0.3, 0.3), min_size=RULES.most_pairs, max_size=RULES.most_pairs)
shifted = st.tuples(case, st.floats(-0.2, 0.2)).map(lambda both: [both[1] + value / 20 for value in both[0]])


@settings(max_examples=40, deadline=None)
@given(st.lists(shifted, min_size=1, max_size=4))
def test_replay(cases):
    """What a prefix decides, more pairs do not change, and need not be measured; what it asks for is when something can change."""
    named = dict(enumerate(cases))
    judge = partial(judge_all, steady={0})
    before, wanted = {}, 1
    for pairs in range(1, RULES.most_pairs + 1):
        judgement = judge({name: values[:pairs] for name, values in named.items()}, RULES)
        decided = {name: each for name, each in judgement.verdicts.items() if each.verdict != UNDECIDED}
        assert before.items() <= decided.items()
        needed = {name: min(before[name].pairs, pairs) if name in before else pairs for name in named}
        assert judge({name: values[: needed[name]] for name, values in named.items()}, RULES) == judgement
        if wanted is None or pairs < wanted:
            assert before == decided
            assert judgement.next_pairs == (wanted if pairs > 1 else judgement.next_pairs)
        assert judgement.next_pairs is None or judgement.next_pairs > pairs
        before, wanted = decided, judgement.next_pairs
    assert wanted is None


@settings(max_examples=40, deadline=None)
@given(shifted)
def test_mirror(values):
    """Base and head exchanged: slower becomes faster, the ratio and its interval are inverted."""
    _, found = one(values)
    _, other = one([-value for value in values])

    assert other.verdict == {SLOWER: FASTER, FASTER: SLOWER}.get(found.verdict, found.verdict)
    assert_allclose([other.ratio, other.low, other.high], [1 / found.ratio, 1 / found.high, 1 / found.low], rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(shifted, st.floats(0, 0.1))
def test_more_is_no_faster(values, more):
    """A case that is slower stays slower if every head takes longer still, and its evidence grows."""
    less, larger = Evidence(np.array([values])), Evidence(np.array([values]) + more)
    assert larger.above(np.array([0.02]))[0] <= less.above(np.array([0.02]))[0]
    if one(values)[1].verdict == SLOWER:
        assert one([value + more for value in values])[1].verdict == SLOWER


@pytest.mark.parametrize(("seed", "pairs"), [(0, 20), (1, 28)], ids=["same look", "next look"])
def test_other_cases_matter(seed, pairs):
    """More calm cases need more pairs to decide one; cases that are slower themselves, now or at an earlier look, do not."""
    values = np.random.RandomState(seed).normal(0.04, SD, RULES.most_pairs)
    alone = one(values)[1]
    calm = {f"calm {index}": even(RULES.most_pairs) for index in range(60)}
    slow = {f"slow {index}": even(RULES.most_pairs, 0.3) for index in range(60)}

    among_calm, among_slow = (judge({"case": values, **others}, RULES).verdicts["case"] for others in (calm, slow))
    assert [each.verdict for each in (alone, among_slow, among_calm)] == [SLOWER] * 3
    assert alone.pairs == among_slow.pairs == pairs < among_calm.pairs


# Rates


def rates(kind, cases, runs, change=0.0, seed=0):
    """Shares of runs: in which the first case, changed, is slower; in which any other is slower; in which any is faster."""
    random = np.random.RandomState(seed)
    found = slower = faster = 0
    for _ in range(runs):
        values = noise(kind, random, cases, RULES.most_pairs)
        values[0] += math.log1p(change)
        verdicts = [each.verdict for each in judge(dict(enumerate(values)), RULES).verdicts.values()]
        found += verdicts[0] == SLOWER
        slower += SLOWER in verdicts[1:]
        faster += FASTER in verdicts
    return found / runs, slower / runs, faster / runs


@pytest.mark.parametrize("kind", one_quick(["remembering", "normal", "heavy"]))
def test_no_false_alarm(kind):
    """Of 300 runs of 20 cases of identical code none has an alarm; at most 1 % may."""
    assert rates(kind, 20, 300) == (0, 0, 0)


@pytest.mark.parametrize("kind", one_quick(["heavy", "normal"]))
def test_no_more_than_alpha_at_the_threshold(kind):
    """Where it is hardest, with every case exactly at the threshold, no more runs than alpha call one slower (and few fall short)."""
    random, runs, rules = np.random.RandomState(2), 400, Rules(alpha=0.05, agree=0.3)
    wrong = 0
    for _ in range(runs):
        values = noise(kind, random, 5, rules.most_pairs) + math.log1p(rules.threshold)
        wrong += any(each.verdict == SLOWER for each in judge(dict(enumerate(values)), rules).verdicts.values())
    assert 0 < wrong / runs <= rules.alpha


@pytest.mark.parametrize("kind", ["normal", "heavy", "remembering"])
@pytest.mark.parametrize(("change", "least"), [(0.05, 0.95), slow(0.1, 0.99), slow(0.2, 0.99)], ids=lambda value: f"{value:g}")
def test_real_changes_are_found(kind, change, least):
    """A case of twenty that is slower is found within the pairs that there are."""
    assert rates(kind, 20, 200, change)[0] >= least


def test_small_changes_are_not_always_found():
    """3 % is too near the threshold: mostly undecided, and never called faster."""
    found, _, faster = rates("normal", 20, 100, 0.03)
    assert 0 < found < 0.9
    assert faster == 0


# Refusals


@pytest.mark.parametrize(
    ("cases", "thresholds", "named"),
    [
        ({}, {}, "at least one"),
        ({"a": []}, {}, "at least one"),
        ({"a": [0.0], "b": [0.0, 0.1]}, {}, "a has 1 pairs, too few to be decided; others have 2"),
        ({"a": [0.0] * 11, "b": [0.0] * 12}, {}, "a has 11 pairs"),
        ({"a": [math.nan]}, {}, "finite"),
        ({"a": [math.inf]}, {}, "finite"),
        ({"a": [0.0]}, {"b": 0.1}, "no case"),
        ({"a": [0.0]}, {"a": 0.0}, "above 0"),
    ],
    ids=str,
)
def test_what_cannot_be_judged(cases, thresholds, named):
    """No case, no pair, unequal pairs, no number, a threshold of nothing or for nothing."""
    with pytest.raises(ValueError, match=named):
        judge(cases, RULES, thresholds)

"""The search finds the commit wherever it is, with commits that cannot be told too, and errs no more often than it says."""

from __future__ import annotations

import math
import random

import pytest

from benchmarks.gate.bisection import (
    CHANCE,
    NOT_SLOWER,
    OUT_OF_TIME,
    UNKNOWN,
    Answer,
    answer,
    enough_verdicts,
    halved,
    rules_of,
    search,
    share,
)
from benchmarks.gate.rules import Rules
from benchmarks.gate.verdicts import FASTER, SAME, SLOWER, UNDECIDED


class Judge:
    """Knows the first slower commit, and which commits cannot be told; remembers what it was asked."""

    def __init__(self, culprit, unknown=(), stops_after=math.inf):
        self.culprit, self.unknown, self.stops_after, self.asked = culprit, set(unknown), stops_after, []

    def __call__(self, commit):
        assert commit not in self.asked, "asked twice"
        if len(self.asked) >= self.stops_after:
            return Answer(OUT_OF_TIME)
        self.asked.append(commit)
        if commit in self.unknown:
            return Answer(UNKNOWN, "odd")
        return Answer(SLOWER if commit >= self.culprit else NOT_SLOWER)


@pytest.mark.parametrize("commits", [1, 2, 3, 7, 8, 9, 64, 100])
def test_every_position(commits):
    """Each commit is found, by no more verdicts than are promised, the one on bad included."""
    for culprit in range(1, commits + 1):
        judge = Judge(culprit)
        found = search(commits, judge)
        assert list(found.suspects) == [culprit]
        assert len(judge.asked) + 1 <= enough_verdicts(commits)
        assert not {0, commits} & set(judge.asked)


def test_every_position_among_commits_that_cannot_be_told():
    """All positions and all sets of such commits of a line of seven: the range is the shortest that holds the commit."""
    commits = 7
    for culprit in range(1, commits + 1):
        for bits in range(2 ** (commits - 1)):
            unknown = {commit for commit in range(1, commits) if bits >> (commit - 1) & 1}
            judge = Judge(culprit, unknown)
            found = search(commits, judge)

            known = [commit for commit in range(commits + 1) if commit not in unknown]
            low = max(commit for commit in known if commit < culprit)
            high = min(commit for commit in known if commit >= culprit)
            assert (found.low, found.high) == (low, high), (culprit, unknown)
            assert set(found.suspects[:-1]) <= found.unknown.keys()
            assert set(found.unknown.values()) <= {"odd"}
            assert not found.out_of_time


def test_the_time_is_up():
    """Then the range is what is known so far, and nothing more is asked."""
    judge = Judge(culprit=3, stops_after=2)
    found = search(64, judge)

    assert (judge.asked, found.low, found.high, found.out_of_time) == ([32, 16], 0, 16, True)


def test_passed_over_for_the_nearest():
    """A commit that cannot be told costs one look, at the one beside it."""
    judge = Judge(culprit=20, unknown={32})
    search(64, judge)
    assert judge.asked[:3] == [32, 31, 15]


@pytest.mark.parametrize("commits", [1, 2, 3, 8, 100, 10_000])
def test_the_chances_add_up(commits):
    """All verdicts together, however many, spend no more than the whole; each that is planned has an equal part of that."""
    shares = [share(number, commits) for number in range(1, 60 + enough_verdicts(commits))]
    planned = shares[: enough_verdicts(commits)]

    assert CHANCE - 1e-12 < sum(shares) <= CHANCE * (1 + 1e-12)
    assert planned == [CHANCE / (len(planned) + 1)] * len(planned)
    assert all(later < earlier for earlier, later in zip(shares[len(planned) - 1 :], shares[len(planned) :], strict=False))
    # What a gate by these rules errs with in either direction is its share.
    for number, part in enumerate(shares[:20], 1):
        rules = rules_of(number, commits, Rules())
        assert rules.alpha + rules.alpha / rules.agree == pytest.approx(part, rel=1e-12)
        assert (rules.looks, rules.threshold) == (Rules().looks, Rules().threshold)


def test_how_many_verdicts():
    """By hand: one on bad, and as many halvings as it takes."""
    assert [enough_verdicts(commits) for commits in (1, 2, 3, 4, 5, 8, 9, 1024)] == [1, 2, 3, 3, 4, 4, 5, 11]


def test_the_first_look_can_decide():
    """Even with a thousand commits a case that is clear is decided by the pairs of the first look."""
    rules = rules_of(enough_verdicts(1000), 1000, Rules())
    assert 2.0 ** -rules.looks[0] <= rules.spent[0] / rules.agree


@pytest.mark.parametrize("commits", [7, 30])
def test_a_wrong_commit_is_rare(commits):
    """With verdicts that err as often as they may, a wrong commit is named no more often than that (counted in 4,000 searches)."""
    random_ = random.Random(0)
    wrong = 0
    for _ in range(4000):
        culprit, number = random_.randint(1, commits), 1

        def judge(commit, culprit=culprit):
            nonlocal number
            number += 1
            right = commit >= culprit
            errs = random_.random() < share(number, commits)
            return Answer(SLOWER if right != errs else NOT_SLOWER)

        wrong += list(search(commits, judge).suspects) != [culprit]
    assert 0 < wrong <= CHANCE * 4000


def test_half_of_the_slow_down():
    """A case that is four times as slow is followed at twice; one of 2 % that was found at 1 % is followed at 1 %."""
    assert halved(Rules(), [4.0]).threshold == 1.0
    assert halved(Rules(), [4.0, 1.21]).threshold == 0.1
    assert halved(Rules(threshold=0.01, thresholds=(("a", 0.3),)), [1.0200001]).threshold == pytest.approx(0.01)
    assert halved(Rules(thresholds=(("a", 0.3), ("b", 0.01))), [1.21]).thresholds == (("a", 0.3), ("b", 0.1))
    assert halved(Rules(), []) == Rules()  # nothing but first calls or memory, which have thresholds of their own


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ({"a": SLOWER, "b": SAME}, SLOWER),
        ({"a": SLOWER}, SLOWER),
        ({"a": SAME, "b": FASTER}, NOT_SLOWER),
        ({"a": SAME, "b": SAME, "other": SLOWER}, NOT_SLOWER),
        ({"a": SAME, "b": UNDECIDED}, UNKNOWN),
        ({"a": SAME}, UNKNOWN),
    ],
    ids=str,
)
def test_answer(verdicts, expected):
    """One row that is followed is enough to be slower; not slower needs all of them, and no other row counts."""
    found = answer(verdicts, ["a", "b"], 44)

    assert found.verdict == expected
    assert found.reason == {1: "does not measure b", 2: "undecided after 44 pairs"}.get(len(verdicts), "") * (expected == UNKNOWN)

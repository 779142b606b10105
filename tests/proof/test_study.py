"""The study counts right on recordings whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from benchmarks.gate.rules import Rules
from benchmarks.gate.verdicts import SAME, SLOWER, UNDECIDED
from benchmarks.proof import study
from benchmarks.proof.recordings import PairSeconds
from lenet5 import InputError
from tests.support.recordings import loaded, noisy, record

RULES = Rules()


@pytest.fixture
def quiet(tmp_path):
    return loaded(record(tmp_path / "quiet", noisy(0.01)))


@pytest.fixture
def numbered(tmp_path):
    """Ten pairs whose log ratios say which they are: 0.01, 0.02, ...; twice that in the other case."""
    numbers = np.arange(1, 11) / 100
    return loaded(record(tmp_path / "numbered", {"test_one": numbers, "test_other": 2 * numbers}))


def test_resampling_keeps_neighbours(numbered):
    """Blocks of neighbours that begin where an ABBA does, from any such place on, the end joined to the beginning."""
    random, begins = np.random.default_rng(0), set()
    for _ in range(200):
        one, other = study.resample(random, numbered, length=10)
        pairs = np.rint(np.abs(one) * 100).astype(int)
        assert_allclose(other, 2 * one, atol=1e-9)
        assert sorted(pairs) == list(range(1, 11))  # no pair twice
        steps = (pairs[1:] - pairs[:-1]) % 10 == 1
        assert steps.sum() >= 7  # ten pairs are three blocks, 4 + 4 + 2
        begins.add(pairs[0])
    assert begins == {1, 3, 5, 7, 9}


def test_short_recordings_are_dealt_again(numbered):
    """A pair comes a second time when all have come once."""
    one, _ = study.resample(np.random.default_rng(0), numbered, length=24)
    pairs = np.rint(np.abs(one) * 100).astype(int)
    assert len(one) == 24
    assert sorted(pairs[:10]) == sorted(pairs[10:20]) == list(range(1, 11))
    assert len(set(pairs[20:])) == 4


def test_a_coin_for_every_block(numbered):
    """All pairs of a block are exchanged together, and half of the blocks are."""
    random, heads = np.random.default_rng(0), []
    for _ in range(300):
        one, _ = study.resample(random, numbered, length=10)
        pairs, signs = np.rint(np.abs(one) * 100).astype(int), np.sign(one)
        neighbours = (pairs[1:] - pairs[:-1]) % 10 == 1
        heads.append(signs[0])
        # Two blocks may by chance be neighbours again, with coins of their own.
        assert (signs[1:] != signs[:-1])[neighbours].sum() <= 2
    assert abs(np.mean(heads)) < 0.2


def test_quiet_code_raises_no_alarm(quiet):
    """Of 30 runs of three steady cases all are the same, and every injected 10 % is found."""
    tally = study.false_alarms([quiet], RULES, 30, np.random.default_rng(0))
    assert tally["verdicts"] == {"slower": 0, "faster": 0, "same": 90, "undecided": 0}
    assert (tally["false_alarms_a_case"]["share"], tally["false_alarms_a_run"]["of"]) == (0, 30)

    found = study.detection([quiet], RULES, 30, np.random.default_rng(0), 0.1)
    assert found["found"]["share"] == 1
    assert [at["share"] for at in found["by_pairs"]] == [1, 1, 1, 1, 1]
    assert [case["of"] for case in found["cases"].values()] == [10, 10, 10]


def test_noise_is_undecided(tmp_path):
    """Pairs that differ by tens of per cent decide nothing, and no small change is found."""
    loud = loaded(record(tmp_path / "loud", noisy(0.3)))
    tally = study.false_alarms([loud], RULES, 20, np.random.default_rng(0))

    assert tally["verdicts"]["undecided"] == 60
    assert study.detection([loud], RULES, 20, np.random.default_rng(0), 0.03)["found"]["share"] < 0.2


def test_a_false_alarm_is_one(tmp_path):
    """A recording in which one case of three is not what it says: a third of the cases, and every run."""
    ratios = noisy(0.01)
    ratios["test_1"] += 0.1
    tally = study.measured([loaded(record(tmp_path / "gate", ratios))], RULES)

    assert tally["verdicts"][SLOWER] == 1
    assert tally["false_alarms_a_run"]["share"] == 1
    assert_allclose(tally["false_alarms_a_case"]["share"], 1 / 3)


def test_thresholds_are_the_gates(tmp_path):
    """A first call that takes a fifth longer is within its own threshold, a time would not be."""
    calls = {"base": {"first_call_seconds": 0.5}, "head": {"first_call_seconds": 0.6}}
    tally = study.measured([loaded(record(tmp_path / "gate", noisy(0.005), extra=calls))], RULES)
    assert tally["verdicts"][SAME] == tally["cases"] == 6


def test_measured_runs(tmp_path):
    """A recording is cut into runs as long as a gate's longest; a rest is one more, unless the gate would not have looked."""
    most, first = RULES.most_pairs, RULES.looks[0]
    recordings = {pairs: loaded(record(tmp_path / str(pairs), noisy(0.005, pairs))) for pairs in (first, most + first, most + 1)}
    assert study.measured([recordings[first]], RULES)["runs"] == 1
    assert study.measured([recordings[most + first]], RULES)["runs"] == 2
    assert study.measured([recordings[most + 1]], RULES)["runs"] == 1
    tally = study.measured(list(recordings.values()), RULES)
    assert (tally["runs"], tally["cases"], tally["verdicts"][SAME]) == (4, 12, 12)
    assert tally["verdicts"][UNDECIDED] == 0


def test_what_pairs_take_at_most(quiet):
    """The first two with memory, the others without; of several recordings the mean; nothing where one does not say it."""
    timed = [replace(quiet, seconds=[PairSeconds(20, each), PairSeconds(24, each)]) for each in (10, 12)]
    assert study.at_most(timed, RULES, 52) == 2 * 22 + 50 * 11
    assert study.at_most(timed, RULES, 1) == 22
    assert study.at_most([*timed, quiet], RULES, 52) is None
    assert study.ends(RULES) == [20, 28, 36, 44, 52]


def test_nothing_to_study(quiet):
    """No recording, and fewer than one run: one line each."""
    with pytest.raises(InputError, match="at least one recording"):
        study.study({}, RULES)
    with pytest.raises(InputError, match="--runs 0: use a whole number"):
        study.study({"quiet": [quiet]}, RULES, runs=0)

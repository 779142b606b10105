"""The usual rules compare what they say, and the study gives them the processes that they ask for."""

from __future__ import annotations

import numpy as np

from benchmarks.proof import study
from benchmarks.proof.usual_rules import USUAL, largest_above, least_above, mann_whitney, mean_above
from tests.support.recordings import loaded, noisy, record

RULE = {rule.name: rule for rule in USUAL}


def test_usual_rules_by_hand():
    """Each compares what it says: the mean, the least, the largest, the rounds."""
    base = [np.array([1.0, 1.0, 1.0]), np.array([1.2, 1.2, 1.2]), np.array([1.1, 1.1, 1.1])]
    assert mean_above([np.array([1.0, 1.0])], [np.array([1.0, 1.2])])
    assert not mean_above([np.array([1.0, 1.0])], [np.array([1.0, 1.09])])
    assert least_above(base, [rounds + 0.06 for rounds in base])
    assert not least_above(base, [base[0], base[1] + 1, base[2] + 1])
    assert not largest_above(base, [rounds + 0.06 for rounds in base])  # 1.26 is 5 % more than 1.2
    assert largest_above(base, [base[0], base[1] + 0.07, base[2]])

    rounds = np.linspace(0.99, 1.01, 40)
    assert mann_whitney([rounds], [rounds * 1.11])
    assert not mann_whitney([rounds], [rounds * 1.09])
    assert not mann_whitney([rounds[:2]], [rounds[:2] * 1.2])  # two rounds tell nothing


def test_usual_rules_on_a_recording(tmp_path):
    """Pairs that swing by 20 % alarm the mean and a 20 % change is found by it; a steady recording alarms none of them."""
    loud = loaded(record(tmp_path / "loud", noisy(0.2)))
    steady = loaded(record(tmp_path / "steady", noisy(0.001)))

    for name, rule in RULE.items():
        found = study.usual([steady], rule, 20, np.random.default_rng(0))
        assert found["false_alarms_a_case"]["count"] == 0, name
        assert [one["found"]["share"] for one in found["injected"]][-1] == 1, name
    assert study.usual([loud], RULE["mean:5%"], 50, np.random.default_rng(0))["false_alarms_a_case"]["share"] > 0.2


def test_usual_rules_change_every_case_in_turn(tmp_path):
    """Of a steady case and two that swing by a factor, the steady one is a third of the runs and found in all of them."""
    ratios = {**noisy(1.0), "test_0": np.zeros(40)}
    found = study.usual([loaded(record(tmp_path / "gate", ratios))], RULE["mean:5%"], 60, np.random.default_rng(0))
    assert 1 / 3 < found["injected"][-1]["found"]["share"] < 0.9


def test_taking_turns_or_saved():
    """Rules whose sides take turns see the same pairs of both; a saved run is from another time."""
    random = np.random.default_rng(0)
    turns = [study._processes(random, 30, RULE["min of three"]) for _ in range(20)]
    saved = [study._processes(random, 3, RULE["mean:5%"]) for _ in range(20)]

    for base, head in turns:
        assert [pair for _, pair in base] == [pair for _, pair in head]
        assert len({side for side, _ in base}) == 1
        assert all(one[0] != other[0] for one, other in zip(base, head, strict=True))
        assert len(base) == 3
    assert {base[0][0] for base, _ in turns} == {0, 1}
    assert {base[0][1] == head[0][1] for base, head in saved} == {True, False}

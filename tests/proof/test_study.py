"""The study counts right on recordings whose answer is known, and says on its page what its data say."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from benchmarks.__main__ import main
from benchmarks.gate.verdicts import SAME, SLOWER, UNDECIDED, Rules
from benchmarks.proof import study, study_page
from benchmarks.proof.usual_rules import USUAL, largest_above, least_above, mann_whitney, mean_above
from benchmarks.quantities import units
from benchmarks.report import markdown
from benchmarks.saved.provenance import ROOT
from lenet5 import InputError
from tests.report.test_page import LOOK, WIDTHS
from tests.support.browser import visit

RULES = Rules()
SIDE = {"code_sha256": "c0de", "interpreter": "/usr/bin/python", "versions": {"python": "3.11.9"}}
RULE = {rule.name: rule for rule in USUAL}


def process(seconds, extra):
    """What one process saved: each case's rounds, around the median that is asked for."""
    benchmarks = []
    for name, median in seconds.items():
        data = [median * (1 + 0.001 * step) for step in (-2, -1, 0, 1, 2)]
        quartiles = {"q1": data[1], "median": data[2], "q3": data[3]}
        of_all = {"min": data[0], "max": data[-1], "mean": median, "stddev": 0.0, "rounds": 5, "data": data}
        case = {"group": "predict", "name": name, "fullname": f"benchmarks/test_x.py::{name}", "stats": {**quartiles, **of_all}}
        benchmarks.append({**case, "extra_info": {"framework": "numpy", "mode": "fused", "batch": 1, **extra}})
    ours = {"format": 1, "threads": 1, "frameworks": {"numpy": {"version": "2"}}, "not_measured": {}, "code_sha256": "c0de"}
    machine = {"lenet5": ours, "cpu": {"brand_raw": "a CPU", "count": 2}}
    return {"machine_info": machine, "commit_info": {}, "benchmarks": benchmarks, "datetime": "2026-01-02T03:04:05", "version": "5"}


def record(folder, log_ratios, sides=(SIDE, SIDE), extra=None):
    """The folder of a gate whose cases had these log ratios, the same number of each; ``extra`` rides on those of a role."""
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(dict(zip(("base", "head"), sides, strict=True))), encoding="utf-8")
    for index in range(len(next(iter(log_ratios.values())))):
        seconds = {
            "base": dict.fromkeys(log_ratios, 1e-3),
            "head": {name: 1e-3 * np.exp(values[index]) for name, values in log_ratios.items()},
        }
        for role, of_role in seconds.items():
            (folder / role).mkdir(exist_ok=True)
            path = folder / role / f"process-{index + 1:03d}.json"
            path.write_text(json.dumps(process(of_role, (extra or {}).get(role, {}))), encoding="utf-8")
    return folder


def noisy(spread, pairs=40, cases=3, seed=0):
    random = np.random.RandomState(seed)
    return {f"test_{index}": random.normal(0, spread, pairs) for index in range(cases)}


@pytest.fixture
def quiet(tmp_path):
    return study.load(record(tmp_path / "quiet", noisy(0.01)))


# What is read


def test_load(tmp_path):
    """Every row with the values of its pairs; rounds for times, none for first calls."""
    ratios = noisy(0.01, pairs=5)
    found = study.load(record(tmp_path / "gate", ratios, extra={role: {"first_call_seconds": 0.5} for role in ("base", "head")}))

    assert found.pairs == 5
    assert [row.metric.name for row in found.rows] == ["time", "first call"] * 3
    assert found.times == [0, 2, 4]
    assert_allclose(found.values[found.times], list(ratios.values()), atol=1e-9)
    assert_allclose(found.values[1], 0)
    (bases, heads) = found.rounds[found.rows[0].key]
    assert_allclose(heads[3] / bases[3], np.exp(ratios["test_0"][3]))


def test_half_a_pair_is_none(tmp_path):
    """A process whose partner is missing does not count."""
    folder = record(tmp_path / "gate", noisy(0.01, pairs=5))
    (folder / "head" / "process-005.json").unlink()
    assert study.load(folder).pairs == 4


@pytest.mark.parametrize("what", ["code_sha256", "interpreter", "versions"])
def test_only_identical_code(tmp_path, what):
    """Pairs of different code prove nothing about false alarms."""
    folder = record(tmp_path / "gate", noisy(0.01, pairs=2), sides=(SIDE, {**SIDE, what: "other"}))
    with pytest.raises(InputError, match=f"run.json: {what} of base and head differ"):
        study.load(folder)


def test_no_recording(tmp_path):
    """A folder that is none, one of another command, one without a pair, and one without raw rounds: one line each."""
    with pytest.raises(InputError, match="no such file"):
        study.load(tmp_path / "nowhere")
    (tmp_path / "run.json").write_text('{"seed": 0}', encoding="utf-8")
    with pytest.raises(InputError, match="no settings of a gate"):
        study.load(tmp_path)
    folder = record(tmp_path / "gate", noisy(0.01, pairs=1, cases=1))
    path = folder / "head" / "process-001.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    del document["benchmarks"][0]["stats"]["data"]
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError, match=r"process-001.json: .* has no raw rounds"):
        study.load(folder)
    path.unlink()
    with pytest.raises(InputError, match="holds no pair"):
        study.load(folder)
    with pytest.raises(InputError, match="at least one recording"):
        study.study({}, RULES)


def test_a_gate_that_stopped_early(tmp_path):
    """A gate leaves out what is decided; a study would take what is left for the whole."""
    folder = record(tmp_path / "gate", noisy(0.01, pairs=3, cases=2))
    for path in folder.glob("*/process-003.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        document["benchmarks"] = [case for case in document["benchmarks"] if "1" not in case["fullname"]]
        path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError, match=r"gate: .*1.* was measured in 2 of 3 pairs; .* record with gate --pairs"):
        study.load(folder)


def test_recordings_are_pooled(tmp_path):
    """Those with the same rows are one, pair after pair; one with other rows stays by itself."""
    one, two = (study.load(record(tmp_path / str(pairs), noisy(0.01, pairs, seed=pairs))) for pairs in (4, 6))
    other = study.load(record(tmp_path / "other", noisy(0.01, 4, cases=2)))
    both, alone = study.pooled([one, other, two])

    assert_allclose(both.values, np.concatenate([one.values, two.values], axis=1))
    assert (both.pairs, both.times, alone.pairs, len(alone.rows)) == (10, [0, 1, 2], 4, 2)
    for row in both.rows:
        for side in (0, 1):
            assert_allclose(both.rounds[row.key][side], one.rounds[row.key][side] + two.rounds[row.key][side])


# What is counted


@pytest.fixture
def numbered(tmp_path):
    """Ten pairs whose log ratios say which they are: 0.01, 0.02, ...; twice that in the other case."""
    numbers = np.arange(1, 11) / 100
    return study.load(record(tmp_path / "numbered", {"test_one": numbers, "test_other": 2 * numbers}))


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
    assert [at["share"] for at in found["by_pairs"]] == [1, 1, 1, 1]
    assert [case["of"] for case in found["cases"].values()] == [10, 10, 10]


def test_noise_is_undecided(tmp_path):
    """Pairs that differ by tens of per cent decide nothing, and no small change is found."""
    loud = study.load(record(tmp_path / "loud", noisy(0.3)))
    tally = study.false_alarms([loud], RULES, 20, np.random.default_rng(0))

    assert tally["verdicts"]["undecided"] == 60
    assert study.detection([loud], RULES, 20, np.random.default_rng(0), 0.03)["found"]["share"] < 0.2


def test_a_false_alarm_is_one(tmp_path):
    """A recording in which one case of three is not what it says: a third of the cases, and every run."""
    ratios = noisy(0.01)
    ratios["test_1"] += 0.1
    tally = study.measured([study.load(record(tmp_path / "gate", ratios))], RULES)

    assert tally["verdicts"][SLOWER] == 1
    assert tally["false_alarms_a_run"]["share"] == 1
    assert_allclose(tally["false_alarms_a_case"]["share"], 1 / 3)


def test_thresholds_are_the_gates(tmp_path):
    """A first call that takes a fifth longer is within its own threshold, a time would not be."""
    calls = {"base": {"first_call_seconds": 0.5}, "head": {"first_call_seconds": 0.6}}
    tally = study.measured([study.load(record(tmp_path / "gate", noisy(0.005), extra=calls))], RULES)
    assert tally["verdicts"][SAME] == tally["cases"] == 6


def test_measured_runs(tmp_path):
    """A recording is cut into runs as long as a gate's longest; a rest is one more, unless the gate would not have looked."""
    most, first = RULES.most_pairs, RULES.looks[0]
    recordings = {
        pairs: study.load(record(tmp_path / str(pairs), noisy(0.005, pairs))) for pairs in (first, most + first, most + 1)
    }
    assert study.measured([recordings[first]], RULES)["runs"] == 1
    assert study.measured([recordings[most + first]], RULES)["runs"] == 2
    assert study.measured([recordings[most + 1]], RULES)["runs"] == 1
    tally = study.measured(list(recordings.values()), RULES)
    assert (tally["runs"], tally["cases"], tally["verdicts"][SAME]) == (4, 12, 12)
    assert tally["verdicts"][UNDECIDED] == 0


# The usual rules


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
    loud = study.load(record(tmp_path / "loud", noisy(0.2)))
    steady = study.load(record(tmp_path / "steady", noisy(0.001)))

    for name, rule in RULE.items():
        found = study.usual([steady], rule, 20, np.random.default_rng(0))
        assert found["false_alarms_a_case"]["count"] == 0, name
        assert [one["found"]["share"] for one in found["injected"]][-1] == 1, name
    assert study.usual([loud], RULE["mean:5%"], 50, np.random.default_rng(0))["false_alarms_a_case"]["share"] > 0.2


def test_usual_rules_change_every_case_in_turn(tmp_path):
    """Of a steady case and two that swing by a factor, the steady one is a third of the runs and found in all of them."""
    ratios = {**noisy(1.0), "test_0": np.zeros(40)}
    found = study.usual([study.load(record(tmp_path / "gate", ratios))], RULE["mean:5%"], 60, np.random.default_rng(0))
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


# The page

FOLDERS = {"quiet": ["one", "two"], "busy": ["three"]}


@pytest.fixture
def written(tmp_path):
    """A study of two conditions, in its folder."""
    folders = [
        f"quiet={record(tmp_path / 'one', noisy(0.01))}",
        f"quiet={record(tmp_path / 'two', noisy(0.01, 24, seed=1))}",
        f"busy={record(tmp_path / 'three', noisy(0.3))}",
    ]
    study_page.main(folders, tmp_path / "study", runs=12)
    return tmp_path / "study"


def test_files(written):
    """Data, Markdown and page; the same recordings and seed give the same data."""
    found = json.loads((written / "study.json").read_text(encoding="utf-8"))
    text = (written / "study.md").read_text(encoding="utf-8")

    assert list(found["conditions"]) == ["quiet", "busy"]
    assert found["conditions"]["quiet"]["measured"]["runs"] == 2
    assert found["rules"]["looks"] == list(RULES.looks)
    again = {name: [study.load(written.parent / folder) for folder in folders] for name, folders in FOLDERS.items()}
    assert json.loads(json.dumps({"command": "", **study.study(again, RULES, runs=12)})) == found
    assert text.startswith("# How often is the gate wrong")
    assert "this gate, quiet" in text
    assert "mean:5%, busy" in text
    assert sorted(path.name for path in written.iterdir()) == ["study.html", "study.json", "study.md"]


def test_missed_is_said(written, tmp_path):
    """What was wanted and not reached is a warning; what was reached is none, nor what only a quiet machine has to find."""
    assert "missed what was wanted" not in (written / "study.md").read_text(encoding="utf-8")
    text = study_page.main([str(tmp_path / "three")], tmp_path / "again", runs=6)
    assert "**quiet: +5 %, +10 % missed what was wanted.**" in text


def test_too_many_false_alarms_are_said(written):
    """Under any condition."""
    found = json.loads((written / "study.json").read_text(encoding="utf-8"))
    found["conditions"]["busy"]["resampled"]["false_alarms_a_case"]["share"] = 0.002
    answer = study_page.sections(found)[0].before
    assert "**busy: false alarms a case missed what was wanted.**" in answer


def test_page(written):
    """Every plot is there, and in a browser nothing complains and nothing is wider than the window."""
    page = (written / "study.html").read_text(encoding="utf-8")
    for name in ("detection-0", "detection-1", "power-0", "alarms-1"):
        assert f'<figure id="{name}">' in page
    facts, console = visit(page, WIDTHS, LOOK, written.parent)
    assert console == []
    for fact in facts:
        assert fact["page"] <= fact["width"]
        assert fact["outside"] == []
        assert all(figure["marks"] for figure in fact["figures"])


def test_copies_are_one_kind(tmp_path):
    """Thirty copies of a case are one line: their median spread, and a slow-down found in all of them together."""
    ratios = {f"test_predict[copy{copy}-numpy-batch1]": values for copy, values in enumerate(noisy(0.01, cases=3).values(), 1)}
    folder = record(tmp_path / "gate", {**ratios, "test_product[copy1]": noisy(0.02)["test_0"]})
    found = {"command": "", **study.study({"quiet": [study.load(folder)]}, RULES, runs=8)}

    predict, product = study_page.sections(found)[5].table.rows

    spreads = sorted(np.std(values, ddof=1) for values in ratios.values())
    shares = [one["cases"] for one in found["conditions"]["quiet"]["injected"]]
    count = [sum(one[f"benchmarks/test_x.py::{name} time"]["count"] for name in ratios) for one in shares]
    assert predict[:2] == ("test_predict[numpy-batch1] time, 3 copies, quiet", units.percent(spreads[1]))
    assert predict[2:] == tuple(units.percent(found / 6) for found in count)
    assert product[0] == "test_product[copy1] time, quiet"


def test_conditions(tmp_path):
    """A folder without a name is quiet; an equals sign without a name is refused."""
    folder = record(tmp_path / "gate", noisy(0.01, pairs=2))
    assert list(study_page.by_condition([str(folder)])) == ["quiet"]
    with pytest.raises(InputError, match="use NAME=FOLDER"):
        study_page.by_condition([f"={folder}"])
    with pytest.raises(InputError, match="runs 0"):
        study_page.main([str(folder)], tmp_path / "study", runs=0)


def test_command(tmp_path, capsys, monkeypatch):
    """`study` prints the Markdown, writes all three files, names itself, and has no use for options of pytest."""
    monkeypatch.chdir(tmp_path)
    record(tmp_path / "a gate", noisy(0.01, pairs=12))

    assert main(["study", "busy=a gate", "--runs", "3", "--seed", "7"]) == 0
    printed = capsys.readouterr().out
    found = json.loads((tmp_path / "report" / "study.json").read_text(encoding="utf-8"))
    assert found["command"] == "python -m benchmarks study 'busy=a gate' --runs=3 --seed=7 --threshold=0.02 --output=report"
    assert found["command"] in printed
    assert sorted(path.name for path in (tmp_path / "report").iterdir()) == ["study.html", "study.json", "study.md"]

    assert main(["study", "a gate", "--", "-x"]) == 2
    assert capsys.readouterr().err == "-- -x: study runs no pytest; use it with gate\n"


def test_what_the_readme_says_of_it():
    """The figures in the README are those of the study that is kept, and the page beside it says the same."""
    folder = ROOT / "docs" / "gate"
    found = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    conditions = found["conditions"].values()
    comparisons, slower, runs, alarmed = (
        sum(at(condition) for condition in conditions)
        for at in (
            lambda condition: condition["measured"]["cases"],
            lambda condition: condition["measured"]["verdicts"]["slower"],
            lambda condition: condition["resampled"]["runs"],
            lambda condition: condition["resampled"]["false_alarms_a_run"]["count"],
        )
    )
    quiet = found["conditions"]["quiet"]
    finds = {one["change"]: units.percent(one["found"]["share"]) for one in quiet["injected"]}
    usual = quiet["usual"]["mean:5%"]
    of_usual = {one["change"]: units.percent(one["found"]["share"]) for one in usual["injected"]}
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())

    assert f"of {units.count(comparisons)} comparisons {slower} said slower" in readme
    assert f"of {units.count(runs)} runs put together from their pairs {alarmed} raised an alarm" in readme
    assert f"finds +5 % in {finds[0.05]} and +10 % in {finds[0.1]} of such runs, within 44 pairs" in readme
    assert Rules(**{**found["rules"], "looks": tuple(found["rules"]["looks"])}).most_pairs == 44
    assert f"`mean:5%` finds {of_usual[0.05]} and {of_usual[0.1]}" in readme
    assert f"raises an alarm in {units.percent(usual['false_alarms_a_run']['share'])} of the runs" in readme
    assert markdown.render(study_page.sections(found)) == (folder / "study.md").read_text(encoding="utf-8")

"""`verdict`: what a gate recorded is judged again as the gate judged it, and nothing in its folder changes."""

from __future__ import annotations

import json
import math
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.gate import outcome, recorded, text
from benchmarks.gate.forecast import pairs_needed
from benchmarks.gate.pairs import Recorder
from benchmarks.gate.rules import Rules
from benchmarks.gate.verdicts import FASTER, SAME, SLOWER, UNDECIDED
from benchmarks.saved.storage import ASKED, NOTED
from lenet5 import InputError
from tests.gate.test_verdicts import even
from tests.support.recordings import SIDE, process, record

WHOLE = {**SIDE, "commit": "c0ffee", "directory": None, "changed": False, "tree": "7ree"}
SETTINGS = {
    "cases": "benchmarks",
    "expression": None,
    "options": [],
    "seed": 0,
    "threshold": 0.02,
    "thresholds": None,
    "system": "Linux",
}


def keep(folder, log_ratios, when="2026-01-02", head=WHOLE, extra=None, **settings):
    """The folder of a gate with all that one notes of settings, and nothing beside them."""
    return record(folder, log_ratios, (WHOLE, head), extra, {**SETTINGS, **settings}, when)


def contents(folder):
    """Every file with all that changes when it is written."""
    return {path: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in folder.rglob("*") if path.is_file()}


def found(*folders, thresholds=None):
    """The verdicts of the cases, by their short names."""
    outcome = recorded.outcome_of(folders, thresholds)
    return {row.case.partition("::")[2]: verdict.verdict for row, verdict in outcome.verdicts}


@pytest.fixture
def verdict(tmp_path, monkeypatch, capsys):
    """verdict(*arguments) -> exit code, standard output, standard error; in a folder of the test's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return lambda *arguments: (main(["verdict", *map(str, arguments)]), *capsys.readouterr())


def test_as_the_gate_said(slower, verdict, tmp_path):
    """Table, exit code, and every value of the files; the folder is read only."""
    shutil.copytree(slower.folder / "raw", tmp_path / "raw")
    before = contents(tmp_path / "raw")

    code, out, err = verdict("raw", "--json", "again.json", "--markdown", "again.md")

    assert (code, out, err) == (slower.code, slower.out, "")
    assert json.loads((tmp_path / "again.json").read_text()) == slower.outcome
    assert (tmp_path / "again.md").read_text() == (slower.folder / "out" / "gate.md").read_text()
    assert contents(tmp_path / "raw") == before


@pytest.mark.parametrize(
    ("command", "title"), [("verdict nosuch", "Gate"), ("gate --base nosuch", "Gate"), ("bisect --good x --bad y -k z", "Bisect")]
)
def test_what_cannot_be_judged(tmp_path, monkeypatch, capsys, command, title):
    """The line is in GitHub's job summary too, after what is there."""
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.chdir(tmp_path)

    assert main(command.split()) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert summary.read_text() == f"before\n# {title}: nothing was judged\n\n{line}\n\n"


def test_other_thresholds(slower, verdict, tmp_path):
    """A change of 10 % is none where 30 % count; a threshold for a case that is not there is one line."""
    shutil.copytree(slower.folder / "raw", tmp_path / "raw")

    code, out, _ = verdict("raw", "--threshold", "30%")
    assert (code, "30 %" in out) == (0, True)
    code, out, err = verdict("raw", "--threshold", "tow=3%")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "selects none of the cases that are measured, such as" in err


def test_a_lost_file(slower, verdict, tmp_path):
    """The pairs before it are judged, and a remark says which file is missing and how many pairs do not count; half a last pair is no loss."""
    shutil.copytree(slower.folder / "raw", tmp_path / "raw")
    (tmp_path / "raw" / "head" / "process-003.json").unlink()
    code, out, err = verdict("raw", "--json", "two.json")
    assert (code, err, "is missing" in out) == (3, "", False)

    (tmp_path / "raw" / "base" / "process-001.json").rename(tmp_path / "raw" / "base" / "process-004.json")
    shutil.copy(tmp_path / "raw" / "head" / "process-002.json", tmp_path / "raw" / "head" / "process-004.json")
    code, out, err = verdict("raw", "--json", "none.json")
    assert (code, out, err.count("\n"), "holds no pair" in err) == (2, "", 1, True)


def test_pairs_after_a_lost_file(tmp_path):
    """They do not count, which is said of each folder."""
    folders = [
        keep(tmp_path / name, {"test_a": [0.0] * 6}, when=when) for name, when in (("one", "2026-01-02"), ("two", "2026-01-03"))
    ]
    assert recorded.outcome_of(folders).compared.remarks == ()
    (folders[1] / "base" / "process-005.json").unlink()
    judged = recorded.outcome_of(folders)
    assert len(judged.pairs) == 10
    assert judged.compared.remarks == (f"{folders[1]}/base/process-005.json: is missing, so that 1 pair after it does not count.",)


def test_a_gate_that_goes_on_removes_no_pair(tmp_path):
    """It removes what is left of half a pair; where a file of an earlier pair is lost, it removes nothing and says which."""
    folder = keep(tmp_path / "gate", {"test_a": [0.0] * 4})
    (folder / "head" / "process-004.json").unlink()
    Recorder.tidy(SimpleNamespace(folder=folder), 3)
    assert len(list(folder.glob("*/process-*.json"))) == 6

    (folder / "base" / "process-002.json").unlink()
    with pytest.raises(
        InputError, match=r"base/process-002.json: is missing, so that 1 pair after it does not count; put that file back"
    ):
        Recorder.tidy(SimpleNamespace(folder=folder), 1)
    assert len(list(folder.glob("*/process-*.json"))) == 5


def test_pairs_that_other_thresholds_would_have_asked_for(tmp_path):
    """A case that was decided early lacks them, and is undecided then, never decided more easily; the others are judged by all they have."""
    folder = keep(tmp_path / "gate", {"early": even(12, 0.03), "late": even(28, 0.1), "none": even(12)}, threshold=0.06)

    assert found(folder) == {"early": SAME, "late": SLOWER, "none": SAME}
    assert found(folder, thresholds=(0.02, ())) == {"early": UNDECIDED, "late": SLOWER, "none": SAME}
    assert found(folder, thresholds=(0.02, (("late", 0.3),))) == {"early": UNDECIDED, "late": SAME, "none": SAME}
    outcome = recorded.outcome_of([folder], (0.02, ()))
    assert {row.case.partition("::")[2]: verdict.pairs for row, verdict in outcome.verdicts} == {
        "early": 12,
        "late": 20,
        "none": 12,
    }
    assert not outcome.goes_on


def test_a_suspicion(tmp_path):
    """A gate whose time was up between a suspicion and its confirmation names it, and says what confirms it."""
    folder = keep(tmp_path / "gate", {"worse": even(15, 0.1), "better": even(15, -0.1), "calm": even(12)})
    outcome = recorded.outcome_of([folder])

    assert outcome.exit_code == 3
    assert text.headline(outcome) == "undecided (2 undecided, 1 same, 1 suspected to be slower)"
    needs = text.render(outcome).partition("What is undecided")[2]
    assert re.search(r"worse +\| time +\| +15 \| suspected to be slower, to be confirmed by about 5 more pairs", needs)
    assert re.search(r"better +\| time +\| +15 \| suspected to be faster, to be confirmed by about 5 more pairs", needs)
    told = {one["case"].partition("::")[2]: one.get("suspected", "no such field") for one in text.as_json(outcome)["verdicts"]}
    assert told == {"worse": SLOWER, "better": FASTER, "calm": "no such field"}


@pytest.mark.parametrize(
    ("noted", "asked", "goes_on"),
    [
        ({}, True, True),
        ({"out_of_time": True}, True, True),
        ({"out_of_time": False}, True, False),
        ({"out_of_time": True}, False, False),
    ],
    ids=["killed", "out of time", "no look left", "of an older version"],
)
def test_what_goes_on(tmp_path, noted, asked, goes_on):
    """A gate whose time was up, and one that was killed, if it noted what it was asked; one that looked as often as it may does not."""
    settings = {**({NOTED: noted} if noted else {}), **({ASKED: ["gate"]} if asked else {})}
    outcome = recorded.outcome_of([keep(tmp_path / "gate", {"test_a": even(4, 0.1)}, **settings)])

    assert outcome.goes_on == goes_on
    assert ("--resume goes on" in text.render(outcome)) == goes_on


def test_several_folders(tmp_path):
    """Too few pairs for a verdict each, enough together; the order in which they are named does not matter, that of time does."""
    monday = keep(tmp_path / "monday", {"a": even(10, 0.1), "b": even(10, -0.1)}, "2026-01-05")
    tuesday = keep(tmp_path / "tuesday", {"a": even(10, 0.1), "b": even(10, 0.1)}, "2026-01-06")

    assert found(monday) == found(tuesday) == {"a": UNDECIDED, "b": UNDECIDED}
    assert found(monday, tuesday) == {"a": SLOWER, "b": UNDECIDED}
    outcomes = [recorded.outcome_of(folders) for folders in ([monday, tuesday], [tuesday, monday])]
    assert outcomes[0].verdicts == outcomes[1].verdicts
    (row, _), *_ = outcomes[1].verdicts
    assert [round(value, 1) for value in outcomes[1].verdicts[1][0].log_ratios] == [-0.1] * 10 + [0.1] * 10
    assert (len(row.base), outcomes[0].exit_code) == (20, 1)


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ({"head": {**WHOLE, "tree": "0ther"}}, "head.tree is 0ther, but 7ree in "),
        ({"head": {**WHOLE, "interpreter": "/bin/python"}}, "head.interpreter is /bin/python, but "),
        ({"head": {**WHOLE, "versions": {"python": "3.12"}}}, "head.versions is "),
        ({"expression": "numpy"}, "expression is numpy, but None in "),
        ({"options": ["--threads=2"]}, "options is "),
        ({"system": "other"}, "system is other, but Linux in "),
        ({"noted": {"threads": 2}}, "threads is 2, but 1 in "),
        ("release", "machine_info.release is 7, but None in "),
        ("cases", "other cases than in "),
        ("twice", "has pairs that "),
    ],
    ids=str,
)
def test_not_of_one_comparison(tmp_path, what, line):
    """Other code, another environment, other settings, a machine that changed, or the same pairs once more: one line that names it."""
    one = keep(tmp_path / "one", {"a": even(3)})
    if what == "twice":
        other = shutil.copytree(one, tmp_path / "other")
    else:
        other = keep(
            tmp_path / "other", {"b" if what == "cases" else "a": even(2)}, "2026-01-03", **(what if isinstance(what, dict) else {})
        )
    for path in other.glob("*/process-*.json"):
        machine = json.loads(path.read_text())
        if what == "release":
            machine["machine_info"]["release"] = "7"
        path.write_text(json.dumps(machine))

    with pytest.raises(InputError) as error:
        recorded.outcome_of([one, other])

    assert str(error.value).startswith(str(other))
    assert line in str(error.value)


def moved(folder, pairs=None, node="elsewhere", **machine):
    """A folder whose pairs, or those of these numbers, were measured on another machine: ``brand``, and facts of its own."""
    for path in folder.glob("*/process-*.json"):
        if pairs is None or int(path.stem[-3:]) in pairs:
            document = json.loads(path.read_text())
            info = document["machine_info"]
            info["cpu"]["brand_raw"] = machine.get("brand", "a CPU")
            info["lenet5"]["frameworks"]["numpy"].update(machine.get("numpy", {}))
            info.update(node=node, release="another", **machine.get("info", {}))
            path.write_text(json.dumps(document))
    return folder


OTHER = {"brand": "Intel(R) Xeon(R) Processor", "numpy": {"architecture": "SkylakeX", "simd": "AVX512"}}


def two_machines(folder):
    """Two folders, a machine each: together they can tell that "a" is slower; "b" is so on one machine only."""
    one = keep(folder / "one", {"a": even(13, 0.1), "b": even(13)}, "2026-01-05")
    there = {**WHOLE, "interpreter": "/opt/python"}
    two = {"a": even(13, 0.101), "b": even(13, 0.2)}
    other = record(folder / "two", two, (there, there), None, {**SETTINGS, "system": "another"}, "2026-01-04")
    return one, moved(other, **OTHER)


def test_several_machines(verdict, tmp_path):
    """Pairs take turns between machines, count within theirs, and are told by machine: in the table, above it and in the JSON."""
    one, other = two_machines(tmp_path)
    assert found(one) == {"a": UNDECIDED, "b": SAME}
    assert found(other) == {"a": UNDECIDED, "b": UNDECIDED}

    code, out, err = verdict("one", "two", "--json", "both.json")

    outcome = json.loads((tmp_path / "both.json").read_text())
    assert (code, err) == (1, "")
    assert outcome["machines"] == {"Intel Xeon, 2 CPUs": 13, "a, 2 CPUs": 13}
    a, b = sorted(outcome["verdicts"], key=lambda row: row["case"])
    assert (a["verdict"], a["pairs"], a["on"]) == ("slower", 20, [])
    assert a["machine_of_pair"] == ["Intel Xeon, 2 CPUs", "a, 2 CPUs"] * 13
    assert [row["disagree"] for row in (a, b)] == [None, {"larger": ["Intel Xeon, 2 CPUs"], "smaller": ["a, 2 CPUs"]}]
    assert b["machines"]["Intel Xeon, 2 CPUs"]["ratio"] == pytest.approx(1.22, abs=0.01)
    assert "## Machine by machine" in out
    assert "b, time: the machines disagree: head / base is larger on Intel Xeon, 2 CPUs (1.221) than on a, 2 CPUs (1.000)." in out
    row = next(line for line in out.splitlines() if line.startswith("| b ") and "they differ" in line)
    assert "1.221 [" in row
    assert "1.000 [" in row
    assert "Intel Xeon, 2 CPUs; a, 2 CPUs, 1 thread, 26 pairs of fresh processes" in out


def test_a_folder_of_several_machines(tmp_path):
    """A gate that measured its pairs on two machines is judged as the folders of these machines are; names that are alike have numbers."""
    apart = [keep(tmp_path / "one", {"a": even(12, 0.1)}), moved(keep(tmp_path / "two", {"a": even(12, 0.1, 0.01)}, "2026-01-03"))]
    values = [value for both in zip(even(12, 0.1), even(12, 0.1, 0.01), strict=True) for value in both]
    together = moved(keep(tmp_path / "both", {"a": values}), range(2, 25, 2))

    outcomes = [recorded.outcome_of(folders) for folders in (apart, [together])]

    measured = outcome.of(outcomes[0].compared, outcomes[0].pairs, False, 1.0, ())  # as the gate judged them
    for one in (*outcomes, measured):
        ((row, verdict),) = one.verdicts
        assert (verdict.verdict, verdict.pairs) == (SLOWER, 20)
        assert row.machines == ("a, 2 CPUs (1)", "a, 2 CPUs (2)") * 12
        assert (one.verdicts, one.by_machine) == (measured.verdicts, measured.by_machine)


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (20, "a, time: slower on Intel Xeon, 2 CPUs (1.105), not on a, 2 CPUs (1.000)."),
        (8, "a, time: slower on Intel Xeon, 2 CPUs (1.105) by the pairs measured there; the other machines do not contradict it."),
    ],
)
def test_slower_on_one_machine(tmp_path, verdict, pairs, said):
    """It is slower by that machine's pairs alone, with its ratio: not on the other, or nothing known of the other."""
    moved(keep(tmp_path / "one", {"a": even(20, 0.1)}), **OTHER)
    keep(tmp_path / "two", {"a": even(pairs)}, "2026-01-03")

    code, out, _ = verdict("one", "two", "--json", "it.json")

    (row,) = json.loads((tmp_path / "it.json").read_text())["verdicts"]
    assert (code, row["verdict"], row["on"], round(row["ratio"], 2)) == (1, "slower", ["Intel Xeon, 2 CPUs"], 1.11)
    assert said in out
    assert "1.105 [" in next(line for line in out.splitlines() if "(SLOWER)" in line)


def test_what_is_undecided_needs_its_share(tmp_path):
    """What a case needs is told by the rules of all pairs together, which have half of the chance of an error."""
    values = list(np.random.RandomState(1).normal(0.0, 0.018, 12))
    keep(tmp_path / "one", {"a": values[::2]})
    moved(keep(tmp_path / "two", {"a": values[1::2]}, "2026-01-03"))
    both = recorded.outcome_of([tmp_path / "one", tmp_path / "two"])

    ((row, found_),) = both.verdicts
    assert found_.verdict == UNDECIDED
    half = Rules(alpha=both.compared.rules.alpha / 2)
    wanted = pairs_needed(row.log_ratios, 0.02, half, 1)
    assert text.as_json(both)["verdicts"][0]["pairs_needed"] == wanted != pairs_needed(row.log_ratios, 0.02, Rules(), 1)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"head": {**WHOLE, "tree": "0ther"}}, "head.tree is 0ther, but 7ree in "),
        ({"head": {**WHOLE, "versions": {"python": "3.12"}}}, "head.versions is "),
        ({"options": ["--threads=2"]}, "options is "),
        ({"numpy": {"version": "3"}}, "machine_info.lenet5.frameworks.numpy is {'version': '3'}, but {'version': '2'} in "),
        ({"info": {"python_version": "3.12"}}, "machine_info.python_version is 3.12, but None in "),
        ({"half": True}, "head/process-001.json: machine_info.node is elsewhere, but  in "),
    ],
    ids=str,
)
def test_not_of_one_comparison_elsewhere(tmp_path, change, line):
    """On another machine other files, versions and settings are refused as well, and so is a pair of two machines."""
    one = keep(tmp_path / "one", {"a": even(3)})
    settings = {name: value for name, value in change.items() if name not in ("numpy", "info", "half")}
    facts = {name: change[name] for name in ("numpy", "info") if name in change}
    other = moved(keep(tmp_path / "other", {"a": even(2)}, "2026-01-03", **settings), **facts)
    if "half" in change:
        for path in (one / "base").iterdir():
            shutil.copy(path, other / "base" / path.name)

    with pytest.raises(InputError) as error:
        recorded.outcome_of([one, other])

    assert line in str(error.value)


def test_another_machine_that_changed(tmp_path):
    """What may differ between machines has to agree among the pairs of one, whichever folder they are in."""
    one = keep(tmp_path / "one", {"a": even(3)})
    kernels = ("SkylakeX", "Zen")
    others = [
        moved(keep(tmp_path / name, {"a": even(3)}, f"2026-01-0{day}"), numpy={"architecture": name})
        for day, name in enumerate(kernels, 3)
    ]
    assert found(one, others[0]) == found(one, others[1]) == {"a": UNDECIDED}

    with pytest.raises(InputError, match=r"Zen/base/process-001.json: machine_info.lenet5.frameworks.numpy is .*Zen.*SkylakeX"):
        recorded.outcome_of([one, *others])


def test_other_commits_of_the_same_code(tmp_path):
    """A side is its code: which commit has it, and how it was asked for, may differ; so may the seed and the threshold."""
    one = keep(tmp_path / "one", {"a": even(10, 0.1)})
    other = keep(
        tmp_path / "two", {"a": even(10, 0.1)}, "2026-01-03", {**WHOLE, "commit": "f00d", "changed": True}, seed=1, threshold=0.5
    )
    assert found(one, other) == {"a": SLOWER}


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        ("nothing", "none/run.json: no such file; expected the folder that a gate wrote its raw values to"),
        ("no pair", "gate: holds no pair; expected the folder that a gate"),
        ("half a pair", "gate: holds no pair; expected the folder that a gate"),
        ("cut off", "no whole JSON"),
        ("foreign", "gate/run.json: no settings of a gate; expected the folder that a gate"),
        ("cut off settings", "run.json:1: no whole JSON"),
        ("tree", "gate/run.json: head.tree"),
        ("python", "gate/run.json: base.versions has no python"),
        ("rules", "gate/run.json: noted.rules.looks"),
        ("noted", "gate/run.json: noted"),
        ("odd rules", "looks [4, 2]".replace("[", "(").replace("]", ")")),
        ("another machine", "head/process-002.json: machine_info.cpu.brand_raw is another"),
        ("no common case", "gate: holds no case that both sides measured"),
    ],
)
def test_no_recording(verdict, tmp_path, broken, line):
    """What no gate left whole is one line and exit 2."""
    folder = keep(tmp_path / "gate", {"a": even(2)})
    manifest, last = folder / "run.json", folder / "head" / "process-002.json"
    settings = json.loads(manifest.read_text())
    if broken in ("no pair", "half a pair"):
        for path in folder.glob("head/*" if broken == "half a pair" else "*/*"):
            path.unlink()
    elif broken == "foreign":
        manifest.write_text('{"seed": 0}')
    elif broken.startswith("cut off"):
        path = manifest if "settings" in broken else last
        path.write_text(path.read_text()[:50])
    elif broken == "another machine":
        document = json.loads(last.read_text())
        document["machine_info"]["cpu"]["brand_raw"] = "another"
        last.write_text(json.dumps(document))
    elif broken == "no common case":
        for path in folder.glob("head/*"):
            path.write_text(json.dumps(process({"b": 1.0}, {})))
    else:
        rules = {"threshold": 0.02, "thresholds": [], "alpha": 0.01, "agree": 0.1, "confirm": 8, "steady_pairs": 2}
        settings["head"].update({"tree": None} if broken == "tree" else {})
        settings["base"].update({"versions": {"numpy": "2"}} if broken == "python" else {})
        notes = {"noted": [], "rules": {"rules": {**rules, "looks": [0]}}, "odd rules": {"rules": {**rules, "looks": [4, 2]}}}
        settings.update({"noted": notes[broken]} if broken in notes else {})
        manifest.write_text(json.dumps(settings))

    code, out, err = verdict("none" if broken == "nothing" else "gate")

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert line in err


def test_of_an_earlier_version(tmp_path):
    """A gate that noted nothing beside its settings is judged by them and by today's rules."""
    outcome = recorded.outcome_of([keep(tmp_path / "gate", {"a": even(20, 0.1)}, thresholds={"a": 0.5})])

    assert outcome.compared.rules == Rules(threshold=0.02, thresholds=(("a", 0.5),))
    assert outcome.compared.asked == {"base": "c0ffee", "head": "c0ffee"}
    assert ([verdict.verdict for _, verdict in outcome.verdicts], outcome.goes_on) == ([SAME], False)
    assert FASTER not in found(tmp_path / "gate").values()


def test_on_either_side_of_the_threshold(tmp_path):
    """Ratios just within it, at it and just beyond it do not read alike, and what is at it is not slower."""
    ratios = {"a": 1.0199, "b": 1.02, "c": 1.0201}
    keep(tmp_path / "raw", {case: [math.log(ratio)] * 52 for case, ratio in ratios.items()})
    shown = text.render(recorded.outcome_of([tmp_path / "raw"]))
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in shown.splitlines() if line.startswith("| ")]
    found = {row[0]: (row[4], row[7]) for row in rows if len(row) == 8 and row[1] == "time"}
    assert found == {
        "a": ("1.0199 [1.0199, 1.0199]", "same"),
        "b": ("1.020 [1.020, 1.020]", "undecided"),
        "c": ("1.0201 [1.0201, 1.0201]", "SLOWER"),
    }

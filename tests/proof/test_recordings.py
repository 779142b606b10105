"""What a gate recorded is read back whole, or refused in one line."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from numpy.testing import assert_allclose

from benchmarks.proof import recordings
from lenet5 import InputError
from tests.support.recordings import SIDE, loaded, noisy, record


def test_load(tmp_path):
    """Every row with the values of its pairs; rounds for times, none for first calls."""
    ratios = noisy(0.01, pairs=5)
    found = loaded(record(tmp_path / "gate", ratios, extra={role: {"first_call_seconds": 0.5} for role in ("base", "head")}))

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
    assert loaded(folder).pairs == 4


def test_a_lost_file_is_no_half_pair(tmp_path):
    """Where there are pairs after it, the line names the file, and says how many pairs do not count without it."""
    folder = record(tmp_path / "gate", noisy(0.01, pairs=5))
    (folder / "head" / "process-003.json").unlink()
    with pytest.raises(InputError, match=r"head/process-003.json: is missing, so that 2 pairs after it do not count; put that"):
        recordings.load(folder)


@pytest.mark.parametrize("again", ["{folder}", "busy={folder}", "{copy}"])
def test_each_pair_counts_once(tmp_path, again):
    """A recording that is named twice, under whatever condition, or copied, is refused."""
    folder = record(tmp_path / "gate", noisy(0.01, pairs=2))
    shutil.copytree(folder, tmp_path / "copy")
    text = again.format(folder=folder, copy=tmp_path / "copy")
    with pytest.raises(InputError, match=f"^{text}: has pairs that {folder} has, too; name each folder once$"):
        recordings.by_condition([str(folder), text])


@pytest.mark.parametrize("what", ["code_sha256", "interpreter", "versions"])
def test_only_identical_code(tmp_path, what):
    """Pairs of different code prove nothing about false alarms."""
    folder = record(tmp_path / "gate", noisy(0.01, pairs=2), sides=(SIDE, {**SIDE, what: "other"}))
    with pytest.raises(InputError, match=f"run.json: {what} of base and head differ"):
        recordings.load(folder)


def test_no_recording(tmp_path):
    """No folder, one of another command, one without a pair, and one without raw rounds: one line each."""
    with pytest.raises(InputError, match="no such file"):
        recordings.load(tmp_path / "nowhere")
    (tmp_path / "run.json").write_text('{"seed": 0}', encoding="utf-8")
    with pytest.raises(InputError, match="no settings of a gate"):
        recordings.load(tmp_path)
    folder = record(tmp_path / "gate", noisy(0.01, pairs=1, cases=1))
    path = folder / "head" / "process-001.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    del document["benchmarks"][0]["stats"]["data"]
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError, match=r"process-001.json: .* has no raw rounds"):
        recordings.load(folder)
    path.unlink()
    with pytest.raises(InputError, match="holds no pair"):
        recordings.load(folder)


def test_a_gate_that_stopped_early(tmp_path):
    """A gate leaves out what is decided; a study would take what is left for the whole."""
    folder = record(tmp_path / "gate", noisy(0.01, pairs=3, cases=2))
    for path in folder.glob("*/process-003.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        document["benchmarks"] = [case for case in document["benchmarks"] if "1" not in case["fullname"]]
        path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError, match=r"gate: .*1.* was measured in 2 of 3 pairs; .* record with gate --pairs"):
        recordings.load(folder)


def test_what_a_pair_takes(tmp_path):
    """As noted; and without the programs that measure memory, which run side by side: the longer side's is what they took."""
    ratios = {"test_time": np.zeros(2), "test_memory": np.full(2, np.log(3.0))}
    folder = record(tmp_path / "gate", ratios, settings={"noted": {"pair_seconds": [9.0, 8.0]}})
    for path in folder.glob("*/*.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        document["benchmarks"][1]["group"] = "space predict"
        document["benchmarks"][1]["extra_info"]["peak_rss_bytes"] = 10**6
        path.write_text(json.dumps(document), encoding="utf-8")
    found = loaded(folder)

    whole, without = zip(*found.seconds, strict=True)
    assert whole == (9.0, 8.0)
    assert_allclose(without, [9 - 5 * 3e-3, 8 - 5 * 3e-3])  # five rounds of 3 ms, head's


def test_what_not_all_pairs_took(tmp_path):
    """A gate that was killed noted not all, and an earlier version none: then of none it is known."""
    noted = record(tmp_path / "on", noisy(0.01, pairs=3), settings={"noted": {"pair_seconds": [9.0, 8.0]}})
    before = record(tmp_path / "before", noisy(0.01, pairs=3))
    known = record(tmp_path / "known", noisy(0.01, pairs=3), settings={"noted": {"pair_seconds": [9.0, 8.0, 7.0]}})
    three = [loaded(folder) for folder in (noted, before, known)]
    assert [len(one.seconds) for one in three] == [0, 0, 3]
    (together,) = recordings.pooled(three)
    assert not together.seconds
    (twice,) = recordings.pooled([three[2], three[2]])
    assert len(twice.seconds) == 6


@pytest.mark.parametrize(
    ("noted", "fault"),
    [(["no facts"], "noted"), ({"pair_seconds": "12"}, "pair_seconds"), ({"pair_seconds": [1.0, "two"]}, "pair_seconds")],
    ids=str,
)
def test_wrong_seconds(tmp_path, noted, fault):
    """What a gate cannot have noted is one line with the file and the name."""
    folder = record(tmp_path / "gate", noisy(0.01, pairs=2), settings={"noted": noted})
    with pytest.raises(InputError, match=rf"run.json: {fault}"):
        recordings.load(folder)


def test_recordings_are_pooled(tmp_path):
    """Those with the same rows are one, pair after pair; one with other rows stays by itself."""
    one, two = (loaded(record(tmp_path / str(pairs), noisy(0.01, pairs, seed=pairs))) for pairs in (4, 6))
    other = loaded(record(tmp_path / "other", noisy(0.01, 4, cases=2)))
    both, alone = recordings.pooled([one, other, two])

    assert_allclose(both.values, np.concatenate([one.values, two.values], axis=1))
    assert (both.pairs, both.times, alone.pairs, len(alone.rows)) == (10, [0, 1, 2], 4, 2)
    for row in both.rows:
        for side in (0, 1):
            assert_allclose(both.rounds[row.key][side], one.rounds[row.key][side] + two.rounds[row.key][side])


def test_each_machine_is_a_recording(tmp_path):
    """Pairs of two machines in one folder are two recordings, each with its own pairs and their seconds, and are not pooled."""
    ratios = {"test_0": np.arange(1, 7) / 100}
    folder = record(tmp_path / "gate", ratios, settings={"noted": {"pair_seconds": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}})
    for path in (path for number in (2, 4) for path in folder.glob(f"*/process-00{number}.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        document["machine_info"]["node"] = "another"
        path.write_text(json.dumps(document), encoding="utf-8")

    found = recordings.load(folder)

    assert [np.rint(100 * one.values[0]).tolist() for one in found] == [[1, 3, 5, 6], [2, 4]]
    assert [[pair.all for pair in one.seconds] for one in found] == [[1, 3, 5, 6], [2, 4]]
    assert [one.pairs for one in recordings.pooled(found)] == [4, 2]
    assert [one.pairs for one in recordings.by_condition([f"both={folder}"])["both"]] == [4, 2]


def test_conditions(tmp_path):
    """A folder without a name is quiet; an equals sign without a name is refused."""
    folder = record(tmp_path / "gate", noisy(0.01, pairs=2))
    assert list(recordings.by_condition([str(folder)])) == ["quiet"]
    with pytest.raises(InputError, match="use NAME=FOLDER"):
        recordings.by_condition([f"={folder}"])

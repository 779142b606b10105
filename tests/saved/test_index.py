"""The index of all runs: a row for each case of each process, up to date with the files, and never worth more than they are."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.saved import index as module
from benchmarks.saved import indexed
from benchmarks.saved.index import files_below, opened
from benchmarks.saved.results import load
from lenet5 import InputError
from tests.support import history
from tests.support.copies import PROJECT

RUN = Path(__file__).parents[1] / "data" / "run"
OLD = Path(__file__).parents[1] / "data" / "commit-67fa1dc" / "run.json"


@pytest.fixture
def storage(tmp_path):
    """A folder with a run of three processes, their plan, and a file that is no run."""
    shutil.copytree(RUN, tmp_path / "storage" / "run-1", copy_function=shutil.copyfile)
    (tmp_path / "storage" / "run-1" / "run.json").write_text("{}", encoding="utf-8")
    (tmp_path / "storage" / "notes.json").write_text('{"benchmarks": []}', encoding="utf-8")
    return tmp_path / "storage"


def medians(index, name):
    """The medians of a case in all processes, sorted."""
    return sorted(row[1] for case in index.cases() if case.name == name for row in index.points(case.id))


def test_what_a_process_says(storage, tmp_path):
    """Every case has the median and the quartiles of its rounds; a file that is no run has a line."""
    with opened(tmp_path / "i.sqlite") as index:
        found = index.update([storage])

        assert (found.read, found.gone) == (4, 0)
        assert [fault.partition(": ")[0] for fault in found.faults] == [str(storage / "notes.json")]
        processes = index.processes()
        assert [one.path.name for one in processes] == ["process-001.json", "process-002.json", "process-003.json"]
        runs = [load(path) for path in sorted(RUN.glob("*.json"))]
        for case in runs[0].cases:
            assert medians(index, case.name) == sorted(one.median for run in runs for one in run.cases if one.name == case.name)
        case = runs[0].cases[0]
        number = next(one.id for one in index.cases() if one.name == case.name)
        first = next(row for row in index.points(number) if row[0] == processes[0].id)
        assert first[1:] == (case.stats["median"], case.stats["q1"], case.stats["q3"])
        assert processes[0].commit == str(runs[0].commit["id"])


def test_only_what_changed_is_read(storage, tmp_path):
    """The second look reads nothing; then a new file, one that has other bytes, and one that is gone, each once."""
    with opened(tmp_path / "i.sqlite") as index:
        index.update([storage])
        assert (index.update([storage]).read, index.update([storage]).gone) == (0, 0)

        changed = storage / "run-1" / "process-001.json"
        document = json.loads(changed.read_text(encoding="utf-8"))
        document["benchmarks"][0]["stats"]["median"] = document["benchmarks"][0]["stats"]["q1"]
        changed.write_text(json.dumps(document), encoding="utf-8")
        (storage / "run-1" / "process-002.json").unlink()
        shutil.copyfile(OLD, storage / "old.json")
        found = index.update([storage])

        assert (found.read, found.gone) == (2, 1)
        assert sorted(one.path.name for one in index.processes()) == ["old.json", "process-001.json", "process-003.json"]
        assert document["benchmarks"][0]["stats"]["median"] in medians(index, load(changed).cases[0].name)


def test_a_new_run_takes_less_than_a_second(storage, tmp_path):
    """Among ten thousand rows of a case."""
    with opened(tmp_path / "i.sqlite") as index:
        with index.transaction():
            for number in range(300):
                index.add(
                    Path(f"/made-up/{number}.json"), history.entry(number, {history.name("batch1", "hand", "fused"): 1e-3}, 1e-3)
                )
        begin = time.process_time()
        index.update([storage])
        assert time.process_time() - begin < 1


def test_a_part_of_the_index(storage, tmp_path):
    """A folder or a file stands for what is there; what lies elsewhere stays in the index."""
    shutil.copytree(RUN, tmp_path / "other" / "coverage-1", copy_function=shutil.copyfile)
    shutil.copyfile(OLD, tmp_path / "other" / "old.json")
    with opened(tmp_path / "i.sqlite") as index:
        index.update([storage])
        index.update([tmp_path / "other"])

        assert [one.path.name for one in index.processes([tmp_path / "other"])] == ["old.json"], "copies of cases are no history"
        assert len(index.processes([storage / "run-1" / "process-002.json"])) == 1
        assert len(index.processes()) == 4


def test_a_named_file_has_to_be_a_run(storage, tmp_path):
    """A file that was named itself ends the command; so does a name of nothing."""
    with opened(tmp_path / "i.sqlite") as index:
        with pytest.raises(InputError, match=r"notes\.json"):
            index.update([storage / "notes.json"])
        with pytest.raises(InputError, match="no such file or folder"):
            index.update([tmp_path / "nosuch"])


def test_nothing_is_half_written(tmp_path):
    """What is interrupted within a transaction leaves nothing."""
    with opened(tmp_path / "i.sqlite") as index:
        with suppress(KeyboardInterrupt), index.transaction():
            index.add(Path("/made-up"), history.entry(0, {history.name("batch1", "hand", "fused"): 1.0}, 1.0))
            raise KeyboardInterrupt
        assert index.processes() == []
        assert index.cases() == []


KILLED = """
import os, sys
from pathlib import Path
from benchmarks.saved.index import opened
from tests.support import history

with opened(Path(sys.argv[1])) as index, index.transaction():
    index._database.execute("PRAGMA cache_size = 5")  # so that half of it is in the file
    for number in range(3000):
        index.add(Path(f"/made-up/{number}"), history.entry(number, {history.name("batch1", "hand", "fused"): 1.0}, 1.0))
    os.kill(os.getpid(), 9)
"""


@pytest.mark.slow  # a process
@pytest.mark.parametrize("anew", [False, True])
def test_killed(storage, tmp_path, capsys, anew):
    """A process that is killed within a transaction leaves nothing of it, and the index is whole."""
    path = tmp_path / "i.sqlite"
    with opened(path) as index:
        index.update([storage])
    before = path.stat().st_size
    assert subprocess.run([sys.executable, "-c", KILLED, path], cwd=PROJECT, check=False).returncode == -9
    assert path.stat().st_size > before
    with opened(path, anew) as index:
        assert index.update([storage]).read == (4 if anew else 0)
        assert [one.path.parent.name for one in index.processes()] == ["run-1"] * 3
    assert capsys.readouterr().err == ""
    assert not path.with_name("i.sqlite-journal").exists()


@pytest.mark.parametrize("damage", ["cut off", "overwritten", "another format"])
def test_a_damaged_index_is_made_anew(storage, tmp_path, capsys, damage):
    """With a line; the numbers are those of the files."""
    path = tmp_path / "i.sqlite"
    with opened(path) as index:
        index.update([storage])
        whole = len(index.processes()), [case.name for case in index.cases()]
    if damage == "another format":
        with sqlite3.connect(path) as database:
            database.execute("PRAGMA user_version = 99")
        database.close()
    else:
        content = path.read_bytes()
        half = len(content) // 2
        path.write_bytes(content[:half] if damage == "cut off" else content[:200] + b"\xff" * (len(content) - 200))

    with opened(path) as index:
        index.update([storage])
        assert (len(index.processes()), [case.name for case in index.cases()]) == whole

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{path}: ")
    assert line.endswith("made anew from the saved files")


def test_a_whole_index_is_kept(storage, tmp_path, capsys):
    """Opened again, it has all that it had, and nothing is read again."""
    for expected in (4, 0):
        with opened(tmp_path / "i.sqlite") as index:
            assert index.update([storage]).read == expected
            assert len(index.processes()) == 3
    assert capsys.readouterr().err == ""


def test_asked_to_make_it_anew(storage, tmp_path, capsys):
    """Then nothing of before is left, and no line is printed."""
    path = tmp_path / "i.sqlite"
    with opened(path) as index:
        index.update([storage])
    with opened(path, anew=True) as index:
        assert index.processes() == []
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("content", [b"my notes", b"", None], ids=["text", "empty", "folder"])
def test_no_other_file_is_overwritten(tmp_path, content):
    """A file that is something else stays as it is; an empty one becomes an index."""
    path = tmp_path / "notes"
    path.mkdir() if content is None else path.write_bytes(content)
    if content == b"":
        with opened(path) as index:
            assert index.processes() == []
        return
    with pytest.raises(InputError, match="--index"), opened(path, anew=True):
        pass
    assert path.is_dir() if content is None else path.read_bytes() == content


def test_nor_another_database(tmp_path):
    """Though it is one of SQLite's."""
    path = tmp_path / "theirs.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE theirs (x)")
    database.close()
    before = path.read_bytes()
    with pytest.raises(InputError, match="no index of this project"), opened(path, anew=True):
        pass
    assert path.read_bytes() == before


def test_it_cannot_be_written(tmp_path):
    """One line that names the option."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="name another --index"), opened(tmp_path / "file" / "i.sqlite"):
        pass


def test_it_lies_with_the_runs_and_is_no_run():
    """Its folder is that of the runs, and no file of it is taken for one."""
    assert module.INDEX.parent == module.STORAGE
    assert module.INDEX.suffix != ".json"


def test_files_below(tmp_path):
    """Hidden files, plans of runs and what is no JSON are passed over."""
    for name in ("b/process-001.json", "a/base/process-001.json", "b/run.json", ".hidden.json", ".git/x.json", "report.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    assert [os.path.relpath(path, tmp_path) for path in files_below(tmp_path)] == ["a/base/process-001.json", "b/process-001.json"]


# ---------------------------------------------------------------------------------------------------------- circumstances


def facts(**changed):
    return json.loads(history.circumstances(**changed))


def test_what_differs():
    """A fact that both know; the version of the framework itself, and of no other one; and a variable."""
    assert indexed.differences(facts(), facts(), "hand") == []
    assert indexed.differences(facts(release="6.1"), facts(release="6.2"), "hand") == ["release was '6.1', now it is '6.2'"]
    newer = facts()
    newer["frameworks"]["alpha"]["version"] = "2.0"
    assert indexed.differences(facts(), newer, "alpha") == ["alpha.version was '1.0', now it is '2.0'"]
    assert indexed.differences(facts(), newer, "beta") == []
    assert indexed.differences(facts(), {**facts(), "variables": {"OMP_PROC_BIND": "true"}}, "hand") == [
        "OMP_PROC_BIND was not set, now it is 'true'"
    ]


def test_of_objects_what_both_have():
    """A data set is told apart by its name and its sizes, each by itself, and code that recorded one fact more made no other one."""
    one, other = {"name": "digits", "classes": 10}, {"name": "mnist", "classes": 10, "aspects": 2}
    assert indexed.differences(facts(dataset=one), facts(dataset=other), "hand") == ["dataset.name was 'digits', now it is 'mnist'"]
    assert indexed.differences(facts(dataset=other), facts(dataset=one), "hand") == ["dataset.name was 'mnist', now it is 'digits'"]


def test_over_versions():
    """There versions are what is compared, and no difference of circumstances."""
    one, other = facts(python_version="3.11.7"), facts(python_version="3.12.1")
    assert indexed.differences(one, other, "hand") == ["python_version was '3.11.7', now it is '3.12.1'"]
    assert indexed.differences(one, other, "hand", versions=False) == []


def test_what_is_not_known_is_no_difference():
    """Older code recorded less; that there was no quota of CPUs is known since variables are recorded."""
    assert indexed.differences(facts(), facts(device="cpu"), "hand") == []
    assert indexed.differences(facts(), facts(cpu_quota=1.5), "hand") == ["cpu_quota was None, now it is 1.5"]
    assert indexed.differences({**facts(), "variables": None}, facts(cpu_quota=1.5), "hand") == []
    assert indexed.joined(facts(device="cpu"), facts(epochs=1)) == facts(device="cpu", epochs=1)


@pytest.mark.parametrize(
    ("name", "commit"), [("0123abc", "0123abc"), ("0123abc+dirty", "0123abc"), ("unversioned", ""), ("unknown", ""), (None, "")]
)
def test_the_commit(name, commit):
    """Empty where git did not know the code, whichever word stands in the file then: of all such files the code may differ."""
    run = load(RUN / "process-001.json")
    assert indexed.of(replace(run, commit={"id": name})).commit == commit


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-11-27T06:00:00.123456+01:00", "2026-11-27T05:00:00+00:00"),
        ("2026-11-27T05:00:00.5", "2026-11-27T05:00:00+00:00"),
        ("2026-11-27T05:00:00Z", "2026-11-27T05:00:00+00:00"),
        ("yesterday", ""),
        (None, ""),
    ],
)
def test_moments(text, found):
    """In UTC, so that they sort as texts."""
    assert indexed.moment(text) == found

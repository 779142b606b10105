"""The figures of docs/fast-numpy.md: written between its marks by one command, from a saved run, and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.arrange import worklog
from benchmarks.report import worklog_page
from benchmarks.saved.results import load
from lenet5 import InputError
from tests.support import documents
from tests.support.copies import PROJECT

PAGE = PROJECT / "docs" / "fast-numpy.md"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A run with every case that the worklog has."""

    def case(trial):
        kind, batch = trial.question
        known = {"mode": trial.variant.name, "part": trial.part, "kind": kind, "batch": batch}
        return documents.case(worklog_page.worklog.GROUP, f"worklog[{trial.id}]", whole=bool(trial.against), **known)

    made = documents.document(*map(case, worklog.trials()), documents.case("sgemm", "sgemm"))
    return documents.save(tmp_path_factory.mktemp("worklog") / "run.json", made)


def marks(text):
    """WHAT of every mark -> what stands between it and its end."""
    return dict(worklog_page.MARK.findall(text))


def test_the_page_itself(saved, tmp_path, capsys):
    """Each of its marks can be written: all tables, and every rung under its own heading; what stands outside of the marks is left alone."""
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")

    assert main(["report", str(saved), "--output", str(tmp_path), "--worklog", str(page)]) == 0

    capsys.readouterr()
    before, after = PAGE.read_text(encoding="utf-8"), page.read_text(encoding="utf-8")
    assert worklog_page.MARK.sub("", after) == worklog_page.MARK.sub("", before)
    rungs = [rung.name for rung in worklog.RUNGS]
    assert list(marks(after)) == ["run", "rungs", *(f"rung {name}" for name in rungs), "floors", "tricks", "tried"]
    assert all(text.startswith("\n") and text.strip() for text in marks(after).values())
    headings = re.findall(r"^## (.*)$", after, re.MULTILINE)
    assert headings[: len(rungs)] == rungs
    for name in rungs:
        under = after.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert f"<!-- worklog: rung {name} -->" in under


def test_twice_is_once(saved, tmp_path):
    """What was written is replaced."""
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- worklog: tried -->\nold\n<!-- end -->\nb\n", encoding="utf-8")
    worklog_page.fill(page, load(saved))
    once = page.read_text(encoding="utf-8")
    worklog_page.fill(page, load(saved))
    assert page.read_text(encoding="utf-8") == once
    assert "old" not in once
    assert once.startswith("a\n<!-- worklog: tried -->\n\nThe time divided by")
    assert once.endswith("<!-- end -->\nb\n")
    assert max(len(line) for line in once.splitlines() if not line.startswith("|")) <= worklog_page.COLUMNS


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("no mark", "has no mark; expected lines such as <!-- worklog: rungs --> and <!-- end -->"),
        ("<!-- worklog: steps -->\n<!-- end -->\n", "'steps' is in no run of this kind; expected one of run, rungs, floors, tricks, tried, rung loops"),
        ("<!-- worklog: rung no such -->\n<!-- end -->\n", "'rung no such' is in no run of this kind"),
        (None, "cannot be read"),
    ],
)  # fmt: skip
def test_a_page_that_cannot_be_written(saved, tmp_path, text, line):
    """One line, and the page stays as it is."""
    page = tmp_path / "page.md"
    if text is not None:
        page.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        worklog_page.fill(page, load(saved))
    assert str(caught.value).startswith(f"--worklog {page}: {line}")
    assert text is None or page.read_text(encoding="utf-8") == text


def test_a_run_without_a_worklog(tmp_path):
    """The page keeps its figures."""
    run = load(documents.save(tmp_path / "run.json", documents.of_group("predict", whole=True)))
    with pytest.raises(InputError, match="holds no case of the group worklog; expected a run made with -k worklog"):
        worklog_page.fill(Path(PAGE), run)


def test_an_export_has_no_page(saved, capsys):
    """Both at once is refused before anything is written."""
    assert main(["report", str(saved), "--export", "customSmallerIsBetter", "--worklog", "page.md"]) == 2
    assert "--worklog page.md: an export has none; leave it out" in capsys.readouterr().err

"""Runs of several machines: the order of the frameworks on each, and whether it is the same."""

from __future__ import annotations

import pytest

from benchmarks.quantities.units import RATIO
from benchmarks.report import headline, report
from benchmarks.saved.results import load_many, load_runs
from lenet5 import InputError
from tests.report.test_versions import first_section, make, ours
from tests.support.documents import rescale

ONE, OTHER, THIRD = "Example, 2 CPUs", "Intel Xeon, 16 CPUs", "Third, 2 CPUs"


def on(brand, count, factor=1.0, **settings):
    """A change: another machine, on which PyTorch takes so many times as long."""

    def change(document):
        document["machine_info"].update(node="elsewhere")
        document["machine_info"]["cpu"].update(brand_raw=brand, count=count)
        ours(document).update(settings)
        for case in document["benchmarks"]:
            if case["extra_info"]["framework"] == "torch":
                rescale(case, factor)

    return change


XEON = "Intel(R) Xeon(R) CPU @ 2.00GHz", 16


@pytest.fixture
def rendered(tmp_path):
    """rendered(*changes) -> the report of the unchanged run beside those of one change each."""

    def render(*changes, processes=3):
        folders = [make(tmp_path / "0", processes=processes)]
        folders += [make(tmp_path / str(number), change, processes) for number, change in enumerate(changes, 1)]
        return report.write(folders, tmp_path / "report").text

    return render


def row(text, machine):
    return next(line for line in text.partition("## Predict, batch 1\n")[2].splitlines() if line.startswith(f"| {machine}"))


def test_the_same_order(rendered, tmp_path):
    """A sentence a question, and a table of machines with each framework's ratio to the fastest there, which is that of the machine's own report."""
    text = rendered(on(*XEON, 2.0, threads=16), on("Third", 2, 3.0))

    assert text.startswith("# LeNet-5: are the frameworks in the same order on every machine?")
    assert f"{ONE}, 1 thread each, 3 processes · {OTHER}, 16 threads each, 3 processes · {THIRD}, 1 thread" in text
    assert "**predict, batch 1**: the same order on all 3 machines: numpy, torch." in text
    assert "**train step**: no two frameworks have times on every machine." in text
    for number, name in enumerate((ONE, OTHER, THIRD)):
        answer = headline.answers(load_many([tmp_path / str(number)]))[0]
        ratio = answer.contenders[1].ratio
        low, high = map(RATIO.end, ratio.interval)
        assert f" 1.00 x (im2col) | {RATIO.show(ratio.value)} [{low}, {high}] (eager) |" in row(text, name)
    assert "Warning" not in first_section(text)


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        (
            (0.2, 0.9),
            f"the order differs beyond the intervals: numpy before torch on {ONE} and {THIRD}, torch before numpy on {OTHER}.",
        ),
        ((0.49, 0.9), "the order differs, but no two frameworks change places beyond the intervals."),
        ((0.51, 0.9), "the same order on all 3 machines: numpy, torch, though not everywhere beyond the intervals."),
    ],
    ids=["beyond", "within", "not sure"],
)
def test_orders(rendered, factors, said):
    """Another order counts only if the intervals of two machines contradict each other; the same one is said to be unsure if any holds 1."""
    text = rendered(on(*XEON, factors[0]), on("Third", 2, factors[1]))
    assert f"**predict, batch 1**: {said}" in first_section(text)


def test_what_only_predicts_is_in_no_order(rendered):
    """A framework that was measured and stands in no order is named, once for all machines that say so of it."""
    only_predicts = {"trains": {"numpy": True, "torch": False}}
    text = rendered(on(*XEON, **only_predicts), on("Third", 2, **only_predicts))
    assert first_section(text).count("torch only predicts and is not ranked here.") == 1


def test_one_process_on_each(rendered):
    """There is no interval then, and that is said."""
    text = rendered(on(*XEON, 0.2), processes=1)
    assert "no two frameworks change places beyond the intervals" in text
    assert "One process on each: no ratio has an interval" in text


def test_disturbed_times(rendered):
    """A machine whose times were disturbed is named in the first line and has dashes; the others are compared."""

    def busy(document):
        on("Busy", 2)(document)
        for case in document["benchmarks"]:
            case["extra_info"].update(watched_seconds=1.0, others_cpu_seconds=1.9, steal_seconds=0.0)

    text = rendered(on(*XEON), busy)

    assert text.startswith("Disturbed: Busy, 2 CPUs: ")
    assert "the same order on both machines that have times for it: numpy, torch." in text
    assert row(text, "Busy").count("—") == 3


def test_other_variables(tmp_path):
    """A variable that steers a library on one machine only is a warning."""
    one = make(tmp_path / "one", lambda document: ours(document).update(variables={}))
    other = make(tmp_path / "other", on(*XEON, variables={"OPENBLAS_CORETYPE": "Prescott"}))
    text = report.write([one, other], tmp_path / "report").text
    assert f"Warning: {OTHER} was measured with another environment than the first machine: OPENBLAS_CORETYPE was not set" in text


def test_machines_of_a_kind_are_one(tmp_path):
    """Another computer with the same processor and system gives more processes of one run, as ever; with another release it stands beside it."""

    def neighbour(document):
        document["machine_info"]["node"] = "neighbour"
        document["datetime"] = document["datetime"].replace("2026", "2027")

    def newer(document):
        neighbour(document)
        document["machine_info"]["release"] = "newer"

    one = make(tmp_path / "one")
    assert [run.processes for run in load_runs([one, make(tmp_path / "alike", neighbour)])] == [6]
    assert [run.processes for run in load_runs([one, make(tmp_path / "newer", newer)])] == [3, 3]


def test_what_has_to_agree(tmp_path):
    """Machines may use different numbers of threads; other settings are refused in one line, and so is one machine whose system changed."""
    for setting, value in (("epochs", 30), ("code_sha256", "1" * 64)):
        runs = [make(tmp_path / f"one-{setting}"), make(tmp_path / setting, on(*XEON, **{setting: value}))]
        with pytest.raises(InputError, match=rf"{setting} is .*only machines may differ between runs"):
            load_runs(runs)

    def newer(document):
        document["machine_info"]["release"] = "newer"

    with pytest.raises(InputError, match=r"release is newer.*not of one run"):
        load_runs([make(tmp_path / "one"), make(tmp_path / "newer", newer)])

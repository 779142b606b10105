"""The report's part on the network by hand against the frameworks, from times whose ratios can be seen without a pencil."""

from __future__ import annotations

from numpy.testing import assert_allclose

from benchmarks.quantities.statistics import ratio_interval
from benchmarks.report.parts import by_hand, missing
from tests.support.runs import case, run_of, said


def predict(framework, mode, *seconds, batch=64, group="predict"):
    return case(group, framework, mode, *seconds, batch=batch)


def beside(*seconds, batch=64):
    return case("beside", "ONNX Runtime", "default", *seconds, batch=batch, version="1.2.3")


def test_a_run_with_nothing_to_compare_has_no_such_section():
    """Only by hand, or only others, or only other groups: nothing is said."""
    assert by_hand.sections(run_of(predict("numpy", "fused", 1.0))) == []
    assert by_hand.sections(run_of(predict("torch", "eager", 1.0), beside(1.0))) == []
    others = [predict(*who, 1.0, group="graphs predict") for who in (("numpy", "fused"), ("torch", "eager"))]
    assert by_hand.sections(run_of(*others)) == []


def test_another_batch_is_no_opponent():
    """Times of different batches are never compared."""
    apart = run_of(predict("numpy", "fused", 1.0, batch=1), predict("torch", "eager", 1.0), beside(1.0, batch=450))
    assert by_hand.duels(apart) == []


def test_by_hand_is_the_framework_of_the_reference():
    """No framework is known by its name: the reference says whose network is written by hand."""
    cases = predict("torch", "eager", 1.0), predict("numpy", "fused", 2.0)
    (duel,) = by_hand.duels(run_of(*cases, reference={"framework": "torch", "mode": "eager"}))
    assert (duel.by_hand, duel.other) == cases


def test_the_best_is_chosen_by_what_the_ratio_compares():
    """The fastest mode is that with the lowest geometric mean over the processes: no other opponent has a ratio that is larger."""
    own = predict("numpy", "fused", 1.0, 1.0, 1.0)
    best, steady = predict("torch", "eager", 1.2, 2.1, 2.1), predict("tensorflow", "graph", 2.0, 2.0, 2.2)
    (duel,) = by_hand.duels(run_of(predict("numpy", "loops", 9.0, 9.0, 9.0), own, steady, best))

    assert steady.median < best.median
    assert (duel.by_hand, duel.other, duel.label) == (own, best, "torch eager")
    assert duel.ratio == ratio_interval(own.medians, best.medians)
    assert duel.ratio.ratio > ratio_interval(own.medians, steady.medians).ratio
    assert_allclose(duel.ratio.ratio, (1 / (1.2 * 2.1 * 2.1)) ** (1 / 3))


def test_interval_of_the_ratio():
    """Processes in which both are slow alike have the same ratio: 1 to 2 in every one of them is exactly 0.5."""
    run = run_of(predict("numpy", "fused", 1.0, 3.0), predict("torch", "eager", 2.0, 6.0))
    assert "| 0.500 x [0.500, 0.500] |" in said(by_hand, run)
    assert "Ratio [95% interval] from 2 processes." in said(by_hand, run)


def test_one_process():
    """The whole Markdown of a small run: every question, the modes that were left out, and ONNX Runtime."""
    run = run_of(
        predict("numpy", "loops", 1.0, batch=1), predict("numpy", "fused", 1e-3, batch=1),
        predict("torch", "eager", 5e-3, batch=1), predict("torch", "compile", 4e-3, batch=1),
        predict("tensorflow", "graph", 8e-3, batch=1), beside(2e-3, batch=1),
        predict("numpy", "fused", 3e-3, group="train step"), predict("torch", "eager", 2e-3, group="train step"),
        predict("numpy", "fused", 1e-3, group="train step sgd"), predict("tensorflow", "graph", 2e-3, group="train step sgd"),
    )  # fmt: skip
    assert said(by_hand, run) == AGAINST


AGAINST = """\
## By hand against the frameworks

Time of the network by hand (numpy) in its fastest mode, divided by the time of the fastest mode of any framework, or of the one \
opponent that a row names: same weights, same batch, same processes, 2 threads each. **Below 1, numpy is faster.** One process: the ratios have no interval.

|                                        |         by hand |        fastest of the others | by hand / fastest | chosen from  |
| -------------------------------------- | --------------: | ---------------------------: | ----------------: | ------------ |
| predict, batch 1                       | 1.00 ms (fused) |      4.00 ms (torch compile) |           0.250 x | 3 of 3 modes |
| training step, SGD, batch 64           | 1.00 ms (fused) |   2.00 ms (tensorflow graph) |           0.500 x | 1 of 3 modes |
| training step, Adam, batch 64          | 3.00 ms (fused) |        2.00 ms (torch eager) |            1.50 x | 1 of 3 modes |
| predict, batch 1, against ONNX Runtime | 1.00 ms (fused) | 2.00 ms (ONNX Runtime 1.2.3) |           0.500 x | it alone     |

This run left out torch compile, torch eager (training step, SGD, batch 64). Any of these could be the fastest, and the ratio to it \
larger; a run with `--heavy` and without `-k` has them.

This run left out tensorflow graph, torch compile (training step, Adam, batch 64). Any of these could be the fastest, and the ratio to it \
larger; a run with `--heavy` and without `-k` has them.

Which mode is fastest was chosen by the same numbers that are compared. Of several modes that are equally fast the luckiest is chosen, \
and the frameworks have more modes to be lucky in: the choice favours them.

"""


def test_what_only_predicts_is_a_yardstick():
    """However fast it is, it is not the fastest of the frameworks, nor one of the modes to choose from; it has a row of its own."""
    cases = (
        predict("numpy", "fused", 2.0),
        predict("torch", "eager", 4.0),
        predict("engine", "slow", 2.0),
        predict("engine", "fast", 1.0),
    )
    modes = {"numpy": ["fused"], "torch": ["eager"], "engine": ["slow", "fast"]}
    run = run_of(*cases, modes=modes, trains={"numpy": True, "torch": True, "engine": False})

    duels = by_hand.duels(run)

    assert [(duel.question, duel.other, duel.label, duel.chosen_from) for duel in duels] == [
        ("predict, batch 64", cases[1], "torch eager", "1 of 1 mode"),
        ("predict, batch 64, against engine", cases[3], "engine fast", "it alone"),
    ]
    assert "left out" not in said(by_hand, run)


def test_captions_say_by_what_is_divided():
    """The section and its plot speak of one opponent where a row has one, and only there."""
    ranked = [predict("numpy", "fused", 1.0), predict("torch", "eager", 2.0)]
    for cases, one in ((ranked, False), ([*ranked, beside(1.0)], True)):
        run = run_of(*cases)
        for text in (said(by_hand, run), by_hand.ratios(run).caption):
            assert "the fastest mode of any framework" in text
            assert ("framework, or of the one opponent that a row names" in text) == one


def test_modes_that_the_device_cannot_have():
    """A mode for a GPU is left out on a CPU by no choice: it is not counted and not named.  A file that does not say which has none."""
    cases = predict("numpy", "fused", 1.0), predict("torch", "eager", 1.0)
    known = {"modes": {"numpy": ["fused"], "torch": ["eager", "replayed"]}, "gpu_only": {"torch": ["replayed"]}}
    (duel,) = by_hand.duels(run_of(*cases, **known))
    assert (duel.chosen_from, duel.not_asked) == ("1 of 1 mode", ())
    for other in ({"device": "cuda"}, {"gpu_only": {}}):
        (duel,) = by_hand.duels(run_of(*cases, **{**known, **other}))
        assert (duel.chosen_from, duel.not_asked) == ("1 of 2 modes", ("torch replayed",))


def test_questions_that_lack_the_same_modes_share_a_sentence():
    """What was left out is named once."""
    cases = [predict(*who, 1.0, batch=batch) for who in (("numpy", "fused"), ("torch", "eager")) for batch in (1, 64)]
    assert "This run left out tensorflow graph, torch compile (predict, batch 1; predict, batch 64). Any" in said(
        by_hand, run_of(*cases)
    )


def test_what_could_not_be_measured_is_said_once():
    """A mode that was tried in vain counts among the modes, and its reason stands in the list of what is missing only."""
    why = {
        "benchmarks/test_cases.py::test_predict[torch-compile-batch64]": "no compiler",
        "benchmarks/test_cases.py::test_predict[tensorflow-graph-batch64]": "no TensorFlow",
        "benchmarks/test_beside.py::test_beside[batch64]": "the package 'onnx' is not installed",
    }
    run = run_of(predict("numpy", "fused", 1.0), predict("torch", "eager", 1.0), not_measured=why)
    assert "1 of 3 modes" in said(by_hand, run)
    assert "left out" not in said(by_hand, run)
    both = said(by_hand, run) + said(missing, run)
    assert [both.count(reason) for reason in why.values()] == [1, 1, 1]


def test_a_file_that_does_not_say_which_modes_there_are():
    """An older file: how many modes it has, and no claim about how many there could be."""
    found = said(by_hand, run_of(predict("numpy", "fused", 1.0), predict("torch", "eager", 1.0), modes={}))
    assert "| 1 mode |" in " ".join(found.split())
    assert "1 of" not in found
    assert "left out" not in found


def test_one_thread_is_said():
    """One thread each is another measurement than two."""
    found = said(by_hand, run_of(predict("numpy", "fused", 1.0), predict("torch", "eager", 1.0), threads=1))
    assert "same processes, 1 thread each" in found

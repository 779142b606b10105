"""Saved runs made from the tables of fields and facts: right ones, with all that a group needs or may have, and wrong values for each kind.

What is written here by hand is what a kind alone cannot say: words that mean something to the report, and counts that fit each other.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.saved import fields, kinds
from benchmarks.saved.facts import FORMAT
from benchmarks.saved.pictures import Picture

EXAMPLES: Mapping[str, Any] = {
    **{"framework": "numpy", "mode": "fused", "default_mode": "fused", "dynamic_mode": "eager", "optimizer": "adam"},
    **{"kind": "predict", "part": "rung", "figure": "torch inference", "technique": "sparse", "counter_unit": "FLOPs"},
    **{"correct": 2, "dense_correct": 2, "gained": 1, "lost": 1, "as_original_correct": 2, "honest_correct": 3, "test_images": 4},
    **{"test_predictions": [0, 1, 2, 0], "test_labels": [0, 1, 1, 1], "test_probabilities": [0.9, 0.8, 0.7, 0.6]},
    **{"aspects": [["shape", ["round", "long"]], ["colour", ["red", "blue"]]]},
    **{"as_original_zeros": 0, "honest_zeros": 3, "kernel_weights": 4},
    **{"seeds": [0, 1], "correct_by_seed": [3, 2], "last_loss_nats_by_seed": [0.5, 0.25], "again_gaps_nats": [0.0]},
    **{"cpus_allowed": 2, "cpus_allowed_after": 2, "watched_seconds": 1.0, "others_cpu_seconds": 0.01, "steal_seconds": 0},
}
"""Values that mean something, or fit each other."""

STATS = {"min": 1.0, "q1": 1.5, "median": 2.0, "q3": 2.5, "max": 3.0, "mean": 2.0, "stddev": 0.5, "rounds": 3}

PROCESS: Mapping[str, Any] = {
    "machine_info": {
        **{"node": "example", "machine": "x86_64", "system": "Linux", "release": "6.1"},
        **{"python_implementation": "CPython", "python_version": "3.11.7", "cpu": {"brand_raw": "Example CPU", "count": 2}},
        "lenet5": {
            **{"format": FORMAT, "threads": 1, "device": "cpu", "epochs": 2, "shuffle": None, "code_sha256": "0" * 64},
            "variables": {"OPENBLAS_CORETYPE": "Haswell"},
            "dataset": {
                **{"name": "colour-digits", "channels": 3, "classes": 50},
                **{"train_images": 4100, "validation_images": 450, "test_images": 4},
            },
            "frameworks": {"numpy": {"version": "2.4.6", "threads": 1, "blas": "openblas 0.3"}, "torch": {"version": "2.13.0"}},
            "modes": {"numpy": ["fused", "im2col", "loops"], "torch": ["eager", "compile"]},
            "colours": {"numpy": "blue", "torch": "green"},
            "reference": {"framework": "numpy", "mode": "loops"},
            "not_measured": {"benchmarks/test_predict.py::test_predict[torch-compile-batch1]": "no compiler"},
            "out_of_reach": {},
        },
    },
    "commit_info": {"id": "0123abc", "dirty": False},
    "datetime": "2026-01-02T03:01:00+00:00",
    "version": "5.3.1",
}
"""A process that says all that the table of facts knows."""

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAABCAMAAADD/I+4AAAABlBMVEUAAAD/AAAb/40iAAAAAXRSTlMAQObYZgAAAAtJREFUeNpjYGQAAAAFAAJCwkSfAAAAAElFTkSuQmCC"
"""Two pixels beside each other, one of them transparent."""

OURS_NEEDED = ("format", "threads", "frameworks", "not_measured")


def right(kind: kinds.Kind) -> Any:
    """A value of this kind, as JSON has it."""
    match kind:
        case kinds.Whole():
            return max(kind.low, 2)
        case kinds.Number():
            return 0.5
        case kinds.Text():
            return "something"
        case kinds.OneOf():
            return kind.values[0]
        case kinds.Either():
            return right(kind.one)
        case kinds.ListOf():
            return [right(kind.each)] * 2
        case kinds.PairOf():
            return [right(kind.first), right(kind.second)]
        case kinds.MapOf():
            return {"name": right(kind.each)}
        case Picture():
            return PICTURE
        case _:
            return "whatever"


def wrong(kind: kinds.Kind) -> Iterator[Any]:
    """Values that are not of this kind: null, of another type, NaN, infinite, out of range, empty."""
    if isinstance(kind, kinds.Anything):
        return
    yield float("nan")
    if isinstance(kind, kinds.Finite):
        yield from ({"deep": [float("inf")]}, [float("nan")])
        return
    if kind.fault("", None):
        yield None
    yield from ([], {}, 10**400) if isinstance(kind, (kinds.Whole, kinds.Number)) else (12, 1.5)
    match kind:
        case kinds.Whole():
            yield from (True, "2", 2.0, kind.low - 1, kind.high + 1, float("inf"))
        case kinds.Number():
            yield from (True, "0.5", -1, 2 * kind.high, float("inf"))
        case kinds.Text():
            yield from ([], True, *(() if kind.empty else ("", " ")))
        case kinds.ListOf():
            yield from ({}, "text", *([[]] if kind.least else []), *([right(kind.each), bad] for bad in wrong(kind.each)))
        case kinds.PairOf():
            first, second = right(kind.first), right(kind.second)
            yield from ([], [first], [first, second, second], *([first, bad] for bad in wrong(kind.second)))
            yield from ([bad, second] for bad in wrong(kind.first))
        case Picture():
            yield from ([], "", "text", PICTURE[:-4], f"{PICTURE} ", f"{PICTURE}AAAA", "<b>", f"data:image/png;base64,{PICTURE}")
        case kinds.MapOf():
            yield from ([], "text", *({"name": bad} for bad in wrong(kind.each)))


def extremes(kind: kinds.Kind) -> Iterator[Any]:
    """The values of this kind that arithmetic likes least: the ends of a range, the shortest list."""
    match kind:
        case kinds.Whole() | kinds.Number():
            yield from (kind.low, kind.high)
        case kinds.ListOf():
            yield from ([one] * 2 for one in extremes(kind.each))
            yield [right(kind.each)] * kind.least
        case kinds.PairOf():
            yield from ([first, second] for first in extremes(kind.first) for second in extremes(kind.second))


def extra(group: str, whole: bool = False, **values: Any) -> dict[str, Any]:
    """What rides on a case of this group: exactly what it needs, or all that it may have; and these values."""
    names = fields.of(group) if whole else fields.needed(group)
    return {name: EXAMPLES.get(name, right(fields.FIELDS[name].kind)) for name in names} | values


def case(group: str, name: str, whole: bool = False, **values: Any) -> dict[str, Any]:
    """One benchmark of this group, under its name."""
    fullname = f"benchmarks/test_cases.py::test_{name}"
    return {
        "group": group,
        "name": f"test_{name}",
        "fullname": fullname,
        "stats": dict(STATS),
        "extra_info": extra(group, whole, **values),
    }


def rescale(made: Mapping[str, Any], factor: float) -> None:
    """Let a case have taken so many times as long: every statistic in seconds is multiplied."""
    made["stats"].update({name: factor * value for name, value in made["stats"].items() if name != "rounds"})


def document(*cases: Mapping[str, Any], whole: bool = True) -> dict[str, Any]:
    """What one process saved that measured these cases: with all facts, or with those only that every file has."""
    made: dict[str, Any] = copy.deepcopy({**PROCESS, "benchmarks": list(cases)})
    if not whole:
        ours = made["machine_info"]["lenet5"]
        made |= {"machine_info": {"lenet5": {name: ours[name] for name in OURS_NEEDED}}, "commit_info": {}}
    return made


def of_group(group: str, whole: bool) -> dict[str, Any]:
    """A process that measured one group in two frameworks, with no more than every file has, or with all that there can be."""
    others = ("torch", "eager")
    return document(
        case(group, f"{group.replace(' ', '_')}[numpy-fused]", whole),
        case(group, f"{group.replace(' ', '_')}[torch-eager]", whole, framework=others[0], mode=others[1]),
        whole=whole,
    )


def save(path: Path, made: Mapping[str, Any]) -> Path:
    """The document as a file."""
    path.write_text(json.dumps(made), encoding="utf-8")
    return path

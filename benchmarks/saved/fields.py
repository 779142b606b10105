"""The one table of fields: the values that a case saves beside its times, each with its kind, its unit and the groups that have it.

A case writes through this table (`checked`), a saved file is read by it (`read`), and the report relies on nothing else.  A new field is one
new row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.quantities import units
from benchmarks.quantities.units import Unit
from benchmarks.saved import relations
from benchmarks.saved.kinds import (
    AT_LEAST_ONE,
    COUNT,
    DIFFERENCE,
    NATS,
    PLAUSIBLE,
    SECONDS,
    SHARE,
    TEXT,
    Kind,
    ListOf,
    Number,
    PairOf,
    fault_in,
)
from benchmarks.saved.pictures import Picture
from lenet5.errors import InputError

CONTROL = "control"
"""The group of the cases that watch machine and harness; it is also their ``framework``, which no comparison shows."""

BESIDE = "beside"
"""The group in which older runs have ONNX Runtime, which was no framework then: no comparison of frameworks shows it."""

ORIGINAL = "original"
"""The group of the original report's measurements, taken again as it took them."""

TWINS = "twins"
"""The group of identical cases under different names."""

INITIAL_WEIGHTS = "initial weights"
"""The group of the trainings from many initial weights, which are the same in every framework."""

LAST_DIGIT = "last digit"
"""The group of the trainings that differ in the last digit of their initial weights."""

UNTIMED = (INITIAL_WEIGHTS, LAST_DIGIT)
"""The groups whose times say nothing: no report shows them, and no other program disturbs them."""

LAYERS = ("conv1", "conv2", "fc1", "fc2", "fc3")
"""The layers whose sparsity is recorded one by one."""

STEPS = ("train step", "train step sgd")
GRAPHS = ("graphs predict", "graphs train step")
SPACE_CALLS = ("space predict", "space train step")
SPACE = (*SPACE_CALLS, "space epoch")
NETWORKS = ("predict", *STEPS, "train epoch", "transfer", "train", INITIAL_WEIGHTS, *GRAPHS, *SPACE)
"""The groups of one whole network in one mode of one framework, all of which record what that network is."""

GROUPS = (
    *NETWORKS,
    "sgemm",
    "flops",
    "pruning",
    "compression",
    ORIGINAL,
    "ladder",
    "worklog",
    "price",
    "executed",
    "where",
    LAST_DIGIT,
    BESIDE,
    CONTROL,
    TWINS,
)

PRUNING, COMPRESSION, LADDER = ("pruning",), ("compression",), ("ladder",)
WORKLOG, PRICE, EXECUTED, WHERE = ("worklog",), ("price",), ("executed",), ("where",)

SECONDS_OR_NONE = Number(0, PLAUSIBLE[1])
"""A time that can be 0, unlike the times of a case."""


@dataclass(frozen=True)
class Field:
    """One row: a value that rides on a case."""

    name: str
    kind: Kind
    unit: Unit | None = None
    """How the report shows the value, or each value of a list; None for words, and for values that the report does not show."""
    needs: tuple[str, ...] = ()
    """The groups of which every case has it."""
    may: tuple[str, ...] = ()
    """The groups whose cases can have it."""


FIELDS: Mapping[str, Field] = {
    field.name: field
    for field in (
        # What was measured
        Field("framework", TEXT, needs=GROUPS),
        Field("mode", TEXT, needs=GROUPS),
        Field("default_mode", TEXT, may=(*NETWORKS, TWINS)),
        Field("dynamic_mode", TEXT, may=(*NETWORKS, TWINS)),
        Field("version", TEXT, needs=(BESIDE,)),
        Field("threads", AT_LEAST_ONE, units.COUNT, needs=WORKLOG, may=(BESIDE, INITIAL_WEIGHTS)),
        Field("device", TEXT, may=(ORIGINAL,)),
        Field("copy", AT_LEAST_ONE, units.COUNT, may=(TWINS,)),
        Field("side", AT_LEAST_ONE, units.COUNT, may=("sgemm", CONTROL)),
        Field("kind", TEXT, needs=(*LADDER, *WORKLOG), may=SPACE),
        Field("part", TEXT, needs=WORKLOG),
        Field("against", TEXT, may=WORKLOG),
        # With what
        Field(
            "batch",
            AT_LEAST_ONE,
            units.COUNT,
            needs=(
                *("predict", *STEPS, "train epoch", "transfer", *GRAPHS, *SPACE_CALLS),
                *(*PRUNING, *COMPRESSION, *LADDER, *WORKLOG, *EXECUTED, *WHERE, BESIDE),
            ),
            may=("train", INITIAL_WEIGHTS, LAST_DIGIT, "space epoch", CONTROL, TWINS),
        ),
        Field(
            "optimizer", TEXT, needs=STEPS, may=("train epoch", "train", INITIAL_WEIGHTS, LAST_DIGIT, "graphs train step", *PRUNING)
        ),
        Field(
            "epochs",
            AT_LEAST_ONE,
            units.COUNT,
            needs=(*COMPRESSION, INITIAL_WEIGHTS, LAST_DIGIT),
            may=("train", *PRUNING, ORIGINAL),
        ),
        Field("steps", AT_LEAST_ONE, units.COUNT, may=("train epoch",)),
        # What the network is
        Field("parameters", AT_LEAST_ONE, units.COUNT, may=(*NETWORKS, TWINS)),
        Field("weight_bytes", AT_LEAST_ONE, units.EXACT_BYTES, may=(*NETWORKS, TWINS)),
        Field("macs_per_image", AT_LEAST_ONE, units.COUNT, needs=(*PRUNING, *COMPRESSION), may=(*NETWORKS, TWINS)),
        Field("flops_per_image", AT_LEAST_ONE, units.COUNT, may=(*NETWORKS, TWINS)),
        Field("training_flops_per_image", AT_LEAST_ONE, units.COUNT, may=(*NETWORKS, TWINS)),
        # First calls
        Field("first_call_seconds", SECONDS, units.SECONDS, may=("predict", *STEPS, BESIDE)),
        Field("first_call_watched_seconds", SECONDS, units.SECONDS, may=("predict", *STEPS, *GRAPHS)),
        Field("first_call_others_cpu_seconds", SECONDS_OR_NONE, units.SECONDS, may=("predict", *STEPS, *GRAPHS)),
        Field("import_fresh_seconds", SECONDS, units.SECONDS, needs=GRAPHS),
        Field("build_fresh_seconds", SECONDS, units.SECONDS, needs=GRAPHS),
        Field("first_call_fresh_seconds", SECONDS, units.SECONDS, needs=GRAPHS),
        Field("second_call_fresh_seconds", SECONDS, units.SECONDS, may=GRAPHS),
        # What was learned
        Field("correct", COUNT, units.COUNT, needs=("train", *PRUNING, *COMPRESSION)),
        Field(
            "test_images",
            AT_LEAST_ONE,
            units.COUNT,
            needs=("train", INITIAL_WEIGHTS, *PRUNING, *COMPRESSION),
            may=(ORIGINAL,),
        ),
        Field("test_predictions", ListOf(COUNT), needs=("train",)),
        Field("test_labels", ListOf(COUNT), may=("train",)),
        Field("test_probabilities", ListOf(SHARE), units.SHARE, may=("train",)),
        Field("aspects", ListOf(PairOf(TEXT, ListOf(TEXT)), least=0), may=("train",)),
        Field("pictures", ListOf(PairOf(TEXT, Picture()), least=0), may=("train",)),
        Field("validation_accuracy", ListOf(SHARE), units.SHARE, needs=("train",)),
        Field("train_loss_nats", ListOf(NATS), units.NATS, needs=("train",)),
        Field("validation_loss_nats", ListOf(NATS), units.NATS, may=("train",)),
        Field("epoch_seconds", ListOf(SECONDS), units.SECONDS, may=("train",)),
        # The same from each of some initial weights
        Field("seeds", ListOf(COUNT, least=2), needs=(INITIAL_WEIGHTS,)),
        Field("correct_by_seed", ListOf(COUNT, least=2), units.COUNT, needs=(INITIAL_WEIGHTS,)),
        Field("last_loss_nats_by_seed", ListOf(NATS, least=2), units.NATS, needs=(INITIAL_WEIGHTS,)),
        # How far training carries a last digit: for each epoch, and that for each draw
        Field("again_gaps_nats", ListOf(NATS), needs=(LAST_DIGIT,)),
        Field("last_digit_gaps_nats", ListOf(ListOf(NATS)), needs=(LAST_DIGIT,)),
        # FLOPs
        Field("flops", AT_LEAST_ONE, units.COUNT, needs=("sgemm", *WORKLOG, *EXECUTED)),
        Field("counter_unit", TEXT, needs=("flops",)),
        Field("counted_per_image", AT_LEAST_ONE, units.COUNT, needs=("flops",)),
        Field("closed_form_per_image", AT_LEAST_ONE, units.COUNT, needs=("flops",)),
        Field("counted_training_per_image", AT_LEAST_ONE, units.COUNT, may=("flops",)),
        Field("closed_form_training_per_image", AT_LEAST_ONE, units.COUNT, needs=("flops",)),
        Field("differences", ListOf(PairOf(TEXT, DIFFERENCE), least=0), units.COUNT, needs=("flops",)),
        Field("training_differences", ListOf(PairOf(TEXT, DIFFERENCE), least=0), units.COUNT, needs=("flops",)),
        # What a NumPy network does in one call, and the time of the network that it is timed in turns with
        Field("numpy_calls", AT_LEAST_ONE, units.COUNT, needs=WORKLOG),
        Field("copied_bytes", COUNT, units.BYTES, needs=WORKLOG, may=EXECUTED),
        Field("moved_bytes", COUNT, units.BYTES, needs=(*WORKLOG, *PRICE)),
        Field("product_macs", COUNT, units.COUNT, needs=WORKLOG),
        Field("against_seconds", SECONDS, units.SECONDS, may=WORKLOG),
        # What a prediction does in fact, in the frameworks that can tell
        Field("calls", AT_LEAST_ONE, units.COUNT, needs=EXECUTED),
        Field("a_call", TEXT, needs=EXECUTED),
        Field("executed_macs", AT_LEAST_ONE, units.COUNT, may=EXECUTED),
        Field("unknown", TEXT, may=EXECUTED),
        # Where the time of a call goes, by a framework's own profiler: each kernel, its kind and its seconds in the median call
        Field("profiler", TEXT, needs=WHERE),
        Field("plain_seconds", SECONDS, units.SECONDS, needs=WHERE),
        Field("kernels", ListOf(PairOf(TEXT, PairOf(TEXT, SECONDS_OR_NONE))), units.SECONDS, needs=WHERE),
        # Memory; a difference of two levels can be negative
        Field("gradient_bytes", AT_LEAST_ONE, units.BYTES, may=SPACE),
        Field("optimizer_state_bytes", COUNT, units.BYTES, may=SPACE),
        Field("import_rss_bytes", DIFFERENCE, units.BYTES, may=SPACE),
        Field("build_rss_bytes", DIFFERENCE, units.BYTES, may=SPACE),
        Field("level_rss_bytes", COUNT, units.BYTES, needs=("space epoch",), may=SPACE_CALLS),
        Field("peak_above_level_bytes", COUNT, units.BYTES, may=SPACE_CALLS),
        Field("peak_rss_bytes", COUNT, units.BYTES, may=SPACE_CALLS),
        Field("traced_peak_bytes", COUNT, units.BYTES, needs=LADDER, may=SPACE_CALLS),
        Field("workspace_bytes", COUNT, units.BYTES, needs=(*LADDER, *WORKLOG)),
        Field("device_peak_bytes", COUNT, units.BYTES, may=SPACE_CALLS),
        Field("rss_over_time", ListOf(PairOf(Number(0, PLAUSIBLE[1]), COUNT)), units.BYTES, needs=("space epoch",)),
        # Smaller networks
        Field("tool", TEXT, may=PRUNING),
        Field("dense_epochs", AT_LEAST_ONE, units.COUNT, needs=PRUNING),
        Field("sparsity_initial", SHARE, units.SHARE, may=PRUNING),
        Field("sparsity_wanted", SHARE, units.SHARE, may=PRUNING),
        Field("sparsity_kernels", SHARE, units.SHARE, needs=PRUNING),
        Field("sparsity_all", SHARE, units.SHARE, needs=PRUNING),
        *(Field(f"sparsity_{layer}", SHARE, units.SHARE, needs=PRUNING) for layer in LAYERS),
        Field("negative_zeros", COUNT, units.COUNT, needs=PRUNING),
        Field("nonzero_macs_per_image", AT_LEAST_ONE, units.COUNT, needs=PRUNING),
        Field("sparse_bytes", AT_LEAST_ONE, units.EXACT_BYTES, needs=PRUNING),
        Field("gzip_bytes", AT_LEAST_ONE, units.EXACT_BYTES, needs=PRUNING, may=COMPRESSION),
        Field("dense_bytes", AT_LEAST_ONE, units.EXACT_BYTES, needs=(*PRUNING, *COMPRESSION)),
        Field("dense_seconds", SECONDS, units.SECONDS, needs=COMPRESSION, may=PRUNING),
        Field("stripped_seconds", SECONDS, units.SECONDS, may=PRUNING),
        Field("unstripped_seconds", SECONDS, units.SECONDS, may=PRUNING),
        Field("technique", TEXT, needs=COMPRESSION),
        Field("point", TEXT, needs=COMPRESSION),
        Field("form", TEXT, needs=COMPRESSION),
        Field("dense_correct", COUNT, units.COUNT, needs=COMPRESSION),
        Field("gained", COUNT, units.COUNT, needs=COMPRESSION),
        Field("lost", COUNT, units.COUNT, needs=COMPRESSION),
        Field("stored_bytes", AT_LEAST_ONE, units.EXACT_BYTES, needs=COMPRESSION),
        Field("weights_left", COUNT, units.COUNT, needs=COMPRESSION),
        Field("dense_macs_per_image", AT_LEAST_ONE, units.COUNT, needs=COMPRESSION),
        # The original report's measurements, each beside the same one taken as it should be
        Field("figure", TEXT, needs=(ORIGINAL,)),
        Field("processes", AT_LEAST_ONE, units.COUNT, may=(ORIGINAL,)),
        Field("passes", AT_LEAST_ONE, units.COUNT, may=(ORIGINAL,)),
        Field("as_original_seconds", SECONDS, units.SECONDS, may=(ORIGINAL,)),
        Field("honest_seconds", SECONDS, units.SECONDS, may=(ORIGINAL,)),
        Field("as_original_images", AT_LEAST_ONE, units.COUNT, may=(ORIGINAL,)),
        Field("honest_images", AT_LEAST_ONE, units.COUNT, may=(ORIGINAL,)),
        Field("as_original_flops", AT_LEAST_ONE, units.COUNT, may=(ORIGINAL,)),
        Field("honest_flops", AT_LEAST_ONE, units.COUNT, may=(ORIGINAL,)),
        Field("as_original_correct", COUNT, units.COUNT, may=(ORIGINAL,)),
        Field("honest_correct", COUNT, units.COUNT, may=(ORIGINAL,)),
        Field("as_original_last_loss_nats", NATS, units.NATS, may=(ORIGINAL,)),
        Field("honest_last_loss_nats", NATS, units.NATS, may=(ORIGINAL,)),
        Field("floor_nats", NATS, units.NATS, may=(ORIGINAL,)),
        Field("as_original_zeros", COUNT, units.COUNT, may=(ORIGINAL,)),
        Field("honest_zeros", COUNT, units.COUNT, may=(ORIGINAL,)),
        Field("kernel_weights", AT_LEAST_ONE, units.COUNT, may=(ORIGINAL,)),
        # What the operating system knew about the measurement; benchmarks/arrange/witness.py says what each is
        Field("cpus_allowed", AT_LEAST_ONE, units.COUNT, may=GROUPS),
        Field("cpus_allowed_after", AT_LEAST_ONE, units.COUNT, may=GROUPS),
        Field("watched_seconds", SECONDS, units.SECONDS, may=GROUPS),
        Field("process_cpu_seconds", SECONDS_OR_NONE, units.SECONDS, may=GROUPS),
        Field("others_cpu_seconds", SECONDS_OR_NONE, units.SECONDS, may=GROUPS),
        Field("steal_seconds", SECONDS_OR_NONE, units.SECONDS, may=GROUPS),
        Field("runqueue_wait_seconds", SECONDS_OR_NONE, units.SECONDS, may=GROUPS),
        Field("involuntary_switches", COUNT, units.COUNT, may=GROUPS),
        Field("load_1min", Number(0, PLAUSIBLE[1]), may=GROUPS),
    )
}

IDENTITY = (
    *("framework", "mode", "default_mode", "dynamic_mode", "batch", "optimizer", "epochs", "seeds", "test_images"),
    *("kind", "part", "against", "side", "copy", "tool", "technique", "point", "form", "figure", "counter_unit"),
)
"""Fields that say what a case is: the same in every process of a run."""

EVERYWHERE = ("framework", "mode")
"""What every case of every group has.  A group that this table does not know, a case of your own, needs no more."""


def of(group: str) -> dict[str, Field]:
    """The fields that a case of this group can have, by name; for a group that the table does not know, all fields."""
    if group not in GROUPS:
        return dict(FIELDS)
    return {name: field for name, field in FIELDS.items() if group in (*field.needs, *field.may)}


def needed(group: str) -> tuple[str, ...]:
    """The names of the fields that every case of this group has."""
    return tuple(name for name, field in FIELDS.items() if group in field.needs) or EVERYWHERE


def unit(name: str) -> Unit:
    """How the report shows a field, or each value of a list.  Raises KeyError for one that it does not show as a number."""
    found = FIELDS[name].unit
    if found is None:
        raise KeyError(f"{name} has no unit")
    return found


def checked(group: str, values: Mapping[str, Any], whole: bool = True) -> dict[str, Any]:
    """The values themselves, if a case of this group can save them.

    Raises ValueError, one line, for a field that the table does not have for this group, for a needed field that is missing, unless these
    values are not the ``whole`` of what the case saves, and for a value that is not of its kind or does not fit the others.
    """
    undeclared = sorted(values.keys() - of(group).keys())
    if undeclared:
        raise ValueError(f"{group}: {undeclared[0]} is no field of this group; expected a row in benchmarks/saved/fields.py")
    for fault in _faults(group, values, whole):
        raise ValueError(f"{group}: {fault}")
    return dict(values)


def read(where: str, group: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a saved case: every field that its group can have, None for a field that the case lacks, and nothing else.

    Raises InputError, one line that begins with ``where``, unless every value is what the table says.
    """
    for fault in _faults(group, values):
        raise InputError(f"{where}.{fault}")
    return {name: values.get(name) for name in of(group)}


def _faults(group: str, values: Mapping[str, Any], whole: bool = True) -> Iterator[str]:
    """What is wrong with the declared values of a case, a sentence each."""
    declared, wanted = of(group), needed(group) if whole else ()
    found = [fault_in(values, name, field.kind, name in wanted) for name, field in declared.items()]
    yield from filter(None, found)
    if not any(found):
        yield from relations.faults({name: value for name, value in values.items() if name in declared})

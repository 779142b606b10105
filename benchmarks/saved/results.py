"""The door of this room: other rooms import from here what they need to read saved runs."""

from benchmarks.saved.circumstances import SAME, check_circumstances, check_fit
from benchmarks.saved.facts import FORMAT, at
from benchmarks.saved.fields import BESIDE, CONTROL, INITIAL_WEIGHTS, LAST_DIGIT, LAYERS, UNTIMED
from benchmarks.saved.many import PROCESSES, files_of, load_many, load_runs, only_machines_differ
from benchmarks.saved.one import load
from benchmarks.saved.records import FAILED, NOT_RUN, Case, Run
from benchmarks.saved.variables import differences

__all__ = [
    "BESIDE",
    "CONTROL",
    "FAILED",
    "FORMAT",
    "INITIAL_WEIGHTS",
    "LAST_DIGIT",
    "LAYERS",
    "NOT_RUN",
    "PROCESSES",
    "SAME",
    "UNTIMED",
    "Case",
    "Run",
    "at",
    "check_circumstances",
    "check_fit",
    "differences",
    "files_of",
    "load",
    "load_many",
    "load_runs",
    "only_machines_differ",
]

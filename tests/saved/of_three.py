"""The run of three processes in tests/data, and changes of its documents."""

from __future__ import annotations

import json
from pathlib import Path

RUN = Path(__file__).parents[1] / "data" / "run"
ONE = RUN / "process-001.json"
DOCUMENT = json.loads(ONE.read_text(encoding="utf-8"))
SAVED = "benchmarks/test_predict.py::test_predict[numpy-im2col-batch=1]"
NUMPY = "benchmarks/test_predict.py::test_predict[numpy-im2col-batch1]"
"""The id of a case in these files, which are of commit 67fa1dc's kind, and its name today."""

COMPILE = "benchmarks/test_predict.py::test_predict[torch-compile-batch1]"
OURS = ("machine_info", "lenet5")


def case(run, name):
    """The case of this name."""
    return next(case for case in run.cases if case.name == name)


def set_at(*keys, to):
    """A change of the document: the value at the end of the keys."""

    def change(document):
        for key in keys[:-1]:
            document = document[key]
        document[keys[-1]] = to

    return change


def changed(folder, **changes):
    """The folder with the three processes, each changed in place by what is there under its name, such as ``process_1``."""
    for path in sorted(RUN.iterdir()):
        document = json.loads(path.read_text(encoding="utf-8"))
        changes.get(f"process_{path.stem[-1]}", lambda document: None)(document)
        (folder / path.name).write_text(json.dumps(document), encoding="utf-8")
    return folder

"""The first prediction in several modes of a framework, one after the other in one process, which has to import the framework once only.

python -m tests.support.first_calls FRAMEWORK PROBLEM.npz MODE ...
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

import lenet5
from benchmarks.arrange import problem
from benchmarks.isolated import first_call

if __name__ == "__main__":
    framework, path, *modes = sys.argv[1:]
    load = partial(lenet5.implementation, framework)
    print(json.dumps({mode: first_call.measure(load, mode, "predict", problem.load(Path(path))) for mode in modes}))

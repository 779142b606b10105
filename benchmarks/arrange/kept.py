"""What takes long to compute and is the same in every process of a side: the gate names a folder, and a later process reads it there.

The folder belongs to one side of one gate and is gone with it.  Within a gate neither the code nor the data set nor the interpreter of a
side may change, so a name says enough of what was computed.  Without a gate nothing is kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

VARIABLE = "LENET5_KEPT"
"""Names the folder; `benchmarks.sessions.this_project` has the gate set it."""


def kept(name: str, compute: Callable[[], ArrayLike]) -> NDArray[Any]:
    """The array that was kept under this name, or the one that ``compute`` makes, kept from then on."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        return np.asarray(compute())
    path = Path(folder) / f"{name}.npy"
    if not path.exists():
        part = path.with_name(f"part-{path.name}")
        np.save(part, np.asarray(compute()), allow_pickle=False)
        os.replace(part, path)  # whole or not at all: a process may be killed
    found: NDArray[Any] = np.load(path, allow_pickle=False)
    return found

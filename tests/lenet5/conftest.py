"""Which tests of modes are slow: those of variants, and those that compile, but for the parameters that are tried in every run.

The slow ones run mode by mode: what a mode has compiled for one test, the process still has for the next.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import lenet5


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Compiling takes seconds a network.  What is marked ``compiled(name=value, ...)`` is quick with just these parameters."""
    order = {}
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        framework, mode = parameters.get("framework"), parameters.get("mode")
        if Path(__file__).parent not in item.path.parents or not framework or not mode:
            continue
        marker = item.get_closest_marker("compiled")
        tried = marker is not None and marker.kwargs.items() <= parameters.items()
        if mode in lenet5.variants(framework) or (mode in lenet5.dynamic(framework) and not tried):
            item.add_marker(pytest.mark.slow)
            order[item] = f"{framework}-{mode}"
    items.sort(key=lambda item: order.get(item, ""))

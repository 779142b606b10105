"""Which cases a session leaves out: the heavy ones unless asked, what is for a GPU on the CPU, what is not timed in a gate."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from benchmarks import conftest


def case(*marks):
    """A collected case with these marks."""
    added = [SimpleNamespace(name=mark) for mark in marks]
    return SimpleNamespace(iter_markers=lambda: iter(added), path=conftest.Path("elsewhere", "test_x.py"), marks=marks)


@pytest.mark.parametrize(
    ("heavy", "device", "gate", "left"),
    [
        (False, "cpu", False, [(), ("untimed",)]),
        (True, "cpu", False, [(), ("heavy",), ("untimed",), ("heavy", "untimed")]),
        (True, "cuda", False, [(), ("heavy",), ("gpu",), ("untimed",), ("heavy", "untimed")]),
        (False, "cpu", True, [()]),
        (True, "cpu", True, [(), ("heavy",)]),
    ],
)
def test_left(heavy, device, gate, left):
    """A process of a gate's pair, which has the plug-in with the baton, compares no time that says nothing."""
    items = [case(), case("heavy"), case("gpu"), case("untimed"), case("heavy", "untimed")]
    deselected = []
    config = SimpleNamespace(
        getoption=lambda name, default=None: {"heavy": heavy, "device": device}[name],
        pluginmanager=SimpleNamespace(has_plugin=lambda name: gate and name == "lenet5-baton"),
        hook=SimpleNamespace(pytest_deselected=lambda items: deselected.extend(items)),
    )
    whole = [*items]
    conftest.pytest_collection_modifyitems(config, items)
    assert [item.marks for item in items] == left
    assert [item for item in whole if item in deselected] == [item for item in whole if item not in items]

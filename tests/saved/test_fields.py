"""The table of fields: what a case may write, and what each value may be."""

from __future__ import annotations

import pytest

from benchmarks.saved import fields

PREDICT = {"framework": "numpy", "mode": "fused", "batch": 64}


def test_written_as_it_is():
    """A case that has what its group needs, and more that the table knows, writes just that."""
    values = {**PREDICT, "first_call_seconds": 0.5, "parameters": 65406}

    assert fields.checked("predict", values) == values


@pytest.mark.parametrize(
    ("group", "change", "line"),
    [
        ("predict", {"colour": 1}, "predict: colour is no field of this group; expected a row in benchmarks/saved/fields.py"),
        ("predict", {"copy": 1}, "predict: copy is no field of this group; expected a row in benchmarks/saved/fields.py"),
        ("of my own", {"colour": 1}, "of my own: colour is no field of this group; expected a row in benchmarks/saved/fields.py"),
        ("predict", {"batch": 0}, "predict: batch is 0; expected a whole number from 1 to 1,000,000,000,000,000"),
        ("predict", {"batch": 64.0}, "predict: batch is 64.0; expected a whole number from 1 to 1,000,000,000,000,000"),
        ("predict", {"batch": True}, "predict: batch is True; expected a whole number from 1 to 1,000,000,000,000,000"),
        ("predict", {"mode": " "}, "predict: mode is ' '; expected a text that is not empty"),
        ("predict", {"parameters": None}, "predict: parameters is None; expected a whole number from 1 to 1,000,000,000,000,000"),
        ("of my own", {"batch": -1}, "of my own: batch is -1; expected a whole number from 1 to 1,000,000,000,000,000"),
    ],
)
def test_refused(group, change, line):
    """A field that no row declares for the group, and a value that is not what its row says, by one line each."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        fields.checked(group, {**PREDICT, **change})
    assert str(caught.value) == line


def test_needed():
    """A case without a field that its group needs is refused; a group that the table does not know needs framework and mode."""
    with pytest.raises(ValueError, match="predict: batch is missing; expected a whole number"):
        fields.checked("predict", {"framework": "numpy", "mode": "fused"})
    with pytest.raises(ValueError, match="of my own: mode is missing; expected a text"):
        fields.checked("of my own", {"framework": "numpy"})
    assert fields.checked("of my own", {"framework": "numpy", "mode": "fused"})


def test_a_part():
    """A part of what a case saves need not have what the group needs; each value has to be right all the same."""
    assert fields.checked("predict", {"cpus_allowed": 2}, whole=False) == {"cpus_allowed": 2}
    with pytest.raises(ValueError, match="predict: cpus_allowed is 0; expected a whole number"):
        fields.checked("predict", {"cpus_allowed": 0}, whole=False)
    with pytest.raises(ValueError, match="predict: copy is no field of this group"):
        fields.checked("predict", {"copy": 1}, whole=False)


@pytest.mark.parametrize("group", [*fields.GROUPS, "of my own"])
def test_every_group_can_say_what_the_system_knew(group):
    """What the operating system tells of a measurement has nothing to do with what was measured."""
    names = ("cpus_allowed", "cpus_allowed_after", "watched_seconds", "process_cpu_seconds", "others_cpu_seconds", "steal_seconds")
    assert {*names, "runqueue_wait_seconds", "involuntary_switches", "load_1min"} <= fields.of(group).keys() - set(
        fields.needed(group)
    )

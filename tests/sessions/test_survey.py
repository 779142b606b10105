"""What both sides have: what a session said that only collects, and the line where it found nothing."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from benchmarks.sessions import guest, survey
from benchmarks.sessions.plan import Plan
from benchmarks.sessions.process import Place
from benchmarks.sessions.signals import Signals
from lenet5.errors import InputError

FACTS = {"cases": ["test_a"], "elsewhere": {}, "broken": {}, "collected": 0, "own_fixture": []}


class Collects:
    """Stands for pytest: saves facts, says something, and ends with an exit code."""

    def __init__(self, place, code):
        self.place, self._code = place, code

    def command(self, saved):
        saved.write_text(json.dumps({guest.FACTS: FACTS}))
        return [sys.executable, "-c", f"print('ERROR: not like this'); raise SystemExit({self._code})"]


def side(folder, code=0):
    place = Place(folder, sys.executable, {})
    of = SimpleNamespace(session=lambda *_: Collects(place, code))
    return SimpleNamespace(option="--base v1", role="base", scratch=folder, place=lambda: place, of=of)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (0, nullcontext(FACTS)),
        (1, nullcontext(FACTS)),
        (4, pytest.raises(InputError, match=r"^--base v1: pytest cannot collect bench \(exit code 4\): ERROR: not like this$")),
    ],
)
def test_exit_code(tmp_path, code, outcome):
    """A file that cannot be collected is said later; where pytest refuses what it was asked for, what it collected does not count."""
    with Signals() as signals, outcome as expected:
        assert survey._collected(side(tmp_path, code), Plan("bench"), signals) == expected


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        ({}, "no case found: looked in bench for tests that use the fixture benchmark; say with --cases "),
        ({"own_fixture": ["tests/conftest.py"]}, "--base v1: the fixture benchmark in bench is that of tests/conftest.py, not "),
        ({"broken": {"bench/a.py": "SyntaxError"}}, "--base v1: bench/a.py cannot be collected (SyntaxError)"),
        (
            {"collected": 3},
            "the project's own configuration of pytest, such as -m in its addopts, selects none of the 3 cases in bench",
        ),
    ],
)
def test_no_case(tmp_path, facts, line):
    """Where nothing was found, one line says what speaks most."""
    assert survey._no_case({"base": side(tmp_path)}, [Plan("bench")], {"base": {**FACTS, **facts}}).startswith(line)

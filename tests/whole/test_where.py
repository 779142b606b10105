"""The table in tests/README.md of what strangers met names tests that exist."""

from __future__ import annotations

import re

import pytest

from tests.support.copies import PROJECT

NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (PROJECT / "tests" / "README.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("file", "name"), sorted({*NAMED}), ids=lambda value: value)
def test_exists(file, name):
    """The test is in that file."""
    assert re.search(rf"^def {name}\(", (PROJECT / file).read_text(encoding="utf-8"), re.MULTILINE)

"""What is particular to PyTorch: what it declares."""

from __future__ import annotations

import lenet5


def test_declares():
    """Each compiled mode is compared with the eager one of its own layout."""
    assert lenet5.modes("torch") == ("eager", "compile", "eager-channels_last", "compile-channels_last")
    assert lenet5.variants("torch") == ("eager-channels_last", "compile-channels_last")
    assert lenet5.dynamic("torch") == {"compile": "eager", "compile-channels_last": "eager-channels_last"}
    assert lenet5.colour("torch") == "green"
    assert lenet5.ladder("torch") == ()

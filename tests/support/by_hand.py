"""The network by hand, for tests that need some network that is always installed: its framework, and three of its modes."""

from __future__ import annotations

import lenet5

FRAMEWORK, REFERENCE = lenet5.reference()
FAST = lenet5.modes(FRAMEWORK)[0]
PLAIN = lenet5.ladder(FRAMEWORK)[1]
"""One rung above the reference: quick to build, and it computes without threads of its own."""

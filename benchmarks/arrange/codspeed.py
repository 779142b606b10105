"""Let the cases run under pytest-codspeed too, whose fixture of the same name takes the place of pytest-benchmark's.

That plug-in times calls, and it keeps what it measured in files of its own: what a case records is checked all the same, and then goes
nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

TIMES_CALLS = "pytest-codspeed times calls, and this case enters times that it took itself: measure it without --codspeed"


def why_not(case: pytest.Item) -> str | None:
    """Why a case cannot be measured by pytest-codspeed: one line; None if it can."""
    marker = case.get_closest_marker("benchmark")
    return TIMES_CALLS if marker and "timer" in marker.kwargs else None


def adapt(benchmark: Any, case: pytest.Item) -> Any:
    """Give pytest-codspeed's fixture what the cases use of pytest-benchmark's: the group, and a set-up that is called without arguments."""
    marker, pedantic = case.get_closest_marker("benchmark"), benchmark.pedantic

    def plain(
        target: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        setup: Callable[[], Any] | None = None,
        **options: Any,
    ) -> Any:
        if setup is not None:
            options["setup"] = lambda *args, **kwargs: setup()  # it is called with those of the target
        return pedantic(target, tuple(args), dict(kwargs or {}), **options)

    benchmark.group, benchmark.pedantic = marker.kwargs.get("group") if marker else None, plain
    return benchmark

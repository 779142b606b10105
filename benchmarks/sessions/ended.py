"""Which cases a session ended before, or in the middle of: they were asked for, and have neither a number nor another reason for none."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from benchmarks.saved.results import NOT_RUN
from benchmarks.sessions.stops import takes_times


def not_run(config: pytest.Config, known: Collection[str]) -> dict[str, str]:
    """Each case of the session that is not ``known``, the cases that passed or have a reason, and why the session ended before it.

    Cases that were left out on purpose are no longer among those of the session.
    """
    session = config.pluginmanager.get_plugin("session")
    if session is None:  # a baseline is loaded before there is one
        return {}
    stopped = session.shouldfail or session.shouldstop
    reason = f"{NOT_RUN}{stopped if isinstance(stopped, str) else 'the session was interrupted'}"
    cases = [item.nodeid for item in session.items if takes_times(item)]
    return {name: reason for name in cases if name not in known}

"""Which tests cost most: seconds of the processor, their children's included, which other programs change little.

    pytest -p tests.support.processor_time                 # and -m slow, or a path

prints the thirty test functions at the end, all parameters of each together.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest

PROPERTY = "processor seconds"
START = pytest.StashKey[float]()

spent: Counter[str] = Counter()
count: Counter[str] = Counter()


def used() -> float:
    """Seconds of this process, and of its children that have ended."""
    return sum(os.times()[:4])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[START] = used()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """A property travels from a worker of pytest-xdist to the process that prints."""
    if call.when == "teardown":
        item.user_properties.append((PROPERTY, used() - item.stash[START]))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    for seconds in [value for name, value in report.user_properties if name == PROPERTY]:
        function = report.nodeid.partition("[")[0]
        spent[function] += seconds
        count[function] += 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section(f"{sum(spent.values()):.0f} s of processor time in {sum(count.values())} tests")
    for function, seconds in spent.most_common(30):
        terminalreporter.line(f"{seconds:7.1f} s in {count[function]:4}: {function}")

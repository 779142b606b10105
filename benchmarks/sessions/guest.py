"""A plug-in of pytest for the suite of any project: its benchmark cases are measured whatever that project's configuration says.

The gate gives it, beside the baton, to processes that run another project.  It selects the cases that use pytest-benchmark, draws their
order, overrules what would switch them off or run them in parallel, and measures a control before the first case and after the last.
Then it adds to the JSON of pytest-benchmark, under the key "gate", all that the gate has to know and the plug-in does not save: which cases
there are, why one has no number, and which packages were imported from another place than this project.

It does nothing without its options.  This file and `origins`, which lies beside it, need nothing but pytest, from 6.2 on, and Python,
from 3.8 on: the other project has its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import random
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

PLUGIN, ORIGINS = "lenet5_guest", "lenet5_origins"

# In a process of another project that file lies beside this one, and none of our packages can be imported.
origins = import_module(ORIGINS if __name__ == PLUGIN else "benchmarks.sessions.origins")

COLLECT = "--collect-only"
"""The option of pytest with which a session measures nothing, so that pytest-benchmark has nothing to save."""

FACTS = "gate"
"""The key of the saved document that holds what this plug-in knows."""

FAILED = "failed: "
"""How the reason of a case begins that gave a wrong answer or broke."""

OVERRULED: dict[str, Any] = {
    # pytest-xdist, pytest-parallel
    **{"numprocesses": None, "dist": "no", "tx": [], "distload": False, "looponfail": False, "workers": None},
    # pytest-benchmark
    **{"benchmark_skip": False, "benchmark_disable": False},
    # pytest-cov; pytest-codspeed
    **{"cov_source": [], "codspeed": False},
}
"""Options that switch benchmarks off, run them in parallel or slow them down, and what they are set to."""

SPELLED = {"numprocesses": "-n", "distload": "-d", "cov_source": "--cov"}
"""How an option is written that is not written as it is stored."""

SILENCED: dict[str, Any] = {
    **{"benchmark_compare": [], "benchmark_compare_fail": None, "benchmark_save": None, "benchmark_autosave": None},
    **{"benchmark_histogram": [], "benchmark_cprofile": None, "benchmark_cprofile_dump": [], "usepdb": False, "xmlpath": None},
    **{"benchmark_only": False, "lf": False, "failedfirst": False, "newfirst": False, "stepwise": False, "maxfail": 0},
    # pytest-randomly: the two processes of a pair have to draw the same numbers.
    **{"randomly_seed": 1, "randomly_reorganize": False},
}
"""Options that write files, select by what failed earlier or end the session early: nothing that the user has to hear of."""

TIMES = (1e-12, 1e12)
"""What the gate takes for a time, in seconds.  A timer that a case brings along can measure anything, also 0."""

CONTROL_SECONDS = 0.02
"""How long the control is measured each time."""


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    _load_benchmark(pluginmanager)
    group = parser.getgroup("lenet5-gate", "what the gate tells this process")
    group.addoption("--gate-saved", metavar="FILE", help="add the facts to this file of pytest-benchmark")
    group.addoption("--gate-order", metavar="SEED", help="draw the order of the cases from this seed")
    group.addoption("--gate-source", metavar="DIR", help="the folder of the project's packages")


def _load_benchmark(manager: pytest.PytestPluginManager) -> None:
    """Load pytest-benchmark where the project's configuration does not, or blocks it: with -p it can be loaded under either of two names."""
    if any(manager.has_plugin(name) for name in ("benchmark", "pytest_benchmark.plugin")):
        return
    if manager.is_blocked("benchmark"):
        getattr(manager, "unblock", manager._name2plugin.pop)("benchmark")
    manager.import_plugin("benchmark", consider_entry_points=True)


# The session as the gate needs it


@pytest.hookimpl(hookwrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """Keep pytest-cov from starting: it does so before any other plug-in can say no."""
    known = early_config.known_args_namespace
    if known.gate_saved and getattr(known, "cov_source", None):
        known.cov_source = []
    yield


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Iterator[None]:
    """Overrule the configuration before any plug-in acts on it, and take part."""
    if config.option.gate_saved:
        asked = vars(config.option)
        overruled = [
            SPELLED.get(name, f"--{name.replace('_', '-')}") for name, value in OVERRULED.items() if asked.get(name, value) != value
        ]
        for name, value in {**OVERRULED, **SILENCED}.items():
            if name in asked:
                setattr(config.option, name, value)
        if config.option.collectonly:
            config.option.benchmark_json = None
        config.pluginmanager.register(Guest(config, overruled), "lenet5-guest")
    yield


class Guest:
    """What the plug-in does in one session, and what it finds out."""

    def __init__(self, config: pytest.Config, overruled: list[str]) -> None:
        self._config = config
        self._cases: list[str] = []
        self._called = 0
        self._began = time.strftime("%Y-%m-%dT%H:%M:%S")
        self._ended_well: set[str] = set()
        """The cases that ran from setup to teardown without a fault."""
        self._found: dict[str, Any] = {
            **{"overruled": overruled, "own_fixture": [], "collected": 0},
            **{"not_measured": {}, "broken": {}, "control": [], "files": {}, "uncompiled": {}},
        }

    @pytest.hookimpl(hookwrapper=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> Iterator[None]:
        """Only cases of pytest-benchmark, in an order that is the same in every process of this seed."""
        collected = [item.nodeid for item in items if _is_case(item)]
        own = {file for item in items for file in [own_fixture(item)] if file}
        self._found["own_fixture"] = sorted(os.path.relpath(file, str(self._config.rootdir)) for file in own)  # type: ignore[attr-defined]
        self._found["collected"] = len(collected)
        yield
        cases = sorted((item for item in items if _is_case(item)), key=lambda item: item.nodeid)
        if self._config.option.collectonly:
            root = Path(str(self._config.rootdir))  # type: ignore[attr-defined]
            loaded = (str(getattr(one, "__file__", "")) for one in self._config.pluginmanager.get_plugins())
            conftests = [file for file in loaded if os.path.basename(file) == "conftest.py"]
            self._found["files"] = digests([*(item.nodeid.partition("::")[0] for item in cases), *conftests], root)
            self._found["uncompiled"] = origins.uncompiled(root, Path(self._config.option.gate_source))
        selected = {item.nodeid for item in cases}
        self._cases = [name for name in collected if name in selected]
        items[:] = drawn(cases, random.Random(self._config.option.gate_order))
        # Cases that share a fixture for several of them stay together, as pytest has it: a fixture can be heavy.
        session._fixturemanager.pytest_collection_modifyitems(items)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            lines = [line.strip() for line in str(report.longrepr).splitlines() if line.startswith("E  ")]
            last = lines[-1][1:].strip() if lines else (str(report.longrepr).strip().splitlines() or ["no reason"])[-1]
            place = _last_place(str(report.longrepr), Path(str(self._config.rootdir)))  # type: ignore[attr-defined]
            self._found["broken"][report.nodeid] = f"{last}; {place}" if place else last

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        outcome = yield
        report = outcome.get_result()
        reason = why(report, call)
        # A case that is measured again in this process, because few are left, may be one that works only once: then that once counts.
        if reason and item.nodeid not in self._ended_well:
            self._found["not_measured"].setdefault(item.nodeid, reason)
        if report.when == "teardown" and item.nodeid not in self._found["not_measured"]:
            self._ended_well.add(item.nodeid)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """The control before the first case and after the last, each within the turn of that case."""
        self._called += 1
        if self._called == 1:
            self._found["control"].append(control())
        yield
        if self._called == len(item.session.items):
            self._found["control"].append(control())

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Iterator[None]:
        """Add what was found to what pytest-benchmark saves, also where it saves nothing and ends in an error: no case has a number then."""
        yield
        self._save()

    def _save(self) -> None:
        option, path = self._config.option, Path(self._config.option.gate_saved)
        saved = path.read_text(encoding="utf-8") if path.exists() else ""
        empty: dict[str, Any] = {
            "machine_info": {},
            "commit_info": {},
            "benchmarks": [],
            "datetime": self._began,
            "version": "?",
        }
        document: dict[str, Any] = json.loads(saved) if saved else empty
        measured = {str(case["fullname"]) for case in document["benchmarks"]}
        reasons = self._found["not_measured"]
        for case in document["benchmarks"]:
            shortest, longest = case["stats"]["min"], case["stats"]["max"]
            if not (TIMES[0] <= shortest and longest <= TIMES[1]):
                reasons.setdefault(case["fullname"], f"a time of {shortest:g} s")
        if not option.collectonly:
            for name in self._cases:
                if name not in measured:
                    reasons.setdefault(name, "never calls benchmark")
        elsewhere = origins.imported_from_elsewhere(Path(str(self._config.rootdir)), Path(option.gate_source))  # type: ignore[attr-defined]
        self._found["not_measured"] = {name: reasons[name] for name in (*self._cases, *reasons) if name in reasons}
        facts = {"format": 1, "cases": self._cases, "elsewhere": elsewhere, **self._found}
        path.write_text(json.dumps({**document, FACTS: facts}), encoding="utf-8")


# Quicker than the plug-in's own, which asks several programs in every process.


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_benchmark_generate_machine_info(config: pytest.Config) -> Any:
    if not config.option.gate_saved:
        return None
    return {
        **{"node": platform.node(), "machine": platform.machine(), "system": platform.system(), "release": platform.release()},
        **{"python_implementation": platform.python_implementation(), "python_version": platform.python_version()},
        "cpu": {"brand_raw": _cpu(), "count": os.cpu_count()},
    }


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_benchmark_generate_commit_info(config: pytest.Config) -> Any:
    return {"dirty": False} if config.option.gate_saved else None


def _cpu() -> str:
    """The processor's name as Linux has it, else as Python has it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return (names or [platform.processor()])[0] or "unknown"


# What it knows


def _last_place(said: str, root: Path) -> str:
    """The last line of code that a failed import names, which need not be in the file that was collected: 'src/it/parse.py, line 7'."""
    found = re.findall(r'^(?:E +File "(.+)", line (\d+)|(\S.*?):(\d+): in )', said, re.MULTILINE)
    if not found:
        return ""
    file, line = (part for part in found[-1] if part)
    inside = os.path.relpath(root / file, root)
    return f"{file if inside.startswith(os.pardir) else inside}, line {line}"


def _is_case(item: pytest.Item) -> bool:
    return "benchmark" in getattr(item, "fixturenames", ()) and not own_fixture(item)


def own_fixture(item: pytest.Item) -> str | None:
    """The file with the fixture `benchmark` of a test where that is the project's own, and does not ask for pytest-benchmark's."""
    known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {}).get("benchmark")
    if not known:
        return None
    function, asks_for = known[-1].func, known[-1].argnames
    if {"benchmark", "request"} & {*asks_for} or function.__module__.startswith(("pytest_benchmark", "pytest_codspeed")):
        return None
    file: str = function.__code__.co_filename
    return file


def digests(files: Iterable[str], root: Path) -> dict[str, str]:
    """What each of these files of a project holds, in a word.   -> path within the project: digest"""
    inside = sorted({root / file for file in files if root in (root / file).parents and (root / file).is_file()})
    return {file.relative_to(root).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in inside}


def drawn(items: list[pytest.Item], order: random.Random, depth: int = 0) -> list[pytest.Item]:
    """The cases in a random order in which those of a folder, of a file and of a class stay together."""
    groups: dict[Any, list[pytest.Item]] = {}
    for item in items:
        chain = item.listchain()
        groups.setdefault(chain[depth] if depth < len(chain) - 1 else item, []).append(item)
    together = list(groups.values())
    order.shuffle(together)
    return [item for group in together for item in (group if len(group) == 1 else drawn(group, order, depth + 1))]


def why(report: pytest.TestReport, call: pytest.CallInfo[None]) -> str | None:
    """Why a case has no number after one of its phases; None if nothing speaks against it."""
    if report.failed:
        lines = call.excinfo.exconly().splitlines() if call.excinfo else str(report.longrepr).splitlines()
        return FAILED + (next((line.strip() for line in lines if line.strip()), report.when) or "")
    if report.skipped:
        if hasattr(report, "wasxfail"):
            return f"expected to fail {report.wasxfail}".strip()
        words = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        return words[len("Skipped: ") :] if words.startswith("Skipped: ") else words
    return None


def control(clock: Callable[[], float] = time.perf_counter) -> list[float]:
    """Seconds of a fixed piece of pure Python, again and again: the same work in every process, so that a change is the machine's.

    The clock is taken when this file is imported: a case can leave another one in the module `time`, which may stand still.
    """
    rounds: list[float] = []
    end = clock() + CONTROL_SECONDS
    while len(rounds) < 5 or clock() < end:
        start = clock()
        piece()
        rounds.append(clock() - start)
    return rounds


def piece(steps: int = 3000) -> int:
    """Whole numbers, a dictionary, a list and texts: what pure Python spends its time on."""
    table: dict[int, int] = {}
    words: list[str] = []
    for step in range(steps):
        key = step * step % 97
        table[key] = table.get(key, 0) + step
        if key == 1:
            words.append(str(table[key]))
    return sum(table.values()) + len("".join(words))


# The gate's side of it


def wrong_place(elsewhere: Mapping[str, Sequence[str]]) -> str | None:
    """The line about the first package that a process imported from another place than its side; None if there is none."""
    for name, (file, own) in elsewhere.items():
        return (
            f"the cases import {name} from {file}, not this side's {own}; "
            "say with --source in which folder of the project its packages are, or take an interpreter without that copy"
        )
    return None


def install(folder: Path) -> None:
    """Put the plug-in, and what it imports, into the folder that a side's processes have on their path."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, file in ((PLUGIN, __file__), (ORIGINS, str(origins.__file__))):
        shutil.copyfile(file, folder / f"{name}.py")

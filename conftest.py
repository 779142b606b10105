"""Options and fixtures for benchmarks and tests alike, and what a saved result says of the machine and the run.

Nothing here imports NumPy or a framework at the top: the numbers of threads have to be set before any of them loads.
"""

from __future__ import annotations

import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

import lenet5
from lenet5.errors import InputError
from lenet5.threads import cpu_quota, usable_cpus

SPIN_VARIABLE, SPIN_COUNT = "GOMP_SPINCOUNT", "30000"
"""How often an OpenMP thread that waits for others looks again before it sleeps: a tenth of libgomp's own number.

Where other programs keep the CPUs busy, threads that spin for each other take the CPU from the thread that they wait for; docs/numbers.md
says what that costs.  What the user says of it stays.
"""

NOT_MEASURED = pytest.StashKey[dict[str, str]]()
IMPLEMENTATIONS = pytest.StashKey[dict[str, Any]]()
RUN_INFO = pytest.StashKey[dict[str, Any]]()
DATASET = pytest.StashKey[Any]()
COLLECTED = pytest.StashKey[dict[str, int]]()
PASSED = pytest.StashKey[set[str]]()
LEFT_OUT = pytest.StashKey[set[str]]()
BASELINES = pytest.StashKey[list[tuple[dict[str, Any], dict[str, Any]]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lenet5", "LeNet-5", after="general")
    group.addoption(
        "--dataset",
        default="colour-digits",
        metavar="NAME",
        help="colour-digits (default), digits, mnist, ..., imagefolder:DIR, imagelist:DIR",
    )
    group.addoption("--threads", type=int, metavar="N", help="threads, equal for all (default: all CPUs)")
    group.addoption("--epochs", type=int, default=30, metavar="N", help="epochs of the cases that train (default: 30)")
    group.addoption(
        "--device",
        default="cpu",
        metavar="DEVICE",
        help="cpu (default) or cuda: where the networks run; the reference that checks them stays on the CPU",
    )
    group.addoption("--shuffle", metavar="SEED", help="run the cases in a random order, the same for the same SEED")
    group.addoption("--no-report", action="store_true", help="save what was measured, but write and print no report")


def pytest_configure(config: pytest.Config) -> None:
    from benchmarks.isolated import caches
    from benchmarks.launch.tied import hear_of_children
    from benchmarks.report import printing
    from benchmarks.saved.provenance import code_sha256
    from benchmarks.saved.variables import THREADS, options_of_python, steering
    from benchmarks.sessions.job_line import JobLine
    from benchmarks.sessions.named_commit import NamedCommit
    from benchmarks.sessions.saving import Saving
    from benchmarks.sessions.stops import Stops

    if not __debug__:
        pytest.exit("PYTHONOPTIMIZE is set (or python -O): Python leaves out assertions, and so checks; unset it", returncode=2)
    if config.getoption("forked", False):
        pytest.exit("--forked: a case that runs in a fork of this process cannot say what it measured; leave it out", returncode=2)
    hear_of_children()
    config.add_cleanup(printing.outlast_readers())
    if config.option.threads is None:
        config.option.threads = usable_cpus()
    for option in ("threads", "epochs"):
        value = config.getoption(option)
        if value < 1:
            pytest.exit(f"--{option} {value}: use a whole number of at least 1", returncode=2)
    try:
        lenet5.reference()  # reads, and so checks, what every framework's file declares
        config.add_cleanup(caches.own_folder().cleanup)
    except InputError as error:
        pytest.exit(str(error), returncode=2)
    own = (variable for framework in lenet5.frameworks() for variable in lenet5.thread_variables(framework))
    thread_variables = (*THREADS, *own)
    os.environ.update(dict.fromkeys(thread_variables, str(config.getoption("threads"))))
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault(SPIN_VARIABLE, SPIN_COUNT)
    if "numpy" in sys.modules:  # a plug-in of pytest loaded it before, and with it the BLAS, which has read its number of threads
        from threadpoolctl import threadpool_limits

        threadpool_limits(config.getoption("threads"))
    _check_options(config)
    config.stash[NOT_MEASURED] = {}
    config.stash[IMPLEMENTATIONS] = {}
    config.stash[RUN_INFO] = {
        "code_sha256": code_sha256(),
        "variables": {
            **steering(os.environ, without=(*thread_variables, *caches.variables())),
            **options_of_python(sys._xoptions),
        },
        "out_of_reach": {},
        "not_installed": {framework: line for framework in lenet5.frameworks() if (line := lenet5.missing(framework))},
    }
    if (quota := cpu_quota()) is not None:
        config.stash[RUN_INFO]["cpu_quota"] = quota
    config.stash[COLLECTED] = {}
    config.stash[PASSED] = set()
    config.stash[LEFT_OUT] = set()
    config.stash[BASELINES] = []
    config.pluginmanager.register(Saving(), "lenet5-saving")
    config.pluginmanager.register(NamedCommit(), "lenet5-named-commit")
    config.pluginmanager.register(Stops(), "lenet5-stops")
    config.pluginmanager.register(JobLine(config), "lenet5-job-line")


def _check_options(config: pytest.Config) -> None:
    """End the session with exit 2 for a device or a dataset that cannot be.  Imports NumPy: the threads have to be set before."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default")  # NumPy warns of variables that are not as it wants them
            from lenet5 import datasets
            from lenet5.contract import DEVICES, check_option
    except Exception as error:  # a variable that NumPy refuses, or a NumPy that is broken
        said = str(error).rpartition("Original error was:")[2]  # NumPy puts a page of advice before it
        pytest.exit(f"NumPy cannot be loaded: {' '.join(said.split())[:300]}", returncode=2)
    try:
        check_option("--device", config.getoption("device"), DEVICES)
        if not config.option.collectonly:
            datasets.check(config.getoption("dataset"))
    except InputError as error:
        line = str(error).removeprefix("dataset: ")
        pytest.exit(line if line.startswith("--") else f"--dataset {line}", returncode=2)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``framework`` and ``mode`` run over all that is installed and that can do what the test asks, found without importing any of it."""
    if not {"framework", "mode"} & {*metafunc.fixturenames}:
        return
    chosen = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    frameworks = [framework for framework in lenet5.frameworks() if _can(metafunc.definition, framework)]
    if "mode" in metafunc.fixturenames:
        pairs = [(framework, mode) for framework in frameworks for mode in _modes(metafunc.definition, framework)]
        slow = {(framework, mode) for framework, mode in pairs if mode in lenet5.variants(framework)}
        if metafunc.definition.get_closest_marker("reference_heavy"):
            slow.add(lenet5.reference())
        values = [pytest.param(*pair, id="-".join(pair), marks=[pytest.mark.heavy] * (pair in slow)) for pair in pairs]
        metafunc.parametrize(("framework", "mode"), values)
    elif "framework" in metafunc.fixturenames and "framework" not in chosen:
        metafunc.parametrize("framework", frameworks)


def _can(test: pytest.Item, framework: str) -> bool:
    """Whether the packages that a framework declares are installed, and it trains where the test does."""
    training = any(test.get_closest_marker(marker) for marker in ("trains", "trained_mode"))
    return not lenet5.missing(framework) and (lenet5.trains(framework) or not training)


def _modes(test: pytest.Item, framework: str) -> tuple[str, ...]:
    """The modes of a framework that a test runs in: one where it is marked so, else all."""
    if test.get_closest_marker("default_mode"):
        return lenet5.modes(framework)[:1]
    return (lenet5.trained_in(framework),) if test.get_closest_marker("trained_mode") else lenet5.modes(framework)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """``--shuffle``; and whatever the order, a case marked ``place("first")`` or ``place("last")`` goes there."""
    config.stash[COLLECTED] = {item.nodeid: position for position, item in enumerate(items)}
    seed = config.getoption("shuffle")
    if seed is not None:
        random.Random(seed).shuffle(items)
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    marker = item.get_closest_marker("place")
    return {"first": -1, "last": 1}[marker.args[0]] if marker else 0


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """In a process of a gate's pair, import the frameworks of the selected cases, and load the data set, before the two processes meet at
    their first case.

    Alone, a process imports each framework when its first case needs it: until then no idle thread of that framework disturbs the others'
    cases.  What cannot be imported or loaded is for the cases to name.
    """
    if not session.config.pluginmanager.has_plugin("lenet5-baton"):
        return
    cases = [item for item in session.items if "implementation" in getattr(item, "fixturenames", ()) and hasattr(item, "callspec")]
    names = {str(case.callspec.params["framework"]) for case in cases if "framework" in case.callspec.params}
    # PyTorch before TensorFlow, always: triton, which comes with PyTorch's CUDA builds, does not bear it the other way round.
    for name in sorted(names, reverse=True):
        with suppress(Exception):
            lenet5.implementation(name)
    if any("dataset" in getattr(item, "fixturenames", ()) for item in session.items):
        with suppress(Exception):
            _loaded(session.config)


@pytest.fixture
def implementation(framework: str, pytestconfig: pytest.Config) -> Any:
    """The framework's LeNet5, or a skip where it is not installed.  Installed but broken is an error, never a skip."""
    try:
        found = lenet5.implementation(framework)
    except lenet5.NotInstalled as error:
        pytest.skip(str(error))
    wanted, actual = pytestconfig.getoption("threads"), found.describe()["threads"]
    if actual is not None and actual != wanted:
        raise RuntimeError(f"{framework} runs on {actual} threads, not {wanted}: with unequal threads there is no comparison")
    pytestconfig.stash[IMPLEMENTATIONS][framework] = found
    return found


@pytest.fixture
def build(implementation: Any, framework: str, mode: str, pytestconfig: pytest.Config) -> Callable[..., Any]:
    """build(weights, **options) -> a network in this framework and mode, on the device that ``--device`` names.

    Skips where this mode cannot run such a network, this machine lacks what the mode needs, the framework cannot reach the device, or a
    setting of the user's turns the mode off.  A network whose first calls are not what its mode's name says is an error.
    """
    from benchmarks.arrange import honest

    def make(weights: Any, **options: Any) -> Any:
        try:
            net = implementation(weights, mode=mode, **{"device": pytestconfig.getoption("device"), **options})
        except lenet5.NoDevice as error:
            pytestconfig.stash[RUN_INFO]["out_of_reach"][framework] = str(error)
            pytest.skip(str(error))
        except (lenet5.NotSupported, lenet5.NotInstalled) as error:
            pytest.skip(str(error))
        return honest.watched(net, f"{framework} {mode}")

    return make


def _loaded(config: pytest.Config) -> Any:
    """The data set, loaded once a session."""
    from lenet5 import datasets

    if DATASET not in config.stash:
        config.stash[DATASET] = datasets.load(config.getoption("dataset"))
    return config.stash[DATASET]


@pytest.fixture(scope="session")
def dataset(pytestconfig: pytest.Config) -> Any:
    """The images and labels that ``--dataset`` names.  If they cannot be had, nothing else can: the session ends with exit 2."""
    from lenet5 import training

    try:
        data = _loaded(pytestconfig)
    except (lenet5.InputError, lenet5.NotInstalled) as error:
        pytest.exit(f"--dataset {error}", returncode=2)
    if (images := len(data.train.labels)) < training.BATCH:
        right = f"{training.BATCH} or more, the batch of the cases that train, would be right"
        pytest.exit(f"--dataset {data.name}: {images} training images; {right}", returncode=2)
    pytestconfig.stash[RUN_INFO]["dataset"] = {
        "name": data.name,
        "channels": data.channels,
        "classes": data.classes,
        "train_images": len(data.train.labels),
        "validation_images": len(data.validation.labels),
        "test_images": len(data.test.labels),
    }
    return data


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Remember why a benchmark has no number: the report shows a dash and the reason, never nothing."""
    from benchmarks.saved.results import FAILED

    outcome = yield
    report = outcome.get_result()
    if report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        item.config.stash[NOT_MEASURED][item.nodeid] = reason.removeprefix("Skipped: ")
    elif report.failed:
        message = str(call.excinfo.value).strip() if call.excinfo else ""
        item.config.stash[NOT_MEASURED][item.nodeid] = f"{FAILED}{message.splitlines()[0] if message else report.when}"
    elif report.when == "call":
        item.config.stash[PASSED].add(item.nodeid)


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Remember what was left out on purpose: it has not vanished."""
    for item in items:
        item.config.stash[LEFT_OUT].add(item.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_benchmark_compare_machine_info(
    config: pytest.Config, machine_info: dict[str, Any], compared_benchmark: dict[str, Any]
) -> Iterator[None]:
    """Remember what is compared with, and this machine; what differs can be told when the frameworks have been used.

    The plug-in itself compares every fact before anything has run, and prints all of both sides: they always differ.  A baseline that
    cannot be read ends the session before anything is measured.
    """
    from benchmarks.saved import baseline
    from lenet5 import InputError

    try:
        baseline.check(compared_benchmark, f"--benchmark-compare={config.getoption('benchmark_compare')}")
    except InputError as error:
        pytest.exit(str(error), returncode=2)
    config.stash[BASELINES].append((compared_benchmark, machine_info))
    then = compared_benchmark["machine_info"]
    compared_benchmark["machine_info"] = machine_info
    yield
    compared_benchmark["machine_info"] = then


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """What the numbers depend on beyond the plug-in's own record.  Only frameworks that this session used are asked."""
    from benchmarks.saved.results import FORMAT
    from benchmarks.sessions.ended import not_run

    framework, mode = lenet5.reference()
    known = config.stash[PASSED] | config.stash[NOT_MEASURED].keys()
    installed = [name for name in lenet5.frameworks() if name not in config.stash[RUN_INFO]["not_installed"]]
    machine_info["lenet5"] = {
        "format": FORMAT,
        "threads": config.getoption("threads"),
        "device": config.getoption("device"),
        "epochs": config.getoption("epochs"),
        "shuffle": config.getoption("shuffle"),
        "frameworks": {name: found.describe() for name, found in config.stash[IMPLEMENTATIONS].items()},
        "modes": {name: lenet5.modes(name) for name in installed},
        "gpu_only": {name: lenet5.gpu_only(name) for name in installed},
        "colours": {name: lenet5.colour(name) for name in installed},
        "trains": {name: lenet5.trains(name) for name in installed},
        "reference": {"framework": framework, "mode": mode},
        "not_measured": {**config.stash[NOT_MEASURED], **not_run(config, known)},
        **config.stash[RUN_INFO],
    }


def pytest_benchmark_update_json(config: pytest.Config, output_json: dict[str, Any]) -> None:
    """Cases in the order of their collection, in whichever order they ran.

    A case that failed after its measurement has no number, nor has one that was interrupted: it may lack what it records at its end.
    """
    numbers = config.stash[PASSED] - config.stash[NOT_MEASURED].keys()
    passed = [case for case in output_json["benchmarks"] if case["fullname"] in numbers]
    output_json["benchmarks"] = sorted(passed, key=lambda case: config.stash[COLLECTED].get(case["fullname"], 0))


@pytest.hookimpl(tryfirst=True)
def pytest_benchmark_group_stats(config: pytest.Config, benchmarks: list[Any], group_by: str) -> list[tuple[str | None, list[Any]]]:
    """Let ``--benchmark-group-by=param:batch`` group cases of which some have no such parameter: those are one group more.

    The plug-in alone ends in a KeyError for them.
    """
    from pytest_benchmark import plugin

    names = {part.removeprefix("param:") for part in group_by.split(",") if part.startswith("param:")}
    grouped: list[Any] = []
    lacking: list[Any] = []
    for case in benchmarks:
        (grouped if names <= {*(case["params"] or ())} else lacking).append(case)
    groups: list[tuple[str | None, list[Any]]] = plugin.pytest_benchmark_group_stats(config, grouped, group_by)
    return [*groups, (f"without {' or '.join(sorted(names))}", lacking)] if lacking else groups


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> Iterator[None]:
    """The report after all else that the session has to say; the plug-in's own table only where one of its display options is named."""
    from benchmarks.report import after_session

    session = getattr(config, "_benchmarksession", None)
    if session and not after_session.table_is_asked_for(config):
        session.quiet = True
    yield
    _warn_of_baseline(terminalreporter, config)
    if not config.getoption("no_report"):
        after_session.write_report(terminalreporter, config)


def _warn_of_baseline(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what --benchmark-compare passes over: cases that vanished, other circumstances than those of the baseline."""
    from benchmarks.saved import baseline

    session = getattr(config, "_benchmarksession", None)
    for document, machine_info in config.stash[BASELINES] if session and not session.disabled else ():
        pytest_benchmark_update_machine_info(config, machine_info)
        measured = {case.fullname for case in session.benchmarks} & config.stash[PASSED] - config.stash[NOT_MEASURED].keys()
        asked = [os.path.relpath(argument, config.rootpath) for argument in config.args]
        found = baseline.remarks(document, machine_info, measured, config.stash[LEFT_OUT], asked)
        if found:
            terminalreporter.section(
                f"LeNet-5: the baseline of {document.get('datetime', 'unknown date')} does not fit", red=True, bold=True
            )
        for line in found:
            terminalreporter.write_line(line, red=True)

"""README, CONTRIBUTING and docs keep their word: snippets run, command lines parse, links and names lead somewhere."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import pkgutil
import re
import subprocess
import sys
from configparser import ConfigParser
from itertools import pairwise

import numpy as np
import pytest
import yaml
from numpy.testing import assert_allclose, assert_array_equal
from pytest_benchmark.cli import make_parser

import lenet5
from benchmarks import __main__ as main
from lenet5 import __main__ as commands
from lenet5 import cost
from tests.support import gated_again, pages, shell
from tests.support.copies import PROJECT

PAGES = pages.written_by_hand()
CONTRIBUTING, README, NETWORKS = PROJECT / "CONTRIBUTING.md", PROJECT / "README.md", PROJECT / "docs" / "networks.md"
LENET5 = PROJECT / "docs" / "lenet5.md"

PICTURE = PROJECT / "docs" / "result" / "by-hand.svg"

LONGEST = 150
"""Columns of a line of prose, and lines of the README."""

SPLIT = re.compile(r"^\|.*\n\n+(\|.*)$(?!\n\|[-:| ]+\|$)", re.MULTILINE)
"""A row behind a blank line behind a row, and no head: no rule follows it."""

EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(PROJECT)))


def read(page):
    return page.read_text(encoding="utf-8")


def test_pages():
    """The tests below look at what a reader looks at."""
    names = {str(path.relative_to(PROJECT)) for path in PAGES}
    assert {"README.md", "CONTRIBUTING.md", "docs/numbers.md", "docs/gate.md", "docs/gate/README.md", "docs/versions.md"} <= names
    assert not names & {"docs/gate/study.md", "docs/versions/report.md"}


# -------------------------------------------------------------------------------------------------------------- snippets


@pytest.fixture
def run_snippets(monkeypatch, tmp_path):
    """run_snippets(page) -> what its Python leaves in an empty namespace, from top to bottom in an empty folder; lines printed."""

    def run(page):
        found, printed = {"__name__": "snippets"}, io.StringIO()
        monkeypatch.chdir(tmp_path)
        with contextlib.redirect_stdout(printed):
            for block in pages.blocks(read(page), "python"):
                exec(compile(block, str(page), "exec"), found)  # noqa: S102
        return found, printed.getvalue().splitlines()

    return run


@pytest.mark.parametrize("page", [page for page in PAGES if pages.blocks(read(page), "python")], ids=lambda page: page.stem)
def test_snippets_run(run_snippets, page):
    """As printed, and a comment behind a print is what it prints."""
    _, printed = run_snippets(page)

    promised = re.findall(r"^print\(.*\)  # (.*)$", "\n".join(pages.blocks(read(page), "python")), re.MULTILINE)
    left = iter(printed)
    assert all(line in left for line in promised), (promised, printed)


def test_three_lines_make_a_network_smaller(run_snippets):
    """At most half of the multiplications, and the logits of the reference; zeros, a lower rank and int8 as the other lines say."""
    (lines,) = [block for block in pages.blocks(read(NETWORKS), "python") if "structured.choose" in block]
    assert len([line for line in lines.splitlines() if line and not line.startswith("from ")]) == 3

    found, _ = run_snippets(NETWORKS)

    assert cost.forward_macs(found["smaller"]) <= 327_540 == cost.forward_macs(found["weights"]) / 2
    expected = lenet5.implementation("numpy")(found["smaller"], mode="loops").predict(found["images"])
    assert_allclose(found["logits"], expected, rtol=1e-6, atol=1e-5)
    assert np.count_nonzero(found["sparse"]["fc1.weight"]) == 4800
    assert found["low_rank"]["fc1.weight"].shape == (120, 32)
    assert {layer.weight.dtype for layer in found["int8"].values()} == {np.dtype(np.int8)}


def test_five_lines_train_a_network(run_snippets):
    """They read images, train, evaluate and save: most of the test images are right, and the file is whole."""
    (lines,) = [block for block in pages.blocks(read(LENET5), "python") if "save_weights" in block]
    assert len([line for line in lines.splitlines() if line and not line.startswith("import ")]) == 5

    found, _ = run_snippets(LENET5)

    assert found["accuracy"] > 0.8
    weights, said = lenet5.load_network("net.safetensors")
    assert_array_equal(weights["fc3.bias"], found["net"].weights()["fc3.bias"])
    assert said.names == tuple("0123456789")


def test_the_drawing_is_the_commands(capsys):
    """The drawing of the network, between two marks, is what the command beside the first one prints."""
    ((line, drawing),) = re.findall(
        r"^<!-- drawing: python -m lenet5 (.*) -->\n\n```text\n(.*?)```\n\n<!-- end -->$", read(LENET5), re.MULTILINE | re.DOTALL
    )
    assert commands.main(line.split()) == 0
    assert capsys.readouterr().out == drawing


def test_ten_files_to_read():
    """The reading order names ten files, one sentence each; that they exist is for another test."""
    files = re.findall(r"^\d+\. `(lenet5/[\w/]+\.py)`: [^.]+\.$", read(LENET5), re.MULTILINE)
    assert len(set(files)) == len(files) == 10


# --------------------------------------------------------------------------------------------------------- command lines


def command_lines(page, folder):
    """Every program that a page starts, as lists of words: in blocks of bash, in the steps of workflows, between backticks."""
    text = read(page)
    steps = [step for block in pages.blocks(text, "yaml") for step in yaml.safe_load(block)]
    quoted = [code for code in pages.quoted(text) if re.match(r"(python3?|pytest|tox|pip|ruff|\.ci/\w+) ", code)]
    scripts = [*pages.blocks(text, "bash"), *(step["run"] for step in steps if "run" in step), *quoted]
    found = []
    for number, script in enumerate(scripts):
        place = folder / f"script-{number}"
        place.mkdir()
        found += shell.commands(
            script.partition(" [")[0] if script in quoted else script, place
        )  # [OPTION ...] is left to the reader
    return found


def check(program, *words):
    """Raise unless a program takes these words, which every kind of program says for itself.   -> command lines of pytest in it"""
    if program in ("python", "python3"):
        option, module, *rest = words
        assert option == "-m", words
        return CHECKS[f"python -m {module}"](*rest)
    return CHECKS[program](*words) if program in CHECKS else check_script(program, *words)


def check_benchmarks(*words):
    if not words:
        return []  # it lists the commands
    options = vars(main.parse(words))
    if not {"expression", "processes"} & options.keys():
        return []
    if options.get("project"):
        return []  # the cases are another project's
    expression = ["-k", options["expression"]] if options.get("expression") else []
    cases = options.get("cases") or ("benchmarks/twins.py" if "save" in options else "benchmarks")
    return [[cases, *expression, *options["pytest"]]]


def check_lenet5(*words):
    assert commands.parse(words).function
    return []


def check_pytest(*words):
    where = () if any(word.startswith(("benchmarks", "tests/")) for word in words) else ("tests/lenet5/test_agreement.py",)
    return [[*where, *words]]


def check_tox(*words):
    """Every environment is one that tox.ini generates; what follows -- goes to what that environment runs."""
    if words == ("list",):
        return []
    end = words.index("--") if "--" in words else len(words)
    options, rest = words[:end], words[end + 1 :]
    names = options[options.index("-e") + 1].split(",") if "-e" in options else ["py311"]
    assert set(options) <= {"-e", ",".join(names), "--notest"}, words
    for name in names:
        assert is_environment(name), name
    if names[0].endswith("bench"):
        return check_benchmarks("run", *rest)
    return check_pytest(*rest)


def is_environment(name):
    """Whether tox.ini has a section for it, or knows each of its factors."""
    tox = ConfigParser(interpolation=None)
    tox.read(PROJECT / "tox.ini")
    listed, factors = tox["tox"]["env_list"], set(re.findall(r"^(\w+):", tox["testenv"]["deps"], re.MULTILINE))
    pythons = {f"py{minor}" for group in re.findall(r"py\{?([\d,]+)", listed) for minor in group.split(",")}
    return f"testenv:{name}" in tox or set(name.split("-")) <= {*factors, *pythons, "bench"}


def check_pip(*words):
    """Files are there, extras are the project's, and an exact version is that of constraints.txt; what another Python gets is that's."""
    if words[0] == "--python":
        assert words[2] == "install", words
        return []
    assert words[0] in ("install", "uninstall")
    constraints = read(PROJECT / "constraints.txt").splitlines()
    extras = re.search(r"^\[project.optional-dependencies\]\n(.*?)^\[", read(PROJECT / "pyproject.toml"), re.MULTILINE | re.DOTALL)
    for option, value in pairwise(words):
        if option == "-c":
            assert (PROJECT / value).exists(), value
        if option in ("-e", "install") and (found := re.fullmatch(r"\.\[([\w,]+)\]", value)):
            for extra in found[1].split(","):
                assert re.search(rf"^{extra} = ", extras[1], re.MULTILINE), value
        elif option == "-e":
            assert value == ".", value
        if "==" in value:
            assert value in constraints, value
    return []


def check_git(*words):
    """Git has the command."""
    command = words[2] if words[0] == "-C" else words[0]
    assert subprocess.run(["git", command, "-h"], capture_output=True, check=False).returncode == 129, words
    return []


def check_script(program, *words):
    """A script of .ci is there, and passes on to the program that it is about."""
    assert (PROJECT / program).exists(), program
    if program == ".ci/gate":
        return check_benchmarks("gate", "--base", *words)
    if program == ".ci/versions":
        assert words[0].isupper() or is_environment(words[0]), words  # ENVIRONMENT is left to the reader
    return []


def check_comparison(*words):
    make_parser().parse_args(words)
    return []


def check_dask(*words):
    """Dask's own parser takes the options, which wants files that exist; nothing is started."""
    command, *options = (__file__ if word.endswith(".pem") else word for word in words)
    importlib.import_module(f"distributed.cli.dask_{command}").main.make_context(command, options)
    return []


def check_gated_again(*words):
    """Its own parser takes the words, and that of the gate those behind the two hyphens."""
    asked = gated_again.make_parser().parse_args(words)
    return [] if asked.make else check_benchmarks("gate", *asked.gate)


CHECKS = {
    "dask": check_dask,
    "python -m benchmarks": check_benchmarks,
    "python -m lenet5": check_lenet5,
    "python -m tests.support.gated_again": check_gated_again,
    "python -m venv": lambda *words: [],
    "pytest": check_pytest,
    "pytest-benchmark": check_comparison,
    "tox": check_tox,
    "pip": check_pip,
    "python -m pip": check_pip,
    "git": check_git,
    **dict.fromkeys(("ruff", "mypy", "pre-commit"), lambda *words: []),
}


@pytest.mark.parametrize(
    "some",
    [[README], pytest.param([page for page in PAGES if page != README], marks=pytest.mark.slow)],
    ids=["README", "the others"],
)
def test_command_lines(some, tmp_path, capsys):
    """Each is taken by the program that it names; pytest takes those that are its own, and finds at least one case for each."""
    pytests = {}
    for number, page in enumerate(some):
        place = tmp_path / str(number)
        place.mkdir()
        for line in command_lines(page, place):
            try:
                found = check(*line)
            except SystemExit as end:
                if end.code:  # 0 after --help
                    pytest.fail(f"{page}: {line}: {capsys.readouterr().err}")
            else:
                pytests |= {tuple(words): page for words in found}

    # Of lines that a loop makes, which differ in the seed and in the file that they save, one is enough.
    loop = r"(?<=--shuffle )\d+|(?<=--benchmark-json )\S+"
    distinct = {re.sub(loop, "", " ".join(words)): words for words in pytests}
    for words, (code, said) in collect(*sorted(distinct.values())).items():
        assert code == 0, f"{pytests[words]}: pytest {words}: {said[-1000:]}"


COLLECT = """
import contextlib, io, json, os, sys
import pytest

before = dict(os.environ)
for words in json.load(sys.stdin):
    os.environ.clear()
    os.environ.update(before)  # each session has folders of its own, and puts them into those that the environment names
    with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(said):
        code = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", *words])
    print(json.dumps([words, code, said.getvalue()]))
"""


def collect(*lines):
    """How pytest ends that only collects, and what it says, by the words it is given: 5 where there is no case, 4 where it knows no option."""
    done = subprocess.run(
        [sys.executable, "-c", COLLECT], input=json.dumps(lines), cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(lines)
    return {tuple(words): (int(code), said) for words, code, said in found}


def test_there_are_command_lines(tmp_path):
    """The test above looks at something: lines in loops and functions, with options for pytest, in steps of a workflow."""
    (tmp_path / "versions").mkdir()
    (tmp_path / "study").mkdir()
    versions = command_lines(PROJECT / "docs" / "versions.md", tmp_path / "versions")
    study = command_lines(PROJECT / "docs" / "gate" / "README.md", tmp_path / "study")
    assert [".ci/versions", "py312-tf218-torch212"] in versions
    assert len([line for line in study if line[:4] == ["python", "-m", "benchmarks", "gate"]]) == 5
    assert check(*study[0]) == [["benchmarks"]]


@pytest.mark.parametrize(
    "script",
    [
        "python -m benchmarks gate --study a",
        "python -m benchmarks run --threads 1",
        "python -m lenet5 train digits --nosuch",
        "tox -e py312-tf299-torch214",
        "pip install -e '.[nosuch]'",
        "pip install torch==0.1",
        ".ci/nosuch main",
        "nosuch",
        "for x in 1 2; do",
    ],
)
def test_a_wrong_command_line_is_found(script, tmp_path):
    """An option, environment, extra, version, script or program that does not exist is an error, and so is half a loop."""

    def run():
        return [check(*line) for line in shell.commands(script, tmp_path)]

    with pytest.raises((SystemExit, AssertionError, ValueError)):
        run()


@pytest.mark.slow
@pytest.mark.parametrize(("words", "code"), [(("benchmarks", "-k", "nosuch"), 5), (("benchmarks", "--nosuch"), 4)])
def test_a_wrong_line_of_pytest_is_found(words, code):
    """So is a selection of nothing, and an option that pytest does not know."""
    ((found, _),) = collect(words).values()
    assert found == code


# -------------------------------------------------------------------------------------------------------- links and names


@EACH_PAGE
def test_links(page):
    """Every link leads to a file of this repository, and to a heading that is there."""
    for target in pages.links(read(page)):
        name, _, heading = target.partition("#")
        path = page.parent / name if name else page
        assert path.exists(), target
        if heading:
            assert heading in pages.headings(read(path)), target


@EACH_PAGE
def test_names(page):
    """Files and modules that the prose names exist."""
    for name in pages.quoted(read(page)):
        if re.fullmatch(r"(lenet5|benchmarks|tests|docs|\.ci|\.github)/[\w./*-]*|(pyproject|tox|constraints|conftest)\.\w+", name):
            assert list(PROJECT.glob(name.rstrip("/"))), name
        elif dotted := re.match(r"(?:lenet5|benchmarks)(?:\.\w+)+", name):
            assert pkgutil.resolve_name(dotted[0]) is not None, name


# ------------------------------------------------------------------------------------------------------------------ words


@EACH_PAGE
def test_lines_are_short(page):
    """Tables and code apart, a line can be read without scrolling."""
    lines = [line for line in pages.prose(read(page)).splitlines() if not line.startswith("|")]
    assert [line for line in lines if len(line) > LONGEST] == []


@EACH_PAGE
def test_no_table_is_split(page):
    """A blank line within a table ends it: GitHub shows the rows behind it as text.  A table of its own begins with a head and a rule."""
    assert not SPLIT.findall(pages.prose(read(page)))


@EACH_PAGE
def test_no_cell_is_blank(page):
    """Where a table has nothing to say it says why."""
    assert [row for row in pages.rows(read(page)) if "" in row[1:]] == []


@EACH_PAGE
def test_one_word_for_one_thing(page):
    """The homework report is the original report, its checker the reference; programs and threads are no persons."""
    assert re.findall(r"\b(?:oracle|whoever|nobody|somebody|everybody|[Tt]he seed)\b", pages.sentences(read(page))) == []


def test_readme_is_short():
    assert len(read(README).splitlines()) <= LONGEST


def test_readme_has_the_two_lines():
    """One line measures, one tests, each from a fresh clone; .ci/run takes the second from here."""
    begin = "python3 -m venv .venv && . .venv/bin/activate && pip install -c constraints.txt -e "
    lines = read(README).splitlines()
    assert [line for line in lines if line.endswith("benchmark-autosave")] == [
        f"{begin}'.[all]' && pytest benchmarks --benchmark-autosave"
    ]
    assert [line for line in lines if line.endswith("&& pytest")] == [f"{begin}'.[test]' && pytest"]


def test_readme_has_the_result(tmp_path):
    """Between two marks, the first of which is the command that gives it, and with how to read it."""
    ((command, result),) = re.findall(
        r"^<!-- result: (python .*?) -->\n(.*?)^<!-- end -->$", read(README), re.MULTILINE | re.DOTALL
    )

    for line in shell.commands(command, tmp_path):
        check(*line)
    assert "Below 1, NumPy is faster." in result
    assert pages.rows(result)


@pytest.mark.xfail(not PICTURE.exists(), reason="the picture of the result is not made yet", strict=True)
def test_readme_has_the_picture():
    """With words for those who cannot see it."""
    assert re.search(rf"^!\[.{{20,}}\]\({PICTURE.relative_to(PROJECT)}\)$", pages.prose(read(README)), re.MULTILINE)


def test_every_room_is_on_the_map():
    """CONTRIBUTING says of every room which question it answers, and of no other."""
    rooms = {path.parent.name for path in (PROJECT / "benchmarks").glob("*/__init__.py")}
    table = read(CONTRIBUTING).partition("| room | question")[2].partition("\n\n")[0]
    assert {row[0] for row in pages.rows(f"| room | question{table}\n")} == {"the cases", *rooms}


def test_a_framework_is_explained_whole():
    """The page on frameworks names every literal and every method of the contract."""
    page = read(PROJECT / "docs" / "frameworks.md")
    members = {name for name in [*vars(lenet5.Network), *lenet5.Network.__annotations__] if not name.startswith("_")}
    assert members >= {"modes", "predict"}
    assert {name for name in members if f"`{name}`" not in page} == set()

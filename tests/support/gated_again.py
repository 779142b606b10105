"""The same gate again and again, each in a process of its own: its exit code, how long it took, and what it called slower.

    python -m tests.support.gated_again --times 10 -- --base HEAD --head HEAD -k "numpy and not loops"
    python -m tests.support.gated_again --times 10 --ten-cases -- --base same --head slower

With ``--ten-cases`` it gates a project that it makes: ten cases of pure Python, and eight commits.  The first is called ``same``, the sixth
``slower``, because it makes one case do a twentieth more, and the last ``last``; the others change no code.

    python -m tests.support.gated_again --make DIR

only makes that project.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.quantities.statistics import share_interval
from benchmarks.quantities.units import counted
from benchmarks.saved.provenance import ROOT
from tests.support.fake_project import commit, git

NAMES = {1: "same", 6: "slower", 8: "last"}
"""The commits of the project that have names, by their number."""

WORK = """
import collections, difflib, fnmatch, fractions, json, re, string, textwrap

TURNS = {turns}
TEXT = " ".join(f"{{word}} {{word[::-1]}}" for word in map(str, range(700)))
TABLE = [{{"number": number, "name": str(number), "next": [number + 1, None, True]}} for number in range(120)]


def loop():
    total = 0
    for turn in range(TURNS):
        total += turn & 7
    return total


def words():
    return collections.Counter(TEXT.split())


def encode():
    return json.dumps(TABLE, indent=1)


def parse():
    return json.loads(json.dumps(TABLE))


def match():
    return [found.group() for found in re.finditer(r"(\\d)(\\d)\\1", TEXT)]


def ordered():
    return sorted(TABLE, key=lambda row: (row["number"] % 7, row["name"]))


def exact():
    return sum(fractions.Fraction(1, number) for number in range(1, 60))


def wrapped():
    return textwrap.wrap(TEXT[:1500], 40)


def alike():
    return difflib.SequenceMatcher(None, TEXT[:150], TEXT[100:250]).ratio()


def chosen():
    return fnmatch.filter(TEXT.split(), "*1?2*")
"""

CASES = """
import pytest

import work

NAMES = "loop words encode parse match ordered exact wrapped alike chosen".split()


@pytest.mark.parametrize("name", NAMES)
def test_work(benchmark, name):
    benchmark(getattr(work, name))
"""


def ten_cases(folder: Path) -> None:
    """Make the project."""
    slower = next(number for number, name in NAMES.items() if name == "slower")
    for part in ("src", "benchmarks"):
        (folder / part).mkdir(parents=True)
    (folder / "benchmarks" / "test_work.py").write_text(CASES, encoding="utf-8")
    for number in range(1, max(NAMES) + 1):
        (folder / "src" / "work.py").write_text(WORK.format(turns=20000 if number < slower else 21000), encoding="utf-8")
        (folder / "NOTES").write_text(f"Commit {number}.\n", encoding="utf-8")
        commit(folder, f"number {number}")
        if number in NAMES:
            git(folder, "tag", NAMES[number])


@dataclass(frozen=True)
class Gated:
    """One gate."""

    code: int
    seconds: float
    pairs: int
    verdicts: Sequence[tuple[str, str]]
    """Case and verdict of every row."""


def gated(arguments: Sequence[str], seed: int) -> Gated:
    """Run a gate as a user would."""
    with tempfile.TemporaryDirectory() as folder:
        outcome, raw = Path(folder, "outcome.json"), Path(folder, "raw")
        line = [sys.executable, "-m", "benchmarks", "gate", *arguments, "--seed", str(seed), "--json", outcome, "--output", raw]
        begin = time.perf_counter()
        done = subprocess.run(list(map(str, line)), cwd=ROOT, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - begin
        if not outcome.exists():
            raise SystemExit(done.stderr)
        found = json.loads(outcome.read_text(encoding="utf-8"))
    return Gated(done.returncode, seconds, found["pairs"], [(row["case"], row["verdict"]) for row in found["verdicts"]])


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--ten-cases", action="store_true")
    parser.add_argument("--make", type=Path, metavar="DIR")
    parser.add_argument("gate", nargs="*", help="the arguments of the gate, behind a --")
    return parser


def main() -> None:
    options = make_parser().parse_args()
    if options.make:
        ten_cases(options.make)
        return
    with tempfile.TemporaryDirectory() as folder:
        arguments = list(options.gate)
        if options.ten_cases:
            project = Path(folder, "ten-cases")
            ten_cases(project)
            arguments += ["--project", str(project)]
        found = []
        for number in range(1, options.times + 1):
            found.append(gated(arguments, number))
            print(line_of(number, found[-1]), flush=True)
    print(summary(found))


def line_of(number: int, one: Gated) -> str:
    counts = Counter(verdict for _, verdict in one.verdicts)
    said = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    slower = " ".join(case for case, verdict in one.verdicts if verdict == "slower")
    return f"{number}: exit {one.code}, {one.seconds:.0f} s, {counted(one.pairs, 'pair')}: {said} {slower}".rstrip()


def summary(found: Sequence[Gated]) -> str:
    """How often each exit code came, with its interval, and the times of the gates."""
    lines = []
    for code, count in sorted(Counter(one.code for one in found).items()):
        low, high = share_interval(count, len(found))
        lines.append(f"exit {code}: {count} of {len(found)} [{100 * low:.0f} %, {100 * high:.0f} %]")
    seconds = sorted(one.seconds for one in found)
    lines.append(f"seconds: median {statistics.median(seconds):.0f}, from {seconds[0]:.0f} to {seconds[-1]:.0f}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

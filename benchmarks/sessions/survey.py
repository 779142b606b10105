"""Which cases do both sides have?  Counted by a session of each that collects and measures nothing, so that bad input is one line at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.saved.files import read_json
from benchmarks.sessions import guest, worktrees
from benchmarks.sessions.plan import Plan
from benchmarks.sessions.process import execute, last_words
from benchmarks.sessions.sides import Side
from benchmarks.sessions.signals import Signals
from lenet5.errors import InputError

COLLECTED = (0, 1, 5)
"""The exit codes of a pytest that collected all that it could: everything, not every file, and nothing.  With any other one the cases that
it found need not be those that were asked for."""


@dataclass(frozen=True)
class Survey:
    """What both sides have, and what only one of them has."""

    plan: Plan
    """The plan with the place where cases were found."""
    alone: Mapping[str, Sequence[str]]
    """The ids of the cases that only this side has, by its role."""
    remarks: Sequence[str] = ()
    """What the user has to hear of: what was overruled, and what could not be collected."""


def survey(sides: Mapping[str, Side], plans: Sequence[Plan], signals: Signals) -> Survey:
    """The first of some plans that both sides have cases for.  Of a project whose cases tell by themselves what is wrong, the first plan.

    Raises InputError, one line, if there is no such plan, or a side cannot be collected, or its cases import the project from elsewhere.
    """
    if not all(side.of.surveyed for side in sides.values()):
        return Survey(plans[0], {})
    tried = [plan for plan in plans if all((side.project / plan.cases).exists() for side in sides.values())]
    if not tried:
        raise InputError(_no_place(sides, plans))
    for plan in tried:
        with ThreadPoolExecutor(len(sides)) as all_at_once:
            running = {role: all_at_once.submit(_collected, side, plan, signals) for role, side in sides.items()}
        facts = {role: found.result() for role, found in running.items()}
        if any(found["cases"] for found in facts.values()):
            return _compared(sides, plan, facts)
    raise InputError(_no_case(sides, tried, facts))


def _collected(side: Side, plan: Plan, signals: Signals) -> Mapping[str, Any]:
    """What a side's pytest collects.  Raises InputError if it cannot."""
    folder = side.scratch / f"survey-{side.role}"
    folder.mkdir(exist_ok=True)
    session = side.of.session(replace(plan, options=(*plan.options, guest.COLLECT, "-q")), side.place(), folder, 0)
    saved, log = folder / "collected.json", folder / "collected.log"
    saved.unlink(missing_ok=True)
    with log.open("w", encoding="utf-8") as output:
        code = execute(session.command(saved), session.place, output, signals)
    if code not in COLLECTED or not (saved.exists() and saved.stat().st_size):
        words = last_words(log, side.project)
        lacking = f"; {side.python} lacks the plug-in that has them: install it there" if "unrecognized arguments" in words else ""
        raise InputError(f"{side.option}: pytest cannot collect {plan.cases} (exit code {code}): {words}{lacking}")
    facts: Mapping[str, Any] = read_json(saved, "what pytest collected")[guest.FACTS]
    if line := guest.wrong_place(facts["elsewhere"]):
        raise InputError(f"{side.option}: {line}")
    return facts


def _compared(sides: Mapping[str, Side], plan: Plan, facts: Mapping[str, Mapping[str, Any]]) -> Survey:
    """What both have.  Raises InputError if that is nothing, or if a file cannot be collected on one side alone."""
    have = {role: set(found["cases"]) for role, found in facts.items()}
    broken = {role: found["broken"] for role, found in facts.items()}
    everywhere = set.intersection(*(set(found) for found in broken.values()))
    for role, found in broken.items():
        if names := sorted(set(found) - everywhere):
            raise InputError(_broken(sides[role], names, found[names[0]]))
    common = set.intersection(*have.values())
    alone = {role: sorted(found - common) for role, found in have.items()}
    for role, found in alone.items():
        if found and sides[role].of.strict:
            raise InputError(f"{_other(sides, role).option}: does not have {_some(found)}; {sides[role].option} has")
    if not common:
        some = "; ".join(f"{sides[role].option} has {_some(found)}" for role, found in alone.items())
        raise InputError(f"{plan.cases}: no case is on both sides ({some})")
    overruled = sorted({option for found in facts.values() for option in found["overruled"]})
    remarks = [f"Options of pytest are overruled: {', '.join(overruled)}."] if overruled else []
    remarks += [f"Cannot be collected on either side: {name} ({broken['base'][name]})." for name in sorted(everywhere)]
    remarks += [*_changed_files(facts, common), *_uncompiled(sides, facts)]
    return Survey(plan, alone, remarks)


def _changed_files(facts: Mapping[str, Mapping[str, Any]], common: Collection[str]) -> Iterator[str]:
    """A sentence if files differ that hold cases of both sides, or are a conftest: then the cases may do other work."""
    base, head = (found["files"] for found in facts.values())
    holding = {name.partition("::")[0] for name in common}
    differing = [
        path
        for path in sorted({*base, *head})
        if base.get(path) != head.get(path) and (path in holding or path.endswith("conftest.py"))
    ]
    if differing:
        yield (
            f"Each side runs the cases of its own, and these files differ: {', '.join(differing)}. "
            "A ratio can come from there, and not from the code that they measure."
        )


def _uncompiled(sides: Mapping[str, Side], facts: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A sentence for each package of which an interpreter has compiled modules that no side has."""
    for name, module in sorted({one for found in facts.values() for one in found["uncompiled"].items()}):
        roles = [role for role, found in facts.items() if found["uncompiled"].get(name) == module]
        yield (
            f"{' and '.join(roles)} {'run' if len(roles) > 1 else 'runs'} {name} without its compiled modules, such as {module}, which "
            f"{sides[roles[0]].python} has installed: what is timed is what stands in for them. Build them in two directories, and name these as sides."
        )


def _broken(side: Side, names: Sequence[str], reason: str) -> str:
    """The line for files that cannot be collected, with the reason of the first.  A revision lacks what only the working tree has."""
    ignored = worktrees.ignored_module(side.of.repository, reason) if side.temporary else None
    hint = f"; {ignored} is ignored by git, so no revision has it: name directories as sides" if ignored else ""
    return f"{side.option}: {_some(names)} cannot be collected ({reason}){hint}"


def _other(sides: Mapping[str, Side], role: str) -> Side:
    return next(side for side in sides.values() if side.role != role)


def _some(names: Collection[str]) -> str:
    first = next(iter(names), "none")
    return f"{first} and {len(names) - 1} more" if len(names) > 1 else first


def _no_place(sides: Mapping[str, Side], plans: Sequence[Plan]) -> str:
    """The line for places that a side does not have."""
    places = ", ".join(plan.cases for plan in plans)
    for side in sides.values():
        if not any((side.project / plan.cases).exists() for plan in plans):
            if len(plans) == 1:
                right = "the file or folder of the cases, relative to the project"
                single = "; single cases are selected by -k" if "::" in places else ""
                return f"{side.option}: has no {places}; expected {right}{single}"
            return f"{side.option}: has none of {places}; say with --cases where the cases are"
    return f"no case found: none of {places} is on both sides; say with --cases where the cases are"


def _no_case(sides: Mapping[str, Side], plans: Sequence[Plan], facts: Mapping[str, Mapping[str, Any]]) -> str:
    """The line for places without a case."""
    places = ", ".join(plan.cases for plan in plans)
    for role, found in facts.items():
        if found["broken"]:
            names = list(found["broken"])
            return _broken(sides[role], names, found["broken"][names[0]])
        for file in found["own_fixture"]:
            return (
                f"{sides[role].option}: the fixture benchmark in {places} is that of {file}, not pytest-benchmark's; "
                "install what it stands in for, such as pytest-codspeed"
            )
    collected = max(found["collected"] for found in facts.values())
    if collected:
        by = (
            f"-k {plans[0].expression}"
            if plans[0].expression
            else "the project's own configuration of pytest, such as -m in its addopts,"
        )
        return f"{by} selects none of the {collected} cases in {places}"
    return (
        f"no case found: looked in {places} for tests that use the fixture benchmark; say with --cases where they are, "
        "and behind -- how their files are called, as in -- -o python_files=bench_*.py"
    )

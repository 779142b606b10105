"""The folder that a gate left, read back: what was compared, and its pairs.  Several folders of the same comparison are joined.

A folder can hold the pairs of several machines, and several folders those of one each.  Sides, versions and settings have to agree in all of
them; what is a machine's own has to agree among its pairs.

Nothing is written there, so a gate may be at work in the folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from benchmarks.gate import outcome
from benchmarks.gate.compared import Compared
from benchmarks.gate.outcome import Outcome
from benchmarks.gate.pairs import ROLES, gap, recorded
from benchmarks.gate.rows import Pair, check_thresholds, rows
from benchmarks.gate.rules import Rules
from benchmarks.gate.thresholds import Thresholds
from benchmarks.saved import machines, results
from benchmarks.saved.files import read_json
from benchmarks.saved.kinds import OBJECT, TEXT, Either, Kind, ListOf, MapOf, Number, OneOf, PairOf, Text, Whole, fault_in
from benchmarks.saved.results import Run
from benchmarks.saved.storage import ASKED, MANIFEST, NOTED
from benchmarks.sessions.plan import Plan
from lenet5.errors import InputError

EXPECTED = "the folder that a gate wrote its raw values to"

MAYBE = Either(TEXT, OneOf((None,)))
SHARE = Number(1e-12, 1e6)
LONGEST_SECONDS = 1e9

PAIR_SECONDS = "pair_seconds"
"""Under which it is noted what each pair took."""

SETTINGS: Mapping[str, Kind] = {
    **{"cases": TEXT, "expression": MAYBE, "options": ListOf(Text(empty=True), least=0), "seed": Whole(low=-(10**15))},
    **{"threshold": SHARE, "thresholds": Either(MapOf(SHARE), OneOf((None,)))},
}
SIDE: Mapping[str, Kind] = {
    **{"commit": MAYBE, "directory": MAYBE, "changed": OneOf((True, False))},
    **{"interpreter": TEXT, "versions": MapOf(TEXT), "tree": TEXT, "code_sha256": TEXT},
}
FACTS: Mapping[str, Kind] = {
    **{"sides": MapOf(TEXT), "threads": Whole(1), "control": TEXT, "rules": OBJECT},
    **{"alone": MapOf(ListOf(TEXT, least=0)), "remarks": ListOf(TEXT, least=0)},
    **{"out_of_time": OneOf((True, False)), "seconds_a_pair": Number(0, LONGEST_SECONDS)},
    PAIR_SECONDS: ListOf(Number(0, LONGEST_SECONDS), least=0),
}
"""What is noted beside the settings.  A gate of an earlier version noted nothing."""
RULES: Mapping[str, Kind] = {
    **{"threshold": SHARE, "thresholds": ListOf(PairOf(TEXT, SHARE), least=0), "alpha": Number(0, 1), "agree": Number(0, 1)},
    **{"looks": ListOf(Whole(1)), "confirm": Whole(), "steady_pairs": Whole()},
}

SAME_SIDE = ("tree", "code_sha256", "interpreter", "versions")
"""What makes a side of two folders the same: how it was asked for, and which commit has its tree, do not matter."""

SAME_SETTINGS = ("order", "cases", "expression", "options", "system")

A_MACHINES_OWN = ("interpreter", "system")
"""What of these may differ between machines: where the same Python lies, and the system's release."""


@dataclass(frozen=True)
class Recorded:
    """What a gate left in a folder."""

    folder: Path
    settings: Mapping[str, Any]
    compared: Compared
    pairs: Sequence[Pair]

    @property
    def noted(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.settings.get(NOTED, {})
        return found


def outcome_of(folders: Sequence[Path], thresholds: tuple[float, Thresholds] | None = None) -> Outcome:
    """Judge the pairs of some folders, of which there is at least one: by the rules that they were measured by, or with other thresholds.

    For one folder by its own rules that is the outcome that its gate had.  Several are one comparison whose pairs count in the order in which
    they were measured; the folders of several machines take turns, a pair each, since the clocks of machines need not agree.  Raises InputError,
    one line, if one is no folder of a gate or has no pair, and where they are not of the same two sides and circumstances.
    """
    found = [load(folder) for folder in folders]
    found.sort(key=lambda one: one.pairs[0].base.datetime)
    first = found[0]
    _check_joined(found)
    pairs = _in_turns(found)
    gaps = tuple(f"{lost}." for one in found if (lost := gap(one.folder, len(one.pairs))))
    compared = replace(first.compared, remarks=(*first.compared.remarks, *gaps))
    if thresholds:
        threshold, of_cases = thresholds
        compared = replace(compared, rules=replace(compared.rules, threshold=threshold, thresholds=of_cases))
    check_thresholds(pairs[0], compared.rules)
    again = outcome.again(compared, pairs)
    if thresholds or len(found) > 1:
        return again
    noted = first.noted
    return replace(
        again,
        out_of_time=noted.get("out_of_time", False),
        seconds_a_pair=noted.get("seconds_a_pair", 0.0),
        seconds=noted.get(PAIR_SECONDS, ()),
        goes_on=ASKED in first.settings and noted.get("out_of_time", True),
    )


def load(folder: Path) -> Recorded:
    """Read what a gate left in a folder.  Raises InputError, one line, if that is nothing, or not all of one comparison."""
    settings = settings_of(folder)
    _check_kinds(folder / MANIFEST, settings)
    pairs = recorded(folder)
    if not pairs:
        raise InputError(f"{folder}: holds no pair; expected {EXPECTED}")
    if not rows(pairs):
        raise InputError(f"{folder}: holds no case that both sides measured; expected {EXPECTED}")
    _check_pairs(pairs)
    return Recorded(folder, settings, _compared(settings, pairs[0].base), pairs)


def settings_of(folder: Path) -> Mapping[str, Any]:
    """The settings that a gate noted in a folder.  Raises InputError, one line, unless a gate did."""
    manifest = folder / MANIFEST
    settings = read_json(manifest, EXPECTED)
    if not isinstance(settings, Mapping) or not all(isinstance(settings.get(role), Mapping) for role in ROLES):
        raise InputError(f"{manifest}: no settings of a gate; expected {EXPECTED}")
    return settings


def noted_seconds(folder: Path) -> Sequence[float]:
    """What each pair took, as far as a gate noted it.  Raises InputError, naming the file, for a value that no gate notes."""
    settings = settings_of(folder)
    noted = settings.get(NOTED, {})
    fault = fault_in(settings, NOTED, OBJECT, needed=False) or fault_in(noted, PAIR_SECONDS, FACTS[PAIR_SECONDS], needed=False)
    if fault:
        raise InputError(f"{folder / MANIFEST}: {fault}")
    found: Sequence[float] = noted.get(PAIR_SECONDS, ())
    return found


def _check_kinds(manifest: Path, settings: Mapping[str, Any]) -> None:
    """Raise InputError, naming it, for a value of a kind that no gate notes."""
    tables = [("", settings, SETTINGS, True), *((f"{role}.", settings[role], SIDE, True) for role in ROLES)]
    if fault := fault_in(settings, NOTED, OBJECT, needed=False):
        raise InputError(f"{manifest}: {fault}")
    noted = settings.get(NOTED, {})
    tables.append((f"{NOTED}.", noted, FACTS, False))
    if isinstance(noted.get("rules"), Mapping):
        tables.append((f"{NOTED}.rules.", noted["rules"], RULES, True))
    for where, values, kinds, needed in tables:
        for name, kind in kinds.items():
            if fault := fault_in(values, name, kind, needed):
                raise InputError(f"{manifest}: {where}{fault}")
    for role in ROLES:
        if "python" not in settings[role]["versions"]:
            raise InputError(f"{manifest}: {role}.versions has no python; expected {EXPECTED}")


def _compared(settings: Mapping[str, Any], first: Run) -> Compared:
    """What was compared, as the settings say it; what an earlier version did not note is what it can have been."""
    noted = settings.get(NOTED, {})
    identities = {role: settings[role] for role in ROLES}
    named = {role: identity["commit"] or identity["directory"] or role for role, identity in identities.items()}
    plan = Plan(settings["cases"], settings["expression"], settings["seed"], tuple(settings["options"]))
    thresholds = {"threshold": settings["threshold"], "thresholds": list((settings["thresholds"] or {}).items())}
    rules = {**thresholds, **noted.get("rules", {})}
    rules = {name: rules[name] for name in RULES if name in rules}
    rules["thresholds"] = tuple((expression, share) for expression, share in rules["thresholds"])
    if "looks" in rules:
        rules["looks"] = tuple(rules["looks"])
    return Compared(
        {**named, **noted.get("sides", {})},
        identities,
        plan,
        noted.get("threads", first.lenet5.get("threads", 1)),
        Rules(**rules),
        noted.get("control", "work"),
        noted.get("alone", {}),
        noted.get("remarks", ()),
    )


# Several folders, several machines


def _check_joined(found: Sequence[Recorded]) -> None:
    """Raise InputError, naming what differs, unless all are of the same two sides and circumstances, and no pair is there twice."""
    first = found[0]
    seen: dict[object, Path] = {}
    for one in found:
        for where, expected, now in _facts(first, one):
            if expected != now:
                raise InputError(
                    f"{one.folder}: {where} is {_shown(now)}, but {_shown(expected)} in {first.folder}; not of one comparison"
                )
        for process in {_process(pair.base) for pair in one.pairs}:
            if process in seen:
                raise InputError(f"{one.folder}: has pairs that {seen[process]} has, too; name each folder once")
            seen[process] = one.folder
    _check_pairs([one.pairs[0] for one in found])
    _check_pairs([pair for one in found for pair in one.pairs], all_cases=False)


def _facts(first: Recorded, one: Recorded) -> list[tuple[str, Any, Any]]:
    """Name, value in the first folder and value in this one of all that has to agree."""
    free = () if _machines(first) == _machines(one) else A_MACHINES_OWN
    found = [
        (f"{role}.{name}", first.compared.identities[role][name], one.compared.identities[role][name])
        for role in ROLES
        for name in SAME_SIDE
        if name not in free
    ]
    found += [(name, first.settings.get(name), one.settings.get(name)) for name in SAME_SETTINGS if name not in free]
    return [*found, ("threads", first.compared.threads, one.compared.threads)]


def _machines(one: Recorded) -> frozenset[tuple[str, ...]]:
    return frozenset(machines.key(pair.base) for pair in one.pairs)


def _in_turns(found: Sequence[Recorded]) -> list[Pair]:
    """The pairs of all folders: those of one machine one after the other, and of several machines the first of each, the second of each, ..."""
    queues: dict[frozenset[tuple[str, ...]], list[Pair]] = {}
    for one in found:
        queues.setdefault(_machines(one), []).extend(one.pairs)
    return [pair for turn in zip_longest(*queues.values()) for pair in turn if pair is not None]


def _check_pairs(pairs: Sequence[Pair], all_cases: bool = True) -> None:
    """Raise InputError, naming file and difference, unless the processes of all pairs measured under the same circumstances.

    The circumstances that are a machine's own have to agree with those of its first pair.  With ``all_cases`` the cases of a pair have to be those
    of the first, but for those that it left out.
    """
    first_of: dict[tuple[str, ...], Pair] = {}
    for pair in pairs:
        _check_one_machine(pair)
        machine = machines.key(pair.base)
        first = first_of.setdefault(machine, pair)
        for role in ROLES:
            start, before, now = (getattr(one, role) for one in (pairs[0], first, pair))
            results.check_circumstances(before, now)
            if all_cases:
                known, left = ({case.name for case in run.cases} for run in (start, now))
                results.check_fit(start, now, known - left, elsewhere=machine != machines.key(pairs[0].base))


def _check_one_machine(pair: Pair) -> None:
    """Raise InputError, naming file and difference, unless both processes of a pair ran on one machine."""
    for place, base, head in zip(machines.PLACES, machines.key(pair.base), machines.key(pair.head), strict=True):
        if base != head:
            raise InputError(
                f"{pair.head.paths[0]}: {place} is {_shown(head)}, but {_shown(base)} in {pair.base.paths[0]}; "
                "both processes of a pair are measured on one machine"
            )


def _process(run: Run) -> object:
    """What tells a process from all others: when it measured, and what, to the last digit."""
    return run.datetime, tuple((case.name, case.median) for case in run.cases)


def _shown(value: Any) -> str:
    return str(value)[:80]
